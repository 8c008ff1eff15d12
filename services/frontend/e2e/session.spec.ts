/** Signing in, staying signed in, and what a role does not see. */
import { expect, signInOn, test } from "./fixtures";

test("a reload keeps one signed in, and no token is where a script could find it", async ({ signIn }) => {
  const page = await signIn();
  await page.reload();
  await expect(page.getByRole("navigation").first()).toBeVisible();
  await expect(page).not.toHaveURL(/signin/);
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
  expect(kept).not.toMatch(/eyJ|xin_/);
});

test("a link leads through the sign-in to its page; after the sign-out it does again", async ({
  browser,
  api,
  platform,
  signIn,
}) => {
  const tenant = await api.makeTenant("Links");
  const page = await signIn();
  await page.goto(`/console/t/${tenant.id}/knowledge`);
  await page.getByRole("button", { name: "Admin" }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(page).toHaveURL(/signin/);
  await page.goto(`/console/t/${tenant.id}/knowledge`);
  await expect(page).toHaveURL(/signin\?next=/);
  await page.locator('input[type="email"]').fill(platform.email);
  await page.locator('input[type="password"]').fill(platform.password);
  await page.locator('button[type="submit"]').click();
  await expect(page).toHaveURL(new RegExp(`/t/${tenant.id}/knowledge`));
  expect(browser.isConnected()).toBe(true);
});

test("a tab of the one who has left shows nothing, and does nothing, as the next who signs in", async ({
  api,
  platform,
  signIn,
}) => {
  const tenant = await api.makeTenant("Shared desk");
  const next = await api.makePerson(tenant.id, "tenant_admin", "Nadia");
  const left = await signIn();
  await left.goto(`/console/t/${tenant.id}/keys`);
  await expect(left.getByRole("heading", { name: "API keys", exact: true })).toBeVisible();
  const other = await left.context().newPage();
  await other.goto(`${platform.url}/console/account`);
  await other.getByRole("button", { name: "Admin" }).click();
  await other.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(other).toHaveURL(/signin/);
  await signInOn(other, next);
  await left.getByRole("link", { name: "People" }).click();
  await expect(left).toHaveURL(/signin/);
  await expect(left.getByText("Nadia")).toHaveCount(0);
  await left.reload();
  await expect(left.getByRole("button", { name: "Nadia" })).toBeVisible();
});

test("whose session ends in the middle of work is told so, and comes back to the same page", async ({
  api,
  signIn,
}) => {
  const tenant = await api.makeTenant("Ended");
  const agent = await api.makePerson(tenant.id, "agent", "Sara");
  const page = await signIn(undefined, agent);
  await page.goto(`/console/t/${tenant.id}/tickets`);
  await expect(page.getByRole("heading", { name: "Tickets", exact: true })).toBeVisible();
  await page.context().clearCookies();
  await page.route("**/api/tickets?**", (route) =>
    route.fulfill({ status: 401, json: { status: 401, code: "unauthorized" } }),
  );
  await page.getByRole("button", { name: "Overdue" }).click();
  await expect(page).toHaveURL(/signin/);
  await expect(page.getByText("Your session has ended")).toBeVisible();
  await page.unroute("**/api/tickets?**");
  await page.locator('input[type="email"]').fill(agent.email);
  await page.locator('input[type="password"]').fill(agent.password);
  await page.locator('button[type="submit"]').click();
  await expect(page).toHaveURL(new RegExp(`/t/${tenant.id}/tickets`));
});

test("a link to a tenant that is not there says so, instead of showing an empty inbox", async ({ signIn }) => {
  const page = await signIn();
  await page.goto("/console/t/00000000-0000-7000-8000-00000000ffff/inbox");
  await expect(page.getByRole("alert")).toContainText("No such tenant");
  await expect(page.getByLabel("Conversations", { exact: true })).toHaveCount(0);
});

test("a wrong password is said in words", async ({ page, platform }) => {
  await page.goto(`${platform.url}/console/signin`);
  await page.locator('input[type="email"]').fill("nobody@example.com");
  await page.locator('input[type="password"]').fill("wrong");
  await page.locator('button[type="submit"]').click();
  await expect(page.getByRole("alert")).toBeVisible();
});

test("a viewer sees what may be seen, and a refusal in words where the address is typed", async ({ api, signIn }) => {
  const tenant = await api.makeTenant("Roles");
  const viewer = await api.makePerson(tenant.id, "viewer", "Vera");
  const page = await signIn(undefined, viewer);
  await expect(page.getByRole("link", { name: "Knowledge" })).toBeVisible();
  await expect(page.getByRole("link", { name: "Inbox" })).toHaveCount(0);
  await expect(page.getByRole("link", { name: "API keys" })).toHaveCount(0);
  await page.goto(`/console/t/${tenant.id}/keys`);
  await expect(page.getByRole("alert")).toContainText("does not allow");
});
