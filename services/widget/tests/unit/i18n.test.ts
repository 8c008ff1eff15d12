import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { directionOf, sideOf } from "../../src/core/direction";
import { chooseLocale, loadWords, type PhraseKey, Words } from "../../src/i18n";
import en from "../../src/i18n/locales/en";

const LANGUAGES = readdirSync(new URL("../../src/i18n/locales", import.meta.url)).map((file) =>
  file.replace(".ts", ""),
);
const marksOf = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
const formsOf = (phrase: string | Record<string, string>) =>
  typeof phrase === "string" ? [phrase] : Object.values(phrase);

describe.each(LANGUAGES)("%s", async (language) => {
  const file = (await import(`../../src/i18n/locales/${language}.ts`)) as { default: typeof en };
  const phrases = file.default as Record<PhraseKey, string | Record<string, string>>;

  it("has every phrase, and no other", () => {
    expect(Object.keys(phrases).sort()).toEqual(Object.keys(en).sort());
  });

  it("has the values of every phrase", () => {
    for (const key of Object.keys(en) as PhraseKey[]) {
      const wanted = new Set(formsOf(en[key]).flatMap(marksOf));
      for (const form of formsOf(phrases[key])) {
        expect(form.trim(), key).not.toBe("");
        for (const mark of marksOf(form)) expect(wanted, key).toContain(mark);
      }
      expect(new Set(formsOf(phrases[key]).flatMap(marksOf)), key).toEqual(wanted);
    }
  });

  it("has each plural form that its language needs", () => {
    const needed = new Intl.PluralRules(language).resolvedOptions().pluralCategories.filter((form) => {
      // Counts of messages and minutes are whole and small: forms for fractions and millions never come up.
      const whole = Array.from({ length: 1_000 }, (_, count) => new Intl.PluralRules(language).select(count));
      return whole.includes(form);
    });
    for (const phrase of Object.values(phrases)) {
      if (typeof phrase !== "string") expect(Object.keys(phrase)).toEqual(expect.arrayContaining(needed));
    }
  });
});

describe("Persian", () => {
  it("has its own digits and calendar, and isolates what is of another direction", async () => {
    const words = await loadWords("fa");
    expect(words.direction).toBe("rtl");
    expect(words.t("queue.position", { n: 12 })).toBe("شما نفر ۱۲ در صف هستید");
    expect(words.t("typing", { name: "Sara" })).toContain("\u2068Sara\u2069");
    expect(words.day(new Date(2026, 2, 21), new Date(2026, 10, 25))).toContain("فروردین");
    expect(words.day(new Date(2025, 2, 21), new Date(2026, 10, 25))).toContain("۱۴۰۴");
    expect(words.time(new Date(2026, 2, 21, 16, 5))).toBe("۱۶:۰۵");
  });
});

describe("a locale", () => {
  it("is the first wanted one that the tenant speaks", () => {
    expect(chooseLocale(["fa-IR", "en"], ["en", "fa"], "en")).toBe("fa-IR");
    expect(chooseLocale(["de", "es-MX"], ["en", "es"], "en")).toBe("es-MX");
    expect(chooseLocale(["de"], ["en", "es"], "es")).toBe("es");
    expect(chooseLocale(["not a locale!", "fa"], [], "en")).toBe("fa");
  });

  it("without a file is English", async () => {
    expect((await loadWords("xx")).t("close")).toBe("Close");
    expect((await loadWords("en-GB")).locale).toBe("en-GB");
  });

  it.each([
    ["fa", "rtl"],
    ["ar-EG", "rtl"],
    ["he", "rtl"],
    ["en", "ltr"],
    ["far", "ltr"],
  ] as const)("%s is written %s", (locale, direction) => {
    expect(directionOf(locale)).toBe(direction);
  });

  it("stands in the tenant's corner, else in that of the page's language", () => {
    expect([sideOf({}, "fa"), sideOf({}, "en"), sideOf({ position: "left" }, "en")]).toEqual(["left", "right", "left"]);
  });

  it("says days and sizes", () => {
    const words = new Words("en");
    const now = new Date(2026, 10, 25, 9);
    expect(words.day(new Date(2026, 10, 25, 1), now)).toBe("Today");
    expect(words.day(new Date(2026, 10, 24, 23), now)).toBe("Yesterday");
    expect(words.day(new Date(2026, 10, 23, 23), now)).toBe("Monday, November 23");
    expect(words.bytes(1024 * 1024 * 1.5)).toBe("1.5 MB");
  });
});
