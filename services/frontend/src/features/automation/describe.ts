/** Rules in words: what starts one, what it asks, what it does. */
import type { Language } from "@/i18n";
import { unitOf } from "@/ui/duration";
import { choicesOf, type Lookups, NO_LOOKUPS } from "./lookups";
import { kindOf } from "./model/conditions";
import { readCron, type Schedule, WEEKDAYS, type Weekday, weekOf } from "./model/cron";
import { eventsOf, type Trigger } from "./model/vocabulary";

const MONDAY = Date.UTC(2024, 0, 1);

export function either(items: readonly string[], locale: string): string {
  return new Intl.ListFormat(locale, { type: "disjunction" }).format(items);
}

export function dayName(day: Weekday, locale: string, weekday: "long" | "short" = "long"): string {
  const date = new Date(MONDAY + WEEKDAYS.indexOf(day) * 86_400_000);
  return new Intl.DateTimeFormat(locale, { weekday, timeZone: "UTC" }).format(date);
}

/** `2 hours`, `90 minutes` */
export function minutesInWords(minutes: number, locale: string): string {
  const unit = unitOf(minutes, ["minutes", "hours", "days"]);
  const size = { seconds: 1, minutes: 1, hours: 60, days: 1440 }[unit];
  const style = { style: "unit", unit: unit.slice(0, -1), unitDisplay: "long" } as const;
  return new Intl.NumberFormat(locale, style).format(minutes / size);
}

/** `09:30` in the reader's own digits */
export function clockInWords(time: string, locale: string): string {
  const [hour = 0, minute = 0] = time.split(":").map(Number);
  const date = new Date(Date.UTC(2024, 0, 1, hour, minute));
  return new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", timeZone: "UTC" }).format(date);
}

export function scheduleInWords(schedule: Schedule, { t, tn, format, locale }: Language): string {
  switch (schedule.every) {
    case "minutes":
      return tn("schedule.minutes", schedule.minutes);
    case "hour":
      return t("schedule.hour", { minute: format.number(schedule.minute) });
    case "day":
      return t("schedule.day", { time: clockInWords(schedule.time, locale) });
    case "week": {
      const inOrder = weekOf(locale).filter((day) => schedule.days.includes(day));
      const days = format.list(inOrder.map((day) => dayName(day, locale)));
      return t("schedule.week", { days, time: clockInWords(schedule.time, locale) });
    }
    case "month":
      return t("schedule.month", { day: format.number(schedule.day), time: clockInWords(schedule.time, locale) });
    case "text":
      return t("schedule.text", { cron: schedule.cron });
  }
}

export function eventName(name: string, { named }: Language): string {
  return named("event", name);
}

export function triggerInWords(trigger: Trigger, language: Language): string {
  if (trigger.type === "cron") return scheduleInWords(readCron(trigger.cron), language);
  if (trigger.type === "silence") {
    const key = trigger.waiting_for === "visitor" ? "trigger.silence_visitor" : "trigger.silence_team";
    return language.t(key, { time: minutesInWords(trigger.minutes, language.locale) });
  }
  return either(
    eventsOf(trigger).map((name) => eventName(name, language)),
    language.locale,
  );
}

/** What a comparison or a placeholder is about. */
export function aboutInWords(about: string, { t, named }: Language): string {
  const [head, ...rest] = about.split(".");
  const name = rest.join(".");
  if (head === "variable") return t("rule_field.variable", { name: isolated(name) });
  if (head === "event") return named("event_value", name);
  return named("rule_field", about);
}

/** One value of a field. */
export function valueInWords(about: string, value: unknown, language: Language, lookups = NO_LOOKUPS): string {
  const { t, named, format, locale } = language;
  if (value === null || value === undefined || value === "") return t("rule.nothing");
  if (typeof value === "boolean" && kindOf(about) === "flag") return named("flag", `${about}.${value}`);
  if (typeof value === "boolean") return t(value ? "rule.yes" : "rule.no");
  if (typeof value === "number") return format.number(value);
  if (Array.isArray(value)) {
    const items = value.map((each) => valueInWords(about, each, language, lookups));
    return items.length === 0 ? t("rule.nothing") : either(items, locale);
  }
  const choice = choicesOf(about, lookups, language)?.find((each) => each.value === value);
  return choice ? choice.label : quoted(value, language);
}

/** Words of another direction keep their order and disturb none around them. */
function isolated(text: string): string {
  return `\u2068${text}\u2069`;
}

function quoted(value: unknown, { t }: Language): string {
  return t("rule.quoted", { text: isolated(String(value)) });
}

interface Compared {
  about: string;
  op: string;
  wanted: unknown;
}

export function comparisonInWords({ about, op, wanted }: Compared, language: Language, lookups: Lookups): string {
  const value = Array.isArray(wanted) && op === "has_all" ? allOf(wanted, language) : undefined;
  const words = language.named("compare", kindOf(about) === "flag" ? "flag" : op);
  return words
    .replace("{field}", aboutInWords(about, language))
    .replace("{value}", value ?? valueInWords(about, wanted, language, lookups));
}

function allOf(items: readonly unknown[], language: Language): string {
  return language.format.list(items.map((each) => quoted(each, language)));
}

export function operatorName(about: string, op: string, { named }: Language): string {
  return named("op", kindOf(about) === "choice" ? `one_${op}` : op);
}

export function actionName(type: string, { named }: Language): string {
  return named("rule_action", type);
}
