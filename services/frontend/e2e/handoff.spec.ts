/** A visitor on a plain page and an agent in the console, from the first question to the rating. */
import { setTimeout as pause } from "node:timers/promises";
import type { Locator, Page } from "@playwright/test";
import en from "../src/locales/en.json" with { type: "json" };
import fa from "../src/locales/fa.json" with { type: "json" };
import type { Api } from "./api";
import { DESK, expect, type Look, openPage, PHONE, signInOn, test } from "./fixtures";
import { Line } from "./line";
import { Chat, openShop, type Told } from "./shop";

test.use({ hasModel: true });

const CUT_MS = 10_000;
/** Between two words of the model: its answer then takes half a minute, and a busy machine comes in time to take over. */
const SLOW_MS = 1_000;
/** Between the words after that. */
const FAST_MS = 50;

const STORIES = {
  en: {
    console: en,
    widget: { handoff: "Talk to a person", finish: "End the conversation", stars: "Great" },
    title: "Returns",
    text: "# Returns\n\nAn item can be returned within 30 days of its arrival. The refund is paid within five days of the return. Return postage is free.",
    asked: "How long can I return an item?",
    answer: "An item can be returned within 30 days of its arrival [1].",
    askedAgain: "And when is the refund paid after the return of an item?",
    long: "The refund is paid within five days of the return [1]. An item can be returned within 30 days of its arrival [1]. Return postage is free [1]. The refund is paid within five days of the return [1].",
    agent: "Sara",
    reply: "Hello, this is Sara.",
    away: [
      "Visitor in the tunnel, one",
      "Visitor in the tunnel, two",
      "Agent in the tunnel, one",
      "Agent in the tunnel, two",
    ],
    problem: "The lamp came broken.",
    comment: "Sara was quick.",
  },
  fa: {
    console: fa,
    widget: { handoff: "گفت‌وگو با یک همکار", finish: "پایان گفت‌وگو", stars: "عالی" },
    title: "بازگشت کالا",
    text: "# بازگشت کالا\n\nکالا را تا ۳۰ روز پس از رسیدن می‌توان پس داد. پول پنج روز پس از بازگشت کالا پرداخت می‌شود. پست بازگشت کالا رایگان است.",
    asked: "کالا را تا چند روز می‌توان پس داد؟",
    answer: "کالا را تا ۳۰ روز پس از رسیدن می‌توان پس داد [1].",
    askedAgain: "پول چند روز پس از بازگشت کالا پرداخت می‌شود؟",
    long: "پول پنج روز پس از بازگشت کالا پرداخت می‌شود [1]. کالا را تا ۳۰ روز پس از رسیدن می‌توان پس داد [1]. پست بازگشت کالا رایگان است [1]. پول پنج روز پس از بازگشت کالا پرداخت می‌شود [1].",
    agent: "سارا",
    reply: "سلام، سارا هستم.",
    away: ["بازدیدکننده در تونل، یک", "بازدیدکننده در تونل، دو", "پشتیبان در تونل، یک", "پشتیبان در تونل، دو"],
    problem: "چراغ شکسته رسید.",
    comment: "سارا سریع بود.",
  },
};

const LOOKS = {
  "English, at a desk": DESK,
  "Persian, on a phone": PHONE,
  "English, on a phone": { ...PHONE, locale: "en" },
  "Persian, at a desk": { ...DESK, locale: "fa" },
} satisfies Record<string, Look>;

for (const [name, look] of Object.entries(LOOKS)) {
  test(`from the question to the rating, with a person in between and the network cut (${name})`, async ({
    api,
    browser,
    model,
    platform,
  }) => {
    test.setTimeout(600_000);
    const story = STORIES[look.locale as "en" | "fa"];
    const words = story.console;
    const tenant = await api.makeTenant(`Handoff ${look.locale}`);
    await api.teach(tenant.default_brand_id, story.title, story.text);
    const agent = await api.makePerson(tenant.id, "agent", story.agent);
    const lines = {
      console: await new Line(new URL(platform.url)).start(),
      api: await new Line(new URL(platform.url)).start(),
      gateway: await new Line(new URL(platform.gateway)).start(),
    };
    const shop = await openShop({
      tenant: tenant.id,
      api: lines.api.url,
      gateway: lines.gateway.url.replace(/^http/, "ws"),
      locale: look.locale,
    });
    const chat = new Chat(await openPage(browser, platform, look));
    const desk = await openPage(browser, { ...platform, url: lines.console.url }, look);

    await test.step("a streamed, cited answer", async () => {
      Object.assign(model, { answer: story.answer, pace: 20 });
      await chat.open(shop.url);
      await expect(chat.page.locator(".panel")).toHaveCSS("direction", look.locale === "fa" ? "rtl" : "ltr");
      await chat.say(story.asked);
      await expect(chat.by("bot", "complete")).toContainText(story.answer.replace(" [1].", ""));
      expect(chat.told.filter((frame) => frame.type === "delta").length).toBeGreaterThan(1);
      await expect(chat.page.locator(".source-chip")).toContainText(story.title);
      await chat.page.locator(".cite").first().click();
      await expect(chat.page.locator(".sheet")).toContainText(story.title);
      await chat.page.keyboard.press("Escape");
    });

    await test.step("a person is asked for; the agent sees who waits, answers, and hands back", async () => {
      await signInOn(desk, agent);
      await chat.choose(story.widget.handoff);
      await expect(chat.page.locator(".banner")).toBeVisible();
      await desk.goto(`/console/t/${tenant.id}/inbox`);
      await desk.locator("li.border-b > button").click();
      await takeOver(desk, words);
      await say(desk, words, story.reply);
      await expect(chat.by("agent")).toContainText(story.reply);
      await desk.getByRole("button", { name: words["inbox.hand_back"] }).click();
      await expect(desk.getByRole("button", { name: words["inbox.take_over"] })).toBeVisible();
    });

    await test.step("taken over in the middle of the bot's answer: nothing of the bot comes after that", async () => {
      Object.assign(model, { answer: story.long, pace: SLOW_MS });
      await chat.say(story.askedAgain);
      await expect(chat.by("bot", "streaming")).toContainText(story.long.slice(0, 8));
      const before = chat.told.length;
      const { left } = model.ended;
      await takeOver(desk, words);
      await expect.poll(() => chat.told.slice(before).some(isTakeover)).toBe(true);
      const at = chat.told.findIndex((frame, index) => index >= before && isTakeover(frame));
      await expect(chat.by("bot", "streaming")).toHaveCount(0);
      await say(desk, words, `${story.reply} 2`);
      await expect(chat.by("agent").last()).toContainText(`${story.reply} 2`);
      model.pace = FAST_MS;
      await pause(SLOW_MS + FAST_MS * story.long.split(" ").length);
      expect(chat.told.slice(at).filter(isOfBot)).toEqual([]);
      expect(await storedTexts(api, tenant.id)).not.toContainEqual(expect.stringContaining(story.long.slice(0, 8)));
      await expect(chat.messages.last()).toHaveAttribute("data-role", "agent");
      await expect(desk.getByRole("log").getByText(words["inbox.stopped"])).toHaveCount(1);
      await expect.poll(() => model.ended.left, "the model is not listened to any longer").toBe(left + 1);
    });

    await test.step("ten seconds without a network on both sides: nothing is lost, doubled or out of order", async () => {
      const [first, second, third, fourth] = story.away as [string, string, string, string];
      for (const line of Object.values(lines)) line.cut();
      await expect(chat.page.locator(".banner.warn")).toBeVisible();
      const begun = Date.now();
      for (const text of [first, second]) await chat.say(text);
      for (const text of [third, fourth]) await say(desk, words, text);
      await expect(chat.page.locator(".pending")).toHaveCount(2);
      await expect(desk.getByText(words["inbox.sending"])).toHaveCount(2);
      await pause(CUT_MS - (Date.now() - begun));
      for (const line of Object.values(lines)) line.mend();
      await expect(chat.page.locator(".pending")).toHaveCount(0, { timeout: 120_000 });
      await expect(desk.getByText(words["inbox.sending"])).toHaveCount(0, { timeout: 120_000 });
      await expect(desk.getByRole("log")).toContainText(second, { timeout: 120_000 });
      await expect(chat.messages.filter({ hasText: fourth })).toHaveCount(1, { timeout: 120_000 });
      const stored = await storedTexts(api, tenant.id);
      expect([...stored].sort()).toEqual([...new Set(stored)].sort());
      expect(stored.filter((text) => [first, second].includes(text))).toEqual([first, second]);
      expect(stored.filter((text) => [third, fourth].includes(text))).toEqual([third, fourth]);
      for (const shown of [chat.page.locator("article .bubble"), desk.getByRole("log").locator("article > div")]) {
        const texts = (await shown.allInnerTexts()).map((text) => text.trim());
        expect(texts.filter((text) => story.away.includes(text))).toEqual(
          stored.filter((text) => story.away.includes(text)),
        );
        expect(new Set(texts).size, "nothing twice").toBe(texts.length);
      }
    });

    await test.step("a ticket is opened from the conversation", async () => {
      const aside = await openAside(desk, words);
      await aside.getByRole("button", { name: words["tickets.new"] }).click();
      const dialog = desk.getByRole("dialog").filter({ has: desk.getByLabel(words["tickets.problem"]) });
      await dialog.getByLabel(words["tickets.problem"]).fill(story.problem);
      await dialog.getByRole("button", { name: words["action.create"] }).click();
      await expect(dialog).toHaveCount(0);
      await expect(aside.getByRole("link").filter({ hasText: "#" })).toBeVisible();
    });

    await test.step("the visitor ends it and says how it was; the agent sees that", async () => {
      await chat.choose(story.widget.finish);
      await chat.page.getByRole("radio", { name: story.widget.stars }).check({ force: true });
      await chat.page.locator(".csat textarea").fill(story.comment);
      await chat.page.locator(".csat button[type=submit]").click();
      await expect(chat.page.locator(".csat")).toHaveCount(0);
      await desk.reload();
      const aside = await openAside(desk, words);
      await expect(aside).toContainText(story.comment);
      await expect(aside.getByRole("img", { name: /5|۵/ })).toBeVisible();
    });

    for (const page of [chat.page, desk]) await page.context().close();
    await Promise.all([shop, ...Object.values(lines)].map((each) => each.stop()));
  });
}

type Words = typeof en;

async function takeOver(desk: Page, words: Words): Promise<void> {
  await desk.getByRole("button", { name: words["inbox.take_over"] }).click();
  await expect(desk.getByRole("button", { name: words["inbox.hand_back"] })).toBeVisible();
}

/** What is known about the conversation: beside it, or on a narrow page behind a button. */
async function openAside(desk: Page, words: Words): Promise<Locator> {
  const button = desk.locator("header").getByRole("button", { name: words["inbox.about"] });
  await expect(desk.getByRole("log")).toBeVisible();
  if (await button.isVisible()) {
    await button.click();
    return desk.getByRole("dialog", { name: words["inbox.about"] });
  }
  return desk.getByRole("complementary", { name: words["inbox.about"] });
}

async function storedTexts(api: Api, tenantId: string): Promise<string[]> {
  const found = await api.call<{ items: { id: string }[] }>(
    "GET",
    `/admin/conversations?tenant_id=${tenantId}&queue=all`,
  );
  const path = `/admin/conversations/${found.items[0]?.id}/messages`;
  const { items } = await api.call<{ items: { seq: number; text: string }[] }>("GET", path);
  return items
    .sort((one, other) => one.seq - other.seq)
    .map((message) => message.text)
    .filter(Boolean);
}

async function say(desk: Page, words: Words, text: string): Promise<void> {
  await desk.getByRole("textbox", { name: words["inbox.reply_label"] }).fill(text);
  await desk.keyboard.press("Control+Enter");
}

const isTakeover = (frame: Told) => frame.type === "state" && frame.state === "human";

function isOfBot({ type, role, active }: Told): boolean {
  if (["delta", "citation"].includes(type)) return true;
  return role === "bot" && (type === "message" || (type === "typing" && active === true));
}
