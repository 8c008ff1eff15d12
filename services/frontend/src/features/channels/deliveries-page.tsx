/** What we send, how each try went, and the dead letters to send again. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { RotateCw, Send } from "lucide-react";
import { useState } from "react";
import { api, type Body, call } from "@/api/client";
import { useMay, useTenantId } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { usePages } from "@/lib/paging";
import { Badge, type Tone } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Sheet } from "@/ui/dialog";
import { Card, Facts, Page, Tabs } from "@/ui/page";
import { PagedTable } from "@/ui/paged-table";
import { Empty, Loaded } from "@/ui/states";
import { type Column, RowButton } from "@/ui/table";
import { Ago, When } from "@/ui/time";
import { toast } from "@/ui/toast";
import { listChannels } from "./api";
import { ChannelMark } from "./brand-marks";

type Delivery = Body<"DeliveryView">;
type Status = "pending" | "sent" | "dead";

const TONES: Record<string, Tone> = { pending: "accent", sent: "good", dead: "bad" };

export function DeliveriesPage() {
  const { t, named, format } = useLanguage();
  const tenantId = useTenantId();
  const [status, setStatus] = useState<Status>("dead");
  const [opened, setOpened] = useState<string | null>(null);
  const deliveries = usePages(
    ["deliveries", tenantId, status],
    (cursor) =>
      call(
        api.GET("/admin/deliveries", { params: { query: { tenant_id: tenantId, status, ...(cursor && { cursor }) } } }),
      ),
    { every: 10_000 },
  );
  const channels = useQuery({
    queryKey: ["channels", tenantId, "all"],
    queryFn: () => listChannels(tenantId, undefined, undefined),
  });
  const channelOf = (delivery: Delivery) => channels.data?.items.find((each) => each.id === delivery.channel_id);
  const columns: Column<Delivery>[] = [
    {
      id: "channel",
      label: t("field.channel"),
      render: (delivery) => (
        <span className="flex items-center gap-2">
          <ChannelMark type={channelOf(delivery)?.channel_type ?? "?"} size={22} />
          <RowButton>
            <bdi>{channelOf(delivery)?.display_name ?? delivery.channel_id.slice(0, 8)}</bdi>
          </RowButton>
        </span>
      ),
    },
    {
      id: "error",
      label: t("deliveries.last_error"),
      className: "w-full max-w-0 truncate",
      render: (delivery) => <bdi className="text-ink-soft">{delivery.last_error ?? "—"}</bdi>,
    },
    {
      id: "attempts",
      label: t("deliveries.attempts"),
      wide: true,
      render: (delivery) => format.number(delivery.attempts),
    },
    { id: "made", label: t("field.created"), render: (delivery) => <Ago at={delivery.created_at} /> },
  ];
  return (
    <Page
      title={t("nav.deliveries")}
      description={t("deliveries.description")}
      tabs={
        <Tabs<Status>
          label={t("field.status")}
          value={status}
          onChange={setStatus}
          tabs={(["dead", "pending", "sent"] as const).map((id) => ({ id, label: named("delivery", id) }))}
        />
      }
    >
      <Card bodyClassName="">
        <PagedTable
          list={deliveries}
          empty={
            <Empty
              icon={<Send aria-hidden />}
              title={t(status === "dead" ? "deliveries.none_dead" : "deliveries.none")}
            >
              {status === "dead" && t("deliveries.none_dead_hint")}
            </Empty>
          }
          label={t("nav.deliveries")}
          columns={columns}
          rowKey={(each) => each.id}
          onOpen={(each) => setOpened(each.id)}
        />
      </Card>
      <Sheet open={opened !== null} onClose={() => setOpened(null)} title={t("deliveries.one")}>
        {opened && <Detail deliveryId={opened} onReplayed={() => setOpened(null)} />}
      </Sheet>
    </Page>
  );
}

function Detail({ deliveryId, onReplayed }: { deliveryId: string; onReplayed: () => void }) {
  const { t, named, format } = useLanguage();
  const mayReplay = useMay("replayDelivery");
  const queries = useQueryClient();
  const [busy, setBusy] = useState(false);
  const params = { path: { delivery_id: deliveryId } };
  const delivery = useQuery({
    queryKey: ["delivery", deliveryId],
    queryFn: () => call(api.GET("/admin/deliveries/{delivery_id}", { params })),
  });
  const replay = async () => {
    setBusy(true);
    try {
      await call(api.POST("/admin/deliveries/{delivery_id}/replay", { params }));
      await queries.invalidateQueries({ queryKey: ["deliveries"] });
      toast.done(t("deliveries.replayed"));
      onReplayed();
    } catch (error) {
      toast.failed(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Loaded query={delivery}>
      {(data) => (
        <div className="flex flex-col gap-5 p-5">
          <Facts
            items={[
              [
                t("field.status"),
                <Badge key="status" tone={TONES[data.status] ?? "neutral"}>
                  {named("delivery", data.status)}
                </Badge>,
              ],
              [t("deliveries.attempts"), format.number(data.attempts)],
              [t("field.created"), <When key="made" at={data.created_at} />],
              ...(data.status === "pending"
                ? [[t("deliveries.due"), <When key="due" at={data.due_at} />] as const]
                : []),
              ...(data.last_error
                ? [
                    [
                      t("deliveries.last_error"),
                      <bdi key="error" className="text-bad">
                        {data.last_error}
                      </bdi>,
                    ] as const,
                  ]
                : []),
            ]}
          />
          {mayReplay && data.status === "dead" && (
            <Button
              variant="primary"
              className="self-start"
              busy={busy}
              icon={<RotateCw className="size-4" aria-hidden />}
              onClick={() => void replay()}
            >
              {t("deliveries.replay")}
            </Button>
          )}
          <section>
            <h3 className="mb-2 text-xs font-medium text-ink-faint">{t("deliveries.tries")}</h3>
            <ol className="flex flex-col divide-y rounded-lg border">
              {data.tries.map((each) => (
                <li key={each.number} className="flex items-start gap-3 px-3 py-2 text-sm">
                  <span className="text-ink-faint">{format.number(each.number)}</span>
                  <span className="min-w-0 flex-1">
                    <span className="font-medium">{named("outcome", each.outcome)}</span>
                    <bdi className="block text-xs text-ink-soft">{each.words}</bdi>
                  </span>
                  <span className="text-xs text-ink-faint">{format.duration(each.took_ms / 1000)}</span>
                </li>
              ))}
            </ol>
          </section>
          {data.body && (
            <section>
              <h3 className="mb-2 text-xs font-medium text-ink-faint">{t("deliveries.body")}</h3>
              <pre
                dir="ltr"
                className="scroll-quiet max-h-80 overflow-auto rounded-lg border bg-sunken p-3 text-start font-mono text-xs whitespace-pre-wrap"
              >
                {JSON.stringify(data.body, null, 2)}
              </pre>
            </section>
          )}
        </div>
      )}
    </Loaded>
  );
}
