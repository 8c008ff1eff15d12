/** API keys of a tenant: made, shown once, rotated, revoked. */
import { useQueryClient } from "@tanstack/react-query";
import { KeyRound, Plus } from "lucide-react";
import { useState } from "react";
import { api, type Body, call } from "@/api/client";
import { FormDialog } from "@/app/form-dialog";
import { useTenantId } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { useForm } from "@/lib/form";
import { usePages } from "@/lib/paging";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Confirm, TakeAway } from "@/ui/dialog";
import { Field, Input, Select } from "@/ui/field";
import { Card, Page } from "@/ui/page";
import { PagedTable } from "@/ui/paged-table";
import { Empty } from "@/ui/states";
import type { Column } from "@/ui/table";
import { Ago, When } from "@/ui/time";

type ApiKey = Body<"ApiKeyView">;
type KeyRole = Body<"CreateApiKey">["role"];

const KEY_ROLES = ["agent", "viewer", "tenant_admin"] as const satisfies readonly KeyRole[];

export function KeysPage() {
  const { t, named } = useLanguage();
  const tenantId = useTenantId();
  const [making, setMaking] = useState(false);
  const [rotated, setRotated] = useState<ApiKey | null>(null);
  const [revoked, setRevoked] = useState<ApiKey | null>(null);
  const [made, setMade] = useState<string | null>(null);
  const queries = useQueryClient();
  const keys = usePages(["keys", tenantId], (cursor) =>
    call(api.GET("/admin/api_keys", { params: { query: { tenant_id: tenantId, ...(cursor && { cursor }) } } })),
  );
  const reload = () => queries.invalidateQueries({ queryKey: ["keys", tenantId] });
  const columns: Column<ApiKey>[] = [
    { id: "name", label: t("field.name"), render: (key) => <bdi className="font-medium">{key.name}</bdi> },
    { id: "hint", label: t("keys_page.hint"), wide: true, render: (key) => <code dir="ltr">{key.hint}</code> },
    { id: "role", label: t("field.role"), render: (key) => <Badge>{named("role", key.role)}</Badge> },
    {
      id: "used",
      label: t("keys_page.last_used"),
      wide: true,
      render: (key) => (key.last_used_at ? <Ago at={key.last_used_at} /> : t("state.never")),
    },
    {
      id: "expires",
      label: t("keys_page.expires"),
      wide: true,
      render: (key) => (key.expires_at ? <When at={key.expires_at} /> : t("state.never")),
    },
    {
      id: "state",
      label: t("field.actions"),
      className: "text-end",
      render: (key) =>
        key.revoked_at ? (
          <Badge tone="bad">{t("keys_page.revoked")}</Badge>
        ) : (
          <span className="inline-flex flex-wrap justify-end gap-1.5">
            <Button size="sm" onClick={() => setRotated(key)}>
              {t("keys_page.rotate")}
            </Button>
            <Button size="sm" variant="danger" onClick={() => setRevoked(key)}>
              {t("keys_page.revoke")}
            </Button>
          </span>
        ),
    },
  ];
  return (
    <Page
      title={t("nav.keys")}
      description={t("keys_page.description")}
      actions={
        <Button variant="primary" icon={<Plus className="size-4" aria-hidden />} onClick={() => setMaking(true)}>
          {t("keys_page.new")}
        </Button>
      }
    >
      <Card bodyClassName="">
        <PagedTable
          list={keys}
          empty={
            <Empty icon={<KeyRound aria-hidden />} title={t("keys_page.none")}>
              {t("keys_page.none_hint")}
            </Empty>
          }
          label={t("nav.keys")}
          columns={columns}
          rowKey={(key) => key.id}
        />
      </Card>
      {making && <NewKey tenantId={tenantId} onClose={() => setMaking(false)} onMade={reload} />}
      {rotated && (
        <Confirm
          open
          onClose={() => setRotated(null)}
          title={t("keys_page.rotate_title", { name: rotated.name })}
          description={t("keys_page.rotate_hint")}
          action={t("keys_page.rotate")}
          onConfirm={async () => {
            const path = { key_id: rotated.id };
            setMade((await call(api.POST("/admin/api_keys/{key_id}/rotate", { params: { path } }))).key);
            await reload();
          }}
        />
      )}
      {made && <ShownOnce secret={made} onClose={() => setMade(null)} />}
      {revoked && (
        <Confirm
          open
          onClose={() => setRevoked(null)}
          title={t("keys_page.revoke_title", { name: revoked.name })}
          description={t("keys_page.revoke_hint")}
          action={t("keys_page.revoke")}
          onConfirm={async () => {
            await call(api.DELETE("/admin/api_keys/{key_id}", { params: { path: { key_id: revoked.id } } }));
            await reload();
          }}
        />
      )}
    </Page>
  );
}

interface NewKeyProps {
  tenantId: string;
  onClose: () => void;
  onMade: () => Promise<unknown>;
}

function NewKey({ tenantId, onClose, onMade }: NewKeyProps) {
  const { t, named } = useLanguage();
  const [made, setMade] = useState<string | null>(null);
  const form = useForm({ name: "", role: "agent" as KeyRole, expires: "" }, async ({ name, role, expires }) => {
    const expires_at = expires ? new Date(`${expires}T23:59:59`).toISOString() : null;
    setMade((await call(api.POST("/admin/api_keys", { body: { tenant_id: tenantId, name, role, expires_at } }))).key);
    await onMade();
  });
  if (made) return <ShownOnce secret={made} onClose={onClose} />;
  return (
    <FormDialog
      form={form}
      shown={["name", "role", "expires_at"]}
      onClose={onClose}
      title={t("keys_page.new")}
      action={t("action.create")}
    >
      <Field label={t("field.name")} hint={t("keys_page.name_hint")} error={form.error("name")}>
        <Input
          required
          maxLength={200}
          value={form.values.name}
          onChange={(event) => form.set("name", event.target.value)}
        />
      </Field>
      <Field label={t("field.role")} error={form.error("role")}>
        <Select
          value={form.values.role}
          onChange={(event) => form.set("role", event.target.value as KeyRole)}
          options={KEY_ROLES.map((role) => ({ value: role, label: named("role", role) }))}
        />
      </Field>
      <Field label={t("keys_page.expires")} optional error={form.error("expires_at")}>
        <Input type="date" value={form.values.expires} onChange={(event) => form.set("expires", event.target.value)} />
      </Field>
    </FormDialog>
  );
}

function ShownOnce({ secret, onClose }: { secret: string; onClose: () => void }) {
  const { t } = useLanguage();
  return (
    <TakeAway
      text={secret}
      label={t("keys_page.key")}
      onClose={onClose}
      title={t("keys_page.made")}
      description={t("state.shown_once")}
    />
  );
}
