/** How quick the widget is on a page: `TIMINGS=1 pnpm timings` prints a table for bench/README.md. */

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, it } from "vitest";
import { hasBrowser, launch, openChat, say, shopPage } from "../support/browser";
import { CONFIG, TENANT } from "../support/config";
import { Platform } from "../support/platform";
import { RETURNS } from "../support/stories";

const ROUNDS = 9;
/** A mid-range phone, as Lighthouse slows a machine down for it. */
const SLOWER = [1, 4];

type Figures = Readonly<Record<string, number>>;

describe.skipIf(!process.env["TIMINGS"] || !hasBrowser)("timings", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser?.close());

  it("are measured", { timeout: 600_000 }, async () => {
    const columns: Figures[] = [];
    for (const slower of SLOWER) {
      const rounds: Figures[] = [];
      for (let round = 0; round < ROUNDS; round += 1) rounds.push(await measure(browser, slower));
      columns.push(median(rounds));
    }
    console.log(
      `| median of ${ROUNDS} | ${SLOWER.map((slower) => `CPU ÷ ${slower}`).join(" | ")} |\n| --- |${" --- |".repeat(SLOWER.length)}`,
    );
    for (const what of Object.keys(columns[0] ?? {})) {
      console.log(`| ${what} | ${columns.map((column) => `${Math.round(column[what] ?? 0)} ms`).join(" | ")} |`);
    }
  });
});

async function measure(browser: Browser, slower: number): Promise<Figures> {
  const platform = new Platform();
  const context = await browser.newContext({ viewport: { width: 1100, height: 800 } });
  try {
    const url = await platform.start();
    platform.config = { ...CONFIG, quick_replies: {} };
    platform.answer = () => RETURNS;
    platform.pace = 0;
    platform.page = shopPage({ tenant: TENANT, api: url });
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send("Emulation.setCPUThrottlingRate", { rate: slower });
    await page.addInitScript(() => {
      Object.assign(window, { busy: 0 });
      const add = (list: PerformanceObserverEntryList) => {
        for (const task of list.getEntries())
          Object.assign(window, { busy: (window as never as { busy: number }).busy + task.duration - 50 });
      };
      new PerformanceObserver(add).observe({ type: "longtask", buffered: true });
    });
    await page.goto(url);
    await page.locator(".launcher").waitFor();
    const launcher = await page.evaluate(() => performance.now());
    const blocked = await page.evaluate(() => (window as never as { busy: number }).busy);
    let started = performance.now();
    await openChat(page);
    await page.locator(".composer textarea:focus").waitFor();
    const open = performance.now() - started;
    await page.locator(".status.online").waitFor();
    const online = performance.now() - started;
    started = performance.now();
    await say(page, "How do I return something?");
    await page.locator(".source-chip").first().waitFor();
    const answered = performance.now() - started;
    const busy = await page.evaluate(() => (window as never as { busy: number }).busy);
    return {
      "launcher on the page, from navigation": launcher,
      "of which tasks blocked the page (above 50 ms)": blocked,
      "press → chat open and focused, nothing cached": open,
      "press → connected": online,
      "question → whole answer with sources on screen": answered,
      "tasks above 50 ms in all of it (their excess)": busy,
    };
  } finally {
    await context.close();
    await platform.stop();
  }
}

function median(rounds: readonly Figures[]): Figures {
  const middle = (what: string) =>
    rounds.map((round) => round[what] ?? 0).sort((a, b) => a - b)[Math.floor(rounds.length / 2)] ?? 0;
  return Object.fromEntries(Object.keys(rounds[0] ?? {}).map((what) => [what, middle(what)]));
}
