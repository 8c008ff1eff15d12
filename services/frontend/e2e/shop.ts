/** A plain page of somebody else, with the documented snippet; and what is seen of the chat on it. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Locator, Page } from "@playwright/test";

interface Snippet {
  tenant: string;
  api: string;
  gateway: string;
  locale: string;
  brand?: string;
}

export interface Shop {
  url: string;
  stop: () => Promise<void>;
}

export async function openShop({ api, locale, ...rest }: Snippet, title = "Shop"): Promise<Shop> {
  const data = Object.entries({ ...rest, api, locale }).map(([name, value]) => `data-${name}="${value}"`);
  const page = `<!doctype html><html lang="${locale}" dir="${locale === "fa" ? "rtl" : "ltr"}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title></head>
<body><main><h1>Shop</h1></main><script defer src="${api}/embed.js" ${data.join(" ")}></script></body></html>`;
  const server = createServer((_request, response) => {
    response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" }).end(page);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}/`, stop };
}

/** A frame that the gateway sent. */
export interface Told {
  type: string;
  [field: string]: unknown;
}

/** The chat as a visitor uses it; `told` are the frames of the gateway in the order in which they came. */
export class Chat {
  readonly told: Told[] = [];
  readonly messages: Locator;

  constructor(readonly page: Page) {
    this.messages = page.locator("[data-xin-widget] article");
    page.on("websocket", (socket) =>
      socket.on("framereceived", ({ payload }) => this.told.push(JSON.parse(String(payload)) as Told)),
    );
  }

  async open(url: string): Promise<void> {
    await this.page.goto(url);
    await this.page.locator(".launcher").click();
    await this.page.locator(".status.online").waitFor();
  }

  async say(text: string): Promise<void> {
    await this.page.locator(".composer textarea").fill(text);
    await this.page.keyboard.press("Enter");
  }

  /** An entry of the menu, by its name in the page's language. */
  async choose(name: string): Promise<void> {
    await this.page.locator(".header .round").first().click();
    await this.page.getByRole("menuitem", { name, exact: true }).click();
  }

  by(role: "visitor" | "bot" | "agent", status?: "streaming" | "complete" | "interrupted"): Locator {
    return this.page.locator(`article[data-role=${role}]${status ? `[data-status=${status}]` : ""}`);
  }
}
