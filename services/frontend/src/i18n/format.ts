/** Numbers, dates and durations as the reader's language writes them: Persian digits and Jalali dates for `fa`. */

const DAY = 86_400_000;
const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 365 * DAY],
  ["month", 30 * DAY],
  ["week", 7 * DAY],
  ["day", DAY],
  ["hour", 3_600_000],
  ["minute", 60_000],
];

export interface Format {
  number(value: number, options?: Intl.NumberFormatOptions): string;
  percent(share: number): string;
  money(usd: number): string;
  bytes(count: number): string;
  /** `12 Mar 2026, 14:05` */
  dateTime(when: string | Date): string;
  /** `12 Mar` or, of another year, `12 Mar 2025` */
  day(when: string | Date): string;
  /** `14:05` */
  time(when: string | Date): string;
  /** `3 minutes ago` */
  ago(when: string | Date, now?: number): string;
  /** `14:05` today, else the day: what a list has room for. */
  brief(when: string | Date, now?: number): string;
  /** `1h 12m` */
  duration(seconds: number): string;
  list(items: readonly string[]): string;
  language(code: string): string;
}

/** Abbreviations are in Latin letters, for languages that write in them; others have their words. */
function unitFormat(locale: string, unit: string, brief: "narrow" | "short" | "long" = "narrow") {
  const display = new Intl.Locale(locale).maximize().script === "Latn" ? brief : "long";
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: display, maximumFractionDigits: 1 });
}

function formatBytes(locale: string, count: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  const power = Math.min(units.length - 1, Math.floor(Math.log(Math.max(count, 1)) / Math.log(1000)));
  return unitFormat(locale, units[power] ?? "byte", power === 0 ? "long" : "short").format(count / 1000 ** power);
}

function formatDuration(locale: string, seconds: number): string {
  if (seconds < 1) return unitFormat(locale, "millisecond").format(Math.round(seconds * 1000));
  if (seconds < 60) return unitFormat(locale, "second").format(seconds);
  const minutes = Math.round(seconds / 60);
  const parts: [string, number][] = [
    ["day", Math.floor(minutes / 1440)],
    ["hour", Math.floor(minutes / 60) % 24],
    ["minute", minutes % 60],
  ];
  const told = parts.filter(([, value]) => value > 0).slice(0, 2);
  return told.map(([unit, value]) => unitFormat(locale, unit).format(value)).join(" ");
}

function formatAgo(relative: Intl.RelativeTimeFormat, when: Date, now: number): string {
  const past = when.getTime() - now;
  const found = UNITS.find(([, size]) => Math.abs(past) >= size);
  return found ? relative.format(Math.trunc(past / found[1]), found[0]) : relative.format(0, "second");
}

export function formatFor(locale: string): Format {
  const numbers = new Intl.NumberFormat(locale, { maximumFractionDigits: 2 });
  const percents = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 });
  const dateTimes = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
  const days = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });
  const yearDays = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", year: "numeric" });
  const times = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  const lists = new Intl.ListFormat(locale);
  const languages = new Intl.DisplayNames([locale], { type: "language" });
  const day = (when: string | Date) => {
    const date = new Date(when);
    return (date.getFullYear() === new Date().getFullYear() ? days : yearDays).format(date);
  };
  return {
    number: (value, options) => (options ? new Intl.NumberFormat(locale, options) : numbers).format(value),
    percent: (share) => percents.format(share),
    money: (usd) =>
      new Intl.NumberFormat(locale, {
        style: "currency",
        currency: "USD",
        maximumFractionDigits: usd !== 0 && usd < 0.1 ? 5 : 2,
      }).format(usd),
    bytes: (count) => formatBytes(locale, count),
    dateTime: (when) => dateTimes.format(new Date(when)),
    day,
    time: (when) => times.format(new Date(when)),
    ago: (when, now = Date.now()) => formatAgo(relative, new Date(when), now),
    brief: (when, now = Date.now()) => {
      const date = new Date(when);
      return date.toDateString() === new Date(now).toDateString() ? times.format(date) : day(date);
    },
    duration: (seconds) => formatDuration(locale, seconds),
    list: (items) => lists.format(items),
    language: (code) => nameOf(languages, code),
  };
}

/** Visitors' programs send all sorts of locales (`en_US`, `C`), and `Intl` throws at what is none. */
function nameOf(languages: Intl.DisplayNames, code: string): string {
  try {
    return languages.of(code.replaceAll("_", "-")) ?? code;
  } catch {
    return code;
  }
}
