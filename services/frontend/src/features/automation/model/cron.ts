/** Cron expressions that people choose without knowing cron; what is none of these is edited as text. */

export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Weekday = (typeof WEEKDAYS)[number];

export type Schedule =
  | { every: "minutes"; minutes: number }
  | { every: "hour"; minute: number }
  | { every: "day"; time: string }
  | { every: "week"; days: Weekday[]; time: string }
  | { every: "month"; day: number; time: string }
  | { every: "text"; cron: string };

export type Every = Schedule["every"];
export const EVERY = ["minutes", "hour", "day", "week", "month", "text"] as const satisfies readonly Every[];

const SUNDAY_FIRST: readonly Weekday[] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const NINE = "09:00";

export function readCron(cron: string): Schedule {
  return readPlain(cron.trim().toLowerCase()) ?? { every: "text", cron };
}

export function writeCron(schedule: Schedule): string {
  switch (schedule.every) {
    case "minutes":
      return `*/${schedule.minutes} * * * *`;
    case "hour":
      return `${schedule.minute} * * * *`;
    case "day":
      return `${clock(schedule.time)} * * *`;
    case "week":
      return `${clock(schedule.time)} * * ${schedule.days.join(",")}`;
    case "month":
      return `${clock(schedule.time)} ${schedule.day} * *`;
    case "text":
      return schedule.cron;
  }
}

/** The same schedule in another form, as far as they have something in common. */
export function inForm(before: Schedule, every: Every, workdays: readonly Weekday[]): Schedule {
  const time = "time" in before ? before.time : NINE;
  const forms: Record<Every, Schedule> = {
    minutes: { every: "minutes", minutes: 15 },
    hour: { every: "hour", minute: 0 },
    day: { every: "day", time },
    week: { every: "week", days: [...workdays], time },
    month: { every: "month", day: 1, time },
    text: { every: "text", cron: writeCron(before) },
  };
  return forms[every];
}

/** The days on which a region works, in its own order. */
export function workdaysOf(locale: string): Weekday[] {
  return locale.startsWith("fa") ? ["sat", "sun", "mon", "tue", "wed"] : WEEKDAYS.slice(0, 5);
}

/** The days of a week as a region's calendar shows them. */
export function weekOf(locale: string): Weekday[] {
  return locale.startsWith("fa") ? ["sat", "sun", "mon", "tue", "wed", "thu", "fri"] : [...WEEKDAYS];
}

function readPlain(cron: string): Schedule | null {
  const parts = cron.split(/\s+/);
  if (parts.length !== 5) return null;
  const [minute = "", hour = "", day = "", month = "", weekday = ""] = parts;
  if (month !== "*") return null;
  const step = /^\*\/(\d{1,2})$/.exec(minute);
  const rest = [hour, day, weekday].join(" ");
  if (step && rest === "* * *") return within(step[1], 1, 59, (minutes) => ({ every: "minutes", minutes }));
  if (rest === "* * *") return within(minute, 0, 59, (found) => ({ every: "hour", minute: found }));
  const time = timeOf(minute, hour);
  if (time === null) return null;
  if (day === "*" && weekday === "*") return { every: "day", time };
  if (day === "*") {
    const days = daysOf(weekday);
    return days && { every: "week", days, time };
  }
  return weekday === "*" ? within(day, 1, 31, (found) => ({ every: "month", day: found, time })) : null;
}

function within<Found>(text: string | undefined, least: number, most: number, make: (value: number) => Found) {
  const value = /^\d{1,2}$/.test(text ?? "") ? Number(text) : Number.NaN;
  return value >= least && value <= most ? make(value) : null;
}

function timeOf(minute: string, hour: string): string | null {
  const two = (value: number) => String(value).padStart(2, "0");
  return within(minute, 0, 59, (minutes) => within(hour, 0, 23, (hours) => `${two(hours)}:${two(minutes)}`));
}

function daysOf(text: string): Weekday[] | null {
  const found = new Set<Weekday>();
  for (const part of text.split(",")) {
    const ends = part.split("-").map(dayOf);
    const [first, end = first] = ends;
    if (!first || !end || ends.length > 2) return null;
    for (let at = WEEKDAYS.indexOf(first); ; at = (at + 1) % 7) {
      found.add(WEEKDAYS[at] as Weekday);
      if (WEEKDAYS[at] === end) break;
    }
  }
  return WEEKDAYS.filter((day) => found.has(day));
}

function dayOf(text: string): Weekday | null {
  if (/^[0-7]$/.test(text)) return SUNDAY_FIRST[Number(text)] ?? null;
  return WEEKDAYS.find((day) => day === text) ?? null;
}

function clock(time: string): string {
  const [hour = "9", minute = "0"] = time.split(":");
  return `${Number(minute)} ${Number(hour)}`;
}
