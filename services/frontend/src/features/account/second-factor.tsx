/** A code beside the password: set up with an app, proven once, with codes to get in when the app is lost. */
import { ShieldCheck } from "lucide-react";
import { useState } from "react";
import { api, type Body, call } from "@/api/client";
import { FormDialog } from "@/app/form-dialog";
import { reloadMe } from "@/auth/session";
import { useLanguage } from "@/i18n";
import { useForm } from "@/lib/form";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { CodeBox } from "@/ui/copy";
import { TakeAway } from "@/ui/dialog";
import { Field, Input } from "@/ui/field";
import { Card } from "@/ui/page";
import { toast } from "@/ui/toast";

type Setup = Body<"TotpSecret">;

export function SecondFactor({ enabled }: { enabled: boolean }) {
  const { t } = useLanguage();
  const [setup, setSetup] = useState<Setup | null>(null);
  const [ending, setEnding] = useState(false);
  const begin = () => void call(api.POST("/auth/totp/setup")).then(setSetup).catch(toast.failed);
  return (
    <Card
      title={t("account.totp")}
      description={t("account.totp_hint")}
      actions={
        enabled ? (
          <>
            <Badge tone="good">
              <ShieldCheck className="size-3" aria-hidden />
              {t("account.totp_on")}
            </Badge>
            <Button size="sm" variant="danger" onClick={() => setEnding(true)}>
              {t("account.totp_end")}
            </Button>
          </>
        ) : (
          <Button size="sm" onClick={begin}>
            {t("account.totp_begin")}
          </Button>
        )
      }
      bodyClassName="hidden"
    >
      {setup && <SetupDialog setup={setup} onClose={() => setSetup(null)} />}
      {ending && <EndDialog onClose={() => setEnding(false)} />}
    </Card>
  );
}

function SetupDialog({ setup, onClose }: { setup: Setup; onClose: () => void }) {
  const { t } = useLanguage();
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  const form = useForm({ code: "" }, async (body) => {
    setCodes((await call(api.POST("/auth/totp/enable", { body }))).recovery_codes);
    await reloadMe();
  });
  if (codes) {
    return (
      <TakeAway
        text={codes.join("\n")}
        label={t("account.recovery")}
        onClose={onClose}
        title={t("account.recovery")}
        description={t("account.recovery_hint")}
      />
    );
  }
  return (
    <FormDialog
      form={form}
      shown={["code"]}
      onClose={onClose}
      title={t("account.totp")}
      description={t("account.totp_steps")}
      action={t("account.totp_prove")}
    >
      <Field label={t("account.totp_secret")}>
        <CodeBox text={setup.secret} label={t("account.totp_secret")} />
      </Field>
      <a href={setup.otpauth_url} className="text-sm text-accent-text underline">
        {t("account.totp_open")}
      </a>
      <Field label={t("signin.totp")} error={form.error("code")}>
        <Input
          required
          dir="ltr"
          inputMode="numeric"
          autoComplete="one-time-code"
          value={form.values.code}
          onChange={(event) => form.set("code", event.target.value.trim())}
        />
      </Field>
    </FormDialog>
  );
}

function EndDialog({ onClose }: { onClose: () => void }) {
  const { t } = useLanguage();
  const form = useForm({ password: "" }, async (body) => {
    await call(api.POST("/auth/totp/disable", { body }));
    await reloadMe();
    onClose();
  });
  return (
    <FormDialog
      form={form}
      shown={["password"]}
      onClose={onClose}
      title={t("account.totp_end")}
      action={t("account.totp_end")}
      danger
    >
      <Field label={t("field.password")} error={form.error("password")}>
        <Input
          type="password"
          required
          dir="ltr"
          autoComplete="current-password"
          value={form.values.password}
          onChange={(event) => form.set("password", event.target.value)}
        />
      </Field>
    </FormDialog>
  );
}
