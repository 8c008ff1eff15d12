/** What a webhook was told or is to be told, and telling it again. */
import { useQueryClient } from "@tanstack/react-query";
import { RotateCw, Send } from "lucide-react";
import { useState } from "react";
import { JOB_STATUSES } from "@/features/automation/api";
import { JOB_TONES } from "@/features/automation/jobs/tones";
import { useLanguage } from "@/i18n";
import { usePages } from "@/lib/paging";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Filter } from "@/ui/field";
import { Card } from "@/ui/page";
import { PagedTable } from "@/ui/paged-table";
import { Empty } from "@/ui/states";
import type { Column } from "@/ui/table";
import { Ago, When } from "@/ui/time";
import { toast } from "@/ui/toast";
import { type Delivery, type DeliveryStatus, keys, listDeliveries, replayDelivery } from "./api";

const EVERY_MS = 5000;

/** What an event holds, and how each POST was answered: for whoever looks for a fault on either side. */
function Details({ delivery }: { delivery: Delivery }) {
  const { t, format } = useLanguage();
  return (
    <details className="mt-1 text-xs text-ink-soft">
      <summary className="cursor-pointer">{t("webhooks.details")}</summary>
      <dl className="mt-1">
        <dt className="text-ink-faint">webhook-id</dt>
        <dd className="break-all">
          <bdi>{delivery.webhook_id}</bdi>
        </dd>
      </dl>
      <ol>
        {delivery.tries.map((each) => (
          <li key={each.at} className={each.outcome === "failed" ? "text-bad" : undefined}>
            <When at={each.at} /> · <bdi>{each.words}</bdi> · {format.duration(each.took_ms / 1000)}
          </li>
        ))}
      </ol>
      <pre
        dir="ltr"
        className="mt-1 max-w-full overflow-x-auto rounded-md bg-sunken p-2 text-start whitespace-pre-wrap"
      >
        {JSON.stringify(delivery.payload, null, 2)}
      </pre>
    </details>
  );
}

export function DeliveriesList({ webhookId, mayReplay }: { webhookId: string; mayReplay: boolean }) {
  const { t, named, format } = useLanguage();
  const queries = useQueryClient();
  const [status, setStatus] = useState<DeliveryStatus | undefined>();
  const deliveries = usePages(
    keys.deliveries(webhookId, status),
    (cursor) => listDeliveries(webhookId, status, cursor),
    { every: EVERY_MS },
  );
  const replay = async (delivery: Delivery) => {
    try {
      await replayDelivery(webhookId, delivery.id);
      toast.done(t("deliveries.replayed"));
    } catch (error) {
      toast.failed(error);
    }
    await queries.invalidateQueries({ queryKey: keys.one(webhookId) });
  };
  const columns: Column<Delivery>[] = [
    {
      id: "event",
      label: t("webhooks.event"),
      render: (delivery) => (
        <>
          <span className="font-medium">{named("event", delivery.event)}</span>
          {delivery.reason && <bdi className="line-clamp-2 text-xs text-ink-soft">{delivery.reason}</bdi>}
          <Details delivery={delivery} />
        </>
      ),
    },
    {
      id: "status",
      label: t("field.status"),
      render: (delivery) => (
        <>
          <Badge tone={JOB_TONES[delivery.status]}>{named("webhook_job", delivery.status)}</Badge>
          {delivery.status === "pending" && delivery.attempts > 0 && (
            <span className="block text-xs text-ink-faint">
              <When at={delivery.due_at} />
            </span>
          )}
        </>
      ),
    },
    {
      id: "attempts",
      label: t("webhooks.failures"),
      wide: true,
      render: (delivery) => format.number(delivery.attempts),
    },
    { id: "at", label: t("field.created"), wide: true, render: (delivery) => <Ago at={delivery.created_at} /> },
    {
      id: "replay",
      label: t("field.actions"),
      className: "text-end",
      render: (delivery) =>
        mayReplay && (
          <Button
            size="sm"
            icon={<RotateCw className="size-3.5" aria-hidden />}
            onClick={() => void replay(delivery)}
            aria-label={`${t("webhooks.replay")}: ${named("event", delivery.event)}`}
          >
            <span className="max-sm:sr-only">{t("webhooks.replay")}</span>
          </Button>
        ),
    },
  ];
  return (
    <Card
      title={t("nav.deliveries")}
      bodyClassName=""
      actions={
        <Filter
          label={t("field.status")}
          any={t("jobs.any_status")}
          values={JOB_STATUSES}
          value={status}
          onChange={setStatus}
          name={(each) => named("webhook_job", each)}
        />
      }
    >
      <PagedTable
        list={deliveries}
        empty={
          <Empty icon={<Send aria-hidden />} title={t("deliveries.none")}>
            {t("webhooks.no_deliveries")}
          </Empty>
        }
        label={t("nav.deliveries")}
        columns={columns}
        rowKey={(delivery) => delivery.id}
      />
    </Card>
  );
}
