/** Erasing a visitor: first what would go, then the receipt of what went. */
import { useEffect, useRef, useState } from "react";
import { api, type Body, call } from "@/api/client";
import { Problem } from "@/api/problem";
import { useTenantId } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { useForm } from "@/lib/form";
import { usePages } from "@/lib/paging";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/dialog";
import { Field, FormProblem, Input, Select } from "@/ui/field";
import { More } from "@/ui/more";
import { Card } from "@/ui/page";
import { Loaded } from "@/ui/states";
import { When } from "@/ui/time";
import { Counts } from "./counts";

type Receipt = Body<"ErasureReceipt">;
const WAYS = ["email", "visitor", "conversation_id"] as const;
type Way = (typeof WAYS)[number];
type Whom = Partial<Record<Way, string>>;

interface Props {
  /** Whose visitor is to be erased, where a conversation led here. */
  conversationId?: string | undefined;
}

export function EraseCard({ conversationId }: Props) {
  const { t, named } = useLanguage();
  const card = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (conversationId) card.current?.scrollIntoView();
  }, [conversationId]);
  const tenantId = useTenantId();
  const params = { path: { tenant_id: tenantId } };
  const receipts = usePages(["erasures", tenantId], (cursor) =>
    call(
      api.GET("/admin/tenants/{tenant_id}/erasures", { params: { ...params, query: { ...(cursor && { cursor }) } } }),
    ),
  );
  // Only what was previewed can be erased: another name, or another way to name, asks for another preview.
  const [preview, setPreview] = useState<{ whom: Whom; receipt: Receipt } | null>(null);
  const [done, setDone] = useState<Receipt | null>(null);
  const [asking, setAsking] = useState(false);
  const begun: { way: Way; who: string } = conversationId
    ? { way: "conversation_id", who: conversationId }
    : { way: "email", who: "" };
  const form = useForm(begun, async ({ way, who }) => {
    setDone(null);
    const whom = { [way]: who.trim() };
    try {
      setPreview({ whom, receipt: await erase(whom, true) });
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 404) throw error;
      const message = t("data.no_visitor");
      throw new Problem(404, error.code, message, [{ field: way, message }]);
    }
  });
  const erase = (whom: Whom, dry_run: boolean) =>
    call(api.POST("/admin/tenants/{tenant_id}/erasures", { params, body: { ...whom, dry_run } }));
  const whom = preview && Object.values(preview.whom)[0];
  const change = <Name extends keyof typeof form.values>(name: Name, value: (typeof form.values)[Name]) => {
    form.set(name, value);
    setPreview(null);
  };
  return (
    <div ref={card}>
      <Card title={t("data.erase")} description={t("data.erase_hint")} bodyClassName="flex flex-col gap-5 p-4">
        <form className="grid gap-3 sm:grid-cols-[12rem_1fr_auto] sm:items-start" onSubmit={form.onSubmit}>
          <Field label={t("data.named_by")}>
            <Select
              disabled={form.busy}
              value={form.values.way}
              onChange={(event) => change("way", event.target.value as Way)}
              options={WAYS.map((way) => ({ value: way, label: named("erase_by", way) }))}
            />
          </Field>
          <Field
            label={t("data.who")}
            hint={named("erase_by_hint", form.values.way)}
            error={form.error(form.values.way)}
          >
            <Input
              required
              dir="ltr"
              maxLength={320}
              disabled={form.busy}
              value={form.values.who}
              onChange={(event) => change("who", event.target.value)}
            />
          </Field>
          <Button type="submit" busy={form.busy} className="sm:mt-5.5">
            {t("data.dry_run")}
          </Button>
          <div className="sm:col-span-3">
            <FormProblem problem={form.problem} shown={[form.values.way]} />
          </div>
        </form>
        {preview && (
          <section className="flex flex-col gap-3">
            <Removed title={t("data.would_go")} receipt={preview.receipt} />
            {anything(preview.receipt) && (
              <div>
                <Button variant="danger" size="sm" onClick={() => setAsking(true)}>
                  {t("data.erase")}
                </Button>
              </div>
            )}
          </section>
        )}
        {done && <Removed title={t("data.receipt")} receipt={done} />}
        <Loaded query={receipts}>
          {(items) =>
            items.length > 0 && (
              <section className="flex flex-col gap-2">
                <h3 className="text-xs font-medium text-ink-soft">{t("data.receipts")}</h3>
                <ul className="divide-y rounded-lg border">
                  {items.map((receipt) => (
                    <li key={receipt.id} className="flex flex-wrap items-center gap-x-4 gap-y-1 px-3 py-2 text-sm">
                      {receipt.created_at && <When at={receipt.created_at} />}
                      <code dir="ltr" className="min-w-0 flex-1 truncate text-xs text-ink-faint">
                        {receipt.visitor_hash}
                      </code>
                      <Total receipt={receipt} />
                    </li>
                  ))}
                </ul>
                <More list={receipts} />
              </section>
            )
          }
        </Loaded>
        {preview && (
          <Confirm
            open={asking}
            onClose={() => setAsking(false)}
            title={t("data.erase")}
            description={
              <>
                <bdi className="block font-medium text-ink">{whom}</bdi>
                {t("data.erase_confirm")}
              </>
            }
            action={t("data.erase")}
            onConfirm={async () => {
              setDone(await erase(preview.whom, false));
              await receipts.refetch();
              change("who", "");
            }}
          />
        )}
      </Card>
    </div>
  );
}

function counts({ rows, ...beside }: Receipt["removed"]): Record<string, number> {
  return { ...rows, ...beside, log_marks: beside.log_marks ?? 0 };
}

/** Of one who was erased before there is nothing left, as a rule; of logs a tenant's administrators are not told. */
function anything(receipt: Receipt): boolean {
  return receipt.removed.log_marks === null || Object.values(counts(receipt.removed)).some((count) => count > 0);
}

function Total({ receipt }: { receipt: Receipt }) {
  const { tn } = useLanguage();
  const rows = Object.values(receipt.removed.rows ?? {}).reduce((sum, count) => sum + count, 0);
  return <span className="text-ink-soft">{tn("data.rows", rows)}</span>;
}

function Removed({ title, receipt }: { title: string; receipt: Receipt }) {
  return (
    <section className="flex flex-col gap-2 rounded-lg border p-3">
      <h3 className="text-sm font-medium">{title}</h3>
      <Counts counts={counts(receipt.removed)} />
    </section>
  );
}
