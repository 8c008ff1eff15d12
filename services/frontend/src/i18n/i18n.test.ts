import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import en from "@/locales/en.json";
import { makeLanguage } from ".";
import { bestLocale, type Catalogue, direction, LOCALES, loadCatalogue } from "./catalogue";
import { formatFor } from "./format";

const SOURCES = join(import.meta.dirname, "..");

function sources(folder = SOURCES): string {
  return readdirSync(folder, { withFileTypes: true })
    .map((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return sources(path);
      return /(?<!\.test|\.d)\.tsx?$/.test(entry.name) ? readFileSync(path, "utf8") : "";
    })
    .join("\n");
}

const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]).sort();

describe.each(LOCALES)("the language file %s", (locale) => {
  it("has every key of English, no other, and none empty", async () => {
    const catalogue = await loadCatalogue(locale);
    expect(Object.keys(catalogue).sort()).toEqual(Object.keys(en).sort());
    expect(Object.entries(catalogue).filter(([, text]) => text.trim() === "")).toEqual([]);
  });

  it("names the same placeholders", async () => {
    const catalogue = await loadCatalogue(locale);
    for (const [key, text] of Object.entries(en)) {
      expect(placeholders(catalogue[key as keyof Catalogue]), key).toEqual(placeholders(text));
    }
  });
});

it("has English, Persian and Spanish", () => {
  expect(LOCALES).toEqual(expect.arrayContaining(["en", "fa", "es"]));
});

it("keeps no key that nothing uses", () => {
  const code = sources();
  // Looked up by a code of the server's, or by what a record lists.
  const dynamic = [...code.matchAll(/named\(\s*"([a-z_]+)"/g)].map((found) => `${found[1]}.`);
  const used = (key: string) =>
    code.includes(`"${key}"`) ||
    code.includes(`"${key.replace(/\.(one|other)$/, "")}"`) ||
    dynamic.some((prefix) => key.startsWith(prefix)) ||
    /^(inbox\.by_|role_hint\.)/.test(key);
  expect(Object.keys(en).filter((key) => !used(key))).toEqual([]);
});

it("chooses the reader's first known language", () => {
  expect(bestLocale(["de-DE", "fa-IR", "en"])).toBe("fa");
  expect(bestLocale(["xx"])).toBe("en");
});

it("knows the direction", () => {
  expect(direction("fa")).toBe("rtl");
  expect(direction("es")).toBe("ltr");
});

it("counts in the language's own forms and digits", async () => {
  const language = makeLanguage("en", en);
  expect(language.tn("gaps.asked", 1)).toBe("Asked 1 time");
  expect(language.tn("gaps.asked", 1200)).toBe("Asked 1,200 times");
  const persian = makeLanguage("fa", await loadCatalogue("fa"));
  expect(persian.tn("gaps.asked", 12)).toContain("۱۲");
});

it("names a code it has no words for by the code", () => {
  expect(makeLanguage("en", en).named("status", "half_done")).toBe("half done");
});

it("names a language, however a visitor's program spells it", () => {
  const format = formatFor("en");
  expect(format.language("fa")).toBe("Persian");
  expect(format.language("en_US")).toBe("American English");
  expect(["C", "zh-hans-raw-x", ""].map(format.language)).toEqual(["C", "zh-hans-raw-x", ""]);
});

describe("dates and numbers", () => {
  it("are Jalali and Persian in fa", () => {
    const format = formatFor("fa");
    expect(format.dateTime("2026-03-21T12:00:00Z")).toContain("۱۴۰۵");
    expect(format.number(1234.5)).toBe("۱٬۲۳۴٫۵");
    expect(format.duration(4500)).toBe("۱ ساعت ۱۵ دقیقه");
    expect(format.bytes(1_500_000)).toBe("۱٫۵ مگابایت");
  });

  it("say small money and short times exactly", () => {
    const format = formatFor("en");
    expect(format.money(0.00042)).toBe("$0.00042");
    expect(format.money(12)).toBe("$12.00");
    expect(format.duration(0.25)).toBe("250ms");
    expect(format.duration(4500)).toBe("1h 15m");
    expect(format.bytes(1_500_000)).toBe("1.5 MB");
    expect(format.bytes(87)).toBe("87 bytes");
  });

  it("tell a moment from now", () => {
    const now = Date.parse("2026-05-01T12:00:00Z");
    expect(formatFor("en").ago("2026-05-01T11:57:00Z", now)).toBe("3 minutes ago");
    expect(formatFor("en").ago("2026-05-01T14:00:00Z", now)).toBe("in 2 hours");
  });
});
