/** A visitor is erased from the conversation on; whoever has it open sees it go. */
import { DESK, expect, PHONE, test } from "./fixtures";

test("a visitor is erased by way of the conversation, and leaves every screen", async ({ api, signIn }) => {
  const tenant = await api.makeTenant("Shop");
  const id = await api.ask(tenant.id, "My card is 4111", { id: "maria", name: "Maria Garcia" });
  const watching = await signIn(DESK, await api.makePerson(tenant.id, "agent", "Sara"));
  const elsewhere = await signIn(DESK, await api.makePerson(tenant.id, "agent", "Luis"));
  for (const page of [watching, elsewhere]) {
    await page.goto(`/console/t/${tenant.id}/inbox/${id}`);
    await expect(page.getByRole("log")).toContainText("My card is 4111");
    await expect(page.getByRole("link", { name: "Erase visitor" })).toHaveCount(0);
  }
  await elsewhere.context().setOffline(true);
  await expect(elsewhere.getByText("Connection lost")).toBeVisible();

  const page = await signIn(DESK);
  await page.goto(`/console/t/${tenant.id}/inbox/${id}`);
  await page.getByRole("link", { name: "Erase visitor" }).click();
  await expect(page.getByLabel("Who", { exact: true })).toHaveValue(id);
  await page.locator("form").getByRole("button", { name: "Preview" }).click();
  await expect(page.getByText("Would be deleted")).toBeVisible();
  await page.getByRole("button", { name: "Erase a visitor" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Erase a visitor" }).click();
  await expect(page.getByRole("heading", { name: "Receipt", exact: true })).toBeVisible();

  await elsewhere.context().setOffline(false);
  for (const other of [watching, elsewhere]) {
    await expect(other.getByText("This conversation was erased.")).toBeVisible({ timeout: 20_000 });
    await expect(other).toHaveURL(/\/inbox$/);
    await expect(other.getByText("Maria Garcia")).toHaveCount(0);
    await expect(other.getByText("My card is 4111")).toHaveCount(0);
  }
});

test("who is named as the inbox shows them is found, and nobody is said to be nobody", async ({ api, signIn }) => {
  const tenant = await api.makeTenant("Shop of names");
  await api.ask(tenant.id, "Hello", { id: "ann-7", name: "Ann Seven" });
  const page = await signIn(PHONE);
  await page.goto(`/console/t/${tenant.id}/data`);
  const card = page.locator("form").filter({ has: page.locator('option[value="conversation_id"]') });
  await card.locator("select").selectOption("visitor");
  const preview = card.locator('button[type="submit"]');
  const erase = page.getByRole("button", { name: "پاک کردن بازدیدکننده" });
  await card.locator("input").fill("Visitor ab7f");
  await preview.click();
  await expect(card.getByRole("alert")).toHaveText("چنین بازدیدکننده‌ای نیست: چیزی به این نام نگه داشته نشده است.");
  await expect(card.locator("input")).toHaveAttribute("aria-invalid", "true");
  await expect(erase).toHaveCount(0);
  for (const shown of ["ann-7", "Ann Seven"]) {
    await card.locator("input").fill(shown);
    await preview.click();
    await expect(erase).toBeVisible();
    await expect(card.getByRole("alert")).toHaveCount(0);
  }
});
