/**
 * Every page, in four looks: it opens by its address, breaks no rule of the page's policy, and axe finds nothing.
 * With CONSOLE_SCREENS it leaves a picture of each in that folder.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import type { Api } from "./api";
import { violations } from "./axe";
import { complaints, DESK, expect, type Look, openPage, PHONE, test } from "./fixtures";

const PAGES = [
  "start",
  "inbox",
  "tickets",
  "replies",
  "knowledge",
  "gaps",
  "bench",
  "persona",
  "channels",
  "deliveries",
  "webhooks",
  "automation",
  "automation/new",
  "analytics",
  "people",
  "keys",
  "audit",
  "data",
  "settings",
];

const PLATFORM_PAGES = ["account", "tenants", "system", "automation"];

const WORDS = {
  en: {
    source: ["Returns", "# Returns\n\nAn item can be returned within 30 days. The refund is paid within five days."],
    asked: ["How long can I return an item?", "Who discovered the moons of Jupiter?"],
    names: ["Jane Miller", "Omar Haddad"],
    reply: ["hello", "Greeting", "Hello {{visitor.name}}, how can I help?"],
    ticket: ["The lamp came broken", "It does not light up, and the glass has a crack."],
    tags: ["refund", "vip"],
    channel: "Shop",
  },
  fa: {
    source: ["بازگشت کالا", "# بازگشت کالا\n\nکالا را تا ۳۰ روز می‌توان پس داد. پول تا پنج روز بعد پرداخت می‌شود."],
    asked: ["کالا را تا چند روز می‌توان پس داد؟", "ماه‌های مشتری را چه کسی کشف کرد؟"],
    names: ["نرگس محمدی", "آرش کمانگیر"],
    reply: ["salam", "سلام", "سلام {{visitor.name}}، چطور می‌توانم کمک کنم؟"],
    ticket: ["چراغ شکسته رسید", "روشن نمی‌شود و شیشه‌اش ترک دارد."],
    tags: ["بازپرداخت", "VIP"],
    channel: "فروشگاه",
  },
} as const;

/** Puts something on every page; gives what can be opened, by its page. */
async function furnish(api: Api, tenant: { id: string; default_brand_id: string }, locale: "en" | "fa") {
  const words = WORDS[locale];
  const tenant_id = tenant.id;
  const [about, content] = words.source;
  const knowledge = await api.teach(tenant.default_brand_id, about, content);
  const inbox = await api.ask(tenant_id, words.asked[0], {
    id: "jane",
    name: words.names[0],
    email: "jane@example.com",
  });
  await api.ask(tenant_id, words.asked[1], { id: "omar", name: words.names[1] });
  await api.call("POST", "/admin/channels", {
    tenant_id,
    channel_type: "webhook",
    display_name: words.channel,
    credentials: { webhook_url: "https://example.com/in" },
  });
  const [shortcut, title, text] = words.reply;
  await api.call("POST", "/admin/canned_replies", { tenant_id, shortcut, title, text });
  await api.call("PUT", `/admin/conversations/${inbox}/tags`, { tags: words.tags });
  const [subject, problem] = words.ticket;
  const requester = { name: words.names[0], email: "jane@example.com" };
  const made = { tenant_id, conversation_id: inbox, subject, problem, requester, priority: "high" };
  const tickets = (await api.call<{ id: string }>("POST", "/api/tickets", made)).id;
  return { inbox, knowledge, tickets };
}

async function picture(page: Page, name: string, look: Look): Promise<void> {
  const folder = process.env.CONSOLE_SCREENS;
  if (!folder || ![DESK, PHONE].includes(look)) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `console-${name}-${look.locale}-${look.theme}-${look.width}.png`) });
}

/** Both languages of both directions, in both themes, at both widths; pictures are of the first two. */
const LOOKS: Look[] = [DESK, PHONE, { ...DESK, locale: "fa" }, { ...PHONE, locale: "en" }];

for (const look of LOOKS) {
  const name = `${look.locale}, ${look.theme}, ${look.width} px`;

  test(`the sign-in page (${name})`, async ({ browser, platform }) => {
    const page = await openPage(browser, platform, look);
    const found = complaints(page);
    await page.goto("/console/signin");
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.locator("html")).toHaveAttribute("dir", look.locale === "fa" ? "rtl" : "ltr");
    await picture(page, "signin", look);
    expect(await violations(page)).toEqual([]);
    expect(found).toEqual([]);
    await page.context().close();
  });

  test(`every page (${name})`, async ({ api, signIn }) => {
    test.setTimeout(600_000);
    const tenant = await api.makeTenant(look.locale === "fa" ? "فروشگاه نمونه" : "Acme");
    const opened = await furnish(api, tenant, look.locale === "fa" ? "fa" : "en");
    const page = await signIn(look);
    const found = complaints(page);
    const paths: [string, string][] = [
      ...PAGES.map((each): [string, string] => [each.replaceAll("/", "-"), `/t/${tenant.id}/${each}`]),
      ...Object.entries(opened).map(([each, id]): [string, string] => [
        `${each}-opened`,
        `/t/${tenant.id}/${each}/${id}`,
      ]),
      ...PLATFORM_PAGES.map((each): [string, string] => [`all-${each}`, `/${each}`]),
    ];
    for (const [name, path] of paths) {
      await test.step(name, async () => {
        await page.goto(`/console${path}`);
        await expect(page.getByRole("heading").first()).toBeAttached();
        await expect(page.locator("[data-loading]")).toHaveCount(0);
        expect(
          await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
          "no sideways scrolling",
        ).toBeLessThanOrEqual(0);
        await picture(page, name, look);
        expect(await violations(page)).toEqual([]);
      });
    }
    expect(found).toEqual([]);
  });
}
