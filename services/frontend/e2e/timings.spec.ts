/** How quick pages are, as Lighthouse looks at them: `TIMINGS=1 pnpm e2e timings` writes the table of bench/README.md. */
import { readFileSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { DESK, expect, openPage, signInOn, test } from "./fixtures";
import { openShop } from "./shop";

const README = join(import.meta.dirname, "../../../bench/README.md");
const PLACE = /(<!-- page timings -->\n)[\s\S]*?(?=<!-- end -->)/;
const ROUNDS = 5;
/** A mid-range phone, as Lighthouse slows a machine down for it. */
const SLOWER = [1, 4];

test.skip(!process.env.TIMINGS, "measured on demand alone");

interface Paints {
  "first contentful paint": number;
  "largest contentful paint": number;
  load: number;
}

/** From the navigation, in milliseconds. */
const paints = (page: Page) =>
  page.evaluate(
    () =>
      new Promise<Paints>((resolve) =>
        new PerformanceObserver((list) => {
          const [navigation] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
          resolve({
            "first contentful paint": performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0,
            "largest contentful paint": list.getEntries().at(-1)?.startTime ?? 0,
            load: navigation?.loadEventEnd ?? 0,
          });
        }).observe({ type: "largest-contentful-paint", buffered: true }),
      ),
  );

async function timed(act: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await act();
  return performance.now() - begun;
}

test("are measured", async ({ api, browser, platform }) => {
  test.setTimeout(600_000);
  const tenant = await api.makeTenant("Timings");
  const id = await api.ask(tenant.id, "How long can I return an item?", { name: "Jane" });
  const gateway = platform.gateway.replace(/^http/, "ws");
  const shop = await openShop({ tenant: tenant.id, api: platform.url, gateway, locale: "en" });
  const rows = new Map<string, number[][]>();
  const note = (what: string, column: number, milliseconds: number) => {
    const columns = rows.get(what) ?? rows.set(what, [[], []]).get(what);
    columns?.[column]?.push(milliseconds);
  };
  const visit = async (where: string, column: number, go: (page: Page) => Promise<void>) => {
    const page = await openPage(browser, platform, DESK);
    const session = await page.context().newCDPSession(page);
    await session.send("Emulation.setCPUThrottlingRate", { rate: SLOWER[column] ?? 1 });
    await go(page);
    for (const [what, value] of Object.entries(await paints(page))) note(`${where}: ${what}`, column, value);
    return page;
  };
  for (const column of SLOWER.keys()) {
    for (let round = 0; round < ROUNDS; round += 1) {
      const plain = await visit("page with the widget", column, async (page) => {
        await page.goto(shop.url);
        await page.locator(".launcher").waitFor();
      });
      const opening = () =>
        plain
          .locator(".launcher")
          .click()
          .then(() => plain.locator(".panel.open").waitFor());
      note("page with the widget: press → chat open", column, await timed(opening));
      await plain.context().close();
      const desk = await visit("sign-in", column, async (page) => {
        await page.goto("/console/signin");
        await page.locator('input[type="password"]').waitFor();
      });
      await signInOn(desk, platform);
      await desk.goto(`/console/t/${tenant.id}/inbox`);
      await expect(desk.getByText("Jane")).toBeVisible();
      for (const [what, value] of Object.entries(await paints(desk))) note(`inbox: ${what}`, column, value);
      const conversation = async () => {
        await desk.locator("li button").filter({ hasText: "Jane" }).click();
        await desk.getByRole("log").getByText("How long").waitFor();
      };
      note("inbox: press → conversation shown", column, await timed(conversation));
      expect(desk.url()).toContain(id);
      await desk.context().close();
    }
  }
  await shop.stop();
  const middle = (values: number[]) => Math.round(values.toSorted((one, other) => one - other)[ROUNDS >> 1] ?? 0);
  const lines = [...rows].map(
    ([what, columns]) => `| ${what} | ${columns.map((each) => `${middle(each)} ms`).join(" | ")} |`,
  );
  const head = `${new Date().toISOString().slice(0, 10)}, load average ${loadavg()[0]?.toFixed(0)} on 2 cores.\n\n| median of ${ROUNDS} | ${SLOWER.map((each) => `CPU ÷ ${each}`).join(" | ")} |\n| --- |${" ---: |".repeat(SLOWER.length)}`;
  writeFileSync(README, readFileSync(README, "utf8").replace(PLACE, `$1${[head, ...lines].join("\n")}\n`));
});
