/** Connects a channel in three steps: which, with what, and what to take along (the secret is shown this once). */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { asProblem } from "@/api/problem";
import { FormDialog } from "@/app/form-dialog";
import { useGo } from "@/app/go";
import { brandsQuery, useTenant } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { useForm } from "@/lib/form";
import { Button } from "@/ui/button";
import { CodeBox } from "@/ui/copy";
import { Dialog, DialogFooter } from "@/ui/dialog";
import { Field, Input, Select } from "@/ui/field";
import { problemWords } from "@/ui/words";
import {
  ASKED,
  CHANNEL_TYPES,
  type ChannelType,
  createChannel,
  type Finding,
  registerChannel,
  SELF_CONTAINED,
  testChannel,
} from "./api";
import { ChannelMark } from "./brand-marks";
import { CredentialsFields, type CredentialValues, filledIn } from "./credentials-fields";
import { Findings } from "./live";
import { Snippet } from "./snippet";

interface Props {
  tenantId: string;
  brandId: string | undefined;
  onClose: () => void;
}

type Made = Awaited<ReturnType<typeof createChannel>>;

export function ConnectDialog({ tenantId, brandId, onClose }: Props) {
  const { t, named } = useLanguage();
  const [type, setType] = useState<ChannelType | null>(null);
  const [made, setMade] = useState<Made | null>(null);
  if (made) return <MadeDialog channel={made} onClose={onClose} />;
  if (type) {
    return (
      <DetailsDialog
        type={type}
        tenantId={tenantId}
        brandId={brandId}
        onBack={() => setType(null)}
        onClose={onClose}
        onMade={setMade}
      />
    );
  }
  return (
    <Dialog open onClose={onClose} title={t("channels.connect")} description={t("channels.choose")} wide>
      <ul className="grid grid-cols-2 gap-2 sm:grid-cols-3">
        {CHANNEL_TYPES.map((each) => (
          <li key={each}>
            <button
              type="button"
              onClick={() => setType(each)}
              className="flex w-full items-center gap-3 rounded-lg border p-3 text-start text-sm font-medium transition-colors hover:border-accent hover:bg-hover"
            >
              <ChannelMark type={each} />
              {named("channel", each)}
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

interface DetailsProps extends Props {
  type: ChannelType;
  onBack: () => void;
  onMade: (channel: Made) => void;
}

function DetailsDialog({ type, tenantId, brandId, onBack, onClose, onMade }: DetailsProps) {
  const { t, named } = useLanguage();
  const queries = useQueryClient();
  const tenant = useTenant();
  const brands = useQuery(brandsQuery(tenantId));
  const standard = brandId ?? tenant.data?.default_brand_id ?? "";
  const form = useForm(
    { name: named("channel", type), brand: "", credentials: {} as CredentialValues },
    async (values) => {
      const channel = await createChannel({
        tenant_id: tenantId,
        brand_id: values.brand || standard || null,
        channel_type: type,
        display_name: values.name,
        credentials: filledIn(ASKED[type], values.credentials),
      });
      await queries.invalidateQueries({ queryKey: ["channels", tenantId] });
      onMade(channel);
    },
  );
  return (
    <FormDialog
      form={form}
      shown={["display_name", "brand_id", ...ASKED[type].flatMap((each) => [each.name, `credentials.${each.name}`])]}
      onBack={onBack}
      onClose={onClose}
      title={t("channels.connect_one", { name: named("channel", type) })}
      wide
      action={t("channels.connect")}
    >
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("field.name")} error={form.error("display_name")}>
          <Input
            required
            maxLength={200}
            value={form.values.name}
            onChange={(event) => form.set("name", event.target.value)}
          />
        </Field>
        <Field label={t("tenant.brand")} error={form.error("brand_id")}>
          <Select
            value={form.values.brand || standard}
            onChange={(event) => form.set("brand", event.target.value)}
            options={(brands.data?.items ?? []).map((brand) => ({ value: brand.id, label: brand.name }))}
          />
        </Field>
      </div>
      <CredentialsFields
        type={type}
        fields={ASKED[type]}
        values={form.values.credentials}
        onChange={(values) => form.set("credentials", values)}
        error={form.error}
      />
    </FormDialog>
  );
}

function MadeDialog({ channel, onClose }: { channel: Made; onClose: () => void }) {
  const { t } = useLanguage();
  const go = useGo();
  const [findings, setFindings] = useState<readonly Finding[] | null>(null);
  const [busy, setBusy] = useState(false);
  const check = async () => {
    setBusy(true);
    const found: Finding[] = [];
    if (!SELF_CONTAINED.includes(channel.channel_type)) {
      await registerChannel(channel.id).catch((error: unknown) =>
        found.push({ name: "register", ok: false, words: problemWords(asProblem(error), t) }),
      );
    }
    await testChannel(channel.id)
      .then((report) => found.push(...report.findings))
      .catch((error: unknown) => found.push({ name: "test", ok: false, words: problemWords(asProblem(error), t) }));
    setFindings(found);
    setBusy(false);
  };
  return (
    <Dialog open onClose={onClose} title={t("channels.made")} wide>
      <div className="flex flex-col gap-4">
        <Field label={t("channels.secret")} hint={t("state.shown_once")}>
          <CodeBox text={channel.secret} label={t("channels.secret")} />
        </Field>
        {channel.channel_type === "web" ? (
          <Snippet tenantId={channel.tenant_id} brandId={channel.brand_id} />
        ) : (
          <Field label={t("channels.webhook_url")} hint={t("channels.webhook_hint")}>
            <CodeBox text={channel.webhook_url} label={t("channels.webhook_url")} />
          </Field>
        )}
        {findings && <Findings findings={findings} />}
      </div>
      <DialogFooter>
        <Button busy={busy} onClick={() => void check()}>
          {t("channels.register_test")}
        </Button>
        <Button variant="primary" onClick={() => go(`/t/${channel.tenant_id}/channels/${channel.id}`)}>
          {t("action.done")}
        </Button>
      </DialogFooter>
    </Dialog>
  );
}
