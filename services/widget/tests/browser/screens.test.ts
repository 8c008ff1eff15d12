/** Pictures of the widget: `SCREENS=folder pnpm screens`. */

import { mkdirSync } from "node:fs";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, it } from "vitest";
import { hasBrowser, launch, openChat, say, shopPage } from "../support/browser";
import { CONFIG, TENANT } from "../support/config";
import { SARA } from "../support/conversations";
import { Platform } from "../support/platform";
import { RETURNS, RETURNS_FA } from "../support/stories";

const folder = process.env["SCREENS"];

const DEVICES = {
  desktop: { viewport: { width: 1100, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true },
} as const;
const WORDS = {
  en: {
    size: "Which size would you like?",
    ask: "How do I return something?",
    person: "Could I talk to somebody about my refund?",
    reply: "Hi! I'm **Sara**. I can see your refund: it was paid today.",
  },
  fa: {
    size: "چه اندازه‌ای می‌خواهید؟",
    ask: "چطور کالا را پس بدهم؟",
    person: "می‌خواهم دربارهٔ بازپرداختم با کسی صحبت کنم",
    reply: "سلام! من **سارا** هستم. بازپرداخت سفارش ORD-2291 امروز انجام شد.",
  },
} as const;

describe.skipIf(!folder || !hasBrowser)("screens", () => {
  let browser: Browser;
  beforeAll(async () => {
    mkdirSync(folder ?? "", { recursive: true });
    browser = await launch();
  });
  afterAll(() => browser?.close());

  for (const locale of ["en", "fa"] as const) {
    for (const device of ["desktop", "phone"] as const) {
      for (const scheme of ["light", "dark"] as const) {
        it(`${locale} ${device} ${scheme}`, async () => {
          let platform = new Platform();
          const context = await browser.newContext({ ...DEVICES[device], colorScheme: scheme, locale });
          try {
            await takePictures(platform, context, locale, `${folder}/widget-${locale}-${device}-${scheme}`);
            await platform.stop();
            platform = new Platform();
            await takeMorePictures(platform, context, locale, `${folder}/widget-${locale}-${device}-${scheme}`);
          } finally {
            await context.close();
            await platform.stop();
          }
        });
      }
    }
  }
});

async function takePictures(
  platform: Platform,
  context: BrowserContext,
  locale: "en" | "fa",
  name: string,
): Promise<void> {
  const words = WORDS[locale];
  const url = await platform.start();
  platform.answer = () => (locale === "fa" ? RETURNS_FA : RETURNS);
  platform.config = {
    ...CONFIG,
    bot: { ...CONFIG.bot, display_name: locale === "fa" ? "دستیار فروشگاه" : "Acme Help" },
  };
  platform.page = shopPage({ tenant: TENANT, api: url, locale }, locale);
  const page = await context.newPage();
  await page.goto(url);
  await page.locator(".launcher").waitFor();
  const picture = async (what: string) => {
    await page.waitForTimeout(500);
    await page.screenshot({ path: `${name}-${what}.png` });
  };
  await picture("0-launcher");
  await openChat(page);
  await picture("1-welcome");
  await say(page, words.ask);
  await page.locator(".source-chip").first().waitFor();
  await picture("2-answer");
  await page.locator(".cite").first().click();
  await picture("3-source");
  await page.keyboard.press("Escape");
  await page.locator(".header .round").first().click();
  await picture("4-menu");
  await page.locator("[role=menuitem]").first().click();
  await page.locator(".banner").waitFor();
  await picture("5-queue");
  platform.conversations.stand(platform.last, "human", { agent: SARA });
  await say(page, words.person);
  await page.waitForTimeout(200);
  platform.conversations.tell(platform.last, { type: "read", role: "agent", seq: platform.last.messages.length });
  platform.conversations.add(platform.last, { role: "agent", text: words.reply, author: SARA });
  await sendFiles(page);
  platform.conversations.tell(platform.last, { type: "typing", role: "agent", active: true, name: SARA.name });
  await picture("6-person");
  platform.away(true);
  await say(page, words.ask);
  await page.locator(".banner.warn").waitFor();
  await picture("7-offline");
  platform.away(false);
  await page.locator(".pending").waitFor({ state: "detached" });
  platform.conversations.stand(platform.last, "closed");
  await page.locator(".face").nth(4).click();
  await picture("8-csat");
  await page.locator(".header .round").first().click();
  await page.getByRole("menuitem").nth(2).click();
  await picture("9-ticket");
}

/** What is asked before the chat, what can be pressed, what did not work, and what is kept. */
async function takeMorePictures(
  platform: Platform,
  context: BrowserContext,
  locale: "en" | "fa",
  name: string,
): Promise<void> {
  const words = WORDS[locale];
  const url = await platform.start();
  const choices = locale === "fa" ? ["کوچک", "متوسط", "بزرگ"] : ["Small", "Medium", "Large"];
  platform.answer = () => ({
    text: words.size,
    content: { style: "list", choices: choices.map((title) => ({ title })) },
    handoffOffered: true,
  });
  platform.config = {
    ...CONFIG,
    theme: { primary: "#ffcc33", radius: 10, scheme: "auto" },
    hours: { open_now: false, next_open_at: new Date(Date.now() + 2 * 86_400_000).toISOString(), message: {} },
    pre_chat: {
      enabled: true,
      fields: [
        { name: "name", type: "text", label: { en: "Your name", fa: "نام شما" }, required: true },
        { name: "topic", type: "select", label: { en: "Topic", fa: "موضوع" }, required: false, options: ["A", "B"] },
      ],
    },
  };
  platform.page = shopPage({ tenant: TENANT, api: url, locale }, locale);
  const page = await context.newPage();
  await page.goto(url);
  await openChat(page);
  const picture = async (what: string) => {
    await page.waitForTimeout(500);
    await page.screenshot({ path: `${name}-${what}.png` });
  };
  await page.locator("form.card .primary").click();
  await picture("a-before");
  await page.locator("input[name=name]").fill(locale === "fa" ? "آدا" : "Ada");
  await page.locator("form.card .primary").click();
  await say(page, words.ask);
  await page.locator(".choice").nth(3).waitFor();
  await picture("b-choices");
  platform.answer = () => ({ text: Array.from({ length: 12 }, () => words.reply).join("\n\n") });
  await page.locator(".choice").first().click();
  await page.locator("article[data-status=complete]").nth(3).waitFor();
  await page.locator(".thread").evaluate((thread) => thread.scrollTo(0, 0));
  platform.conversations.add(platform.last, { role: "bot", text: words.size });
  await page
    .locator("input[type=file]")
    .setInputFiles({ name: "virus.exe", mimeType: "application/octet-stream", buffer: Buffer.alloc(9) });
  await picture("c-toast");
  await page.locator(".header .round").first().click();
  await page.getByRole("menuitem").nth(2).click();
  await picture("d-list");
  await page.locator(".row").waitFor();
  await page.keyboard.press("Escape");
  await page.locator(".header .round").first().click();
  await page.getByRole("menuitem").nth(4).click();
  await picture("e-transcript");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  platform.conversations.add(platform.last, { role: "bot", text: words.size });
  await picture("f-unread");
}

async function sendFiles(page: Page): Promise<void> {
  await page
    .locator("input[type=file]")
    .setInputFiles({ name: "receipt-2291.pdf", mimeType: "application/pdf", buffer: Buffer.alloc(48_000, 1) });
  await page.locator("article .file").waitFor();
}
