/** Sign in: password, then a code where the account asks for one; or an identity provider. */
import { useQuery } from "@tanstack/react-query";
import { Navigate, useSearch } from "@tanstack/react-router";
import { LogIn } from "lucide-react";
import { useEffect, useState } from "react";
import { Problem } from "@/api/problem";
import { session, sessionState } from "@/auth/session";
import { useLanguage } from "@/i18n";
import { useForm } from "@/lib/form";
import { useStore } from "@/lib/store";
import { Button, buttonClass } from "@/ui/button";
import { Field, FormProblem, Input } from "@/ui/field";
import { Frame } from "./frame";
import { insideOnly } from "./next";
import { providersQuery } from "./providers";

export function SignInPage() {
  const { t } = useLanguage();
  const next = insideOnly(useSearch({ strict: false, select: (search) => search.next }));
  const state = useStore(sessionState);
  useEffect(() => void session.resume(), []);
  if (state.status === "in") return <Navigate to={next} replace />;
  return (
    <Frame title={t("signin.title")}>
      <ProviderRefusal />
      {state.status === "out" && state.ended && (
        <p role="status" className="mb-4 rounded-md bg-warn-soft px-3 py-2 text-sm text-warn">
          {t("signin.ended")}
        </p>
      )}
      <PasswordForm />
      <Providers next={next} />
    </Frame>
  );
}

function PasswordForm() {
  const { t } = useLanguage();
  const [asksCode, setAsksCode] = useState(false);
  const form = useForm({ email: "", password: "", totp: "" }, async ({ email, password, totp }) => {
    try {
      await session.signIn({ email, password, ...(totp && { totp }) });
    } catch (error) {
      if (!(error instanceof Problem && error.code === "totp_required")) throw error;
      setAsksCode(true);
    }
  });
  return (
    <form className="flex flex-col gap-4" onSubmit={form.onSubmit}>
      <FormProblem problem={form.problem} shown={["email", "password", "totp"]} />
      <div className={asksCode ? "hidden" : "flex flex-col gap-4"}>
        <Field label={t("field.email")} error={form.error("email")}>
          <Input
            type="email"
            autoComplete="username"
            required
            dir="ltr"
            value={form.values.email}
            onChange={(event) => form.set("email", event.target.value)}
          />
        </Field>
        <Field label={t("field.password")} error={form.error("password")}>
          <Input
            type="password"
            autoComplete="current-password"
            required
            dir="ltr"
            value={form.values.password}
            onChange={(event) => form.set("password", event.target.value)}
          />
        </Field>
      </div>
      {asksCode && (
        <Field label={t("signin.totp")} hint={t("signin.totp_hint")} error={form.error("totp")}>
          <Input
            autoFocus
            autoComplete="one-time-code"
            inputMode="text"
            required
            dir="ltr"
            value={form.values.totp}
            onChange={(event) => form.set("totp", event.target.value.trim())}
          />
        </Field>
      )}
      <Button type="submit" variant="primary" size="lg" busy={form.busy}>
        {t("signin.submit")}
      </Button>
      {asksCode && (
        <Button variant="ghost" onClick={() => setAsksCode(false)}>
          {t("action.back")}
        </Button>
      )}
    </form>
  );
}

/** An identity provider sends back here with `#error=…` when it did not work out. */
function ProviderRefusal() {
  const { named } = useLanguage();
  const [code] = useState(() => new URLSearchParams(location.hash.slice(1)).get("error"));
  if (!code) return null;
  return (
    <p role="alert" className="mb-4 rounded-md bg-bad-soft px-3 py-2 text-sm text-bad">
      {named("oidc", code)}
    </p>
  );
}

function Providers({ next }: { next: string }) {
  const { t } = useLanguage();
  const providers = useQuery(providersQuery());
  const all = providers.data?.oidc ?? [];
  if (all.length === 0) return null;
  return (
    <div className="mt-5 flex flex-col gap-2 border-t pt-5">
      {all.map((provider) => (
        <a
          key={provider.id}
          className={buttonClass({ size: "lg" })}
          href={`/auth/oidc/${encodeURIComponent(provider.id)}/start?next=${encodeURIComponent(`/console${next}`)}`}
        >
          <LogIn className="size-4" aria-hidden />
          {t("signin.with", { name: provider.name })}
        </a>
      ))}
    </div>
  );
}
