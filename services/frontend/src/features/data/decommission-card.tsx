/** The end of a tenant: asked for by its name, answered with a receipt. */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, type Body, call } from "@/api/client";
import { FormDialog } from "@/app/form-dialog";
import { useTenant, useTenantId } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { useForm } from "@/lib/form";
import { Button } from "@/ui/button";
import { Field, Input } from "@/ui/field";
import { Card, Facts } from "@/ui/page";
import { When } from "@/ui/time";

type Receipt = Body<"DecommissionReceipt">;

export function DecommissionCard() {
  const { t } = useLanguage();
  const tenant = useTenant();
  const [asking, setAsking] = useState(false);
  const [receipt, setReceipt] = useState<Receipt | null>(null);
  return (
    <Card title={t("data.decommission")} description={t("data.decommission_hint")}>
      {receipt ? (
        <Told receipt={receipt} />
      ) : (
        <Button variant="danger" disabled={!tenant.data} onClick={() => setAsking(true)}>
          {t("data.decommission")}
        </Button>
      )}
      {asking && tenant.data && <Ask name={tenant.data.name} onClose={() => setAsking(false)} onDone={setReceipt} />}
    </Card>
  );
}

function Ask({ name, onClose, onDone }: { name: string; onClose: () => void; onDone: (told: Receipt) => void }) {
  const { t } = useLanguage();
  const tenantId = useTenantId();
  const queries = useQueryClient();
  const form = useForm({ name: "" }, async () => {
    const params = { path: { tenant_id: tenantId } };
    onDone(await call(api.DELETE("/admin/tenants/{tenant_id}", { params })));
    onClose();
    await queries.invalidateQueries({ queryKey: ["tenants"] });
  });
  return (
    <FormDialog
      form={form}
      shown={[]}
      onClose={onClose}
      title={t("data.decommission")}
      description={t("data.decommission_hint")}
      action={t("data.decommission")}
      danger
      ready={form.values.name === name}
    >
      <Field label={t("data.type_name", { name })}>
        <Input required value={form.values.name} onChange={(event) => form.set("name", event.target.value)} />
      </Field>
    </FormDialog>
  );
}

function Told({ receipt }: { receipt: Receipt }) {
  const { t, format } = useLanguage();
  return (
    <Facts
      items={[
        [
          t("data.archive"),
          <code key="archive" dir="ltr" className="break-all">
            {receipt.archive.key}
          </code>,
        ],
        [t("field.size"), format.bytes(receipt.archive.bytes)],
        [t("data.secrets"), format.number(receipt.secrets.length)],
        [t("nav.keys"), format.number(receipt.api_keys.length)],
        [t("data.until"), <When key="until" at={receipt.restorable_until} />],
      ]}
    />
  );
}
