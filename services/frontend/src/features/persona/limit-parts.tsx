/** The parts of a policy that are numbers: clocks of tickets, budgets, how long things are kept. */
import { type Key, useLanguage } from "@/i18n";
import { Field, Input, Toggle } from "@/ui/field";
import { Card } from "@/ui/page";
import { changer, type PartProps } from "./changer";

const STANDARD_SLA = {
  first_response_minutes: { low: 480, normal: 240, high: 60, urgent: 15 },
  resolution_minutes: { low: 2400, normal: 1440, high: 480, urgent: 240 },
};

const CLOCKS = [
  ["first_response_minutes", "tickets.first_response"],
  ["resolution_minutes", "tickets.resolution"],
] as const satisfies readonly (readonly [keyof typeof STANDARD_SLA, Key])[];

export function SlaPart({ form }: PartProps) {
  const { t, named, format } = useLanguage();
  const { sla } = form.values;
  const minutes = { ...STANDARD_SLA, ...sla };
  const set = (clock: keyof typeof STANDARD_SLA, priority: string, value: number) =>
    form.set("sla", { ...minutes, [clock]: { ...minutes[clock], [priority]: value } });
  return (
    <Card title={t("persona.tab_sla")} description={t("persona.sla_hint")} bodyClassName="flex flex-col gap-5 p-4">
      <Toggle
        checked={sla !== null && sla !== undefined}
        onChange={(on) => form.set("sla", on ? STANDARD_SLA : null)}
        label={t("persona.sla_on")}
      />
      {sla &&
        CLOCKS.map(([clock, label]) => (
          <fieldset key={clock} className="grid grid-cols-2 gap-3 sm:grid-cols-4">
            <legend className="mb-2 text-xs font-medium text-ink-soft">{t(label)}</legend>
            {Object.entries(minutes[clock]).map(([priority, value]) => (
              <Field
                key={priority}
                label={named("priority", priority)}
                hint={format.duration(value * 60)}
                error={form.error(`sla.${clock}.${priority}`)}
              >
                <Input
                  type="number"
                  min={1}
                  max={525_600}
                  value={value}
                  onChange={(event) => set(clock, priority, Number(event.target.value))}
                />
              </Field>
            ))}
          </fieldset>
        ))}
    </Card>
  );
}

/** A number that may be left open. */
function OpenNumber({
  value,
  onChange,
  ...rest
}: {
  value: number | null | undefined;
  onChange: (value: number | null) => void;
  min?: number;
  max?: number;
  step?: string;
}) {
  return (
    <Input
      type="number"
      {...rest}
      value={value ?? ""}
      onChange={(event) => onChange(event.target.value === "" ? null : Number(event.target.value))}
    />
  );
}

export function LimitsPart({ form }: PartProps) {
  const { t } = useLanguage();
  const { budgets, retention } = form.values;
  const changeBudget = changer(form, "budgets");
  const changeRetention = changer(form, "retention");
  return (
    <>
      <Card
        title={t("persona.budgets")}
        description={t("persona.budgets_hint")}
        bodyClassName="grid gap-4 p-4 sm:grid-cols-2"
      >
        <Field label={t("persona.tokens_per_day")} optional error={form.error("budgets.tokens_per_day")}>
          <OpenNumber
            min={0}
            value={budgets.tokens_per_day}
            onChange={(tokens_per_day) => changeBudget({ tokens_per_day })}
          />
        </Field>
        <Field label={t("persona.usd_per_day")} optional error={form.error("budgets.usd_per_day")}>
          <OpenNumber
            min={0}
            step="0.01"
            value={budgets.usd_per_day}
            onChange={(usd_per_day) => changeBudget({ usd_per_day })}
          />
        </Field>
        <Field label={t("persona.tokens_per_month")} optional error={form.error("budgets.tokens_per_month")}>
          <OpenNumber
            min={0}
            value={budgets.tokens_per_month}
            onChange={(tokens_per_month) => changeBudget({ tokens_per_month })}
          />
        </Field>
        <Field label={t("persona.usd_per_month")} optional error={form.error("budgets.usd_per_month")}>
          <OpenNumber
            min={0}
            step="0.01"
            value={budgets.usd_per_month}
            onChange={(usd_per_month) => changeBudget({ usd_per_month })}
          />
        </Field>
        <Field label={t("persona.warn_percent")} optional error={form.error("budgets.warn_percent")}>
          <OpenNumber
            min={1}
            max={100}
            value={budgets.warn_percent}
            onChange={(warn_percent) => changeBudget({ warn_percent })}
          />
        </Field>
        <Field label={t("persona.degrade_percent")} optional error={form.error("budgets.degrade_percent")}>
          <OpenNumber
            min={1}
            max={100}
            value={budgets.degrade_percent}
            onChange={(degrade_percent) => changeBudget({ degrade_percent })}
          />
        </Field>
        <Field
          label={t("persona.degrade_model")}
          hint={t("persona.degrade_hint")}
          optional
          error={form.error("budgets.degrade_model")}
        >
          <Input
            dir="ltr"
            maxLength={200}
            value={budgets.degrade_model ?? ""}
            onChange={(event) => changeBudget({ degrade_model: event.target.value || null })}
          />
        </Field>
      </Card>
      <Card
        title={t("persona.retention")}
        description={t("persona.retention_hint")}
        bodyClassName="grid gap-4 p-4 sm:grid-cols-2"
      >
        <Field label={t("persona.transcripts_hours")} optional error={form.error("retention.transcripts_hours")}>
          <OpenNumber
            min={1}
            max={87_600}
            value={retention.transcripts_hours}
            onChange={(transcripts_hours) => changeRetention({ transcripts_hours })}
          />
        </Field>
        <Field label={t("persona.uploads_days")} optional error={form.error("retention.uploads_days")}>
          <OpenNumber
            min={1}
            max={3650}
            value={retention.uploads_days}
            onChange={(uploads_days) => changeRetention({ uploads_days })}
          />
        </Field>
        <Field label={t("persona.tickets_days")} optional error={form.error("retention.tickets_days")}>
          <OpenNumber
            min={1}
            max={3650}
            value={retention.tickets_days}
            onChange={(tickets_days) => changeRetention({ tickets_days })}
          />
        </Field>
        <Field label={t("persona.logs_days")} optional error={form.error("retention.logs_days")}>
          <OpenNumber
            min={1}
            max={3650}
            value={retention.logs_days}
            onChange={(logs_days) => changeRetention({ logs_days })}
          />
        </Field>
      </Card>
    </>
  );
}
