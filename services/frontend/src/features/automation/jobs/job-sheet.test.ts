import { expect, it } from "vitest";
import { makeLanguage } from "@/i18n";
import en from "@/locales/en.json";
import fa from "@/locales/fa.json";
import { cameOf } from "./job-sheet";

const done = { outcome: "done", words: "ticket 7 opened" } as const;
const failed = { outcome: "failed", words: "example.com does not answer" } as const;

it("says what was done in the reader's language, and what a receiver said as it said it", () => {
  const persian = makeLanguage("fa", fa);
  expect(cameOf("ticket", done, makeLanguage("en", en))).toBe("ticket 7 opened");
  expect(cameOf("ticket", done, persian)).toBe(fa["step_done.ticket"]);
  expect(cameOf("webhook", failed, persian)).toBe("example.com does not answer");
});
