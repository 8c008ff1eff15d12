/** Attacks in everything that others write, and what people need who do not see, point or read as most do. */

import axe from "axe-core";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { hasBrowser, launch, openChat, say, shopPage } from "../support/browser";
import { CONFIG, TENANT } from "../support/config";
import { SARA } from "../support/conversations";
import { Platform } from "../support/platform";
import { RETURNS, RETURNS_FA } from "../support/stories";
import { XSS } from "../support/xss";

describe.skipIf(!hasBrowser)("the widget", () => {
  let browser: Browser;
  let platform: Platform;
  let context: BrowserContext | undefined;

  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    platform = new Platform();
    await platform.start();
  });
  afterEach(async () => {
    await context?.close();
    await platform.stop();
  });

  async function open(options: Parameters<Browser["newContext"]>[0] = {}, lang = "en"): Promise<Page> {
    platform.page = shopPage({ tenant: TENANT, api: platform.url, locale: lang }, lang);
    context = await browser.newContext({ viewport: { width: 1100, height: 800 }, ...options });
    const page = await context.newPage();
    await page.goto(platform.url);
    return page;
  }

  it("runs nothing and fetches nothing that a text asks for, wherever the text stands", async () => {
    const attack = XSS.join("\n");
    platform.config = {
      ...CONFIG,
      brand_name: attack,
      bot: { display_name: attack, avatar_url: "javascript:window.pwned=1", greeting: { en: attack } },
      quick_replies: { en: XSS.slice(0, 5) },
      hours: { ...CONFIG.hours, message: { en: attack } },
    };
    platform.answer = (text) => ({
      text: `${text}\n\n[1]`,
      citations: [{ index: 1, source_id: "s", title: text, url: "javascript:window.pwned=1", passage: text }],
      content: { choices: [{ title: text, url: "javascript:window.pwned=1", description: text }] },
    });
    platform.pace = 0;
    const page = await open();
    const foreign: string[] = [];
    page.on(
      "request",
      (request) =>
        /^(?:https?|data):/.test(request.url()) &&
        !request.url().startsWith(platform.url) &&
        foreign.push(request.url()),
    );
    await openChat(page);
    for (const text of XSS) {
      await say(page, text);
      await expect
        .poll(() => page.locator("article[data-role=bot][data-status=complete]").count())
        .toBe(XSS.indexOf(text) + 1);
    }
    await page.locator(".source-chip").last().click();
    await page.locator(".sheet").waitFor();
    await page.keyboard.press("Escape");
    platform.conversations.stand(platform.last, "human", {
      agent: { id: "a", name: attack, avatar_url: "javascript:window.pwned=1" },
    });
    const attachment = {
      id: "f",
      name: "<img src=x onerror=window.pwned=1>.png",
      mime: "image/svg+xml",
      size: 9,
      status: "ready",
    };
    platform.conversations.add(platform.last, {
      role: "agent",
      text: attack,
      author: { ...SARA, name: attack },
      attachments: [attachment],
    });
    await page.locator("article[data-role=agent] .file").waitFor();
    await page.waitForTimeout(500);
    expect(await page.evaluate(() => (window as { pwned?: number }).pwned)).toBeUndefined();
    expect(foreign).toEqual([]);
    const strange = await page.evaluate(() => {
      const root = document.querySelector("[data-xin-widget]")?.shadowRoot;
      const wild = "script, iframe, object, embed, link, meta, base, style, video, audio, math, details";
      const handlers = [...(root?.querySelectorAll("*") ?? [])].filter((element) =>
        element.getAttributeNames().some((name) => name.startsWith("on")),
      );
      const links = [...(root?.querySelectorAll("a[href]") ?? [])].filter(
        (link) => !/^(https?|mailto):/.test(link.getAttribute("href") ?? ""),
      );
      return [...(root?.querySelectorAll(wild) ?? []), ...handlers, ...links].map((element) => element.outerHTML);
    });
    expect(strange).toEqual([]);
  });

  for (const [name, options] of Object.entries({
    desktop: { colorScheme: "light" as const },
    "a dark phone": { colorScheme: "dark" as const, viewport: { width: 390, height: 844 } },
  })) {
    it.each(["en", "fa"])(`has no fault that axe finds, on ${name}, in %s`, async (lang) => {
      platform.answer = () => (lang === "fa" ? RETURNS_FA : { ...RETURNS, handoffOffered: true });
      const page = await open({ ...options, reducedMotion: "reduce" }, lang);
      await page.locator(".launcher").waitFor();
      const check = async (what: string) => {
        await page.evaluate(axe.source);
        const { violations } = await page.evaluate(() => (window as unknown as { axe: typeof axe }).axe.run());
        const found = violations.map(
          ({ id, nodes }) =>
            `${what}: ${id} ${nodes.map((node) => `${node.target} ${node.failureSummary}`).join(" | ")}`,
        );
        expect(found).toEqual([]);
      };
      await check("launcher");
      await openChat(page);
      await check("welcome");
      await say(page, "How do I return something?");
      await page.locator(".source-chip").nth(1).waitFor();
      await check("answer");
      await page.locator(".cite").first().click();
      await check("source");
      await page.keyboard.press("Escape");
      await page.locator(".header .round").first().click();
      await check("menu");
      await page.getByRole("menuitem").nth(2).click();
      await page.locator(".row").waitFor();
      await check("list");
      for (const entry of [3, 4]) {
        await page.keyboard.press("Escape");
        await page.locator(".header .round").first().click();
        await page.getByRole("menuitem").nth(entry).click();
        await page.locator("form.card").waitFor();
        await page.locator("form.card button[type=submit]").click();
        await check(`form ${entry}`);
      }
      await page.keyboard.press("Escape");
      platform.away(true);
      await say(page, "One more");
      await page.locator(".banner.warn").waitFor();
      await check("offline");
      platform.away(false);
      await page.locator(".pending").waitFor({ state: "detached" });
      platform.conversations.stand(platform.last, "closed");
      await page.locator(".face").first().waitFor();
      await page.locator(".face input").last().check();
      await check("csat");
    });
  }

  it("is used with the keyboard alone", async () => {
    platform.answer = () => RETURNS;
    const page = await open();
    await page.locator(".launcher").focus();
    await page.keyboard.press("Enter");
    await page.locator(".panel.open").waitFor();
    const focused = () =>
      page.evaluate(
        () => document.activeElement?.shadowRoot?.activeElement?.className ?? document.activeElement?.tagName,
      );
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.tagName))
      .toBe("TEXTAREA");
    await page.keyboard.type("How do I return something?");
    await page.keyboard.press("Enter");
    await page.locator(".cite").first().waitFor();
    await page.locator(".cite").first().focus();
    await page.keyboard.press("Enter");
    await expect.poll(focused).toBe("sheet");
    await page.keyboard.press("Escape");
    await expect.poll(focused).toBe("cite");
    await page.getByRole("button", { name: "More" }).focus();
    await page.keyboard.press("Enter");
    await page.locator(".menu button:focus").waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.locator(".rows").waitFor();
    await page.keyboard.press("Escape");
    await page.locator(".composer").waitFor();
    await page.keyboard.press("Escape");
    await page.locator(".panel.open").waitFor({ state: "detached" });
    await expect.poll(focused).toContain("launcher");
  });

  it("looks the same on a page whose rules reach everything", async () => {
    const page = await open();
    await page.addStyleTag({
      content: `* { opacity: 0.3; font: 30px serif !important; display: none } *:empty { display: none !important }
        body, html { display: block } button { background: red !important } body > * { transform: rotate(9deg); position: static !important }`,
    });
    await openChat(page);
    await expect.poll(() => page.locator(".panel").boundingBox()).toMatchObject({ width: 400, height: 676 });
    const style = await page.locator(".launcher").evaluate((button) => getComputedStyle(button).backgroundColor);
    expect(style).toBe("rgb(59, 76, 202)");
  });

  it("fits a phone on its side", async () => {
    const page = await open({ viewport: { width: 844, height: 390 } });
    await openChat(page);
    await expect.poll(() => page.locator(".panel").boundingBox()).toMatchObject({ y: 8, height: 374 });
  });

  it("keeps keys that are typed in it from the page's shortcuts", async () => {
    const page = await open();
    await page.evaluate(() => addEventListener("keydown", () => Object.assign(window, { heard: true })));
    await openChat(page);
    await page.locator(".composer textarea").pressSequentially("/g?");
    expect(await page.evaluate(() => (window as { heard?: boolean }).heard)).toBeUndefined();
  });

  it("fits a phone of 320 pixels, and keeps the focus within while it covers the page", async () => {
    platform.answer = () => RETURNS;
    const page = await open({ viewport: { width: 320, height: 568 }, hasTouch: true, isMobile: true });
    await openChat(page);
    await say(page, "https://www.example.com/a/very/long/address/that/does/not/break/anywhere/at/all?with=parameters");
    await page.locator(".source-chip").first().waitFor();
    const box = await page.locator(".panel").boundingBox();
    expect(box).toMatchObject({ x: 0, y: 0, width: 320, height: 568 });
    const wide = await page.evaluate(() => {
      const panel = document.querySelector("[data-xin-widget]")?.shadowRoot?.querySelector(".panel");
      return [...(panel?.querySelectorAll("*") ?? [])]
        .filter((element) => element.getBoundingClientRect().right > 320.5)
        .map((element) => element.className);
    });
    expect(wide).toEqual([]);
    for (let press = 0; press < 20; press += 1) {
      await page.keyboard.press("Tab");
      expect(await page.evaluate(() => document.activeElement?.hasAttribute("data-xin-widget"))).toBe(true);
    }
  });

  it("tells a screen reader of a message when it is whole, once", async () => {
    platform.pace = 30;
    platform.answer = () => RETURNS;
    const page = await open();
    await openChat(page);
    await page.evaluate(() => {
      const live = document.querySelector("[data-xin-widget]")?.shadowRoot?.querySelector("[aria-live=polite]");
      const heard: string[] = [];
      Object.assign(window, { heard });
      if (live)
        new MutationObserver(() => heard.push(live.textContent ?? "")).observe(live, {
          childList: true,
          characterData: true,
          subtree: true,
        });
    });
    await say(page, "How do I return something?");
    await page.locator(".source-chip").first().waitFor();
    const listened = () => page.evaluate(() => (window as unknown as { heard: string[] }).heard);
    await expect.poll(async () => (await listened()).length).toBe(1);
    await page.waitForTimeout(300); // said again, it would be by now
    const heard = await listened();
    expect(heard).toHaveLength(1);
    expect(heard[0]).toMatch(/^Acme: You can send anything back within 30 days/);
  });
});
