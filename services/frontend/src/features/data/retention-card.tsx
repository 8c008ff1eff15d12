/** How long things are kept, what a run would remove, and what the last one did. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, type Body, call } from "@/api/client";
import { useGo } from "@/app/go";
import { useTenantId } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/dialog";
import { Card, Facts } from "@/ui/page";
import { Loaded } from "@/ui/states";
import { When } from "@/ui/time";
import { toast } from "@/ui/toast";
import { Counts } from "./counts";

type Report = Body<"RetentionReport">;
type Retention = Body<"RetentionView">;

const HOUR = 3600;
const DAY = 24 * HOUR;

export function RetentionCard() {
  const { t } = useLanguage();
  const go = useGo();
  const tenantId = useTenantId();
  const queries = useQueryClient();
  const path = { tenant_id: tenantId };
  const key = ["retention", tenantId];
  const retention = useQuery({
    queryKey: key,
    queryFn: () => call(api.GET("/admin/tenants/{tenant_id}/retention", { params: { path } })),
  });
  const [counted, setCounted] = useState<Report | null>(null);
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const run = (dry_run: boolean) =>
    call(api.POST("/admin/tenants/{tenant_id}/retention/runs", { params: { path }, body: { dry_run } }));
  const count = async () => {
    setBusy(true);
    await run(true).then(setCounted).catch(toast.failed);
    setBusy(false);
  };
  return (
    <Card
      title={t("persona.retention")}
      description={t("data.retention_hint")}
      bodyClassName="flex flex-col gap-5 p-4"
      actions={
        <>
          <Button size="sm" variant="ghost" onClick={() => go(`/t/${tenantId}/persona`, "limits")}>
            {t("action.edit")}
          </Button>
          <Button size="sm" busy={busy} onClick={() => void count()}>
            {t("data.dry_run")}
          </Button>
        </>
      }
    >
      <Loaded query={retention}>
        {(data) => (
          <>
            <Kept retention={data} />
            {counted && (
              <section className="flex flex-col gap-3">
                <Kinds title={t("data.would_go")} report={counted} />
                <div>
                  <Button variant="danger" size="sm" onClick={() => setAsking(true)}>
                    {t("data.run_now")}
                  </Button>
                </div>
              </section>
            )}
            {data.last_run ? (
              <Kinds title={t("data.last_run")} report={data.last_run} />
            ) : (
              <p className="text-sm text-ink-soft">{t("data.no_run")}</p>
            )}
          </>
        )}
      </Loaded>
      <Confirm
        open={asking}
        onClose={() => setAsking(false)}
        title={t("data.run_now")}
        description={t("data.run_hint")}
        action={t("data.run_now")}
        onConfirm={async () => {
          await run(false);
          setCounted(null);
          await queries.invalidateQueries({ queryKey: key });
        }}
      />
    </Card>
  );
}

function Kept({ retention }: { retention: Retention }) {
  const { t, named, format } = useLanguage();
  const kept = [
    ["transcripts", retention.transcripts_hours * HOUR],
    ["uploads", retention.uploads_days * DAY],
    ["tickets", retention.tickets_days * DAY],
    ["logs", retention.logs_days * DAY],
  ] as const;
  return (
    <section className="flex flex-col gap-2">
      <h3 className="text-xs font-medium text-ink-soft">{t("data.kept_for")}</h3>
      <Facts
        items={kept.map(([kind, seconds]) => [named("retention_kind", kind), format.duration(seconds)] as const)}
      />
    </section>
  );
}

function Kinds({ title, report }: { title: string; report: Report }) {
  const { named } = useLanguage();
  return (
    <section className="flex flex-col gap-3">
      <h3 className="text-xs font-medium text-ink-soft">
        {title} · <When at={report.started_at} />
      </h3>
      <div className="grid gap-4 sm:grid-cols-2">
        {report.kinds.map((kind) => (
          <div key={kind.kind} className="flex flex-col gap-1.5 rounded-lg border p-3">
            <h4 className="text-sm font-medium">{named("retention_kind", kind.kind)}</h4>
            <Counts counts={kind.removed} />
          </div>
        ))}
      </div>
    </section>
  );
}
