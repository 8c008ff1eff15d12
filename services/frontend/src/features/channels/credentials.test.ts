import { expect, it } from "vitest";
import { makeLanguage } from "@/i18n";
import en from "@/locales/en.json";
import es from "@/locales/es.json";
import fa from "@/locales/fa.json";
import { ASKED, CHANNEL_TYPES } from "./api";
import { filledIn, hintOf, labelOf, typed } from "./credentials-fields";

it("knows what every channel asks for", () => {
  expect(CHANNEL_TYPES).toContain("telegram");
  expect(ASKED.telegram.find((field) => field.name === "bot_token")).toMatchObject({ secret: true, required: true });
  expect(ASKED.email.find((field) => field.name === "imap_security")?.options).toContain("starttls");
});

it("explains every field in the reader's language, in English as the platform does", () => {
  const english = makeLanguage("en", en);
  const others = [makeLanguage("es", es), makeLanguage("fa", fa)];
  for (const type of CHANNEL_TYPES) {
    for (const field of ASKED[type]) {
      const words = field.description.replaceAll("`", "");
      expect(hintOf(type, field, english.named), `${type}.${field.name}`).toBe(words);
      for (const { named } of others) expect(hintOf(type, field, named), `${type}.${field.name}`).not.toBe(words);
    }
  }
});

it("leaves out what was left empty, so that the platform's default holds", () => {
  const sent = filledIn(ASKED.telegram, { bot_token: "1:a", api_url: "" });
  expect(sent).toMatchObject({ bot_token: "1:a" });
  expect(sent).not.toHaveProperty("api_url");
});

it("asks for what the chosen way in needs, and sends nothing of the others", () => {
  const needed = ASKED.email.filter((field) => field.required && field.only_with);
  expect(needed.map((field) => field.name)).toEqual(["imap_host", "imap_password"]);
  const given = { address: "a@example.com", imap_host: "imap.example.com", signing_key: "key" };
  expect(filledIn(ASKED.email, given)).toMatchObject({ imap_host: "imap.example.com", inbound: "imap" });
  expect(filledIn(ASKED.email, given)).not.toHaveProperty("signing_key");
  const mailgun = filledIn(ASKED.email, { ...given, inbound: "mailgun" });
  expect(mailgun).toMatchObject({ signing_key: "key" });
  expect(mailgun).not.toHaveProperty("imap_host");
});

it("names fields as their providers do", () => {
  expect(["imap_host", "account_sid", "webhook_url", "bot_token"].map(labelOf)).toEqual([
    "IMAP host",
    "Account SID",
    "Webhook URL",
    "Bot token",
  ]);
});

it("takes an emptied number for nothing, not for zero", () => {
  const port = ASKED.email.find((field) => field.name === "imap_port");
  if (!port) throw new Error("e-mail asks for no port");
  expect(typed(port, "993")).toBe(993);
  expect(filledIn([port], { imap_port: typed(port, "") })).toEqual({});
});
