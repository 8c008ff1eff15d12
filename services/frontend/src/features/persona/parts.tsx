/** The parts of a policy as forms. */
import { Plus, X } from "lucide-react";
import { useLanguage } from "@/i18n";
import { timeZones } from "@/lib/time-zones";
import { Button, IconButton } from "@/ui/button";
import { ByLanguage } from "@/ui/by-language";
import { Field, Input, Select, Textarea, Toggle } from "@/ui/field";
import { Card } from "@/ui/page";
import type { Weekday } from "./api";
import { changer, type PartProps } from "./changer";

const splitList = (typed: string, pattern = /[,،\n]/) =>
  typed
    .split(pattern)
    .map((each) => each.trim())
    .filter(Boolean);

export function PersonaPart({ form }: PartProps) {
  const { t } = useLanguage();
  const { persona } = form.values;
  const change = changer(form, "persona");
  return (
    <Card title={t("persona.tab_persona")} bodyClassName="flex flex-col gap-4 p-4">
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("persona.name")} error={form.error("persona.name")}>
          <Input
            maxLength={200}
            value={persona.name ?? ""}
            onChange={(event) => change({ name: event.target.value })}
          />
        </Field>
        <Field label={t("persona.tone")} hint={t("persona.tone_hint")} error={form.error("persona.tone")}>
          <Input
            maxLength={200}
            value={persona.tone ?? ""}
            onChange={(event) => change({ tone: event.target.value })}
          />
        </Field>
      </div>
      <Field
        label={t("persona.instructions")}
        hint={t("persona.instructions_hint")}
        error={form.error("persona.instructions")}
      >
        <Textarea
          dir="auto"
          rows={8}
          maxLength={8000}
          value={persona.instructions ?? ""}
          onChange={(event) => change({ instructions: event.target.value })}
        />
      </Field>
      <ByLanguage
        label={t("persona.greeting")}
        hint={t("persona.greeting_hint")}
        value={(persona.greeting ?? {}) as Record<string, string>}
        onChange={(greeting) => change({ greeting })}
        error={form.error("persona.greeting")}
      />
    </Card>
  );
}

export function AnswersPart({ form }: PartProps) {
  const { t } = useLanguage();
  const { values } = form;
  const change = changer(form, "guardrails");
  return (
    <>
      <Card title={t("persona.tab_answers")} bodyClassName="flex flex-col gap-4 p-4">
        <Toggle
          checked={values.smart_mode}
          onChange={(smart) => form.set("smart_mode", smart)}
          label={t("persona.smart")}
          hint={t("persona.smart_hint")}
        />
        <div className="grid gap-4 sm:grid-cols-2">
          <Field
            label={t("persona.languages")}
            hint={t("persona.languages_hint")}
            optional
            error={form.error("languages")}
          >
            <ListInput list={values.languages} onChange={(languages) => form.set("languages", languages)} ltr />
          </Field>
          <Field label={t("persona.default_language")} error={form.error("default_language")}>
            <Input
              dir="ltr"
              value={values.default_language}
              onChange={(event) => form.set("default_language", event.target.value.trim())}
            />
          </Field>
        </div>
        <ByLanguage
          label={t("persona.no_answer")}
          hint={t("persona.no_answer_hint")}
          value={values.no_answer_reply as Record<string, string>}
          onChange={(reply) => form.set("no_answer_reply", reply)}
          error={form.error("no_answer_reply")}
        />
      </Card>
      <Card title={t("persona.guardrails")} bodyClassName="flex flex-col gap-4 p-4">
        <Field
          label={t("persona.blocked_topics")}
          hint={t("persona.list_hint")}
          optional
          error={form.error("guardrails.blocked_topics")}
        >
          <ListInput
            list={values.guardrails.blocked_topics ?? []}
            onChange={(blocked_topics) => change({ blocked_topics })}
          />
        </Field>
        <Field
          label={t("persona.blocked_phrases")}
          hint={t("persona.list_hint")}
          optional
          error={form.error("guardrails.blocked_phrases")}
        >
          <ListInput
            list={values.guardrails.blocked_phrases ?? []}
            onChange={(blocked_phrases) => change({ blocked_phrases })}
          />
        </Field>
        <Field label={t("persona.max_chars")} error={form.error("guardrails.max_message_chars")}>
          <Input
            type="number"
            min={100}
            max={8000}
            className="w-32"
            value={values.guardrails.max_message_chars ?? 8000}
            onChange={(event) => change({ max_message_chars: Number(event.target.value) })}
          />
        </Field>
        <Toggle
          checked={values.guardrails.hide_personal_data ?? true}
          onChange={(hide_personal_data) => change({ hide_personal_data })}
          label={t("persona.hide_personal")}
        />
      </Card>
    </>
  );
}

interface ListInputProps {
  list: readonly string[];
  onChange: (list: string[]) => void;
  ltr?: boolean;
}

/** A list, one item a line. */
function ListInput({ list, onChange, ltr }: ListInputProps) {
  return (
    <Textarea
      rows={Math.min(6, Math.max(2, list.length + 1))}
      dir={ltr ? "ltr" : "auto"}
      defaultValue={list.join("\n")}
      onBlur={(event) => onChange(splitList(event.target.value))}
    />
  );
}

const DAYS: readonly Weekday[] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

export function HoursPart({ form }: PartProps) {
  const { t, locale } = useLanguage();
  const { hours, handoff } = form.values;
  const change = changer(form, "hours");
  const changeHandoff = changer(form, "handoff");
  const spans = hours.open ?? [];
  const setSpan = (index: number, part: Partial<(typeof spans)[number]>) =>
    change({ open: spans.map((span, at) => (at === index ? { ...span, ...part } : span)) });
  const dayName = (day: Weekday) =>
    new Intl.DateTimeFormat(locale, { weekday: "long", timeZone: "UTC" }).format(
      new Date(Date.UTC(2024, 0, 1 + DAYS.indexOf(day))),
    );
  return (
    <>
      <Card
        title={t("persona.tab_hours")}
        description={t("persona.hours_hint")}
        bodyClassName="flex flex-col gap-4 p-4"
      >
        <Field label={t("field.time_zone")} error={form.error("hours.timezone")} className="max-w-xs">
          <Select
            value={hours.timezone ?? ""}
            onChange={(event) => change({ timezone: event.target.value || null })}
            options={[{ value: "", label: t("persona.tenants_zone") }, ...timeZones(hours.timezone ?? "UTC")]}
          />
        </Field>
        <ul className="flex flex-col gap-2">
          {spans.map((span, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: spans have no name of their own
            <li key={index} className="flex flex-wrap items-center gap-2">
              <Select
                aria-label={t("persona.day")}
                className="w-36"
                value={span.day}
                onChange={(event) => setSpan(index, { day: event.target.value as Weekday })}
                options={DAYS.map((day) => ({ value: day, label: dayName(day) }))}
              />
              <Input
                aria-label={t("persona.opens")}
                type="time"
                className="w-28"
                value={span.opens}
                onChange={(event) => setSpan(index, { opens: event.target.value })}
              />
              <span aria-hidden>–</span>
              <Input
                aria-label={t("persona.closes")}
                type="time"
                className="w-28"
                value={span.closes}
                onChange={(event) => setSpan(index, { closes: event.target.value })}
              />
              <IconButton
                label={t("action.remove")}
                size="iconSm"
                onClick={() => change({ open: spans.filter((_, at) => at !== index) })}
              >
                <X className="size-3.5" aria-hidden />
              </IconButton>
              {form.error(`hours.open.${index}`) && (
                <span role="alert" className="text-xs text-bad">
                  {form.error(`hours.open.${index}`)}
                </span>
              )}
            </li>
          ))}
        </ul>
        <div className="flex flex-wrap gap-2">
          <Button
            size="sm"
            icon={<Plus className="size-3.5" aria-hidden />}
            onClick={() => change({ open: [...spans, { day: "mon", opens: "09:00", closes: "17:00" }] })}
          >
            {t("persona.add_hours")}
          </Button>
          {spans.length === 0 && (
            <Button
              size="sm"
              onClick={() =>
                change({ open: DAYS.slice(0, 5).map((day) => ({ day, opens: "09:00", closes: "17:00" })) })
              }
            >
              {t("persona.office_hours")}
            </Button>
          )}
        </div>
        <ByLanguage
          label={t("persona.closed_message")}
          value={(hours.closed_message ?? {}) as Record<string, string>}
          onChange={(closed_message) => change({ closed_message })}
          error={form.error("hours.closed_message")}
        />
      </Card>
      <Card title={t("persona.handoff")} bodyClassName="flex flex-col gap-4 p-4">
        <Toggle
          checked={handoff.offer ?? true}
          onChange={(offer) => changeHandoff({ offer })}
          label={t("persona.offer_person")}
          hint={t("persona.offer_person_hint")}
        />
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label={t("persona.when_no_answer")}>
            <Select
              value={handoff.when_no_answer ?? "offer"}
              onChange={(event) => changeHandoff({ when_no_answer: event.target.value as "offer" | "request" })}
              options={[
                { value: "offer", label: t("persona.no_answer_offer") },
                { value: "request", label: t("persona.no_answer_request") },
              ]}
            />
          </Field>
          <Field
            label={t("persona.return_minutes")}
            hint={t("persona.return_minutes_hint")}
            error={form.error("handoff.return_minutes")}
          >
            <Input
              type="number"
              min={1}
              max={1440}
              value={handoff.return_minutes ?? 5}
              onChange={(event) => changeHandoff({ return_minutes: Number(event.target.value) })}
            />
          </Field>
        </div>
        <ByLanguage
          label={t("persona.handoff_message")}
          value={(handoff.message ?? {}) as Record<string, string>}
          onChange={(message) => changeHandoff({ message })}
          error={form.error("handoff.message")}
        />
      </Card>
    </>
  );
}
