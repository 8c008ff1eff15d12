import { expect, it } from "vitest";
import { ASKED, CHANNEL_TYPES } from "./api";
import { filledIn, labelOf, typed } from "./credentials-fields";

it("knows what every channel asks for", () => {
  expect(CHANNEL_TYPES).toContain("telegram");
  expect(ASKED.telegram.find((field) => field.name === "bot_token")).toMatchObject({ secret: true, required: true });
  expect(ASKED.email.find((field) => field.name === "imap_security")?.options).toContain("starttls");
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
