/** The whole corpus in everything that somebody else writes, in the widget, the inbox, the tickets and the knowledge. */
import { DESK, expect, openPage, test } from "./fixtures";
import { HOSTILE, Watch } from "./hostile";
import { Chat, openShop } from "./shop";

const ALL = HOSTILE.join("\n");
/** As many together as a message may hold. */
const BATCHES = Array.from({ length: 5 }, (_, at) => HOSTILE.slice(at * 9, at * 9 + 9).join("\n\n"));
const IMG = "<img src=x onerror=window.pwned=1>";

test("no script runs and nothing is fetched from elsewhere, whatever words say, wherever they stand", async ({
  api,
  browser,
  platform,
  signIn,
}) => {
  test.setTimeout(600_000);
  const tenant = await api.makeTenant(IMG);
  const tenant_id = tenant.id;
  const sources: string[] = [];
  for (const [at, text] of BATCHES.entries())
    sources.push(
      await api.teach(
        tenant.default_brand_id,
        HOSTILE[at * 7] ?? "",
        `# ${IMG}\n\nLamp ${at} can be returned. ${text}`,
      ),
    );
  const shop = await openShop(
    { tenant: tenant_id, api: platform.url, gateway: platform.gateway.replace(/^http/, "ws"), locale: "en" },
    IMG.replaceAll("<", "&lt;"),
  );
  const origins = [platform.url, platform.gateway, platform.gateway.replace(/^http/, "ws"), shop.url].map(
    (each) => new URL(each).origin,
  );
  const chat = new Chat(await openPage(browser, platform, DESK));
  const visit = new Watch(chat.page, origins);

  await test.step("asked and cited in the widget", async () => {
    const user = { id: "hostile", name: HOSTILE.slice(0, 5).join(" ").slice(0, 200) };
    const { token, expires_at } = await api.call<{ token: string; expires_at: string }>(
      "POST",
      `/admin/tenants/${tenant_id}/embed_token`,
      { user },
    );
    await chat.page.addInitScript(
      (given) => {
        addEventListener("xin-widget", (event) =>
          (event as CustomEvent<{ identify: (source: () => unknown) => void }>).detail.identify(async () => given),
        );
      },
      { token, expires_at },
    );
    await chat.open(shop.url);
    await chat.say("Can lamp 1 be returned?");
    await chat.page.locator(".source-chip").first().waitFor();
    await chat.page.locator(".source-chip").first().click();
    await expect(chat.page.locator(".sheet")).toContainText("window.pwned");
    await chat.page.keyboard.press("Escape");
    await chat.page.locator("input[type=file]").setInputFiles({
      name: `${IMG}.txt`,
      mimeType: "text/plain",
      buffer: Buffer.from(ALL),
    });
    await expect(chat.page.locator("article .file")).toBeVisible();
    await expect(chat.by("bot", "complete")).toHaveCount(2);
    for (const [at, text] of BATCHES.entries()) {
      await chat.say(text);
      await expect(chat.by("bot", "complete")).toHaveCount(at + 3);
    }
    expect(await visit.look("widget")).toEqual([]);
  });

  const { items } = await api.call<{ items: { id: string }[] }>(
    "GET",
    `/admin/conversations?tenant_id=${tenant_id}&queue=all`,
  );
  const id = items[0]?.id ?? "";

  await test.step("answered by an agent, tagged, noted, with a ticket", async () => {
    const requester = { name: IMG, email: "jane@example.com" };
    await api.call("POST", `/admin/conversations/${id}/takeover`, { force: true });
    for (const [at, text] of BATCHES.entries()) {
      await api.call("POST", `/admin/conversations/${id}/messages`, { text, client_message_id: `hostile-${at}` });
      await api.call("POST", `/admin/conversations/${id}/notes`, { text, mentions: [] });
      await api.call("POST", "/api/tickets", {
        tenant_id,
        conversation_id: id,
        subject: HOSTILE[at],
        problem: text,
        requester,
      });
    }
    for (const [at, text] of HOSTILE.slice(5).entries())
      await api.call("POST", "/api/tickets", {
        tenant_id,
        subject: text,
        problem: text,
        requester: { ...requester, name: HOSTILE[at] },
      });
    const tags = HOSTILE.filter((each) => each.length <= 40).map((each) => each.replaceAll(",", " "));
    await api.call("PUT", `/admin/conversations/${id}/tags`, { tags });
    for (const [at, text] of HOSTILE.slice(0, 6).entries())
      await api.call("POST", "/admin/canned_replies", {
        tenant_id,
        shortcut: `h${at}`,
        title: text,
        text: ALL.slice(0, 2000).replaceAll("{{", "{ {"), // braces that nothing fills in are refused
      });
    await expect(chat.by("agent").last()).toContainText("constructor");
    expect(await visit.look("widget, answered")).toEqual([]);
  });

  await test.step("seen in the console", async () => {
    for (const [at, text] of HOSTILE.slice(0, 12).entries())
      await api.ask(tenant_id, text, { id: `h-${at}`, name: HOSTILE[at + 20] });
    const page = await signIn();
    const watch = new Watch(page, origins);
    const tickets = await api.call<{ items: { id: string }[] }>("GET", `/api/tickets?tenant_id=${tenant_id}`);
    const paths = [
      "inbox",
      `inbox/${id}`,
      "tickets",
      `tickets/${tickets.items[0]?.id}`,
      "knowledge",
      `knowledge/${sources[1]}`,
      "replies",
      "gaps",
      "audit",
      "settings",
    ];
    for (const path of paths) {
      await page.goto(`/console/t/${tenant_id}/${path}`);
      await expect(page.locator("[data-loading]")).toHaveCount(0);
      await expect(page.locator("body")).toContainText(/onerror|onload|pwned/);
      expect(await watch.look(path)).toEqual([]);
    }
    await page.goto(`/console/t/${tenant_id}/tickets`);
    await page.getByRole("button", { name: "Board" }).click();
    expect(await watch.look("board")).toEqual([]);
    await page.goto(`/console/t/${tenant_id}/inbox/${id}`);
    await page.getByRole("textbox", { name: /Write to the visitor/ }).fill("/h");
    await page.getByRole("list", { name: "Canned replies" }).getByRole("button").first().click();
    await expect(page.getByRole("textbox", { name: /Write to the visitor/ })).toHaveValue(/pwned/);
    await page.keyboard.press("Control+Enter");
    await page.getByRole("button", { name: "Why" }).first().click();
    await expect(page.getByRole("dialog")).toContainText("pwned");
    expect(await watch.look("canned reply and trace")).toEqual([]);
  });
  expect(await visit.look("widget, at the end")).toEqual([]);
  await chat.page.context().close();
  await shop.stop();
});

test("the corpus is alive: as markup it runs, opens dialogs and asks other hosts", async ({ page, platform }) => {
  await page.route(/attacker\.example/, (route) => route.abort());
  const watch = new Watch(page, [platform.url]);
  await page.setContent(HOSTILE.slice(0, 20).join(""));
  await expect.poll(async () => (await watch.look("control")).join()).toMatch(/a script ran/);
  const found = (await watch.look("control")).join();
  for (const each of ["a dialog", "a request to", "<iframe"]) expect(found).toContain(each);
});
