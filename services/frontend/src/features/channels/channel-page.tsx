/** One channel: how it lives, its bot, its credentials. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useParams, useSearch } from "@tanstack/react-router";
import { ArrowLeft, Trash2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useGo } from "@/app/go";
import { LeaveGuard } from "@/app/leave-guard";
import { useMay, useTenantId } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { useForm } from "@/lib/form";
import { Button, IconButton } from "@/ui/button";
import { CodeBox } from "@/ui/copy";
import { Confirm, TakeAway } from "@/ui/dialog";
import { Field, FormProblem, Input, Toggle } from "@/ui/field";
import { Card, Page, Tabs } from "@/ui/page";
import { Loaded } from "@/ui/states";
import { When } from "@/ui/time";
import { toast } from "@/ui/toast";
import {
  ASKED,
  type Channel,
  type ChannelType,
  changeChannel,
  channelKey,
  type Finding,
  getChannel,
  registerChannel,
  removeChannel,
  rotateSecret,
  SELF_CONTAINED,
  testChannel,
} from "./api";
import { BotForm } from "./bot-form";
import { CredentialsFields, type CredentialValues, filledIn } from "./credentials-fields";
import { Findings, LiveFacts } from "./live";
import { Snippet } from "./snippet";
import { WidgetForm } from "./widget-form";

type Tab = "health" | "bot" | "widget" | "credentials";

export function ChannelPage() {
  const { t } = useLanguage();
  const go = useGo();
  const tenantId = useTenantId();
  const { channelId = "" } = useParams({ strict: false });
  const mayEdit = useMay("editChannels");
  const queries = useQueryClient();
  const { tab: asked } = useSearch({ strict: false });
  const [tab, setTab] = useState<Tab>(asked === "bot" ? asked : "health");
  const [removing, setRemoving] = useState(false);
  const channel = useQuery({
    queryKey: channelKey(channelId),
    queryFn: () => getChannel(channelId),
    refetchInterval: 10_000,
  });
  const back = () => go(`/t/${tenantId}/channels`);
  return (
    <Page
      title={channel.data?.display_name ?? t("nav.channels")}
      actions={
        <>
          <Button variant="ghost" icon={<ArrowLeft className="flip-rtl size-4" aria-hidden />} onClick={back}>
            {t("nav.channels")}
          </Button>
          {mayEdit && (
            <IconButton variant="danger" label={t("action.delete")} onClick={() => setRemoving(true)}>
              <Trash2 className="size-4" aria-hidden />
            </IconButton>
          )}
        </>
      }
      tabs={
        <Tabs<Tab>
          label={t("nav.channels")}
          value={tab}
          onChange={setTab}
          tabs={[
            { id: "health", label: t("channels.health") },
            { id: "bot", label: t("channels.bot") },
            ...(channel.data?.channel_type === "web" ? [{ id: "widget" as const, label: t("theme.widget") }] : []),
            ...(mayEdit ? [{ id: "credentials" as const, label: t("channels.credentials") }] : []),
          ]}
        />
      }
    >
      <Loaded query={channel}>
        {(data) => (
          <>
            <Panel id="health" tab={tab}>
              <Health channel={data} mayEdit={mayEdit} />
            </Panel>
            <Panel id="bot" tab={tab}>
              <BotForm channelId={data.id} mayEdit={mayEdit} />
            </Panel>
            <Panel id="widget" tab={tab}>
              <WidgetForm channel={data} mayEdit={mayEdit} key={JSON.stringify(data.widget)} />
            </Panel>
            <Panel id="credentials" tab={tab}>
              <Credentials channel={data} key={JSON.stringify([data.display_name, data.credentials])} />
              <Rotation channel={data} />
            </Panel>
            <Confirm
              open={removing}
              onClose={() => setRemoving(false)}
              title={t("channels.delete_title", { name: data.display_name })}
              description={t("channels.delete_hint")}
              action={t("action.delete")}
              onConfirm={async () => {
                await removeChannel(data.id);
                await queries.invalidateQueries({ queryKey: ["channels", tenantId] });
                back();
              }}
            />
          </>
        )}
      </Loaded>
    </Page>
  );
}

/** What a tab shows: from its first opening on, so that what is being written in it waits behind the others. */
function Panel({ id, tab, children }: { id: Tab; tab: Tab; children: ReactNode }) {
  const [opened, setOpened] = useState(false);
  if (tab === id && !opened) setOpened(true);
  if (!opened) return null;
  return (
    <div hidden={tab !== id} className="flex flex-col gap-5">
      {children}
    </div>
  );
}

function Health({ channel, mayEdit }: { channel: Channel; mayEdit: boolean }) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const [busy, setBusy] = useState<"test" | "register" | null>(null);
  const [findings, setFindings] = useState<readonly Finding[]>(channel.live.findings ?? []);
  const act = async (what: "test" | "register") => {
    setBusy(what);
    try {
      if (what === "register") await registerChannel(channel.id);
      setFindings((await testChannel(channel.id)).findings);
    } catch (error) {
      toast.failed(error);
    } finally {
      setBusy(null);
      await queries.invalidateQueries({ queryKey: channelKey(channel.id) });
    }
  };
  const switchTo = async (enabled: boolean) => {
    await changeChannel(channel.id, { enabled }).catch(toast.failed);
    await queries.invalidateQueries({ queryKey: channelKey(channel.id) });
  };
  return (
    <>
      <Card title={t("channels.health")}>
        <div className="flex flex-col gap-4">
          <LiveFacts channel={channel} />
          {mayEdit && (
            <Toggle
              checked={channel.enabled}
              onChange={(enabled) => void switchTo(enabled)}
              label={t("channels.enabled")}
              hint={t("channels.enabled_hint")}
            />
          )}
          {channel.channel_type !== "web" && (
            <Field label={t("channels.webhook_url")}>
              <CodeBox text={channel.webhook_url} label={t("channels.webhook_url")} />
            </Field>
          )}
        </div>
      </Card>
      {channel.channel_type === "web" && (
        <Card title={t("channels.on_your_page")}>
          <Snippet tenantId={channel.tenant_id} brandId={channel.brand_id} />
        </Card>
      )}
      <Card
        title={t("channels.test")}
        description={t(
          SELF_CONTAINED.includes(channel.channel_type) ? "channels.test_hint_program" : "channels.test_hint",
        )}
        actions={
          mayEdit && (
            <>
              {channel.channel_type !== "web" && (
                <Button size="sm" busy={busy === "register"} onClick={() => void act("register")}>
                  {t("channels.register")}
                </Button>
              )}
              <Button size="sm" variant="primary" busy={busy === "test"} onClick={() => void act("test")}>
                {t("channels.test_now")}
              </Button>
            </>
          )
        }
      >
        {findings.length > 0 ? (
          <Findings findings={findings} />
        ) : (
          <p className="text-sm text-ink-faint">{t("channels.not_tested")}</p>
        )}
      </Card>
    </>
  );
}

export function Credentials({ channel }: { channel: Channel }) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const type = channel.channel_type as ChannelType;
  const fields = ASKED[type] ?? [];
  const form = useForm(
    { name: channel.display_name, credentials: channel.credentials as CredentialValues },
    async ({ name, credentials }) => {
      await changeChannel(channel.id, { display_name: name, credentials: filledIn(fields, credentials) });
      await queries.invalidateQueries({ queryKey: channelKey(channel.id) });
      toast.done(t("state.saved"));
    },
  );
  return (
    <Card title={t("channels.credentials")} description={t("channels.masked")}>
      <form className="flex flex-col gap-4" onSubmit={form.onSubmit}>
        <FormProblem
          problem={form.problem}
          shown={["display_name", ...fields.flatMap((each) => [each.name, `credentials.${each.name}`])]}
        />
        <Field label={t("field.name")} error={form.error("display_name")}>
          <Input
            required
            maxLength={200}
            value={form.values.name}
            onChange={(event) => form.set("name", event.target.value)}
          />
        </Field>
        <CredentialsFields
          type={type}
          fields={fields}
          values={form.values.credentials}
          onChange={(values) => form.set("credentials", values)}
          error={(name) => {
            const words = form.error(name);
            return words && form.problem?.code === "secret_needed" ? t("channels.secret_anew") : words;
          }}
        />
        <div className="flex justify-end">
          <Button type="submit" variant="primary" busy={form.busy}>
            {t("action.save")}
          </Button>
        </div>
        <LeaveGuard dirty={form.dirty} />
      </form>
    </Card>
  );
}

function Rotation({ channel }: { channel: Channel }) {
  const { t } = useLanguage();
  const [asking, setAsking] = useState(false);
  const [rotated, setRotated] = useState<Awaited<ReturnType<typeof rotateSecret>> | null>(null);
  return (
    <Card
      title={t("channels.rotate")}
      description={t("channels.rotate_hint")}
      actions={
        <Button size="sm" variant="danger" onClick={() => setAsking(true)}>
          {t("channels.rotate")}
        </Button>
      }
      bodyClassName="hidden"
    >
      <Confirm
        open={asking}
        onClose={() => setAsking(false)}
        title={t("channels.rotate")}
        description={t("channels.rotate_hint")}
        action={t("channels.rotate")}
        onConfirm={async () => setRotated(await rotateSecret(channel.id))}
      />
      {rotated && (
        <TakeAway
          text={rotated.secret}
          label={t("channels.secret")}
          onClose={() => setRotated(null)}
          title={t("channels.secret")}
          description={t("state.shown_once")}
        >
          <p className="text-xs text-ink-faint">
            {t("channels.previous_until")} <When at={rotated.previous_until} />
          </p>
          {rotated.registration && <Findings findings={[rotated.registration]} />}
        </TakeAway>
      )}
    </Card>
  );
}
