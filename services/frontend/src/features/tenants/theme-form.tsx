/** The widget's colours, with a small picture of it beside. */
import { useQueryClient } from "@tanstack/react-query";
import { ArrowUp, MessageCircle, Sparkles, X } from "lucide-react";
import type { CSSProperties, ReactNode } from "react";
import { api, type Body, call } from "@/api/client";
import { LeaveGuard } from "@/app/leave-guard";
import { type Tenant, useMay } from "@/app/tenant";
import { type Key, useLanguage } from "@/i18n";
import { cx } from "@/lib/classes";
import { useForm } from "@/lib/form";
import { Button } from "@/ui/button";
import { Field, FormProblem, Input, Select } from "@/ui/field";
import { Card } from "@/ui/page";
import { toast } from "@/ui/toast";
import { palette } from "../../../../widget/src/chat/palette";

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
        <Preview theme={form.values} />
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

/** The widget in small, on a light page: in the very colours that it makes of the theme. */
export function Preview({ theme }: { theme: Theme }) {
  const { radius } = shown(theme);
  const given = Object.fromEntries(Object.entries(theme).filter(([, value]) => value !== null));
  const least = (most: number) => Math.min(most, radius);
  const side = theme.position ? { right: "ml-auto", left: "mr-auto" }[theme.position] : "ms-auto";
  return (
    <div aria-hidden className="flex w-52 flex-col gap-3" style={palette(given, "light") as CSSProperties}>
      <div
        className="flex h-72 flex-col overflow-hidden border-[var(--line)] border bg-[var(--ground)] text-[var(--ink)] shadow-float"
        style={{ borderRadius: radius }}
      >
        <div
          className="flex items-center gap-2 border-[var(--line)] border-b bg-[var(--ground)] p-3"
          data-part="header"
        >
          <span className="grid size-7 place-items-center rounded-full bg-[var(--tint)] text-[var(--link)]">
            <Sparkles className="size-4" />
          </span>
          <span className="flex flex-1 flex-col gap-1">
            <Line className="w-1/2 bg-[var(--ink)]" />
            <Line className="w-1/3 bg-[var(--muted)]" />
          </span>
          <X className="size-3.5 text-[var(--muted)]" />
        </div>
        <div className="flex flex-1 flex-col gap-2 p-3">
          <Bubble radius={least(18)} className="w-3/4 bg-[var(--bubble)]">
            <Line className="w-4/5 bg-[var(--ink)]" />
            <Line className="w-1/2 bg-[var(--ink)]" />
          </Bubble>
          <Bubble radius={least(18)} className="w-2/3 self-end bg-[var(--primary)]" part="mine">
            <Line className="w-2/3 bg-[var(--on-primary)]" />
          </Bubble>
          <Bubble radius={least(18)} className="w-4/5 bg-[var(--bubble)]">
            <Line className="w-3/4 bg-[var(--ink)]" />
            <Line className="w-1/3 bg-[var(--link)]" part="link" />
          </Bubble>
        </div>
        <div
          className="m-3 mt-0 flex items-center justify-between border border-[var(--edge)] p-1 ps-3"
          style={{ borderRadius: Math.max(12, Math.min(24, radius + 4)) }}
        >
          <Line className="w-1/2 bg-[var(--muted)]" />
          <span className="grid size-6 place-items-center rounded-full bg-[var(--primary)] text-[var(--on-primary)]">
            <ArrowUp className="size-3.5" />
          </span>
        </div>
      </div>
      <span
        className={cx(
          "grid size-10 place-items-center rounded-full bg-[var(--primary)] text-[var(--on-primary)] shadow-float",
          side,
        )}
        data-part="launcher"
      >
        <MessageCircle className="size-5" />
      </span>
    </div>
  );
}

/** A line of text. */
function Line({ className, part }: { className: string; part?: string }) {
  return <span data-part={part} className={cx("block h-1.5 rounded-full", className)} />;
}

function Bubble({ radius, className, part, children }: BubbleProps) {
  return (
    <div data-part={part} className={cx("flex flex-col gap-1.5 p-2.5", className)} style={{ borderRadius: radius }}>
      {children}
    </div>
  );
}

interface BubbleProps {
  radius: number;
  className: string;
  part?: string;
  children: ReactNode;
}
