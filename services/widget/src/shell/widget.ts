/** The widget on a page: its button at once, its chat when it is wanted. */

import { themeOf, type WidgetConfig } from "../core/config";
import type { TokenSource, Widget, WidgetEvent, WidgetEventType, WidgetOptions } from "../public";
import { Emitter } from "./emitter";
import type { Chat, ChatHost, ChatModule, Told } from "./host";
import { adopt, createLauncher, type Launcher } from "./launcher";
import { wasActive } from "./memory";

/** A slow platform does not keep the button off the page for longer. */
const PAINT_WITHIN_MS = 1_500;

export function createWidget(options: WidgetOptions, loadChat: () => Promise<ChatModule>): Widget {
  if (!options.tenantId || !options.apiBaseUrl) throw new TypeError("xin widget: tenantId and apiBaseUrl are needed");
  return new Shell(options, loadChat);
}

const HOST_STYLE = [
  ["all", "initial"],
  ["position", "fixed"],
  ["z-index", "2147483000"],
] as const;

class Shell implements Widget, ChatHost {
  readonly version = __VERSION__;
  readonly options: WidgetOptions;
  readonly root: ShadowRoot;
  config: WidgetConfig | null = null;
  token: TokenSource | null;
  locale: string;
  isOpen = false;
  readonly #events = new Emitter();
  readonly #launcher: Launcher;
  readonly #loadChat: () => Promise<ChatModule>;
  readonly #ready: Promise<unknown>;
  #chat: Promise<Chat | null> | null = null;
  #destroyed = false;
  /** Where the focus was when the chat was opened, on a page that has a button of its own for it. */
  #opener: Element | null = null;

  constructor(options: WidgetOptions, loadChat: () => Promise<ChatModule>) {
    this.options = options;
    this.token = options.token ?? null;
    this.locale = options.locale || document.documentElement.lang || navigator.language || "en";
    this.#loadChat = loadChat;
    const element = document.createElement("xin-widget");
    element.dataset["xinWidget"] = "";
    // A page's own rules for its elements would win over those of the shadow root.
    for (const [property, value] of HOST_STYLE) element.style.setProperty(property, value, "important");
    this.root = element.attachShadow({ mode: "open" });
    this.#launcher = createLauncher(this.root, () => this.toggle(), options.nonce);
    const late = setTimeout(() => this.#appear(), PAINT_WITHIN_MS);
    this.#ready = this.loadConfig()
      .then(
        () => this.#appear(),
        (error: unknown) => this.#onNoConfig(error),
      )
      // Painted once more after the chat has begun, the button would lose its count of unread messages.
      .finally(() => clearTimeout(late));
    whenIdle(() => this.#ready.then(() => (wasActive(options) ? this.#load() : null)));
  }

  async loadConfig(): Promise<WidgetConfig> {
    const { apiBaseUrl, tenantId, brandId } = this.options;
    const query = new URLSearchParams({ tenant_id: tenantId, ...(brandId ? { brand_id: brandId } : {}) });
    const response = await fetch(`${apiBaseUrl.replace(/\/+$/, "")}/v1/widget/config?${query}`, {
      credentials: "omit",
    });
    const body = await response.json();
    if (!response.ok) {
      // Too many at once and a platform in trouble pass: the code is that of a refusal.
      const passing = response.status === 429 || response.status >= 500;
      throw Object.assign(new Error(body.detail ?? body.title), passing ? {} : { code: body.code });
    }
    this.config = body as WidgetConfig;
    return this.config;
  }

  on(type: WidgetEventType | "*", listener: (event: never) => void): () => void {
    return this.#events.on(type, listener as (event: WidgetEvent) => void);
  }

  emit(event: Told): boolean {
    return this.#events.emit(event);
  }

  open(): void {
    if (this.isOpen || this.#destroyed || !this.emit({ type: "open" })) return;
    this.isOpen = true;
    this.#opener = document.activeElement;
    this.#launcher.setOpen(true);
    void this.#load().then((chat) => this.isOpen && chat?.show());
  }

  close(): void {
    if (!this.isOpen || !this.emit({ type: "close" })) return;
    this.isOpen = false;
    this.#launcher.setOpen(false);
    void this.#chat?.then((chat) => this.isOpen || chat?.hide());
    if (this.#launcher.element.isConnected) this.#launcher.element.focus();
    else if (this.#opener instanceof HTMLElement) this.#opener.focus();
  }

  toggle(): void {
    if (this.isOpen) this.close();
    else this.open();
  }

  identify(source: TokenSource | null): void {
    this.token = source;
    void this.#chat?.then((chat) => chat?.identify(source));
  }

  setLocale(locale: string): void {
    this.locale = locale;
    this.#paint();
    void this.#chat?.then((chat) => chat?.setLocale(locale));
  }

  setUnread(count: string, label: string): void {
    this.#launcher.setUnread(count, label);
  }

  adopt(css: string): void {
    adopt(this.root, css, this.options.nonce);
  }

  destroy(): void {
    this.#destroyed = true;
    this.isOpen = false;
    this.#events.clear();
    this.root.host.remove();
    void this.#chat?.then((chat) => chat?.destroy());
  }

  #load(): Promise<Chat | null> {
    this.#chat ??= Promise.all([this.#loadChat(), this.#ready]).then(
      ([chat]) => (this.#destroyed ? null : chat.startChat(this)),
      (error: unknown) => {
        this.#chat = null; // tried again at the next press
        this.isOpen = false;
        this.#launcher.setOpen(false);
        this.emit({ type: "error", code: "not_loaded", detail: String(error), fatal: false });
        return null;
      },
    );
    return this.#chat;
  }

  #appear(): void {
    if (this.#destroyed) return;
    this.#paint();
    if (this.root.host.isConnected) return;
    document.body.append(this.root.host);
    if (this.options.launcher === false) return;
    this.root.append(this.#launcher.element);
    for (const hint of ["pointerenter", "focus"]) {
      this.#launcher.element.addEventListener(hint, () => void this.#loadChat().catch(() => {}), { once: true });
    }
  }

  #paint(): void {
    this.#launcher.paint(themeOf(this.config, this.options.theme, this.locale, "en"), this.locale);
  }

  /** A refusal (a page that may not have the widget) leaves the page alone; a platform that is away does not. */
  #onNoConfig(error: unknown): void {
    const code = (error as { code?: string }).code;
    if (!code) return this.#appear();
    this.#destroyed = true;
    this.isOpen = false;
    this.root.host.remove(); // painted meanwhile, where the refusal came late
    console.error(`xin widget: ${(error as Error).message}`);
    this.emit({ type: "error", code, detail: (error as Error).message, fatal: true });
  }
}

function whenIdle(what: () => void): void {
  const later = () =>
    typeof requestIdleCallback === "function" ? requestIdleCallback(what, { timeout: 5_000 }) : setTimeout(what, 1_000);
  if (document.readyState === "complete") later();
  else addEventListener("load", later, { once: true });
}
