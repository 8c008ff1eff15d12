/** The built widget on a page with a strict policy, in Debian's Chromium. `pnpm build` comes first. */

import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { WidgetEvent } from "../../src/public";
import { hasBrowser, launch, openChat, say, shopPage } from "../support/browser";
import { CONFIG, TENANT } from "../support/config";
import { SARA } from "../support/conversations";
import { Platform } from "../support/platform";
import { RETURNS } from "../support/stories";

declare global {
  interface Window {
    told: WidgetEvent[];
    violations: string[];
    sounds: number;
    elsewhere: boolean;
  }
}

describe.skipIf(!hasBrowser)("the widget", () => {
  let browser: Browser;
  let platform: Platform;
  let context: BrowserContext;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser?.close());

  beforeEach(async () => {
    platform = new Platform();
    const url = await platform.start();
    platform.answer = () => RETURNS;
    platform.page = shopPage({ tenant: TENANT, api: url });
    platform.policy =
      "default-src 'none'; script-src 'nonce-n0nce' 'strict-dynamic'; connect-src 'self' ws:; img-src blob:; style-src 'none'; base-uri 'none'";
    complaints.length = 0;
    context = await browser.newContext({ viewport: { width: 1100, height: 800 }, locale: "en", permissions: [] });
    page = await open();
  });
  afterEach(async () => {
    await context.close();
    await platform.stop();
    expect(complaints).toEqual([]);
  });

  async function open(): Promise<Page> {
    const opened = await context.newPage();
    opened.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    opened.on("pageerror", (error) => complaints.push(String(error)));
    await opened.addInitScript(() => {
      window.told = [];
      window.violations = [];
      document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective));
      addEventListener("xin-widget", () => window.XinWidget?.on("*", (event) => window.told.push({ ...event })));
    });
    await opened.goto(platform.url);
    await opened.locator(".launcher").waitFor();
    return opened;
  }

  const told = (of = page) => of.evaluate(() => window.told.map((event) => event.type));
  const bubbles = (of = page) => of.locator("article .bubble").allInnerTexts();

  it("asks and is answered with sources under a policy that allows nothing else", async () => {
    await openChat(page);
    await say(page, "How do I return something?");
    await page.locator(".source-chip").nth(1).waitFor();
    expect(await page.locator("article[data-role=bot] li").count()).toBeGreaterThanOrEqual(3);
    await page.locator(".cite").first().click();
    await page.locator(".sheet blockquote").waitFor();
    const link = page.locator(".sheet a");
    expect(await link.getAttribute("href")).toBe("https://www.example.com/returns");
    expect(await link.getAttribute("rel")).toBe("noopener noreferrer nofollow");
    expect(await page.evaluate(() => window.violations)).toEqual([]);
    expect(await told()).toEqual(expect.arrayContaining(["open", "ready", "message"]));
  });

  it("speaks the page's language where the snippet leaves it open", async () => {
    platform.page = shopPage({ tenant: TENANT, api: platform.url, locale: "auto" }, "es");
    const spanish = await open();
    await openChat(spanish);
    expect(await spanish.locator(".composer textarea").getAttribute("placeholder")).toBe("Escribe un mensaje…");
  });

  it("loses nothing and doubles nothing when the network is cut in the middle of an answer", async () => {
    platform.pace = 60;
    await openChat(page);
    await say(page, "How do I return something?");
    await page.locator("article[data-status=streaming]").waitFor();
    platform.away(true);
    await page.locator(".banner.warn").waitFor();
    await say(page, "And how long does it take?");
    await expect.poll(() => told()).toContain("retry");
    complaints.length = 0; // the browser's own words on a connection that was refused
    platform.away(false);
    await page.locator(".pending").waitFor({ state: "detached" });
    await expect
      .poll(() => page.locator("article[data-role=bot][data-status=complete]").count(), { timeout: 60_000 })
      .toBe(2);
    expect(platform.last.messages.map((message) => message.role).sort()).toEqual(["bot", "bot", "visitor", "visitor"]);
    expect(await bubbles()).toHaveLength(4);
    const retries = await page.evaluate(() =>
      window.told.filter((event) => event.type === "retry").map((event) => event.count),
    );
    expect(retries).toEqual(retries.map((_, index) => index + 1));
    expect(retries.length).toBeGreaterThan(0);
    complaints.length = 0;
  });

  it("is the same conversation in two tabs, and after a reload", async () => {
    const other = await open();
    await openChat(other);
    await openChat(page);
    await say(page, "Hello");
    await expect.poll(() => bubbles(other).then((all) => all.length)).toBe(2);
    await expect.poll(() => bubbles(page).then((all) => all.length)).toBe(2);
    await page.reload();
    await openChat(page);
    await expect.poll(() => bubbles(page).then((all) => all.length)).toBe(2);
    expect(platform.conversations.all.size).toBe(1);
  });

  it("goes on with the same conversation when its page says who the visitor is", async () => {
    await openChat(page);
    await say(page, "Hello");
    await page.locator(".source-chip").first().waitFor();
    const token = `h.${Buffer.from('{"sub":"ada"}').toString("base64url")}.s`;
    await page.evaluate((given) => window.XinWidget?.identify(given), token);
    await expect.poll(() => platform.last.visitor).toBe("ada");
    await expect.poll(() => bubbles().then((all) => all[0])).toBe("Hello");
    await say(page, "It is me");
    await expect.poll(() => bubbles().then((all) => all.length)).toBe(4);
    expect(platform.conversations.all.size).toBe(1);
  });

  it("keeps its token out of storage, addresses and attributes", async () => {
    const addresses: string[] = [];
    page.on("request", (request) => addresses.push(request.url()));
    await openChat(page);
    await say(page, "Hello");
    await page.locator(".source-chip").first().waitFor();
    const token = String(platform.frames[0]?.["token"]);
    expect(token.length).toBeGreaterThan(20);
    const kept = await page.evaluate(() =>
      JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]),
    );
    const markup = await page.evaluate(
      () => document.documentElement.outerHTML + document.querySelector("[data-xin-widget]")?.shadowRoot?.innerHTML,
    );
    for (const place of [kept, markup, ...addresses]) expect(place).not.toContain(token);
  });

  it("is driven by its page", async () => {
    await page.evaluate(() => window.XinWidget?.on("open", (event) => event.preventDefault())).catch(() => {});
    const widget = (call: string) => page.evaluate(call);
    await page.locator(".launcher").click();
    await page.waitForTimeout(300);
    expect(await page.locator(".panel.open").count()).toBe(0);
    await page.reload();
    await page.locator(".launcher").waitFor();
    await widget("XinWidget.toggle()");
    await page.locator(".panel.open").waitFor();
    await widget("XinWidget.setLocale('fa')");
    await page.locator(".panel[dir=rtl].left").waitFor();
    await page.locator(".launcher.left").waitFor();
    expect(await page.locator(".composer textarea").getAttribute("placeholder")).toContain("پیام");
    await widget("XinWidget.close()");
    await page.locator(".panel.open").waitFor({ state: "detached" });
    await widget("XinWidget.destroy()");
    expect(await page.locator("[data-xin-widget]").count()).toBe(0);
  });

  it("says by the title and by a sound that something came while one is elsewhere", async () => {
    await openChat(page);
    await say(page, "Hello");
    await page.locator(".source-chip").first().waitFor();
    const title = await page.title();
    await page.evaluate(() => {
      const { start } = AudioScheduledSourceNode.prototype;
      AudioScheduledSourceNode.prototype.start = function (when) {
        window.sounds += 1;
        start.call(this, when);
      };
      window.sounds = 0;
      Object.defineProperty(document, "hidden", { configurable: true, get: () => window.elsewhere });
      Object.defineProperty(document, "visibilityState", {
        configurable: true,
        get: () => (window.elsewhere ? "hidden" : "visible"),
      });
      window.elsewhere = true;
      document.dispatchEvent(new Event("visibilitychange"));
    });
    platform.conversations.add(platform.last, { role: "agent", text: "Are you there?", author: SARA });
    await expect.poll(() => page.title()).toBe(`(1) ${title}`);
    await expect.poll(() => page.evaluate(() => window.sounds)).toBe(2);
    await page.evaluate(() => {
      window.elsewhere = false;
      document.dispatchEvent(new Event("visibilitychange"));
    });
    await expect.poll(() => page.title()).toBe(title);
  });

  it("counts in the visitor's digits", async () => {
    await openChat(page);
    await say(page, "Hello");
    await page.locator(".source-chip").first().waitFor();
    await page.evaluate("XinWidget.setLocale('fa')");
    await page.locator(".panel[dir=rtl]").waitFor();
    await page.keyboard.press("Escape");
    platform.conversations.add(platform.last, { role: "agent", text: "Are you there?", author: SARA });
    await expect.poll(() => page.locator(".badge").textContent()).toBe("۱");
  });

  it("counts what was not read at its button", async () => {
    await openChat(page);
    await say(page, "Hello");
    await page.locator(".source-chip").first().waitFor();
    await page.keyboard.press("Escape");
    platform.conversations.add(platform.last, { role: "agent", text: "Are you there?", author: SARA });
    await expect.poll(() => page.locator(".badge").textContent()).toBe("1");
    expect(await page.locator(".launcher").getAttribute("aria-label")).toBe("Open chat, 1 unread message");
    await openChat(page);
    await expect.poll(() => page.locator(".badge").textContent()).toBe("");
    await expect.poll(() => platform.last.readSeq).toBe(platform.last.messages.length);
  });

  it("goes from the bot to a person and to a judgement", async () => {
    await openChat(page);
    await say(page, "Hello");
    await page.locator(".source-chip").first().waitFor();
    await page.getByRole("button", { name: "More" }).click();
    await page.getByRole("menuitem", { name: "Talk to a person" }).click();
    await expect.poll(() => page.locator(".banner").textContent()).toContain("number 2 in line · about 3 minutes");
    platform.conversations.stand(platform.last, "human", { agent: SARA });
    await expect.poll(() => page.locator(".header h1").textContent()).toBe(SARA.name);
    await page.locator(".composer textarea").pressSequentially("Hi");
    await expect
      .poll(() => platform.frames.filter((frame) => frame["type"] === "typing"))
      .toEqual([{ type: "typing", active: true }]);
    await page.keyboard.press("Enter");
    platform.conversations.tell(platform.last, { type: "typing", role: "agent", active: true, name: SARA.name });
    await page.locator(".dots[aria-label*='is writing']").waitFor();
    platform.conversations.tell(platform.last, { type: "read", role: "agent", seq: platform.last.messages.length });
    await page.getByText("· Seen").waitFor();
    platform.conversations.stand(platform.last, "closed");
    await page.getByRole("radio", { name: "Great" }).check();
    await page.locator(".csat textarea").fill("Quick!");
    await page.locator(".csat button").click();
    await page.getByText("Thank you for your feedback.").waitFor();
    expect(platform.posted.at(-1)).toMatchObject({ body: { score: 5, comment: "Quick!" } });
    await page.getByRole("button", { name: "New conversation" }).click();
    await page.locator(".welcome").waitFor();
    expect(await told()).toEqual(expect.arrayContaining(["handoff", "state", "csat"]));
  });

  it("sends files, says why one is refused, and gives them back", async () => {
    await openChat(page);
    const choose = (name: string, size: number) =>
      page
        .locator("input[type=file]")
        .setInputFiles({ name, mimeType: "application/octet-stream", buffer: Buffer.alloc(size, 7) });
    await choose("virus.exe", 10);
    await expect.poll(() => page.locator(".toast").textContent()).toContain("virus.exe");
    await choose("large.pdf", 2 * 1024 * 1024);
    await expect.poll(() => page.locator(".toast").textContent()).toContain("1 MB");
    await choose("receipt.pdf", 1_000);
    await page.locator("article[data-role=visitor] .file").waitFor();
    await say(page, "Here it is");
    await page.locator(".source-chip").first().waitFor();
    expect(platform.conversations.all.size).toBe(1);
    const download = page.waitForEvent("download");
    await page.locator("article[data-role=visitor] .file").click();
    expect((await download).suggestedFilename()).toBe("receipt.pdf");
  });

  it("asks who it is first where the tenant wants it, and takes a request outside the hours", async () => {
    platform.config = {
      ...CONFIG,
      hours: {
        open_now: false,
        next_open_at: new Date(Date.now() + 3 * 86_400_000).toISOString(),
        message: { en: "We are asleep." },
      },
      pre_chat: {
        enabled: true,
        fields: [
          { name: "name", type: "text", label: { en: "Name" }, required: true },
          { name: "email", type: "email", label: { en: "Mail" }, required: true },
        ],
      },
    };
    await page.reload();
    await openChat(page);
    await page.getByRole("button", { name: "Start the chat" }).click();
    await expect.poll(() => page.getByText("Please fill this in.").count()).toBe(2);
    await page.getByLabel("Name").fill("Ada");
    await page.getByLabel("Mail").fill("ada@example.com");
    await page.getByRole("button", { name: "Start the chat" }).click();
    await page.locator(".welcome").waitFor();
    expect(platform.posted.at(-1)).toMatchObject({
      path: "/v1/widget/visitor",
      body: { fields: { name: "Ada", email: "ada@example.com" } },
    });
    await expect.poll(() => page.locator(".banner").textContent()).toContain("We are away right now · We are back");
    await page.getByRole("button", { name: "More" }).click();
    await page.getByRole("menuitem", { name: "Talk to a person" }).click();
    await page.getByText("We are asleep.").waitFor();
    expect(await page.getByLabel("E-mail").inputValue()).toBe("ada@example.com");
    await page.getByLabel("What can we do for you?").fill("My order is late");
    await page.getByRole("button", { name: "Send the request" }).click();
    await page.getByText("Your request has the number 1,042").waitFor();
    expect(platform.posted.at(-1)).toMatchObject({
      path: "/v1/tickets",
      body: { email: "ada@example.com", problem: "My order is late" },
    });
  });

  it("promises no e-mail where the brand has none", async () => {
    platform.config = { ...CONFIG, mail: false };
    await page.reload();
    await openChat(page);
    const menu = async (name: string) => {
      await page.getByRole("button", { name: "More" }).click();
      await page.getByRole("menuitem", { name }).click();
    };
    await menu("Leave a request");
    await page.getByText("We will get back to you.").waitFor();
    await page.keyboard.press("Escape");
    await say(page, "First");
    await page.locator(".source-chip").first().waitFor();
    await menu("Leave a request");
    await page.getByText("We answer here, in the chat.").waitFor();
    await page.getByLabel("Your name").fill("Ada");
    await page.getByLabel("E-mail").fill("ada@example.com");
    await page.getByLabel("What can we do for you?").fill("My order is late");
    await page.getByRole("button", { name: "Send the request" }).click();
    await page.getByText("Your request has the number 1,042").waitFor();
    await page.getByText("We answer here, in the chat.").waitFor();
    expect(await page.getByText("ada@example.com").count()).toBe(0);
    await page.keyboard.press("Escape");
    await menu("Get the transcript");
    await page.getByRole("button", { name: "Download" }).waitFor();
    expect(await page.getByLabel("E-mail").count()).toBe(0);
  });

  it("lists earlier conversations, and gives the transcript", async () => {
    await openChat(page);
    await say(page, "First");
    await page.locator(".source-chip").first().waitFor();
    const menu = async (name: string) => {
      await page.getByRole("button", { name: "More" }).click();
      await page.getByRole("menuitem", { name }).click();
    };
    const download = page.waitForEvent("download");
    await menu("Get the transcript");
    await page.getByRole("button", { name: "Download" }).click();
    expect((await download).suggestedFilename()).toMatch(/^chat-.*\.txt$/);
    await page.getByLabel("E-mail").fill("ada@example.com");
    await page.getByRole("button", { name: "Send by e-mail" }).click();
    await page.getByText("It is on its way to").waitFor();
    await page.keyboard.press("Escape");
    await menu("New conversation");
    await say(page, "Second");
    await page.locator(".source-chip").first().waitFor();
    await menu("Earlier conversations");
    await expect.poll(() => page.locator(".row").count()).toBe(2);
    await page.locator(".row").nth(1).click();
    await expect.poll(() => bubbles().then((all) => all[0])).toBe("First");
  });

  it("presses choices", async () => {
    platform.answer = (text) =>
      text === "Small"
        ? { text: "Small it is." }
        : {
            text: "Which size?",
            content: {
              style: "list",
              choices: [
                { title: "Small" },
                { title: "Sizes", url: "https://www.example.com/sizes" },
                { title: "Bad", url: "javascript:alert(1)" },
              ],
            },
          };
    await openChat(page);
    await page.locator(".starter").first().click();
    await page.locator(".choice").first().waitFor();
    expect(await page.locator("a.choice").count()).toBe(1);
    await page.locator(".choice", { hasText: "Small" }).focus();
    await page.keyboard.press("Enter");
    await page.getByText("Small it is.", { exact: true }).waitFor();
    expect(await page.locator(".choice").count()).toBe(0);
    expect(await page.locator(".composer textarea").evaluate((field) => field.matches(":focus"))).toBe(true);
  });

  it("is a module, too", async () => {
    platform.policy = "";
    platform.page = `<!doctype html><title>Shop</title><link rel="icon" href="data:,"><body><script type="module">
      import { createWidget } from "/sdk/index.js";
      window.widget = createWidget({ tenantId: "${TENANT}", apiBaseUrl: location.origin, locale: "es", launcher: false });
      widget.open();
    </script>`;
    await page.goto(platform.url);
    await page.locator(".panel.open").waitFor();
    await say(page, "Hola");
    await page.locator(".source-chip").first().waitFor();
    expect(await page.locator(".launcher").count()).toBe(0);
    expect(await page.locator(".composer textarea").getAttribute("placeholder")).toBe("Escribe un mensaje…");
  });

  it("leaves a page alone that may not have it", async () => {
    await context.route("**/v1/widget/config*", (route) =>
      route.fulfill({
        status: 403,
        json: { code: "origin_not_allowed", detail: "origin: add it to the web channel's allowed origins" },
      }),
    );
    const refused = await context.newPage();
    const words: string[] = [];
    refused.on("console", (message) => words.push(message.text()));
    await refused.goto(platform.url);
    await expect.poll(() => words.join()).toContain("add it to the web channel's allowed origins");
    await refused.waitForTimeout(1_800);
    expect(await refused.locator("[data-xin-widget]").count()).toBe(0);
  });
});
