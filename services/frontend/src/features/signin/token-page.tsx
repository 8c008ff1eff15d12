/**
 * Accept an invitation; set a new password. The token stands behind the address's `#`, which no server and no log sees,
 * and is taken out of the address at once.
 */
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { api, call } from "@/api/client";
import { type Key, useLanguage } from "@/i18n";
import { useForm } from "@/lib/form";
import { Button, buttonClass } from "@/ui/button";
import { Field, FormProblem, Input } from "@/ui/field";
import { Frame } from "./frame";

const MIN_PASSWORD = 12;

/** The token of the address: `#token=…` or only `#…`. */
export function tokenOf(hash: string): string {
  const bare = hash.replace(/^#/, "");
  return new URLSearchParams(bare).get("token") ?? bare;
}

interface Words {
  title: Key;
  hint: Key;
  submit: Key;
  done: Key;
}

interface Given {
  token: string;
  name: string;
  password: string;
}

interface Props {
  words: Words;
  asksName: boolean;
  submit: (given: Given) => Promise<unknown>;
}

function TokenPage({ words, asksName, submit }: Props) {
  const { t, tn } = useLanguage();
  const [token] = useState(() => tokenOf(location.hash));
  const [done, setDone] = useState(false);
  useEffect(() => history.replaceState(history.state, "", location.pathname), []);
  const form = useForm({ name: "", password: "" }, async ({ name, password }) => {
    await submit({ token, name, password });
    setDone(true);
  });
  if (done || !token) {
    return (
      <Frame title={t(words.title)}>
        <p className="mb-4 text-center text-sm text-ink-soft">{t(done ? words.done : "signin.no_token")}</p>
        <Link to="/signin" className={buttonClass({ variant: "primary", size: "lg" }, "w-full")}>
          {t("signin.submit")}
        </Link>
      </Frame>
    );
  }
  return (
    <Frame title={t(words.title)}>
      <form className="flex flex-col gap-4" onSubmit={form.onSubmit}>
        <p className="text-sm text-ink-soft">{t(words.hint)}</p>
        <FormProblem problem={form.problem} shown={["name", "password"]} />
        {asksName && (
          <Field label={t("field.your_name")} error={form.error("name")}>
            <Input
              required
              autoComplete="name"
              value={form.values.name}
              onChange={(event) => form.set("name", event.target.value)}
            />
          </Field>
        )}
        <Field
          label={t("field.new_password")}
          hint={tn("signin.password_hint", MIN_PASSWORD)}
          error={form.error("password")}
        >
          <Input
            type="password"
            required
            minLength={MIN_PASSWORD}
            autoComplete="new-password"
            dir="ltr"
            value={form.values.password}
            onChange={(event) => form.set("password", event.target.value)}
          />
        </Field>
        <Button type="submit" variant="primary" size="lg" busy={form.busy}>
          {t(words.submit)}
        </Button>
      </form>
    </Frame>
  );
}

export function InvitationPage() {
  return (
    <TokenPage
      asksName
      submit={(body) => call(api.POST("/auth/invitations/accept", { body }))}
      words={{
        title: "signin.invitation",
        hint: "signin.invitation_hint",
        submit: "signin.accept",
        done: "signin.accepted",
      }}
    />
  );
}

export function ResetPage() {
  return (
    <TokenPage
      asksName={false}
      submit={({ token, password }) => call(api.POST("/auth/password/reset", { body: { token, password } }))}
      words={{
        title: "signin.reset",
        hint: "signin.reset_hint",
        submit: "signin.set_password",
        done: "signin.password_set",
      }}
    />
  );
}
