/** What owners and operators come for, each from the first click to the effect. */
import { createHmac } from "node:crypto";
import { DESK, expect, signInOn, test } from "./fixtures";

test("a dropped file is read, its passage corrected, and the bot answers with the correction", async ({
  api,
  signIn,
}) => {
  const tenant = await api.makeTenant("Drop");
  const page = await signIn();
  await page.goto(`/console/t/${tenant.id}/knowledge`);
  const text = "# Warranty\n\nThe warranty of the lamp lasts two years.\n";
  await page
    .locator("#knowledge-files")
    .setInputFiles({ name: "warranty.md", mimeType: "text/markdown", buffer: Buffer.from(text) });
  const row = page.getByRole("row").filter({ hasText: /warranty/i });
  await expect(row.getByText("Ready")).toBeVisible({ timeout: 120_000 });
  await row.getByRole("link").click();
  await page.getByRole("listitem").filter({ hasText: "two years" }).hover();
  await page.getByRole("listitem").filter({ hasText: "two years" }).getByRole("button", { name: "Edit" }).click();
  await page.getByLabel("Text of the passage").fill("The warranty of the lamp lasts seven years.");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("lasts seven years")).toBeVisible();
  await page.goto(`/console/t/${tenant.id}/persona`);
  await page.getByLabel("Your question").fill("How long does the warranty of the lamp last?");
  await page.keyboard.press("Enter");
  await expect(page.getByText(/seven years/)).toBeVisible();
});

test("the third step leads to where the website's pages are named, and is done when one is", async ({
  api,
  signIn,
}) => {
  const tenant = await api.makeTenant("First steps");
  const page = await signIn();
  await page.goto(`/console/t/${tenant.id}/start`);
  await page.getByRole("listitem").filter({ hasText: "Connect your website" }).getByRole("button").click();
  await page.getByLabel("Allowed websites").fill("https://shop.example.com");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved")).toBeVisible();
  await page.getByRole("link", { name: "Start", exact: true }).click();
  await expect(page.getByText("Visitors can come in.")).toBeVisible();
});

test("what is wrong with a field is said at the field", async ({ api, signIn }) => {
  const tenant = await api.makeTenant("Fields");
  const page = await signIn();
  await page.goto(`/console/t/${tenant.id}/channels`);
  await page.getByRole("button", { name: "Connect a channel" }).first().click();
  await page.getByRole("button", { name: "Telegram" }).click();
  await page.getByLabel("Bot token").fill("not a token");
  await page.getByRole("dialog").getByRole("button", { name: "Connect a channel" }).click();
  await expect(page.getByLabel("Bot token")).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByRole("alert")).toBeVisible();
});

test("a channel is connected: the secret is shown once, masked after, tested in words, rotated", async ({
  api,
  signIn,
}) => {
  const tenant = await api.makeTenant("Channels");
  const page = await signIn();
  await page.goto(`/console/t/${tenant.id}/channels`);
  await page.getByRole("button", { name: "Connect a channel" }).first().click();
  await page.getByRole("button", { name: "API channel" }).click();
  await page.getByLabel("Webhook URL").fill("https://example.com/answers");
  await page.getByRole("dialog").getByRole("button", { name: "Connect a channel" }).click();
  const secret = (await page.getByRole("figure", { name: "Secret" }).innerText()).trim();
  expect(secret.length).toBeGreaterThan(20);
  await page.getByRole("button", { name: "Done" }).click();
  await expect(page.getByRole("heading", { name: "API channel" })).toBeVisible();
  await page.getByRole("button", { name: "Test now" }).click();
  await expect(
    page
      .getByRole("listitem")
      .filter({ hasText: /webhook|address|answer/i })
      .first(),
  ).toBeVisible();
  expect(await page.content()).not.toContain(secret);
  await page.getByRole("button", { name: "Credentials" }).click();
  await page.getByRole("button", { name: "Rotate secret" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Rotate secret" }).click();
  await expect(page.getByRole("figure", { name: "Secret" })).not.toHaveText(secret);
  await page.getByRole("button", { name: "Done" }).click();
  const name = page.getByLabel("Name", { exact: true });
  await name.fill("Orders");
  await page.getByRole("button", { name: "Health" }).click();
  await expect(name).toBeHidden();
  await page.getByRole("link", { name: "Webhooks" }).click();
  await expect(page.getByRole("dialog")).toContainText("Leave without saving?");
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Credentials" }).click();
  await expect(name).toHaveValue("Orders");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("heading", { name: "Orders" })).toBeVisible();
  await page.getByRole("link", { name: "Webhooks" }).click();
  await expect(page).toHaveURL(/webhooks/);
});

test("a persona is tried as a draft, published, and an older version restored", async ({ api, signIn }) => {
  const tenant = await api.makeTenant("Persona");
  const page = await signIn();
  await page.goto(`/console/t/${tenant.id}/persona`);
  const name = page.getByLabel("Name", { exact: true });
  for (const each of ["Nora", "Omar"]) {
    await name.fill(each);
    await expect(page.getByText("Unpublished changes", { exact: true })).toBeVisible();
    await page.getByRole("button", { name: "Publish" }).click();
    await expect(page.getByText("Unpublished changes", { exact: true })).toHaveCount(0);
  }
  await page.getByRole("button", { name: "Versions" }).click();
  await page.getByRole("listitem").filter({ hasText: "Version 1" }).getByRole("button", { name: "Restore" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Restore" }).click();
  await expect(page.getByText("Version 3").first()).toBeVisible();
  await page.getByRole("button", { name: "Persona", exact: true }).click();
  await expect(name).toHaveValue("Nora");
});

test("what was written of a persona outlives a colleague's publishing, and leaving asks first", async ({
  api,
  signIn,
}) => {
  const tenant = await api.makeTenant("Two editors");
  const path = `/admin/policies/${tenant.id}`;
  const page = await signIn();
  await page.goto(`/console/t/${tenant.id}/persona`);
  const [name, tone] = [page.getByLabel("Name", { exact: true }), page.getByLabel("Tone")];
  const publish = async (persona: object) => {
    const { version, persona: before } = await api.call<{ version: number; persona: object }>("GET", path);
    await api.call("PUT", path, { version, persona: { ...before, ...persona } });
  };
  /** As one does who has been in another window for a while. */
  const comeBack = async () => {
    await page.waitForTimeout(5_500);
    const read = page.waitForResponse((answer) => answer.url().endsWith(path));
    await page.evaluate(() => dispatchEvent(new Event("visibilitychange")));
    await read;
  };
  await expect(name).toBeVisible();
  await publish({ tone: "brief" });
  await comeBack();
  await expect(tone).toHaveValue("brief");
  await name.fill("Nora");
  await publish({ tone: "warm" });
  await comeBack();
  await expect(name).toHaveValue("Nora");
  await page.getByRole("button", { name: "Publish" }).click();
  await expect(page.getByRole("alert")).toContainText("not the newest");
  await page.getByRole("link", { name: "Data", exact: true }).click();
  await expect(page.getByRole("dialog")).toContainText("Leave without saving?");
  await page.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
  await page.getByRole("button", { name: "Edit", exact: true }).click();
  await expect(page.getByLabel("Tokens a day")).toBeVisible();
});

test("only what was previewed of a visitor can be erased", async ({ api, signIn }) => {
  const tenant = await api.makeTenant("Erasing");
  await api.ask(tenant.id, "Hello", { id: "jane", name: "Jane", email: "jane@example.com" });
  const page = await signIn();
  await page.goto(`/console/t/${tenant.id}/data`);
  const erase = page.getByRole("button", { name: "Erase a visitor" });
  await page.getByLabel("Who", { exact: true }).fill("jane@example.com");
  await page.getByRole("button", { name: "Preview" }).last().click();
  await expect(erase).toBeVisible();
  await page.getByLabel("Find by").selectOption({ label: "Conversation ID" });
  await expect(erase).toHaveCount(0);
  await page.getByLabel("Find by").selectOption({ label: "E-mail address" });
  await page.getByRole("button", { name: "Preview" }).last().click();
  await erase.click();
  await page.getByRole("dialog").getByRole("button", { name: "Erase a visitor" }).click();
  await expect(page.getByText("Receipt", { exact: true })).toBeVisible();
  await expect(erase).toHaveCount(0);
});

test("what is written on the settings page stays while another part of it is saved", async ({ api, signIn }) => {
  const tenant = await api.makeTenant("Parts");
  const page = await signIn();
  const name = page.getByRole("textbox", { name: "Name", exact: true });
  await page.goto(`/console/t/${tenant.id}/settings`);
  await page.getByRole("button", { name: "New brand" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill("Second");
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await page.getByLabel("Corner radius").fill("7");
  await name.fill("Parts and more");
  await page.getByRole("button", { name: "Set as default" }).click();
  await expect(page.getByRole("listitem").filter({ hasText: "Second" }).getByText("Default")).toBeVisible();
  await expect(name).toHaveValue("Parts and more");
  await page.getByRole("button", { name: "Save" }).first().click();
  await expect(page.getByText("Saved", { exact: true })).toBeVisible();
  await expect(page.getByLabel("Corner radius")).toHaveValue("7");
});

test("the bench runs settings side by side and saves them as a version", async ({ api, signIn }) => {
  const tenant = await api.makeTenant("Bench");
  await api.teach(tenant.default_brand_id, "Delivery", "# Delivery\n\nParcels arrive within three days.");
  const page = await signIn();
  await page.goto(`/console/t/${tenant.id}/bench`);
  await page.getByLabel("Question").fill("When do parcels arrive?");
  await page.getByRole("button", { name: "Search" }).last().click();
  await expect(page.getByText("Would be answered")).toHaveCount(2);
  await page.getByRole("slider", { name: "Minimum evidence" }).fill("1");
  await page.getByRole("button", { name: "Search" }).last().click();
  await expect(page.getByText("Would not be answered")).toHaveCount(1);
  await page.getByRole("slider", { name: "Minimum evidence" }).fill("0.2");
  await page.getByRole("button", { name: "Save as a version" }).click();
  await expect(page.getByText("Version 1")).toBeVisible();
});

test("a gap is answered, and the answer is known from then on", async ({ api, signIn }) => {
  const tenant = await api.makeTenant("Gaps");
  await api.ask(tenant.id, "Do you repair violins?");
  const page = await signIn();
  await page.goto(`/console/t/${tenant.id}/gaps`);
  await expect(page.getByRole("heading", { name: "Do you repair violins?" })).toBeVisible();
  await page.getByRole("button", { name: "Write an answer" }).click();
  await page.getByLabel("Answer", { exact: true }).fill("Yes, we repair violins on Tuesdays.");
  await page.getByRole("button", { name: "Save as knowledge" }).click();
  await expect(page.getByText("No gaps")).toBeVisible();
  await page.goto(`/console/t/${tenant.id}/knowledge`);
  await expect(page.getByRole("row").filter({ hasText: "Ready" })).toHaveCount(1, { timeout: 120_000 });
  await page.goto(`/console/t/${tenant.id}/persona`);
  await page.getByLabel("Your question").fill("Do you repair violins?");
  await page.keyboard.press("Enter");
  await expect(page.getByText("on Tuesdays")).toBeVisible();
});

test("a ticket is opened from a conversation, moved on the board, commented and solved", async ({ api, signIn }) => {
  const tenant = await api.makeTenant("Tickets");
  const id = await api.ask(tenant.id, "My lamp is broken", { name: "Jane" });
  const page = await signIn();
  await page.goto(`/console/t/${tenant.id}/inbox/${id}`);
  await page.getByRole("button", { name: "New ticket" }).click();
  await page.getByLabel("Description").fill("The lamp does not light up.");
  await page.getByRole("dialog").getByRole("button", { name: "Create" }).click();
  await page
    .getByRole("complementary")
    .getByRole("link", { name: /My lamp is broken/ })
    .click();
  await expect(page.getByRole("dialog")).toContainText("The lamp does not light up.");
  await page.getByLabel("Write a comment").fill("A new bulb is on its way.");
  await page.getByRole("dialog").getByRole("button", { name: "Add" }).click();
  await expect(page.getByRole("dialog").getByText("A new bulb is on its way.")).toBeVisible();
  await page.getByRole("dialog").getByRole("textbox", { name: "Tags" }).fill("bulb");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog").getByRole("button", { name: "Remove: bulb" })).toBeVisible();
  await page.getByRole("dialog").getByLabel("Status").selectOption("solved");
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
  await page.getByRole("button", { name: "Board" }).click();
  await expect(page.getByRole("region", { name: "Solved" })).toContainText("My lamp is broken");
});

test("what was typed into a dialog or at a ticket is not lost by a key or a press", async ({ api, signIn }) => {
  const tenant = await api.makeTenant("Typed");
  const made = await api.call<{ id: string }>("POST", "/api/tickets", {
    tenant_id: tenant.id,
    problem: "The lamp does not light up.",
    requester: { name: "Jane" },
  });
  const page = await signIn();
  const asks = page.getByRole("dialog", { name: "Leave without saving?" });
  const stay = async () => {
    await asks.getByRole("button", { name: "Cancel" }).click();
    await expect(asks).toBeHidden();
  };

  await page.goto(`/console/t/${tenant.id}/gaps`);
  await page.getByRole("link", { name: "Canned replies" }).click();
  const open = page.getByRole("button", { name: "New reply" });
  await open.first().click();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toBeHidden();
  await open.first().click();
  const text = page.getByRole("dialog").getByRole("textbox").last();
  await text.fill("Thank you for writing");
  for (const leave of [
    () => page.keyboard.press("Escape"),
    () => page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click(),
    () => page.goBack(),
  ]) {
    await leave();
    await stay();
    await expect(text).toHaveValue("Thank you for writing");
  }
  await page.keyboard.press("Escape");
  await asks.getByRole("button", { name: "Discard" }).click();
  await expect(page.getByRole("dialog")).toBeHidden();

  await page.goto(`/console/t/${tenant.id}/tickets/${made.id}`);
  const comment = page.getByLabel("Write a comment");
  await comment.fill("A new bulb");
  await page.keyboard.press("Escape");
  await stay();
  await expect(comment).toHaveValue("A new bulb");
  await page.getByRole("button", { name: "Add" }).click();
  await expect(comment).toHaveValue("");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toBeHidden();
});

test("a comment that can reach nobody says so before and after it is written", async ({ api, signIn }) => {
  const tenant = await api.makeTenant("Unreachable");
  const made = await api.call<{ id: string }>("POST", "/api/tickets", {
    tenant_id: tenant.id,
    problem: "The lamp does not light up.",
    requester: { name: "Jane", email: "jane@example.com" },
  });
  const page = await signIn();
  await page.goto(`/console/t/${tenant.id}/tickets/${made.id}`);
  const ticket = page.getByRole("dialog");
  await expect(ticket.getByText("It would reach nobody")).toBeVisible();
  await ticket.getByLabel("Write a comment").fill("A new bulb is on its way.");
  await ticket.getByRole("switch", { name: "Send to the requester" }).click();
  await ticket.getByRole("button", { name: "Add" }).click();
  await expect(ticket.getByText("reached nobody")).toBeVisible();
  await expect(ticket.getByText("Met", { exact: true })).toBeHidden();
});

/** The code of RFC 6238 at a moment, as an authenticator app would show it. */
function totp(secret: string, at: number): string {
  const bits = [...secret.replace(/=+$/, "")]
    .map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"))
    .join("");
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const digest = createHmac("sha1", key).update(counter).digest();
  const offset = (digest.at(-1) ?? 0) & 15;
  return String((digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

test("somebody is invited, joins by the link, and signs in with a second factor", async ({
  api,
  browser,
  signIn,
  platform,
}) => {
  const tenant = await api.makeTenant("People");
  const admin = await signIn();
  await admin.goto(`/console/t/${tenant.id}/people`);
  await admin.getByRole("button", { name: "Invite" }).first().click();
  const email = `mina.${Date.now()}@example.com`;
  await admin.getByLabel("E-mail").fill(email);
  await admin.getByRole("dialog").getByRole("button", { name: "Invite" }).click();
  const link = new URL((await admin.getByRole("figure", { name: "Invitation link" }).innerText()).trim());
  const context = await browser.newContext({ baseURL: platform.url, locale: "en" });
  const page = await context.newPage();
  await page.goto(`${link.pathname}${link.hash}`);
  await expect(page).not.toHaveURL(/token/);
  await page.getByLabel("Your name").fill("Mina");
  await page.getByLabel("New password").fill("a long password of hers");
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByRole("link", { name: "Sign in" }).click();
  await signInOn(page, { email, password: "a long password of hers" });
  await page.goto("/console/account");
  await page.getByRole("button", { name: "Set up" }).click();
  const secret = (await page.getByRole("figure", { name: "Setup key" }).innerText()).trim();
  await page.getByLabel("Code").fill(totp(secret, Date.now()));
  await page.getByRole("button", { name: "Verify and turn on" }).click();
  await expect(page.getByRole("figure", { name: "Recovery codes" })).toBeVisible();
  const recovery =
    (await page.getByRole("figure", { name: "Recovery codes" }).innerText()).trim().split(/\s+/)[0] ?? "";
  await context.clearCookies();
  await page.goto("/console/signin");
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill("a long password of hers");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByLabel("Code").fill(recovery);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).toHaveURL(/\/t\//);
  await context.close();
});

test("a key is shown once, rotated and revoked; the audit log tells of all, in a chain that holds", async ({
  api,
  signIn,
}) => {
  const tenant = await api.makeTenant("Keys");
  const page = await signIn(DESK);
  await page.goto(`/console/t/${tenant.id}/keys`);
  await page.getByRole("button", { name: "New key" }).first().click();
  await page.getByLabel("Name").fill("Shop");
  await page.getByRole("dialog").getByRole("button", { name: "Create" }).click();
  await expect(page.getByRole("figure", { name: "API key" })).toContainText("xin_");
  await page.getByRole("button", { name: "Done" }).click();
  const shops = page.getByRole("row").filter({ hasText: "Shop" });
  await shops.getByRole("button", { name: "Rotate" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Rotate" }).click();
  await expect(page.getByRole("figure", { name: "API key" })).toContainText("xin_");
  await page.getByRole("button", { name: "Done" }).click();
  await expect(shops).toHaveCount(2);
  await shops.first().getByRole("button", { name: "Revoke" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await expect(page.getByText("Revoked")).toBeVisible();
  await page.goto(`/console/t/${tenant.id}/audit`);
  await expect(page.getByRole("row").filter({ hasText: /key/ })).toHaveCount(3);
  await page.getByRole("button", { name: "Verify the chain" }).click();
  await expect(page.getByRole("status").filter({ hasText: "The chain is intact: 4 rows" })).toBeVisible();
});

test("a visitor is erased by address: what would go is shown first, then the receipt; retention tells as much", async ({
  api,
  signIn,
}) => {
  const tenant = await api.makeTenant("Data");
  const user = { id: "erna", email: "erna@example.com" };
  const visitor = await api.call<{ token: string }>("POST", `/admin/tenants/${tenant.id}/embed_token`, { user });
  await api.say(visitor.token, "Where is my order?");
  const page = await signIn();
  await page.goto(`/console/t/${tenant.id}/data`);
  await page.getByLabel("Who").fill("erna@example.com");
  const erase = page
    .locator("section")
    .filter({ has: page.getByRole("heading", { name: "Erase a visitor" }) })
    .first();
  await erase.getByRole("button", { name: "Preview" }).click();
  await expect(erase.getByText("Would be deleted")).toBeVisible();
  await erase.getByRole("button", { name: "Erase a visitor" }).click();
  await page
    .getByRole("alertdialog")
    .or(page.getByRole("dialog"))
    .getByRole("button", { name: "Erase a visitor" })
    .click();
  await expect(erase.getByRole("heading", { name: "Receipt", exact: true })).toBeVisible();
  await expect(erase.getByRole("listitem")).toHaveCount(1);
  await page.getByRole("button", { name: "Preview" }).first().click();
  await expect(page.getByText("Would be deleted")).toBeVisible();
});
