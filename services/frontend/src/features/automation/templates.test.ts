import { expect, it } from "vitest";
import { makeLanguage } from "@/i18n";
import { LOCALES, loadCatalogue } from "@/i18n/catalogue";
import { partsOf } from "./templates";

it.each(LOCALES)("puts the question into the ticket of an unanswered one (%s)", async (locale) => {
  const { actions } = partsOf("ticket_of_gap", makeLanguage(locale, await loadCatalogue(locale)));
  const [ticket] = actions as [{ subject: string; problem: string }];
  expect(ticket.subject).toContain("{{message.text}}");
  expect(ticket.problem).toContain("{{message.text}}");
});
