/** Debian's Chromium, driven by Playwright. */

import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";

const EXECUTABLE = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

export const hasBrowser = existsSync(EXECUTABLE);

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: EXECUTABLE, args: ["--no-sandbox", "--disable-gpu"] });
}

/** A page of a shop that has the widget. */
export function shopPage(attributes: Readonly<Record<string, string>>, lang = "en"): string {
  const data = Object.entries(attributes).map(([name, value]) => `data-${name}="${value}"`);
  return `<!doctype html><html lang="${lang}" dir="${lang === "fa" ? "rtl" : "ltr"}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Shop</title></head>
<body><main><h1>Shop</h1><p>A page of somebody else.</p></main>
<script nonce="n0nce" defer src="/embed.js" ${data.join(" ")}></script></body></html>`;
}

/** Wait for the launcher and press it. */
export async function openChat(page: Page): Promise<void> {
  await page.locator(".launcher").click();
  await page.locator(".panel.open").waitFor();
}

/** Write a message and send it. */
export async function say(page: Page, text: string): Promise<void> {
  await page.locator(".composer textarea").fill(text);
  await page.keyboard.press("Enter");
}
