/** What a test of the console may ask for: `platform`, `api`, `signIn`, and a page that fails on a broken rule. */
import { type Browser, test as base, expect, type Page } from "@playwright/test";
import { Api, type Person } from "./api";
import { CHROMIUM } from "./chromium";
import { Model } from "./model";
import { type Platform, startPlatform } from "./platform";
import { Provider } from "./provider";

export interface Look {
  locale: "en" | "fa" | "es";
  theme: "light" | "dark";
  width: number;
}

export const DESK: Look = { locale: "en", theme: "light", width: 1280 };
export const PHONE: Look = { locale: "fa", theme: "dark", width: 390 };

interface WorkerFixtures {
  /** Whether a model writes the answers; without one they come from the knowledge alone. */
  hasModel: boolean;
  model: Model;
  /** Whether one can sign in by way of a provider. */
  hasProvider: boolean;
  provider: Provider;
  platform: Platform;
  api: Api;
}

interface TestFixtures {
  chromium: undefined;
  /** A page of its own browser context, signed in. */
  signIn: (look?: Look, person?: Pick<Person, "email" | "password">) => Promise<Page>;
}

/** Complaints of the browser: broken policy, uncaught errors. Refused requests are the tests' own business. */
export function complaints(page: Page): string[] {
  const found: string[] = [];
  page.on("pageerror", (error) => found.push(String(error)));
  page.on("console", (message) => {
    const text = message.text();
    if (message.type() === "error" && !text.startsWith("Failed to load resource")) found.push(text);
  });
  return found;
}

export async function openPage(browser: Browser, platform: Platform, look: Look): Promise<Page> {
  const context = await browser.newContext({
    baseURL: platform.url,
    locale: look.locale,
    colorScheme: look.theme,
    viewport: { width: look.width, height: look.width < 600 ? 844 : 860 },
    hasTouch: look.width < 600,
  });
  return context.newPage();
}

/** Through the form, as a person would; it ends on a page of a tenant. */
export async function signInOn(page: Page, person: Pick<Person, "email" | "password">): Promise<void> {
  await page.goto("/console/signin");
  await page.locator('input[type="email"]').fill(person.email);
  await page.locator('input[type="password"]').fill(person.password);
  await page.locator('button[type="submit"]').click();
  await page.waitForURL(/\/console\/(t\/|tenants)/);
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  hasModel: [false, { scope: "worker", option: true }],
  model: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names out of the pattern
    async ({}, use) => {
      const model = await new Model().start();
      await use(model);
      await model.stop();
    },
    { scope: "worker" },
  ],
  hasProvider: [false, { scope: "worker", option: true }],
  provider: [
    // biome-ignore lint/correctness/noEmptyPattern: as above
    async ({}, use) => {
      const provider = await new Provider().start();
      await use(provider);
      await provider.stop();
    },
    { scope: "worker" },
  ],
  platform: [
    async ({ hasModel, model, hasProvider, provider }, use) => {
      if (!CHROMIUM) {
        await use({ url: "", gateway: "", email: "", password: "", output: () => "", stop: async () => undefined });
        return;
      }
      // Programs that a test starts take webhooks on the loopback address.
      const platform = await startPlatform({
        XIN_FETCH_ALLOW_HOSTS: "127.0.0.1",
        ...(hasModel && model.settings),
        ...(hasProvider && provider.settings),
      });
      await use(platform);
      await platform.stop();
    },
    { scope: "worker", timeout: 300_000 },
  ],
  api: [
    async ({ platform }, use) => {
      await use(platform.url ? await new Api(platform).signIn() : new Api(platform));
    },
    { scope: "worker" },
  ],
  chromium: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names out of the pattern
    async ({}, use, info) => {
      info.skip(!CHROMIUM, "no Chromium here: apt-get install chromium, or set CHROMIUM");
      await use(undefined);
    },
    { auto: true },
  ],
  signIn: async ({ browser, platform }, use) => {
    const opened: Page[] = [];
    await use(async (look = DESK, person = platform) => {
      const page = await openPage(browser, platform, look);
      opened.push(page);
      await signInOn(page, person);
      return page;
    });
    for (const page of opened) await page.context().close();
  },
});

export { expect };
