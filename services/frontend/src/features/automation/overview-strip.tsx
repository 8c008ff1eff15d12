/** How a tenant's automation stands, in one line, and its one switch. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { CirclePause, CirclePlay } from "lucide-react";
import { useState } from "react";
import { useMay, useTenantId } from "@/app/tenant";
import { type Language, useLanguage } from "@/i18n";
import { cx } from "@/lib/classes";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/dialog";
import { Loaded, Skeleton } from "@/ui/states";
import { Ago } from "@/ui/time";
import { BY_OPERATIONS, getOverview, keys, type Overview, pauseAll, resumeAll } from "./api";

const EVERY_MS = 5000;

/** Who paused all; operators of the platform pause every tenant at once. */
function pausedBy(name: string, t: Language["t"]): string {
  if (!name.startsWith(BY_OPERATIONS)) return name;
  return t("automation.by_operations", { name: name.slice(BY_OPERATIONS.length) });
}

export function OverviewStrip() {
  const tenantId = useTenantId();
  const overview = useQuery({
    queryKey: keys.overview(tenantId),
    queryFn: () => getOverview(tenantId),
    refetchInterval: EVERY_MS,
  });
  return (
    <Loaded query={overview} loading={<Skeleton className="h-16 rounded-xl" />}>
      {(data) => <Strip overview={data} />}
    </Loaded>
  );
}

interface Figure {
  label: string;
  value: number;
  tone?: "bad" | "warn";
}

function Strip({ overview }: { overview: Overview }) {
  const { t, format } = useLanguage();
  const { rules, jobs } = overview;
  const figures: Figure[] = [
    { label: t("automation.active"), value: rules.active ?? 0 },
    { label: t("automation.queue"), value: (jobs.pending ?? 0) + (jobs.running ?? 0) },
    { label: t("automation.stuck"), value: overview.stuck, tone: "warn" },
    { label: t("automation.failed"), value: jobs.failed ?? 0, tone: "bad" },
    { label: t("automation.behind"), value: overview.behind, tone: "warn" },
  ];
  return (
    <section aria-label={t("automation.overview")} className="flex flex-col gap-3">
      {overview.paused_at && (
        <p role="status" className="rounded-lg bg-warn-soft px-3 py-2 text-sm text-warn">
          {t("automation.all_rest", { name: pausedBy(overview.paused_by ?? "", t) })} <Ago at={overview.paused_at} />
        </p>
      )}
      <div className="flex flex-col gap-x-6 gap-y-3 rounded-xl sm:flex-row sm:items-center border bg-panel px-4 py-3">
        <dl className="grid flex-1 grid-cols-3 gap-x-4 md:grid-cols-5 gap-y-3">
          {figures.map(({ label, value, tone }) => (
            <div key={label} className="flex flex-col">
              <dt className="text-xs text-ink-faint">{label}</dt>
              <dd
                className={cx(
                  "text-base font-semibold tabular-nums",
                  value > 0 && tone === "bad" && "text-bad",
                  value > 0 && tone === "warn" && "text-warn",
                )}
              >
                {format.number(value)}
              </dd>
            </div>
          ))}
        </dl>
        <Switch overview={overview} />
      </div>
    </section>
  );
}

function Switch({ overview }: { overview: Overview }) {
  const { t } = useLanguage();
  const mayEdit = useMay("editAutomation");
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const resting = overview.paused_at !== null;
  const { tenant_id: tenantId } = overview;
  if (!mayEdit) return null;
  const Icon = resting ? CirclePlay : CirclePause;
  const words = resting
    ? ({ title: "automation.resume_title", hint: "automation.resume_hint", action: "automation.resume_all" } as const)
    : ({ title: "automation.pause_title", hint: "automation.pause_hint", action: "automation.pause_all" } as const);
  return (
    <>
      <Button
        variant={resting ? "primary" : "secondary"}
        icon={<Icon className="size-4" aria-hidden />}
        onClick={() => setAsking(true)}
      >
        {t(words.action)}
      </Button>
      {asking && (
        <Confirm
          open
          onClose={() => setAsking(false)}
          title={t(words.title)}
          description={t(words.hint)}
          action={t(words.action)}
          danger={!resting}
          onConfirm={async () => {
            await (resting ? resumeAll(tenantId) : pauseAll(tenantId));
            await queries.invalidateQueries({ queryKey: keys.all(tenantId) });
          }}
        />
      )}
    </>
  );
}
