/** The widget's words: one file a language, plurals, digits and dates by `Intl`. */

import { directionOf } from "../core/direction";
import en from "./locales/en";

export type PhraseKey = keyof typeof en;
type Plural = Partial<Record<Intl.LDMLPluralRule, string>> & { readonly other: string };
/** A file of a language: every phrase of English; a phrase with a number has the forms that its language needs. */
export type Phrases = { readonly [K in PhraseKey]: (typeof en)[K] extends string ? string : Plural };

const FILES = import.meta.glob<{ default: Phrases }>(["./locales/*.ts", "!./locales/en.ts"]);

const languageOf = (locale: string) => locale.split(/[-_]/)[0]?.toLowerCase() ?? "";

/** The words of one locale. */
export class Words {
  readonly locale: string;
  readonly direction: "ltr" | "rtl";
  readonly #phrases: Phrases;
  readonly #format: string;
  readonly #plurals: Intl.PluralRules;
  readonly #numbers: Intl.NumberFormat;

  constructor(locale: string, phrases: Phrases = en) {
    this.locale = locale;
    this.direction = directionOf(locale);
    this.#phrases = phrases;
    // Iranians count years by their own calendar, and every reader of Persian by their own digits.
    this.#format = languageOf(locale) === "fa" ? "fa-IR-u-ca-persian-nu-arabext" : locale;
    this.#plurals = new Intl.PluralRules(locale);
    this.#numbers = new Intl.NumberFormat(this.#format);
  }

  /** Return a phrase with its values; `n` chooses the plural form and is written in the locale's digits. */
  readonly t = (key: PhraseKey, values: Readonly<Record<string, string | number>> = {}): string => {
    const phrase: string | Plural = this.#phrases[key];
    const count = Number(values["n"] ?? 0);
    const text = typeof phrase === "string" ? phrase : (phrase[this.#plurals.select(count)] ?? phrase.other);
    return text.replace(/\{(\w+)\}/g, (mark, name: string) => {
      const value = values[name];
      if (value === undefined) return mark;
      return typeof value === "number" ? this.number(value) : isolated(value);
    });
  };

  number(value: number): string {
    return this.#numbers.format(value);
  }

  bytes(size: number): string {
    const unit = size >= 1024 * 1024 ? "megabyte" : "kilobyte";
    const value = Math.max(0.1, size / (unit === "megabyte" ? 1024 * 1024 : 1024));
    const options = { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 1 } as const;
    return new Intl.NumberFormat(this.#format, options).format(value);
  }

  time(at: Date): string {
    return new Intl.DateTimeFormat(this.#format, { hour: "numeric", minute: "2-digit" }).format(at);
  }

  /** The day of a message: today, yesterday, or its date. */
  day(at: Date, now: Date): string {
    const days = Math.round((startOfDay(now) - startOfDay(at)) / 86_400_000);
    if (days === 0) return this.t("today");
    if (days === 1) return this.t("yesterday");
    const isThisYear = at.getFullYear() === now.getFullYear();
    return new Intl.DateTimeFormat(this.#format, {
      day: "numeric",
      month: "long",
      ...(isThisYear ? { weekday: "long" } : { year: "numeric" }),
    }).format(at);
  }

  /** A time to come, as short as it can be told. */
  moment(at: Date, now: Date): string {
    if (startOfDay(at) === startOfDay(now)) return this.time(at);
    return new Intl.DateTimeFormat(this.#format, { weekday: "long", hour: "numeric", minute: "2-digit" }).format(at);
  }
}

/** Names and addresses keep their own direction within a sentence of another. */
function isolated(value: string): string {
  return `\u2068${value}\u2069`;
}

function startOfDay(at: Date): number {
  return new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime();
}

/** Load the words of a locale, in English where its language has no file. */
export async function loadWords(locale: string): Promise<Words> {
  const file = FILES[`./locales/${languageOf(locale)}.ts`];
  if (!file) return new Words(languageOf(locale) === "en" ? locale : "en");
  try {
    return new Words(locale, (await file()).default);
  } catch {
    return new Words("en");
  }
}

/** Return the first of the wanted locales that the tenant speaks and that `Intl` knows, else the tenant's own. */
export function chooseLocale(wanted: readonly string[], offered: readonly string[], fallback: string): string {
  const spoken = new Set(offered.map(languageOf));
  return wanted.find((locale) => isLocale(locale) && (spoken.size === 0 || spoken.has(languageOf(locale)))) ?? fallback;
}

function isLocale(locale: string): boolean {
  try {
    return Intl.getCanonicalLocales(locale).length === 1;
  } catch {
    return false;
  }
}
