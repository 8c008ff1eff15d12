/** Signing in by way of an OpenID provider, there and back through a real browser's rules for cookies. */
import { DESK, expect, openPage, test } from "./fixtures";

test.use({ hasProvider: true });

test("a link leads through the provider to its page; a reload stays; whom nobody invited is told so", async ({
  api,
  browser,
  platform,
  provider,
}) => {
  const tenant = await api.makeTenant("Provider");
  const agent = await api.makePerson(tenant.id, "agent", "Sara");
  const page = await openPage(browser, platform, DESK);
  provider.email = "stranger@example.com";
  await page.goto(`/console/t/${tenant.id}/tickets`);
  await page.getByRole("link", { name: "Continue with Acme login" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  provider.email = agent.email;
  await page.goto(`/console/t/${tenant.id}/tickets`);
  await page.getByRole("link", { name: "Continue with Acme login" }).click();
  await expect(page).toHaveURL(new RegExp(`/console/t/${tenant.id}/tickets`));
  await expect(page.getByRole("heading", { name: "Tickets", exact: true })).toBeVisible();
  await page.reload();
  await expect(page.getByRole("heading", { name: "Tickets", exact: true })).toBeVisible();
  await page.context().close();
});
