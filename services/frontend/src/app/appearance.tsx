/** Theme and language, as items of a menu. */
import { Monitor, Moon, Sun } from "lucide-react";
import { useLanguage } from "@/i18n";
import { LOCALES } from "@/i18n/catalogue";
import { prefer, preferences, type Theme } from "@/lib/preferences";
import { useStore } from "@/lib/store";
import { MenuItem, MenuLabel } from "@/ui/menu";

export const THEMES = [
  ["auto", Monitor, "theme.auto"],
  ["light", Sun, "theme.light"],
  ["dark", Moon, "theme.dark"],
] as const satisfies readonly (readonly [Theme, typeof Sun, string])[];

/** A language in its own words. */
export function ownName(locale: string): string {
  return new Intl.DisplayNames([locale], { type: "language" }).of(locale) ?? locale;
}

export function Appearance() {
  const { t, locale } = useLanguage();
  const { theme } = useStore(preferences);
  return (
    <>
      <MenuLabel>{t("theme.label")}</MenuLabel>
      {THEMES.map(([id, Icon, label]) => (
        <MenuItem
          key={id}
          checked={theme === id}
          icon={<Icon className="size-4" aria-hidden />}
          onSelect={() => prefer({ theme: id })}
        >
          {t(label)}
        </MenuItem>
      ))}
      <MenuLabel>{t("language.label")}</MenuLabel>
      {LOCALES.map((each) => (
        <MenuItem key={each} checked={each === locale} onSelect={() => prefer({ locale: each })}>
          <span lang={each}>{ownName(each)}</span>
        </MenuItem>
      ))}
    </>
  );
}
