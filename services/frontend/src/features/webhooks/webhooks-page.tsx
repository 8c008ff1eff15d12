/** Webhooks: which programs are told of what happens, and how that goes. */
import { useQueryClient } from "@tanstack/react-query";
import { Plus, Webhook as WebhookIcon } from "lucide-react";
import { useState } from "react";
import { FormDialog } from "@/app/form-dialog";
import { useGo } from "@/app/go";
import { useMay, useTenantId } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { useForm } from "@/lib/form";
import { usePages } from "@/lib/paging";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { TakeAway } from "@/ui/dialog";
import { Card, Page } from "@/ui/page";
import { PagedTable } from "@/ui/paged-table";
import { Empty } from "@/ui/states";
import { type Column, RowLink } from "@/ui/table";
import { createWebhook, keys, listWebhooks, type Webhook } from "./api";
import { SHOWN, WebhookFields } from "./webhook-form";

const EVERY_MS = 10_000;

export function WebhooksPage() {
  const { t, tn, format } = useLanguage();
  const go = useGo();
  const tenantId = useTenantId();
  const mayEdit = useMay("editWebhooks");
  const [making, setMaking] = useState(false);
  const webhooks = usePages(keys.list(tenantId), (cursor) => listWebhooks(tenantId, cursor), { every: EVERY_MS });
  const pathOf = (webhook: Webhook) => `/t/${tenantId}/webhooks/${webhook.id}`;
  const columns: Column<Webhook>[] = [
    {
      id: "url",
      label: t("field.address"),
      className: "max-w-80",
      render: (webhook) => (
        <>
          <RowLink to={pathOf(webhook)}>
            <bdi dir="ltr">{webhook.url}</bdi>
          </RowLink>
          {webhook.description && <bdi className="block truncate text-xs text-ink-faint">{webhook.description}</bdi>}
        </>
      ),
    },
    {
      id: "events",
      label: t("webhooks.events"),
      wide: true,
      render: (webhook) => tn("webhooks.count", webhook.events.length),
    },
    { id: "state", label: t("field.status"), render: (webhook) => <StateBadge webhook={webhook} /> },
    {
      id: "waiting",
      label: t("system.waiting"),
      wide: true,
      render: (webhook) => format.number(webhook.waiting),
    },
    {
      id: "failed",
      label: t("system.failed"),
      render: (webhook) =>
        webhook.failed > 0 ? <Badge tone="bad">{format.number(webhook.failed)}</Badge> : format.number(0),
    },
  ];
  const add = mayEdit && (
    <Button variant="primary" icon={<Plus className="size-4" aria-hidden />} onClick={() => setMaking(true)}>
      {t("webhooks.new")}
    </Button>
  );
  return (
    <Page title={t("nav.webhooks")} description={t("webhooks.description")} actions={add}>
      <Card bodyClassName="">
        <PagedTable
          list={webhooks}
          empty={
            <Empty icon={<WebhookIcon aria-hidden />} title={t("webhooks.none")} action={add}>
              {t("webhooks.none_hint")}
            </Empty>
          }
          label={t("nav.webhooks")}
          columns={columns}
          rowKey={(webhook) => webhook.id}
          onOpen={(webhook) => go(pathOf(webhook))}
        />
      </Card>
      {making && <NewWebhook onClose={() => setMaking(false)} />}
    </Page>
  );
}

export function StateBadge({ webhook }: { webhook: Webhook }) {
  const { t } = useLanguage();
  return webhook.state === "active" ? (
    <Badge tone="good">{t("rule.on")}</Badge>
  ) : (
    <Badge tone="warn">{t("rule.off")}</Badge>
  );
}

function NewWebhook({ onClose }: { onClose: () => void }) {
  const { t } = useLanguage();
  const go = useGo();
  const tenantId = useTenantId();
  const queries = useQueryClient();
  const [made, setMade] = useState<{ id: string; secret: string } | null>(null);
  const form = useForm(
    { url: "https://", description: "", events: ["conversation.created"], brandId: "" },
    async ({ url, description, events, brandId }) => {
      setMade(
        await createWebhook({
          tenant_id: tenantId,
          brand_id: brandId || null,
          url,
          description,
          events,
          state: "active",
        }),
      );
      await queries.invalidateQueries({ queryKey: keys.list(tenantId) });
    },
  );
  if (made) {
    return (
      <SecretShown
        secret={made.secret}
        onClose={() => {
          onClose();
          go(`/t/${tenantId}/webhooks/${made.id}`);
        }}
      />
    );
  }
  return (
    <FormDialog form={form} shown={SHOWN} onClose={onClose} title={t("webhooks.new")} wide action={t("action.create")}>
      <WebhookFields form={form} isNew />
    </FormDialog>
  );
}

export function SecretShown({ secret, onClose }: { secret: string; onClose: () => void }) {
  const { t } = useLanguage();
  return (
    <TakeAway
      text={secret}
      label={t("channels.secret")}
      onClose={onClose}
      title={t("webhooks.secret")}
      description={t("state.shown_once")}
    >
      <p className="text-xs text-ink-soft">{t("webhooks.secret_hint")}</p>
    </TakeAway>
  );
}
