import { expect, it } from "vitest";
import { whyOfOtherType } from "../../src/chat/files";
import { PLAIN_CONFIG } from "../../src/core/config";
import { loadWords } from "../../src/i18n";

it.each([
  ["en", "bad.pdf", "bad.pdf is not a real PDF file: it may be damaged or wrongly named."],
  ["fa", "bad.pdf", "bad.pdf در واقع فایل PDF نیست؛ شاید آسیب دیده یا نامش نادرست است."],
  ["en", "run.exe", "This file type is not supported: run.exe"],
])("in %s, %s: what is wrong is said, its type or its content", async (locale, name, said) => {
  const config = { ...PLAIN_CONFIG, uploads: { max_bytes: 1, types: [".pdf", ".png"] } };
  expect(whyOfOtherType(name, config, await loadWords(locale)).replace(/[\u2066-\u2069]/g, "")).toBe(said);
});
