/** One webhook: tested, changed, its secret made anew; what it was told, told again. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { ArrowLeft, CircleCheck, CircleX, KeyRound, Send, Trash2 } from "lucide-react";
import { useState } from "react";
import type { Body } from "@/api/client";
import { useGo } from "@/app/go";
import { LeaveGuard } from "@/app/leave-guard";
import { useMay, useTenantId } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { useForm } from "@/lib/form";
import { Button, IconButton } from "@/ui/button";
import { Confirm } from "@/ui/dialog";
import { FormProblem, Toggle } from "@/ui/field";
import { Card, Page } from "@/ui/page";
import { Loaded } from "@/ui/states";
import { toast } from "@/ui/toast";
import { changeWebhook, getWebhook, keys, removeWebhook, rotateSecret, testWebhook, type Webhook } from "./api";
import { DeliveriesList } from "./deliveries-list";
import { SHOWN, WebhookFields } from "./webhook-form";
import { SecretShown } from "./webhooks-page";

const EVERY_MS = 10_000;

export function WebhookPage() {
  const { t } = useLanguage();
  const go = useGo();
  const tenantId = useTenantId();
  const { webhookId = "" } = useParams({ strict: false });
  const mayEdit = useMay("editWebhooks");
  const webhook = useQuery({
    queryKey: keys.one(webhookId),
    queryFn: () => getWebhook(webhookId),
    refetchInterval: EVERY_MS,
  });
  const back = () => go(`/t/${tenantId}/webhooks`);
  return (
    <Page
      title={webhook.data?.description || t("webhooks.one")}
      description={webhook.data && <bdi dir="ltr">{webhook.data.url}</bdi>}
      actions={
        <>
          <Button variant="ghost" icon={<ArrowLeft className="flip-rtl size-4" aria-hidden />} onClick={back}>
            {t("nav.webhooks")}
          </Button>
          {mayEdit && webhook.data && <Actions webhook={webhook.data} onRemoved={back} />}
        </>
      }
    >
      <Loaded query={webhook}>
        {(data) => (
          <>
            {mayEdit && <Test webhook={data} />}
            <DeliveriesList webhookId={data.id} mayReplay={mayEdit} />
            <Settings key={data.id} webhook={data} mayEdit={mayEdit} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Actions({ webhook, onRemoved }: { webhook: Webhook; onRemoved: () => void }) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const tenantId = useTenantId();
  const [asking, setAsking] = useState<"rotate" | "remove" | null>(null);
  const [secret, setSecret] = useState<string | null>(null);
  const close = () => setAsking(null);
  return (
    <>
      <Button icon={<KeyRound className="size-4" aria-hidden />} onClick={() => setAsking("rotate")}>
        {t("channels.rotate")}
      </Button>
      <IconButton label={t("action.delete")} onClick={() => setAsking("remove")}>
        <Trash2 className="size-4" aria-hidden />
      </IconButton>
      {asking === "rotate" && (
        <Confirm
          open
          onClose={close}
          title={t("channels.rotate")}
          description={t("webhooks.rotate_hint")}
          action={t("channels.rotate")}
          onConfirm={async () => setSecret((await rotateSecret(webhook.id)).secret)}
        />
      )}
      {asking === "remove" && (
        <Confirm
          open
          onClose={close}
          title={t("webhooks.delete_title")}
          description={t("webhooks.delete_hint")}
          action={t("action.delete")}
          onConfirm={async () => {
            await removeWebhook(webhook.id);
            await queries.invalidateQueries({ queryKey: keys.list(tenantId) });
            onRemoved();
          }}
        />
      )}
      {secret && <SecretShown secret={secret} onClose={() => setSecret(null)} />}
    </>
  );
}

function Test({ webhook }: { webhook: Webhook }) {
  const { t } = useLanguage();
  const [found, setFound] = useState<Body<"TestResult"> | null>(null);
  const form = useForm({}, async () => {
    setFound(null);
    setFound(await testWebhook(webhook.id));
  });
  return (
    <Card bodyClassName="flex flex-wrap items-center gap-3 p-4">
      <Button
        busy={form.busy}
        icon={<Send className="flip-rtl size-4" aria-hidden />}
        onClick={() => void form.onSubmit()}
      >
        {t("webhooks.test")}
      </Button>
      <div className="min-w-0 flex-1 text-sm" aria-live="polite">
        {found ? (
          <p className="flex items-start gap-2">
            {found.ok ? (
              <CircleCheck className="mt-0.5 size-4 shrink-0 text-good" aria-label={t("system.ok")} />
            ) : (
              <CircleX className="mt-0.5 size-4 shrink-0 text-bad" aria-label={t("system.not_ok")} />
            )}
            <bdi className="min-w-0">{found.words}</bdi>
          </p>
        ) : (
          <p className="text-ink-soft">{t("webhooks.test_hint")}</p>
        )}
        <FormProblem problem={form.problem} />
      </div>
    </Card>
  );
}

function Settings({ webhook, mayEdit }: { webhook: Webhook; mayEdit: boolean }) {
  const { t } = useLanguage();
  const tenantId = useTenantId();
  const queries = useQueryClient();
  const store = async (changes: Body<"ChangeWebhook">) => {
    queries.setQueryData(keys.one(webhook.id), await changeWebhook(webhook.id, changes));
    await queries.invalidateQueries({ queryKey: keys.list(tenantId) });
    toast.done(t("state.saved"));
  };
  const form = useForm(
    {
      url: webhook.url,
      description: webhook.description,
      events: [...webhook.events],
      brandId: webhook.brand_id ?? "",
    },
    ({ url, description, events }) => store({ url, description, events }),
  );
  const toggle = (on: boolean) => void store({ state: on ? "active" : "paused" }).catch(toast.failed);
  return (
    <Card title={t("nav.settings")}>
      <form onSubmit={form.onSubmit}>
        <fieldset disabled={!mayEdit} className="flex min-w-0 flex-col gap-4">
          <FormProblem problem={form.problem} shown={SHOWN} />
          <Toggle
            checked={webhook.state === "active"}
            onChange={toggle}
            label={t("channels.enabled")}
            hint={t("webhooks.enabled_hint")}
            disabled={!mayEdit}
          />
          <WebhookFields form={form} isNew={false} />
          {mayEdit && (
            <Button type="submit" variant="primary" className="self-start" busy={form.busy}>
              {t("action.save")}
            </Button>
          )}
        </fieldset>
        <LeaveGuard dirty={form.dirty} />
      </form>
    </Card>
  );
}
