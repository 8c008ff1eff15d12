import { expect, it } from "vitest";
import { makeLanguage } from "@/i18n";
import { loadCatalogue } from "@/i18n/catalogue";
import { reasonOf } from "./reasons";

const SENTENCE = "The sitemap names more than 500 pages.";

it.each([
  ["en", "page_limit", SENTENCE, SENTENCE],
  ["en", "encrypted", null, "The file is password-protected."],
  ["fa", "encrypted", SENTENCE, "فایل گذرواژه می‌خواهد."],
  ["fa", "of_tomorrow", SENTENCE, SENTENCE],
  ["fa", null, null, null],
])("in %s, %s is said as it is understood", async (locale, reason_code, reason, said) => {
  const language = makeLanguage(locale, await loadCatalogue(locale));
  expect(reasonOf({ reason, reason_code }, language)).toBe(said);
});
