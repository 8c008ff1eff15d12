/** The languages: one file each in `src/locales`. English defines the keys; a test holds the others to them. */
import type en from "../locales/en.json";

export type Key = keyof typeof en;
export type Catalogue = Readonly<Record<Key, string>>;

/** Keys with forms for numbers: `x` when `x.one` and `x.other` exist. */
export type CountedKey = Key extends infer K ? (K extends `${infer Base}.other` ? Base : never) : never;
export type Params = Readonly<Record<string, string | number>>;

const files = import.meta.glob<{ default: Catalogue }>("../locales/*.json");

/** The languages there is a file for, such as `fa`. */
export const LOCALES = Object.keys(files).map((path) => path.replace(/^.*\/|\.json$/g, ""));

export async function loadCatalogue(locale: string): Promise<Catalogue> {
  const load = files[`../locales/${locale}.json`];
  if (!load) throw new Error(`no language file ${locale}`);
  return (await load()).default;
}

/** The first language of the reader's that there is a file for. */
export function bestLocale(wanted: readonly string[]): string {
  for (const each of wanted) {
    const language = each.toLowerCase().split("-")[0] ?? "";
    if (LOCALES.includes(language)) return language;
  }
  return "en";
}

const RIGHT_TO_LEFT = new Set(["ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"]);

export function direction(locale: string): "ltr" | "rtl" {
  return RIGHT_TO_LEFT.has(locale.split("-")[0] ?? "") ? "rtl" : "ltr";
}

export function fill(text: string, params: Params | undefined): string {
  return params ? text.replace(/\{(\w+)\}/g, (whole, name: string) => String(params[name] ?? whole)) : text;
}
