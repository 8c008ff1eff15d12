/** A schedule without cron: chosen in words, with the next times as the platform counts them. */
import { useQuery } from "@tanstack/react-query";
import { useDeferredValue, useState } from "react";
import { asProblem } from "@/api/problem";
import { useMay, useTenant, useTenantId } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { cx } from "@/lib/classes";
import { timeZones } from "@/lib/time-zones";
import { Field, Input, Select } from "@/ui/field";
import { Skeleton } from "@/ui/states";
import { keys, nextTimes } from "../api";
import { dayName } from "../describe";
import { EVERY, type Every, inForm, readCron, type Schedule, weekOf, workdaysOf, writeCron } from "../model/cron";
import type { Trigger } from "../model/vocabulary";
import { useMessage } from "./context";

type OnTime = Trigger & { type: "cron" };

interface Props {
  trigger: OnTime;
  onChange: (trigger: Trigger) => void;
}

const STEPS = [5, 10, 15, 20, 30];

export function ScheduleFields({ trigger, onChange }: Props) {
  const { t, named, locale } = useLanguage();
  const tenant = useTenant();
  const [schedule, setSchedule] = useState(() => readCron(trigger.cron));
  const error = useMessage("trigger.cron");
  const set = (next: Schedule) => {
    setSchedule(next);
    onChange({ ...trigger, cron: writeCron(next) });
  };
  const ownZone = tenant.data?.timezone ?? "UTC";
  return (
    <div className="grid gap-4 md:grid-cols-[1fr_minmax(12rem,16rem)]">
      <div className="flex min-w-0 flex-col gap-4">
        <div className="flex flex-wrap items-start gap-4">
          <Field label={t("schedule.every")} className="min-w-44 flex-1">
            <Select
              value={schedule.every}
              onChange={(event) => set(inForm(schedule, event.target.value as Every, workdaysOf(locale)))}
              options={EVERY.map((every) => ({ value: every, label: named("schedule_kind", every) }))}
            />
          </Field>
          <Details schedule={schedule} onChange={set} error={error} />
        </div>
        {schedule.every === "week" && <Days schedule={schedule} onChange={set} />}
        <Field label={t("field.time_zone")} className="max-w-md" error={useMessage("trigger.timezone")}>
          <Select
            value={trigger.timezone ?? ""}
            onChange={(event) => onChange({ ...trigger, timezone: event.target.value || null })}
            options={[
              { value: "", label: `${t("persona.tenants_zone")} (${ownZone.replaceAll("_", " ")})` },
              ...timeZones(trigger.timezone ?? "UTC"),
            ]}
          />
        </Field>
      </div>
      <NextTimes cron={trigger.cron} zone={trigger.timezone ?? null} shownIn={trigger.timezone ?? ownZone} />
    </div>
  );
}

interface DetailsProps {
  schedule: Schedule;
  onChange: (schedule: Schedule) => void;
  error: string | undefined;
}

function Details({ schedule, onChange, error }: DetailsProps) {
  const { t, tn } = useLanguage();
  switch (schedule.every) {
    case "minutes":
      return (
        <Field label={t("schedule.step")} error={error} className="w-40">
          <Select
            value={String(schedule.minutes)}
            onChange={(event) => onChange({ ...schedule, minutes: Number(event.target.value) })}
            options={[...new Set([...STEPS, schedule.minutes])].map((step) => ({
              value: String(step),
              label: tn("schedule.minutes", step),
            }))}
          />
        </Field>
      );
    case "hour":
      return (
        <Field label={t("schedule.minute")} error={error} className="w-40">
          <Input
            type="number"
            min={0}
            max={59}
            value={schedule.minute}
            onChange={(event) => onChange({ ...schedule, minute: Number(event.target.value) })}
          />
        </Field>
      );
    case "text":
      return (
        <Field label={t("schedule.cron")} hint={t("schedule.cron_hint")} error={error} className="min-w-48 flex-1">
          <Input
            dir="ltr"
            className="font-mono"
            maxLength={100}
            value={schedule.cron}
            onChange={(event) => onChange({ ...schedule, cron: event.target.value })}
          />
        </Field>
      );
    default:
      return (
        <>
          {schedule.every === "month" && (
            <Field label={t("schedule.day_of_month")} className="w-28">
              <Input
                type="number"
                min={1}
                max={31}
                value={schedule.day}
                onChange={(event) => onChange({ ...schedule, day: Number(event.target.value) })}
              />
            </Field>
          )}
          <Field label={t("schedule.time")} error={error} className="w-32">
            <Input
              type="time"
              value={schedule.time}
              onChange={(event) => event.target.value && onChange({ ...schedule, time: event.target.value })}
            />
          </Field>
        </>
      );
  }
}

function Days({ schedule, onChange }: { schedule: Schedule & { every: "week" }; onChange: (next: Schedule) => void }) {
  const { t, locale } = useLanguage();
  const toggle = (day: (typeof schedule.days)[number]) => {
    const on = schedule.days.includes(day);
    const days = weekOf("en").filter((each) => (each === day ? !on : schedule.days.includes(each)));
    if (days.length > 0) onChange({ ...schedule, days });
  };
  return (
    <fieldset className="flex flex-wrap gap-1.5">
      <legend className="mb-1 text-xs font-medium text-ink-soft">{t("schedule.days")}</legend>
      {weekOf(locale).map((day) => (
        <button
          key={day}
          type="button"
          aria-pressed={schedule.days.includes(day)}
          aria-label={dayName(day, locale)}
          onClick={() => toggle(day)}
          className={cx(
            "h-8 min-w-11 rounded-md border px-2 text-xs pointer-coarse:h-10",
            schedule.days.includes(day)
              ? "border-accent bg-accent-soft font-medium text-accent-text"
              : "text-ink-soft hover:bg-hover",
          )}
        >
          {dayName(day, locale, "short")}
        </button>
      ))}
    </fieldset>
  );
}

function NextTimes({ cron, zone, shownIn }: { cron: string; zone: string | null; shownIn: string }) {
  const { t, locale } = useLanguage();
  const tenantId = useTenantId();
  const settled = useDeferredValue(cron);
  const times = useQuery({
    queryKey: keys.times(tenantId, settled, zone),
    queryFn: () => nextTimes(tenantId, settled, zone),
    enabled: useMay("editAutomation"),
    retry: false,
    staleTime: 30_000,
  });
  const format = new Intl.DateTimeFormat(locale, {
    weekday: "short",
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    timeZone: shownIn,
  });
  return (
    <section aria-live="polite" className="rounded-lg bg-sunken p-3 text-xs">
      <h3 className="mb-1.5 font-medium text-ink-soft">{t("schedule.next")}</h3>
      {times.error ? (
        <p className="text-bad">{asProblem(times.error).errors[0]?.message ?? t("schedule.unknown")}</p>
      ) : (
        <ol className="flex flex-col gap-1 tabular-nums">
          {(times.data ?? [1, 2, 3, 4, 5]).map((at) =>
            typeof at === "number" ? (
              <Skeleton key={at} className="h-3.5 w-3/4" />
            ) : (
              <li key={at}>{format.format(new Date(at))}</li>
            ),
          )}
          {times.data?.length === 0 && <li>{t("state.never")}</li>}
        </ol>
      )}
    </section>
  );
}
