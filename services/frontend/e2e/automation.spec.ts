/** Rules and webhooks, from the first click to the effect. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "@playwright/test";
import { DESK, expect, test } from "./fixtures";

/** A program that takes webhooks: it refuses for ever until it is told not to. */
async function program(): Promise<{ url: string; got: unknown[]; accept: () => void; server: Server }> {
  const got: unknown[] = [];
  let status = 410;
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => {
      body += part;
    });
    request.on("end", () => {
      if (status === 200) got.push(JSON.parse(body));
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const accept = () => {
    status = 200;
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, got, accept, server };
}

/** Chooses something of a menu below a button. */
async function pick(page: Page, button: string | RegExp, ...items: string[]): Promise<void> {
  await page.getByRole("button", { name: button }).first().click();
  for (const item of items) await page.getByRole("menuitem", { name: item, exact: true }).click();
}

test("a rule is written, tried, switched on, fires, fails at a step, and is tried again", async ({ api, signIn }) => {
  const tenant = await api.makeTenant("Rules");
  const receiver = await program();
  await api.ask(tenant.id, "Where is my parcel?", { name: "Jane" });
  const page = await signIn(DESK);
  await page.goto(`/console/t/${tenant.id}/automation`);
  await page.getByRole("button", { name: "New rule" }).first().click();
  await page.getByRole("button", { name: /^Blank rule/ }).click();

  await page.getByLabel("Name", { exact: true }).fill("Parcels");
  await page.getByRole("button", { name: "Add a condition" }).click();
  await page.getByLabel("Value", { exact: true }).fill("parcel");
  await page.keyboard.press("Enter");
  await pick(page, "Add an action", "Change tags");
  await page.getByLabel("Add tags").fill("delivery");
  await page.keyboard.press("Enter");
  await pick(page, "Add an action", "Send a webhook");
  await page.getByLabel("Address").fill(receiver.url);
  await page.getByLabel("Content as JSON").fill('{"said": "{{message.txt}}"}');

  await test.step("what is wrong stands at its place", async () => {
    await page.getByLabel("Content as JSON").fill("{");
    await page.getByRole("button", { name: "Try", exact: true }).click();
    await expect(page.getByText("This is not valid JSON.")).toBeVisible();
    await page.getByLabel("Content as JSON").fill('{"said": "{{message.txt}}"}');
    await page.getByRole("button", { name: "Try", exact: true }).click();
    await expect(page.getByText(/names no field/)).toBeVisible();
    await expect(page.getByLabel("2. Send a webhook").getByRole("alert")).toBeVisible();
    await page.getByLabel("Content as JSON").fill('{"said": "{{message.text}}"}');
  });

  await test.step("it is tried against what happened, and against what one imagines", async () => {
    await page.getByRole("button", { name: "Try", exact: true }).click();
    await expect(page.getByText("1 of 1 would match")).toBeVisible();
    await expect(page.getByText(/"said": "Where is my parcel\?"/)).toBeVisible();
    await page.getByLabel("Test against").selectOption({ label: "A sample event" });
    await page.getByRole("complementary").getByLabel("Message text").fill("Hello");
    await page.getByRole("button", { name: "Try", exact: true }).click();
    await expect(page.getByText("Would not run")).toBeVisible();
    await expect(page.getByText(/It was: “.Hello.”/)).toBeVisible();
  });

  await page.getByRole("button", { name: "Save and switch on" }).click();
  await expect(page.getByRole("switch", { name: "Parcels" })).toBeChecked();
  expect(receiver.got).toEqual([]);

  const conversation = await api.ask(tenant.id, "My parcel is late", { id: "late", name: "Late Jane" });
  await page.getByRole("navigation", { name: "Automation" }).getByRole("button", { name: "Jobs" }).click();
  await expect(page.getByRole("row").filter({ hasText: "Parcels" }).getByText("Failed")).toBeVisible();
  await page.getByRole("button", { name: "Parcels" }).click();
  await expect(page.getByText(/tags: delivery/)).toBeVisible();
  receiver.accept();
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByRole("dialog").getByText("Done")).toHaveCount(3);
  expect(receiver.got).toEqual([{ said: "My parcel is late" }]);
  const { tags } = await api.call<{ tags: string[] }>("GET", `/admin/conversations/${conversation}`);
  expect(tags).toEqual(["delivery"]);
  receiver.server.close();
});

test("a stored rule is changed, and what was written is not lost by a click", async ({ api, signIn }) => {
  const tenant = await api.makeTenant("Changes");
  const page = await signIn(DESK);
  await page.goto(`/console/t/${tenant.id}/automation/new`);
  await page.getByRole("button", { name: /^Call a webhook every working morning/ }).click();
  await page.getByLabel("Address").fill("https://example.com/morning");
  await expect(page.getByRole("heading", { name: "Next runs" }).locator("..").getByRole("listitem")).toHaveCount(5);
  await page.getByRole("button", { name: "Save paused" }).click();
  await page.getByRole("link", { name: /^Call a webhook/ }).click();
  await page.getByLabel("How often").selectOption({ label: "Every day" });
  await page.getByLabel("At", { exact: true }).fill("08:30");
  await page.getByRole("link", { name: "Inbox" }).click();
  await expect(page.getByRole("dialog")).toContainText("Leave without saving?");
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.keyboard.press("Control+s");
  await expect(page.getByText("Saved", { exact: true })).toBeVisible();
  await page.getByRole("switch", { name: "Paused" }).click();
  await expect(page.getByRole("switch", { name: "On", exact: true })).toBeChecked();
  await page.goto(`/console/t/${tenant.id}/automation`);
  await expect(page.getByText("Every day at 08:30 AM")).toBeVisible();
  await page.getByRole("button", { name: "Pause all" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Pause all" }).click();
  await expect(page.getByText(/All rules are paused/)).toBeVisible();
  await page.goto("/ops/automation");
  await expect(page).toHaveURL(/\/console\/automation$/);
  await expect(page.getByRole("row").filter({ hasText: "Changes" }).getByText("Paused")).toBeVisible();
});

test("a viewer reads a rule and changes nothing", async ({ api, signIn }) => {
  const tenant = await api.makeTenant("Readers");
  const { id } = await api.call<{ id: string }>("POST", "/admin/automation/rules", {
    tenant_id: tenant.id,
    name: "Greet",
    trigger: { type: "event", name: "conversation.created" },
    actions: [{ type: "reply", text: "Hello" }],
  });
  const page = await signIn(DESK, await api.makePerson(tenant.id, "viewer", "Vera"));
  await page.goto(`/console/t/${tenant.id}/automation`);
  await expect(page.getByRole("switch", { name: "Greet" })).toBeDisabled();
  await expect(page.getByRole("button", { name: "New rule" })).toHaveCount(0);
  await page.goto(`/console/t/${tenant.id}/automation/${id}`);
  await expect(page.getByLabel("Name", { exact: true })).toBeDisabled();
  await expect(page.getByRole("switch", { name: "Quiet hours" })).toBeDisabled();
  await expect(page.getByRole("button", { name: "Save" })).toHaveCount(0);
});

test("a webhook: the secret is shown once, it is tested in words, told, and told again", async ({ api, signIn }) => {
  const tenant = await api.makeTenant("Hooks");
  const receiver = await program();
  const page = await signIn(DESK);
  await page.goto(`/console/t/${tenant.id}/webhooks`);
  await page.getByRole("button", { name: "New webhook" }).first().click();
  await page.getByLabel("Address").fill(receiver.url);
  await page.getByLabel("A visitor writes", { exact: true }).check();
  await page.getByLabel("A conversation begins").uncheck();
  await page.getByRole("dialog").getByRole("button", { name: "Create" }).click();
  await expect(page.getByRole("figure", { name: "Secret" })).toContainText("whsec_");
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("button", { name: "Send a test" }).click();
  await expect(page.getByLabel("Unhealthy")).toBeVisible();
  await api.ask(tenant.id, "Anybody there?", { name: "Jane" });
  const row = page.getByRole("row").filter({ hasText: "A visitor writes" });
  await expect(row.getByText("Given up")).toBeVisible();
  receiver.accept();
  await row.getByRole("button", { name: /Send again/ }).click();
  await expect(row.getByText("Received", { exact: true })).toBeVisible();
  expect(receiver.got).toHaveLength(1);
  await page.getByRole("button", { name: "Send a test" }).click();
  await expect(page.getByLabel("Healthy", { exact: true })).toBeVisible();
  receiver.server.close();
});
