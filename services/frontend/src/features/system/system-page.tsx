/** The platform itself: each part, the queues, what waits to be sent. For platform administrators. */
import { useQuery } from "@tanstack/react-query";
import { CircleCheck, CircleX } from "lucide-react";
import { api, type Body, call } from "@/api/client";
import { Problem } from "@/api/problem";
import { useMe } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { Badge } from "@/ui/badge";
import { Card, Facts, Page } from "@/ui/page";
import { Failure, Loaded } from "@/ui/states";
import { type Column, Table } from "@/ui/table";
import { Ago } from "@/ui/time";

type Queue = Body<"QueueView">;
type System = Body<"SystemView">;

const EVERY_MS = 5000;

export function SystemPage() {
  const { t } = useLanguage();
  const me = useMe();
  const allowed = me.role === "platform_admin";
  const system = useQuery({
    queryKey: ["system"],
    queryFn: () => call(api.GET("/admin/system")),
    refetchInterval: EVERY_MS,
    enabled: allowed,
  });
  return (
    <Page title={t("nav.system")} description={t("system.description")}>
      {allowed ? (
        <Loaded query={system}>{(data) => <View system={data} />}</Loaded>
      ) : (
        <Failure error={new Problem(403, "forbidden", "")} />
      )}
    </Page>
  );
}

function View({ system }: { system: System }) {
  const { t, named, format } = useLanguage();
  const queues: Column<Queue>[] = [
    { id: "name", label: t("field.name"), render: (queue) => named("work", queue.name) },
    { id: "waiting", label: t("system.waiting"), render: (queue) => format.number(queue.waiting) },
    { id: "running", label: t("system.running"), render: (queue) => format.number(queue.running) },
    {
      id: "failed",
      label: t("system.failed"),
      render: (queue) =>
        queue.failed > 0 ? <Badge tone="bad">{format.number(queue.failed)}</Badge> : format.number(0),
    },
    {
      id: "oldest",
      label: t("system.oldest"),
      wide: true,
      render: (queue) => (queue.oldest_seconds === null ? "—" : format.duration(queue.oldest_seconds)),
    },
  ];
  return (
    <>
      <Card>
        <Facts
          items={[
            [
              t("system.version"),
              <code key="version" dir="ltr">
                {system.version}
              </code>,
            ],
            [t("system.started"), <Ago key="started" at={system.started_at} />],
            [t("system.database"), format.bytes(system.database_mb * 1_000_000)],
            [t("system.memory"), format.bytes(system.memory_mb * 1_000_000)],
            [t("system.disk"), format.percent(system.disk_free_percent / 100)],
            [t("system.to_send"), format.number(system.deliveries.pending)],
            [
              t("delivery.dead"),
              system.deliveries.dead > 0 ? (
                <Badge key="dead" tone="bad">
                  {format.number(system.deliveries.dead)}
                </Badge>
              ) : (
                format.number(0)
              ),
            ],
          ]}
        />
      </Card>
      <Card title={t("system.parts")} bodyClassName="">
        <ul className="divide-y">
          {system.parts.map((part) => (
            <li key={part.name} className="flex items-center gap-3 px-4 py-2.5 text-sm">
              {part.ok ? (
                <CircleCheck className="size-4 shrink-0 text-good" aria-label={t("system.ok")} />
              ) : (
                <CircleX className="size-4 shrink-0 text-bad" aria-label={t("system.not_ok")} />
              )}
              <span className="w-32 shrink-0 font-medium">{named("part", part.name)}</span>
              <bdi className="min-w-0 flex-1 text-ink-soft">{part.ok ? t("system.ok") : part.words}</bdi>
              <span className="text-xs text-ink-faint tabular-nums">{format.duration(part.ms / 1000)}</span>
            </li>
          ))}
        </ul>
      </Card>
      <Card title={t("system.queues")} bodyClassName="">
        <Table label={t("system.queues")} columns={queues} rows={system.queues} rowKey={(queue) => queue.name} />
      </Card>
    </>
  );
}
