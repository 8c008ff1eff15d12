/** A role that is lowered while its person works: said in words, and nobody is left waiting. */
import { DESK, expect, test } from "./fixtures";

test("an agent whose role is lowered is told so, and the conversation waits again", async ({ api, signIn }) => {
  const tenant = await api.makeTenant("Lowered");
  const id = await api.ask(tenant.id, "A person, please", { id: "jane", name: "Jane" });
  const sara = await api.makePerson(tenant.id, "agent", "Sara");
  const page = await signIn({ ...DESK, locale: "es" }, sara);
  await page.goto(`/console/t/${tenant.id}/inbox/${id}`);
  await page.getByRole("button", { name: "Tomar el control" }).first().click();
  await expect(page.getByRole("button", { name: "Devolver" })).toBeVisible();
  const asked: string[] = [];
  page.on("request", (request) => {
    if (request.url().includes("/admin/live")) asked.push(request.url());
  });
  const { items } = await api.call<{ items: { id: string; email: string }[] }>(
    "GET",
    `/admin/users?tenant_id=${tenant.id}`,
  );
  const user = items.find((each) => each.email === sara.email)?.id;
  await api.call("PUT", `/admin/users/${user}/memberships/${tenant.id}`, { role: "viewer" });

  await expect(page.getByRole("alert")).toContainText("Su rol aquí es ahora «Lectura».", { timeout: 30_000 });
  await expect(page.getByText("Su rol aquí ha cambiado: Lectura")).toBeVisible();
  await expect(page.getByText("Jane")).toHaveCount(0);
  await expect
    .poll(async () => (await api.call<{ state: string }>("GET", `/admin/conversations/${id}`)).state, {
      timeout: 30_000,
    })
    .toBe("waiting");
  await page.waitForTimeout(3000);
  await expect(page.getByText("Sin conexión")).toHaveCount(0);
  expect(asked.length, "the feed is not tried again").toBeLessThanOrEqual(1);
});
