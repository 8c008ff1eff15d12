/** The widget's colours, with a small picture of it beside. */
import { useQueryClient } from "@tanstack/react-query";
import { api, type Body, call } from "@/api/client";
import { LeaveGuard } from "@/app/leave-guard";
import { type Tenant, useMay } from "@/app/tenant";
import { type Key, useLanguage } from "@/i18n";
import { useForm } from "@/lib/form";
import { Button } from "@/ui/button";
import { Field, FormProblem, Input, Select } from "@/ui/field";
import { Card } from "@/ui/page";
import { toast } from "@/ui/toast";

type Theme = Body<"EmbedTheme">;

const COLOURS = [
  ["primary", "theme.primary"],
  ["accent", "theme.accent"],
  ["background", "theme.background"],
  ["text", "theme.text"],
] as const satisfies readonly (readonly [keyof Theme, Key])[];

/** What the widget takes, on a light page, where the tenant has chosen nothing. */
function shown(theme: Theme) {
  const primary = theme.primary ?? "#3b4cca";
  return {
    primary,
    accent: theme.accent ?? primary,
    background: theme.background ?? "#ffffff",
    text: theme.text ?? "#18191f",
    radius: theme.radius ?? 18,
  };
}

export function ThemeForm({ tenant }: { tenant: Tenant }) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const mayEdit = useMay("editPolicy");
  const form = useForm<Theme>(tenant.embed_theme as Theme, async (theme) => {
    await call(
      api.PATCH("/admin/tenants/{tenant_id}", {
        params: { path: { tenant_id: tenant.id } },
        body: { embed_theme: theme },
      }),
    );
    await queries.invalidateQueries({ queryKey: ["tenant", tenant.id] });
    toast.done(t("state.saved"));
  });
  const look = shown(form.values);
  return (
    <Card title={t("theme.widget")} description={t("theme.widget_hint")}>
      <form onSubmit={form.onSubmit} className="grid gap-6 sm:grid-cols-[1fr_auto]">
        <fieldset disabled={!mayEdit} className="grid content-start gap-4 sm:grid-cols-2">
          {COLOURS.map(([name, label]) => (
            <Field key={name} label={t(label)} error={form.error(`embed_theme.${name}`)}>
              <Input
                type="color"
                className="h-9 p-1"
                value={look[name]}
                onChange={(event) => form.set(name, event.target.value)}
              />
            </Field>
          ))}
          <Field label={t("theme.position")} error={form.error("embed_theme.position")}>
            <Select
              value={form.values.position ?? ""}
              onChange={(event) => form.set("position", (event.target.value || null) as Theme["position"])}
              options={[
                { value: "", label: t("theme.by_language") },
                { value: "right", label: t("theme.right") },
                { value: "left", label: t("theme.left") },
              ]}
            />
          </Field>
          <Field label={t("theme.radius")} error={form.error("embed_theme.radius")}>
            <Input
              type="number"
              min={0}
              max={40}
              value={look.radius}
              onChange={(event) => form.set("radius", Number(event.target.value))}
            />
          </Field>
        </fieldset>
        <Preview look={look} />
        <div className="flex items-center justify-end gap-3 sm:col-span-2">
          <FormProblem problem={form.problem} shown={["embed_theme"]} />
          {mayEdit && (
            <Button type="submit" variant="primary" busy={form.busy}>
              {t("action.save")}
            </Button>
          )}
        </div>
        <LeaveGuard dirty={form.dirty} />
      </form>
    </Card>
  );
}

function Preview({ look }: { look: ReturnType<typeof shown> }) {
  const { radius, primary } = look;
  return (
    <div
      aria-hidden
      className="flex h-64 w-48 flex-col overflow-hidden border shadow-float"
      style={{ borderRadius: radius, background: look.background, color: look.text }}
    >
      <div className="h-12" style={{ background: primary }} />
      <div className="flex flex-1 flex-col gap-2 p-3">
        <div className="h-9 w-3/4 bg-current/10" style={{ borderRadius: radius / 2 }} />
        <div className="h-9 w-2/3 self-end" style={{ borderRadius: radius / 2, background: primary }} />
        <div className="h-12 w-4/5 bg-current/10" style={{ borderRadius: radius / 2 }} />
        <div className="h-2 w-1/3 rounded" style={{ background: look.accent }} />
      </div>
      <div className="m-3 h-8 border border-current/20" style={{ borderRadius: radius / 2 }} />
    </div>
  );
}
