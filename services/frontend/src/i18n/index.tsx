/** The reader's language for components: `t` for words, `tn` for words with a number, `format` for values. */
import { DirectionProvider } from "@base-ui/react/direction-provider";
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { preferences } from "@/lib/preferences";
import { useStore } from "@/lib/store";
import {
  bestLocale,
  type Catalogue,
  type CountedKey,
  direction,
  fill,
  type Key,
  LOCALES,
  loadCatalogue,
  type Params,
} from "./catalogue";
import { type Format, formatFor } from "./format";

export type { Key } from "./catalogue";

export interface Language {
  locale: string;
  dir: "ltr" | "rtl";
  t(key: Key, params?: Params): string;
  tn(key: CountedKey, count: number, params?: Params): string;
  /** The words for a code that the server names (`status.ready`); when there are none, others, or the code itself. */
  named(prefix: string, code: string, otherwise?: string): string;
  format: Format;
}

export function makeLanguage(locale: string, catalogue: Catalogue): Language {
  const plurals = new Intl.PluralRules(locale);
  const format = formatFor(locale);
  const words = catalogue as Readonly<Record<string, string>>;
  return {
    locale,
    dir: direction(locale),
    format,
    t: (key, params) => fill(catalogue[key], params),
    tn: (key, count, params) => {
      const form = words[`${key}.${plurals.select(count)}`] ?? words[`${key}.other`] ?? key;
      return fill(form, { ...params, count: format.number(count) });
    },
    named: (prefix, code, otherwise = code.replaceAll("_", " ")) => words[`${prefix}.${code}`] ?? otherwise,
  };
}

const LanguageContext = createContext<Language | null>(null);

/** Loads the reader's language before it shows anything; keeps the old one until a new one is there. */
export function LanguageProvider({ children }: { children: ReactNode }) {
  const { locale: chosen } = useStore(preferences);
  const locale = chosen && LOCALES.includes(chosen) ? chosen : bestLocale(navigator.languages);
  const [loaded, setLoaded] = useState<{ locale: string; catalogue: Catalogue } | null>(null);
  useEffect(() => {
    let current = true;
    void loadCatalogue(locale).then((catalogue) => {
      if (current) setLoaded({ locale, catalogue });
    });
    return () => {
      current = false;
    };
  }, [locale]);
  const language = useMemo(() => loaded && makeLanguage(loaded.locale, loaded.catalogue), [loaded]);
  useEffect(() => {
    if (!language) return;
    document.documentElement.lang = language.locale;
    document.documentElement.dir = language.dir;
  }, [language]);
  if (!language) return null;
  return (
    <LanguageContext value={language}>
      <DirectionProvider direction={language.dir}>{children}</DirectionProvider>
    </LanguageContext>
  );
}

export function LanguageFor({ language, children }: { language: Language; children: ReactNode }) {
  return <LanguageContext value={language}>{children}</LanguageContext>;
}

export function useLanguage(): Language {
  const language = useContext(LanguageContext);
  if (!language) throw new Error("no language here: wrap it in LanguageProvider");
  return language;
}
