/** The inbox as an agent works in it. */
import { DESK, expect, test } from "./fixtures";

test("take over, answer, note, hand back, by keyboard; the visitor's next words appear by themselves", async ({
  api,
  signIn,
}) => {
  const tenant = await api.makeTenant("Desk");
  const id = await api.ask(tenant.id, "I would like to talk to a person", { id: "jane", name: "Jane" });
  const agent = await api.makePerson(tenant.id, "agent", "Sara");
  const page = await signIn(DESK, agent);
  await page.goto(`/console/t/${tenant.id}/inbox/${id}`);
  await expect(page.getByRole("log")).toContainText("I would like to talk to a person");
  await page.keyboard.press("a");
  await expect(page.getByRole("button", { name: "Hand back" })).toBeVisible();
  await page.keyboard.press("r");
  await page.keyboard.type("Hello Jane, this is Sara.");
  await page.keyboard.press("Control+Enter");
  await expect(page.getByRole("log")).toContainText("Hello Jane, this is Sara.");
  await expect(page.getByText("Sending …")).toHaveCount(0);
  await page.keyboard.press("Escape");
  await page.keyboard.press("b");
  await expect(page.getByRole("button", { name: "Take over" })).toBeVisible();
});

test("another agent's conversation is told in words and can be taken on purpose", async ({ api, signIn }) => {
  const tenant = await api.makeTenant("Two desks");
  const id = await api.ask(tenant.id, "A person, please", { name: "Jane" });
  const [sara, luis] = [
    await api.makePerson(tenant.id, "agent", "Sara"),
    await api.makePerson(tenant.id, "agent", "Luis"),
  ];
  const first = await signIn(DESK, sara);
  const second = await signIn(DESK, luis);
  for (const page of [first, second]) await page.goto(`/console/t/${tenant.id}/inbox/${id}`);
  await first.getByRole("button", { name: "Take over" }).first().click();
  await expect(first.getByRole("button", { name: "Hand back" })).toBeVisible();
  await expect(second.getByText("Sara is handling this conversation")).toBeVisible();
  await second.getByRole("button", { name: "Take over" }).first().click();
  await expect(second.getByRole("dialog")).toContainText("Sara");
  await second.getByRole("button", { name: "Take over anyway" }).click();
  await expect(second.getByRole("button", { name: "Hand back" })).toBeVisible();
  await expect(first.getByText("Luis is handling this conversation")).toBeVisible();
});

test("what is sent while the network is away goes out once when it is back, and nothing is missed", async ({
  api,
  signIn,
}) => {
  const tenant = await api.makeTenant("Tunnel");
  const id = await api.ask(tenant.id, "A person, please", { id: "tunnel", name: "Jane" });
  const agent = await api.makePerson(tenant.id, "agent", "Sara");
  const page = await signIn(DESK, agent);
  await page.goto(`/console/t/${tenant.id}/inbox/${id}`);
  await page.getByRole("button", { name: "Take over" }).first().click();
  await expect(page.getByRole("button", { name: "Hand back" })).toBeVisible();
  await page.context().setOffline(true);
  await page.getByLabel(/Write to the visitor/).fill("Said in the tunnel");
  await page.keyboard.press("Control+Enter");
  await expect(page.getByText("Sending …")).toBeVisible();
  await page.context().setOffline(false);
  await expect(page.getByText("Sending …")).toHaveCount(0);
  await expect(page.getByRole("log").getByText("Said in the tunnel")).toHaveCount(1);
  const { items } = await api.call<{ items: { text: string }[] }>("GET", `/admin/conversations/${id}/messages`);
  expect(items.filter((message) => message.text === "Said in the tunnel")).toHaveLength(1);
});

test("another page opened without a network waits for it, and loses nothing that was not sent yet", async ({
  api,
  signIn,
}) => {
  const tenant = await api.makeTenant("Underground");
  const id = await api.ask(tenant.id, "A person, please", { id: "underground", name: "Jane" });
  const page = await signIn(DESK, await api.makePerson(tenant.id, "agent", "Sara"));
  await page.goto(`/console/t/${tenant.id}/inbox/${id}`);
  await page.getByRole("button", { name: "Take over" }).first().click();
  await expect(page.getByRole("button", { name: "Hand back" })).toBeVisible();
  await page.context().setOffline(true);
  await expect(page.getByText("Connection lost")).toBeVisible();
  await page.getByLabel(/Write to the visitor/).fill("Said under the ground");
  await page.keyboard.press("Control+Enter");
  await page.getByRole("link", { name: "Analytics" }).click();
  await expect(page).toHaveURL(/analytics/);
  await expect(page.getByText("Trying to reconnect")).toBeVisible();
  await page.context().setOffline(false);
  await expect(page.getByRole("heading", { name: "Analytics" })).toBeVisible();
  await expect(page.getByText("Connection lost")).toHaveCount(0);
  await page.goBack();
  await expect(page.getByRole("log").getByText("Said under the ground")).toHaveCount(1);
  await expect(page.getByText("Sending …")).toHaveCount(0);
});

test("whoever is named in a note is told on any page, and led there", async ({ api, signIn }) => {
  const tenant = await api.makeTenant("Mention");
  const id = await api.ask(tenant.id, "Can somebody look at my invoice?", { name: "Jane" });
  const [sara, luis] = [
    await api.makePerson(tenant.id, "agent", "Sara"),
    await api.makePerson(tenant.id, "agent", "Luis"),
  ];
  const named = await signIn(DESK, luis);
  await named.goto(`/console/t/${tenant.id}/tickets`);
  await expect(named.getByRole("heading", { name: "Tickets", exact: true })).toBeVisible();
  const page = await signIn(DESK, sara);
  await page.goto(`/console/t/${tenant.id}/inbox/${id}`);
  await page.getByRole("tab", { name: "Note" }).click();
  const note = page.getByRole("textbox", { name: "Only your team sees this. @ to mention someone." });
  await note.pressSequentially("Please check this, @Lu");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Control+Enter");
  await expect(page.getByRole("log")).toContainText("@Luis");
  await named.getByText("You were mentioned in a note.").waitFor();
  await named.getByRole("button", { name: "Conversation" }).click();
  await expect(named).toHaveURL(new RegExp(`/inbox/${id}`));
});

test("the search of every page finds conversations, too, by what was said in them", async ({ api, signIn }) => {
  const tenant = await api.makeTenant("Bizum");
  const id = await api.ask(tenant.id, "Can I pay with bizum?", { name: "Jane" });
  const page = await signIn(DESK, await api.makePerson(tenant.id, "agent", "Sara"));
  await page.goto(`/console/t/${tenant.id}/tickets`);
  await page.getByRole("button", { name: "Search Ctrl K" }).click();
  const field = page.getByRole("combobox", { name: "Search" });
  await expect(async () => {
    await field.fill(""); // a message is found seconds after it was said
    await field.fill("bizum");
    await expect(page.getByRole("option", { name: /Jane: .*bizum.*Conversation/ })).toBeVisible({ timeout: 1_000 });
  }).toPass();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(`/inbox/${id}`));
});

test("a draft is put below what was typed, not over it", async ({ api, signIn }) => {
  const tenant = await api.makeTenant("Draft");
  await api.teach(tenant.default_brand_id, "Delivery", "# Delivery\n\nParcels arrive within three days.");
  const id = await api.ask(tenant.id, "When do parcels arrive?", { name: "Jane" });
  const page = await signIn(DESK, await api.makePerson(tenant.id, "agent", "Sara"));
  await page.goto(`/console/t/${tenant.id}/inbox/${id}`);
  const field = page.getByRole("textbox", { name: /Write to the visitor/ });
  await field.fill("Hello Jane,");
  await page.getByRole("button", { name: "Draft", exact: true }).click();
  await expect(field).toHaveValue(/^Hello Jane,\n\n[^[]*three days[^[]*$/s);
});

test("a draft that the bot has no answer for is said to be none", async ({ api, signIn }) => {
  const tenant = await api.makeTenant("No draft");
  const id = await api.ask(tenant.id, "Do you ship to Japan?", { name: "Jane" });
  const page = await signIn(DESK, await api.makePerson(tenant.id, "agent", "Sara"));
  await page.goto(`/console/t/${tenant.id}/inbox/${id}`);
  await page.getByRole("button", { name: "Draft", exact: true }).click();
  await expect(page.getByText("No draft: the bot found no answer.")).toBeVisible();
  await expect(page.getByRole("textbox", { name: /Write to the visitor/ })).toHaveValue("");
});

test("a picture in a conversation is shown, and fetched from nowhere but the platform", async ({ api, signIn }) => {
  const tenant = await api.makeTenant("Pictures");
  const id = await api.ask(tenant.id, "A person, please", { name: "Jane" });
  const page = await signIn(DESK, await api.makePerson(tenant.id, "agent", "Sara"));
  await page.goto(`/console/t/${tenant.id}/inbox/${id}`);
  await page.getByRole("button", { name: "Take over" }).first().click();
  const buffer = await page.screenshot({ clip: { x: 0, y: 0, width: 200, height: 100 } });
  await page.locator('input[type="file"]').setInputFiles({ name: "lamp.png", mimeType: "image/png", buffer });
  await expect(page.getByRole("button", { name: /lamp\.png$/ })).toBeVisible();
  await page.getByRole("button", { name: "Send" }).click();
  const picture = page.getByRole("log").getByRole("img", { name: "lamp.png" });
  await expect(picture).toHaveAttribute("src", /^blob:/);
  await expect.poll(() => picture.evaluate((shown: HTMLImageElement) => shown.naturalWidth)).toBe(200);
});

test("what was attached and not sent is still there after a note", async ({ api, signIn }) => {
  const tenant = await api.makeTenant("Attached");
  const id = await api.ask(tenant.id, "A person, please", { name: "Jane" });
  const page = await signIn(DESK, await api.makePerson(tenant.id, "agent", "Sara"));
  await page.goto(`/console/t/${tenant.id}/inbox/${id}`);
  await page.getByRole("button", { name: "Take over" }).first().click();
  await expect(page.getByRole("button", { name: "Hand back" })).toBeVisible();
  const file = { name: "label.txt", mimeType: "text/plain", buffer: Buffer.from("Return label") };
  await page.locator('input[type="file"]').setInputFiles(file);
  const attached = page.getByRole("button", { name: /label\.txt$/ });
  await expect(attached).toBeVisible();
  await page.getByRole("tab", { name: "Note" }).click();
  await expect(attached).toHaveCount(0);
  await page.getByRole("tab", { name: "Reply" }).click();
  await expect(attached).toBeVisible();
  await page.getByRole("button", { name: "Send" }).click();
  await expect(page.getByRole("log")).toContainText("label.txt");
});
