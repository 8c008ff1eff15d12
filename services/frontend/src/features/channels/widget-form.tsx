/** What the widget of a web channel shows and asks. */
import { useQueryClient } from "@tanstack/react-query";
import { Plus, X } from "lucide-react";
import { useEffect, useRef } from "react";
import type { Body } from "@/api/client";
import { LeaveGuard } from "@/app/leave-guard";
import { type Key, useLanguage } from "@/i18n";
import { direction } from "@/i18n/catalogue";
import { type Form, useForm } from "@/lib/form";
import { Button, IconButton } from "@/ui/button";
import { ByLanguage } from "@/ui/by-language";
import { Field, FormProblem, Input, Select, Toggle } from "@/ui/field";
import { Card } from "@/ui/page";
import { toast } from "@/ui/toast";
import { Tokens } from "@/ui/tokens";
import { type Channel, changeChannel, channelKey } from "./api";

type Options = Body<"WidgetOptions">;
/** Quick replies are written one a line. */
type Values = Omit<Options, "quick_replies"> & { quick_replies: Record<string, string> };
type Asked = Body<"PreChatField">;
type Feature = keyof Body<"Features">;

const FEATURES = [
  ["uploads", "widget.uploads"],
  ["handoff", "widget.handoff"],
  ["csat", "widget.csat"],
  ["transcript", "widget.transcript"],
  ["sound", "widget.sound"],
] as const satisfies readonly (readonly [Feature, Key])[];

const TYPES = ["text", "email", "tel", "select"] as const;

const MEGABYTE = 1024 * 1024;

const lines = (text: string) =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
const joined = (byLanguage: Readonly<Record<string, readonly string[]>>) =>
  Object.fromEntries(Object.entries(byLanguage).map(([code, all]) => [code, all.join("\n")]));
const split = (byLanguage: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(byLanguage).map(([code, text]) => [code, lines(text)]));

/** A label that was left empty in a language is none: the widget takes another language's then. */
const asked = (field: Asked): Asked => ({
  ...field,
  label: Object.fromEntries(Object.entries(field.label ?? {}).filter(([, text]) => text.trim() !== "")),
});

export function WidgetForm({ channel, mayEdit }: { channel: Channel; mayEdit: boolean }) {
  const { t, named } = useLanguage();
  const queries = useQueryClient();
  const options: Options = channel.widget ?? {};
  const quick = joined((options.quick_replies ?? {}) as Record<string, string[]>);
  const form = useForm<Values>({ ...options, quick_replies: quick }, async (widget) => {
    const pre_chat = widget.pre_chat && { ...widget.pre_chat, fields: widget.pre_chat.fields?.map(asked) };
    await changeChannel(channel.id, {
      widget: { ...widget, ...(pre_chat && { pre_chat }), quick_replies: split(widget.quick_replies) },
    });
    await queries.invalidateQueries({ queryKey: channelKey(channel.id) });
    toast.done(t("state.saved"));
  });
  const { values, problem } = form;
  const uploads = values.uploads ?? {};
  const place = useRef<HTMLFormElement>(null);
  useEffect(() => {
    // The form is long: what is wrong may stand far above the button that was pressed.
    if (problem) place.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus();
  }, [problem]);
  return (
    <form ref={place} onSubmit={form.onSubmit}>
      <fieldset disabled={!mayEdit} className="flex flex-col gap-5">
        <Card title={t("widget.features")} bodyClassName="flex flex-col gap-4 p-4">
          {FEATURES.map(([name, label]) => (
            <Toggle
              key={name}
              label={t(label)}
              disabled={!mayEdit}
              checked={values.features?.[name] ?? true}
              onChange={(on) => form.set("features", { ...values.features, [name]: on })}
            />
          ))}
          <Field label={t("theme.label")} className="max-w-xs">
            <Select
              value={values.scheme ?? "auto"}
              onChange={(event) => form.set("scheme", event.target.value as NonNullable<Values["scheme"]>)}
              options={(["auto", "light", "dark"] as const).map((each) => ({
                value: each,
                label: named("theme", each),
              }))}
            />
          </Field>
        </Card>
        <Card title={t("widget.face_and_languages")} bodyClassName="grid gap-4 p-4 sm:grid-cols-2">
          <Field
            label={t("field.picture")}
            hint={t("widget.picture_hint")}
            optional
            className="sm:col-span-2"
            error={form.error("avatar_url")}
          >
            <Input
              type="url"
              dir="ltr"
              maxLength={2000}
              pattern="https://.*"
              placeholder="https://www.example.com/bot.png"
              value={values.avatar_url ?? ""}
              onChange={(event) => form.set("avatar_url", event.target.value || null)}
            />
          </Field>
          <Field label={t("widget.locales")} hint={t("widget.locales_hint")} optional error={form.error("locales")}>
            <Tokens
              label={t("widget.locales")}
              maxLength={35}
              invalid={Boolean(form.error("locales"))}
              value={values.locales ?? []}
              onChange={(locales) => form.set("locales", locales)}
            />
          </Field>
          <Field label={t("widget.default_locale")} optional error={form.error("default_locale")}>
            <Input
              dir="ltr"
              maxLength={35}
              placeholder="en"
              value={values.default_locale ?? ""}
              onChange={(event) => form.set("default_locale", event.target.value.trim() || null)}
            />
          </Field>
        </Card>
        {(values.features?.uploads ?? true) && (
          <Card title={t("widget.uploads")} bodyClassName="grid gap-4 p-4 sm:grid-cols-2">
            <Field
              label={t("widget.upload_types")}
              hint={t("widget.upload_types_hint")}
              error={form.error("uploads.types")}
            >
              <Tokens
                label={t("widget.upload_types")}
                maxLength={10}
                invalid={Boolean(form.error("uploads.types"))}
                value={uploads.types ?? []}
                onChange={(types) => form.set("uploads", { ...uploads, types })}
              />
            </Field>
            <Field label={t("widget.upload_megabytes")} error={form.error("uploads.max_bytes")}>
              <Input
                type="number"
                step="any"
                min={0.001}
                max={50}
                value={Math.round(((uploads.max_bytes ?? 0) / MEGABYTE) * 1000) / 1000}
                onChange={(event) =>
                  form.set("uploads", { ...uploads, max_bytes: Math.round(Number(event.target.value) * MEGABYTE) })
                }
              />
            </Field>
          </Card>
        )}
        <Card title={t("widget.words")} bodyClassName="flex flex-col gap-5 p-4">
          <ByLanguage
            label={t("widget.launcher")}
            value={(values.launcher_label ?? {}) as Record<string, string>}
            onChange={(launcher_label) => form.set("launcher_label", launcher_label)}
            error={form.error("launcher_label")}
          />
          <ByLanguage
            label={t("widget.quick")}
            hint={t("persona.list_hint")}
            value={values.quick_replies}
            onChange={(quick_replies) => form.set("quick_replies", quick_replies)}
            error={form.error("quick_replies")}
          />
        </Card>
        <PreChat form={form} mayEdit={mayEdit} />
        <FormProblem problem={problem} shown={shownFields(values)} />
        {mayEdit && (
          <Button type="submit" variant="primary" className="self-end" busy={form.busy}>
            {t("action.save")}
          </Button>
        )}
      </fieldset>
      <LeaveGuard dirty={form.dirty} />
    </form>
  );
}

/** The names of the fields that tell what is wrong with them. */
function shownFields({ features }: Values): string[] {
  const always = ["avatar_url", "locales", "default_locale", "launcher_label", "quick_replies", "pre_chat"];
  return (features?.uploads ?? true) ? [...always, "uploads.types", "uploads.max_bytes"] : always;
}

function Wrong({ children }: { children: string | undefined }) {
  if (!children) return null;
  return (
    <p role="alert" className="col-span-full text-xs text-bad first-letter:uppercase">
      {children}
    </p>
  );
}

function PreChat({ form, mayEdit }: { form: Form<Values>; mayEdit: boolean }) {
  const { t, named, locale } = useLanguage();
  const preChat = form.values.pre_chat ?? {};
  const fields = preChat.fields ?? [];
  const set = (change: typeof preChat) => form.set("pre_chat", { ...preChat, ...change });
  const error = (index: number, name: keyof Asked) => form.error(`pre_chat.fields.${index}.${name}`);
  /** What is wrong with a question, or with the form, as a whole. */
  const wrong = (name: string) => form.problem?.errors.find((each) => each.field === `widget.${name}`)?.message;
  const setField = (index: number, part: Partial<Asked>) =>
    set({ fields: fields.map((field, at) => (at === index ? { ...field, ...part } : field)) });
  return (
    <Card title={t("widget.pre_chat")} description={t("widget.pre_chat_hint")} bodyClassName="flex flex-col gap-4 p-4">
      <Toggle
        label={t("widget.pre_chat_on")}
        disabled={!mayEdit}
        checked={preChat.enabled ?? false}
        onChange={(enabled) => set({ enabled })}
      />
      <ul className="flex flex-col gap-3 empty:hidden">
        {fields.map((field, index) => (
          <li
            // biome-ignore lint/suspicious/noArrayIndexKey: a field's name may be changed while it is typed
            key={index}
            className="grid grid-cols-2 items-start gap-x-3 gap-y-2 rounded-lg border p-3 sm:grid-cols-[1fr_auto_auto_auto]"
          >
            <Field
              label={t("field.name")}
              hint={t("widget.name_hint")}
              error={error(index, "name")}
              className="col-span-full sm:col-span-1"
            >
              <Input
                required
                dir="ltr"
                maxLength={40}
                pattern="[a-z][a-z0-9_]*"
                title={t("widget.name_hint")}
                placeholder="order_number"
                value={field.name}
                onChange={(event) => setField(index, { name: event.target.value })}
              />
            </Field>
            <Field label={t("field.kind")} error={error(index, "type")}>
              <Select
                value={field.type ?? "text"}
                onChange={(event) => setField(index, { type: event.target.value as (typeof TYPES)[number] })}
                options={TYPES.map((each) => ({ value: each, label: named("field_type", each) }))}
              />
            </Field>
            <div className="mt-6">
              <Toggle
                label={t("widget.required")}
                checked={field.required ?? false}
                onChange={(required) => setField(index, { required })}
              />
            </div>
            <IconButton
              label={t("action.remove")}
              size="iconSm"
              className="max-sm:col-start-2 max-sm:justify-self-end sm:mt-5"
              onClick={() => set({ fields: fields.filter((_, at) => at !== index) })}
            >
              <X className="size-3.5" aria-hidden />
            </IconButton>
            <div className="col-span-full">
              <ByLanguage
                label={t("widget.label")}
                hint={t("widget.label_hint")}
                value={(field.label ?? {}) as Record<string, string>}
                onChange={(label) => setField(index, { label })}
                error={error(index, "label")}
                field={({ code, value, onChange }) => (
                  <Input
                    lang={code}
                    dir={direction(code)}
                    maxLength={1000}
                    value={value}
                    onChange={(event) => onChange(event.target.value)}
                  />
                )}
              />
            </div>
            <Wrong>{wrong(`pre_chat.fields.${index}`)}</Wrong>
            {field.type === "select" && (
              <Field
                label={t("widget.options")}
                className="col-span-full"
                hint={t("knowledge.tags_hint")}
                error={error(index, "options")}
              >
                <Input
                  key={(field.options ?? []).join()}
                  dir="auto"
                  defaultValue={(field.options ?? []).join(", ")}
                  onBlur={(event) =>
                    setField(index, {
                      options: event.target.value
                        .split(/[,،]/)
                        .map((each) => each.trim())
                        .filter(Boolean),
                    })
                  }
                />
              </Field>
            )}
          </li>
        ))}
      </ul>
      <Wrong>{wrong("pre_chat") ?? wrong("pre_chat.fields")}</Wrong>
      <Button
        size="sm"
        className="self-start"
        icon={<Plus className="size-3.5" aria-hidden />}
        onClick={() =>
          set({
            fields: [...fields, { name: "", type: "text", label: { [locale]: "" }, required: false, options: [] }],
          })
        }
      >
        {t("widget.add_field")}
      </Button>
    </Card>
  );
}
