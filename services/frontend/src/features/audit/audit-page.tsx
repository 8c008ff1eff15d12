/** Who changed what and when, with the proof that no row was taken out or altered. */
import { useQuery } from "@tanstack/react-query";
import { Download, ScrollText, ShieldAlert, ShieldCheck } from "lucide-react";
import { useState } from "react";
import { api, type Body, call, download } from "@/api/client";
import { useTenantId } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { usePages } from "@/lib/paging";
import { saveBlob } from "@/lib/save";
import { Badge } from "@/ui/badge";
import { Button, IconButton } from "@/ui/button";
import { Sheet } from "@/ui/dialog";
import { Field, Input, Select } from "@/ui/field";
import { Menu, MenuItem } from "@/ui/menu";
import { Card, Facts, Page } from "@/ui/page";
import { PagedTable } from "@/ui/paged-table";
import { Empty } from "@/ui/states";
import { type Column, RowButton } from "@/ui/table";
import { When } from "@/ui/time";
import { toast } from "@/ui/toast";

type AuditEvent = Body<"AuditEventView">;

interface Filter {
  actor: string;
  action: string;
  outcome: "" | "ok" | "denied";
  since: string;
  until: string;
}

const ALL: Filter = { actor: "", action: "", outcome: "", since: "", until: "" };

function queryOf(tenantId: string, filter: Filter) {
  return {
    tenant_id: tenantId,
    ...(filter.actor && { actor: filter.actor }),
    ...(filter.action && { action: filter.action }),
    ...(filter.outcome && { outcome: filter.outcome }),
    ...(filter.since && { since: new Date(`${filter.since}T00:00:00`).toISOString() }),
    ...(filter.until && { until: new Date(`${filter.until}T23:59:59`).toISOString() }),
  };
}

export function AuditPage() {
  const { t } = useLanguage();
  const tenantId = useTenantId();
  const [filter, setFilter] = useState(ALL);
  const [opened, setOpened] = useState<AuditEvent | null>(null);
  const query = queryOf(tenantId, filter);
  const events = usePages(["audit", query], (cursor) =>
    call(api.GET("/admin/events", { params: { query: { ...query, ...(cursor && { cursor }) } } })),
  );
  const save = (format: "csv" | "jsonl") =>
    void download(`/admin/events/export?${new URLSearchParams({ ...query, format })}`)
      .then((blob) => saveBlob(blob, `audit.${format}`))
      .catch(toast.failed);
  const columns: Column<AuditEvent>[] = [
    { id: "when", label: t("audit.when"), render: (event) => <When at={event.occurred_at} /> },
    {
      id: "actor",
      label: t("audit.actor"),
      className: "max-w-48 truncate",
      render: (event) => <bdi>{event.actor_name ?? event.actor}</bdi>,
    },
    {
      id: "action",
      label: t("audit.action"),
      render: (event) => (
        <RowButton>
          <code dir="ltr" className="text-xs">
            {event.action}
          </code>
        </RowButton>
      ),
    },
    {
      id: "target",
      label: t("audit.target"),
      wide: true,
      className: "max-w-56 truncate",
      render: (event) => <bdi className="text-xs text-ink-soft">{event.target}</bdi>,
    },
    { id: "outcome", label: t("audit.outcome"), wide: true, render: (event) => <Outcome outcome={event.outcome} /> },
  ];
  return (
    <Page
      title={t("nav.audit")}
      description={t("audit.description")}
      wide
      actions={
        <>
          <Chain tenantId={tenantId} />
          <Menu
            trigger={
              <IconButton variant="secondary" label={t("action.export")}>
                <Download className="size-4" aria-hidden />
              </IconButton>
            }
          >
            <MenuItem onSelect={() => save("csv")}>CSV</MenuItem>
            <MenuItem onSelect={() => save("jsonl")}>JSON Lines</MenuItem>
          </Menu>
        </>
      }
    >
      <Filters filter={filter} onChange={setFilter} />
      <Card bodyClassName="">
        <PagedTable
          list={events}
          empty={<Empty icon={<ScrollText aria-hidden />} title={t("audit.none")} />}
          label={t("nav.audit")}
          columns={columns}
          rowKey={(event) => String(event.id)}
          onOpen={setOpened}
        />
      </Card>
      <Sheet open={opened !== null} onClose={() => setOpened(null)} title={opened?.action ?? ""}>
        {opened && <Detail event={opened} />}
      </Sheet>
    </Page>
  );
}

function Outcome({ outcome }: { outcome: AuditEvent["outcome"] }) {
  const { named } = useLanguage();
  return <Badge tone={outcome === "ok" ? "good" : "bad"}>{named("audit_outcome", outcome)}</Badge>;
}

function Filters({ filter, onChange }: { filter: Filter; onChange: (filter: Filter) => void }) {
  const { t, named } = useLanguage();
  return (
    <div className="grid grid-cols-2 gap-3 sm:grid-cols-3 lg:grid-cols-5">
      <Field label={t("audit.actor")}>
        <Input
          dir="auto"
          placeholder="user:…"
          value={filter.actor}
          onChange={(event) => onChange({ ...filter, actor: event.target.value })}
        />
      </Field>
      <Field label={t("audit.action")}>
        <Input
          dir="ltr"
          placeholder="channel"
          value={filter.action}
          onChange={(event) => onChange({ ...filter, action: event.target.value })}
        />
      </Field>
      <Field label={t("audit.outcome")}>
        <Select
          value={filter.outcome}
          onChange={(event) => onChange({ ...filter, outcome: event.target.value as Filter["outcome"] })}
          options={[
            { value: "", label: t("audit.any") },
            { value: "ok", label: named("audit_outcome", "ok") },
            { value: "denied", label: named("audit_outcome", "denied") },
          ]}
        />
      </Field>
      <Field label={t("audit.since")}>
        <Input
          type="date"
          value={filter.since}
          onChange={(event) => onChange({ ...filter, since: event.target.value })}
        />
      </Field>
      <Field label={t("audit.until")}>
        <Input
          type="date"
          value={filter.until}
          onChange={(event) => onChange({ ...filter, until: event.target.value })}
        />
      </Field>
    </div>
  );
}

/** Walks the chain of hashes when asked: it reads every row. */
function Chain({ tenantId }: { tenantId: string }) {
  const { t, tn, format } = useLanguage();
  const verdict = useQuery({
    queryKey: ["audit-chain", tenantId],
    queryFn: () => call(api.GET("/admin/events/verify", { params: { query: { tenant_id: tenantId } } })),
    enabled: false,
  });
  const ok = verdict.data?.ok;
  return (
    <>
      {verdict.data && (
        <span role="status" className={ok ? "text-xs text-good" : "text-xs text-bad"}>
          {ok ? (
            tn("audit.holds", verdict.data.rows)
          ) : (
            <>
              {t("audit.broken", { row: format.number(verdict.data.broken_at ?? 0) })} <bdi>{verdict.data.words}</bdi>
            </>
          )}
        </span>
      )}
      <Button
        busy={verdict.isFetching}
        icon={
          ok === false ? (
            <ShieldAlert className="size-4 text-bad" aria-hidden />
          ) : (
            <ShieldCheck className="size-4" aria-hidden />
          )
        }
        onClick={() => void verdict.refetch()}
      >
        {t("audit.verify")}
      </Button>
    </>
  );
}

function Detail({ event }: { event: AuditEvent }) {
  const { t } = useLanguage();
  return (
    <div className="flex flex-col gap-5 p-5">
      <Facts
        items={[
          [t("audit.when"), <When key="when" at={event.occurred_at} />],
          [t("audit.actor"), <bdi key="actor">{[event.actor_name, event.actor].filter(Boolean).join(" · ")}</bdi>],
          [t("audit.target"), <bdi key="target">{event.target}</bdi>],
          [t("audit.outcome"), <Outcome key="outcome" outcome={event.outcome} />],
          ...(event.ip ? [[t("audit.ip"), <bdi key="ip">{event.ip}</bdi>] as const] : []),
          [
            t("audit.hash"),
            <code key="hash" dir="ltr" className="text-xs break-all">
              {event.hash}
            </code>,
          ],
          [
            t("audit.previous"),
            <code key="previous" dir="ltr" className="text-xs break-all">
              {event.previous_hash}
            </code>,
          ],
        ]}
      />
      <pre
        dir="ltr"
        className="scroll-quiet overflow-auto rounded-lg border bg-sunken p-3 text-start font-mono text-xs whitespace-pre-wrap"
      >
        {JSON.stringify(event.detail, null, 2)}
      </pre>
    </div>
  );
}
