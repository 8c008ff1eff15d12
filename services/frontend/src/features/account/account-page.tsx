/** Oneself: name, password, second factor, language and theme. */
import { useState } from "react";
import { api, call } from "@/api/client";
import { ownName, THEMES } from "@/app/appearance";
import { useMe } from "@/app/tenant";
import { reloadMe } from "@/auth/session";
import { useLanguage } from "@/i18n";
import { LOCALES } from "@/i18n/catalogue";
import { useForm } from "@/lib/form";
import { prefer, preferences } from "@/lib/preferences";
import { useStore } from "@/lib/store";
import { Button } from "@/ui/button";
import { Field, FormProblem, Input, Select } from "@/ui/field";
import { Card, Page } from "@/ui/page";
import { toast } from "@/ui/toast";
import { SecondFactor } from "./second-factor";

export function AccountPage() {
  const { t } = useLanguage();
  const me = useMe();
  return (
    <Page title={t("nav.account")}>
      {me.user && <Profile name={me.user.name} email={me.user.email} face={me.user.avatar_url} />}
      <Looks />
      {me.user && <Password />}
      {me.user && <SecondFactor enabled={me.user.totp_enabled} />}
    </Page>
  );
}

function Profile({ name, email, face }: { name: string; email: string; face: string | null }) {
  const { t } = useLanguage();
  const form = useForm({ name, avatar_url: face ?? "" }, async (values) => {
    await call(api.PATCH("/auth/me", { body: { name: values.name, avatar_url: values.avatar_url || null } }));
    await reloadMe();
    toast.done(t("state.saved"));
  });
  return (
    <Card title={t("account.profile")}>
      <form className="grid gap-4 sm:grid-cols-2" onSubmit={form.onSubmit}>
        <Field label={t("field.your_name")} hint={t("account.name_hint")} error={form.error("name")}>
          <Input
            required
            maxLength={200}
            value={form.values.name}
            onChange={(event) => form.set("name", event.target.value)}
          />
        </Field>
        <Field label={t("field.email")}>
          <Input dir="ltr" value={email} disabled readOnly />
        </Field>
        <Field
          label={t("field.picture")}
          hint={t("account.picture_hint")}
          optional
          className="sm:col-span-2"
          error={form.error("avatar_url")}
        >
          <Input
            type="url"
            dir="ltr"
            maxLength={2000}
            pattern="https://.*"
            placeholder="https://www.example.com/face.jpg"
            value={form.values.avatar_url}
            onChange={(event) => form.set("avatar_url", event.target.value)}
          />
        </Field>
        <div className="flex items-center justify-end gap-3 sm:col-span-2">
          <FormProblem problem={form.problem} shown={["name", "avatar_url"]} />
          <Button type="submit" variant="primary" busy={form.busy}>
            {t("action.save")}
          </Button>
        </div>
      </form>
    </Card>
  );
}

function Looks() {
  const { t, locale } = useLanguage();
  const { theme } = useStore(preferences);
  return (
    <Card title={t("account.looks")} description={t("account.looks_hint")}>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("language.label")}>
          <Select
            value={locale}
            onChange={(event) => prefer({ locale: event.target.value })}
            options={LOCALES.map((each) => ({ value: each, label: ownName(each) }))}
          />
        </Field>
        <Field label={t("theme.label")}>
          <Select
            value={theme}
            onChange={(event) => prefer({ theme: event.target.value as (typeof THEMES)[number][0] })}
            options={THEMES.map(([id, , label]) => ({ value: id, label: t(label) }))}
          />
        </Field>
      </div>
    </Card>
  );
}

const EMPTY = { current: "", next: "", again: "" };

function Password() {
  const { t } = useLanguage();
  const [mismatch, setMismatch] = useState(false);
  const form = useForm(EMPTY, async ({ current, next, again }) => {
    setMismatch(next !== again);
    if (next !== again) return;
    await call(api.POST("/auth/password", { body: { current_password: current, new_password: next } }));
    form.reset(EMPTY);
    toast.done(t("account.password_changed"));
  });
  const field = (name: keyof typeof EMPTY) => ({
    type: "password",
    required: true,
    dir: "ltr",
    value: form.values[name],
    onChange: (event: { target: { value: string } }) => form.set(name, event.target.value),
  });
  return (
    <Card title={t("field.password")} description={t("signin.reset_hint")}>
      <form className="grid gap-4 sm:grid-cols-3" onSubmit={form.onSubmit}>
        <Field label={t("account.current_password")} error={form.error("current_password")}>
          <Input autoComplete="current-password" {...field("current")} />
        </Field>
        <Field label={t("field.new_password")} error={form.error("new_password")}>
          <Input autoComplete="new-password" {...field("next")} />
        </Field>
        <Field label={t("account.again")} error={mismatch ? t("account.mismatch") : undefined}>
          <Input autoComplete="new-password" {...field("again")} />
        </Field>
        <div className="flex items-center justify-end gap-3 sm:col-span-3">
          <FormProblem problem={form.problem} shown={["current_password", "new_password"]} />
          <Button type="submit" variant="primary" busy={form.busy}>
            {t("signin.set_password")}
          </Button>
        </div>
      </form>
    </Card>
  );
}
