/** The chat as its views see it: the client, the words, the configuration, and what is on the screen. */

import type { ConversationSummary } from "../core/api";
import { Api } from "../core/api";
import { Client } from "../core/client";
import { inLanguage, PLAIN_CONFIG, themeOf, type WidgetConfig } from "../core/config";
import { agentOf, unreadCount } from "../core/conversation";
import type { Citation, Hours } from "../core/protocol";
import type { ChatState } from "../core/state";
import { Store } from "../core/store";
import { chooseLocale, loadWords, Words } from "../i18n";
import type { TokenSource, WidgetTheme } from "../public";
import type { ChatHost } from "../shell/host";
import { keepSound, rememberActive, soundWanted } from "../shell/memory";

export type View = "chat" | "list" | "ticket" | "transcript";

/** A line in the thread that is no message: who came and who went. */
export interface Notice {
  readonly afterSeq: number;
  readonly text: string;
}

export interface Screen {
  readonly open: boolean;
  readonly view: View;
  readonly words: Words;
  readonly config: WidgetConfig;
  readonly source: Citation | null;
  readonly menuOpen: boolean;
  /** What the visitor writes: kept while another page of the panel is open, and no other visitor's. */
  readonly draft: string;
  /** The form before the chat was filled in, or is not asked for. */
  readonly introduced: boolean;
  readonly notices: readonly Notice[];
  /** What a screen reader is told next. */
  readonly announcement: string;
  readonly soundOn: boolean;
  /** The score given, by conversation. */
  readonly rated: Readonly<Record<string, number>>;
  readonly csatPrevented: boolean;
  /** A short word of why something did not work. */
  readonly toast: string;
}

export class ChatModel {
  readonly host: ChatHost;
  readonly client: Client;
  readonly screen: Store<Screen>;

  constructor(host: ChatHost) {
    this.host = host;
    const { options } = host;
    const config = host.config ?? PLAIN_CONFIG;
    this.screen = new Store<Screen>({
      open: false,
      view: "chat",
      words: new Words("en"),
      config,
      source: null,
      menuOpen: false,
      draft: "",
      introduced: host.token !== null || !config.pre_chat.enabled,
      notices: [],
      announcement: "",
      soundOn: soundWanted() ?? config.features.sound,
      rated: {},
      csatPrevented: false,
      toast: "",
    });
    this.client = new Client({
      api: new Api(options.apiBaseUrl, options.tenantId, options.brandId),
      tenantId: options.tenantId,
      brandId: options.brandId,
      token: host.token,
      socketUrl: () => socketUrl(options.gatewayUrl ?? this.config.gateway_url, options.apiBaseUrl),
      locale: () => this.words.locale,
      onRetry: (what, attempt, delayMs, count) => host.emit({ type: "retry", what, attempt, delayMs, count }),
      onProblem: ({ code, detail, title }, fatal) => host.emit({ type: "error", code, detail: detail || title, fatal }),
      onNoPerson: () => this.toast(this.words.t("handoff.refused")),
    });
  }

  get words(): Words {
    return this.screen.value.words;
  }

  get config(): WidgetConfig {
    return this.screen.value.config;
  }

  get theme(): WidgetTheme {
    return themeOf(this.config, this.host.options.theme, ...this.textLocales);
  }

  /** The locales in which a tenant's own texts are looked for, best first. */
  get textLocales(): readonly string[] {
    return [this.words.locale, this.config.default_locale, "en"];
  }

  get greeting(): string | undefined {
    return inLanguage(this.config.bot.greeting, ...this.textLocales);
  }

  get botName(): string {
    return this.config.bot.display_name || this.config.brand_name || this.words.t("assistant");
  }

  get hours(): Hours {
    return this.client.state.value.conversation.hours ?? this.config.hours;
  }

  /** How many messages wait to be read; none while the visitor looks at them. */
  get unread(): number {
    const { open, view } = this.screen.value;
    return open && view === "chat" && !document.hidden ? 0 : unreadCount(this.client.state.value.conversation);
  }

  /** The name of whoever is spoken to. */
  counterpart({ conversation }: ChatState): string {
    if (conversation.state !== "human") return this.botName;
    return agentOf(conversation)?.name || this.words.t("agent");
  }

  async speak(locale: string): Promise<void> {
    const { locales, default_locale } = this.config;
    const words = await loadWords(chooseLocale([locale, ...navigator.languages], locales, default_locale));
    this.screen.patch({ words });
    this.label();
  }

  /** The platform did not answer at the start: its configuration is asked for when it does. */
  async catchUp(): Promise<void> {
    if (this.host.config !== null) return;
    try {
      const config = await this.host.loadConfig();
      this.screen.patch({ config, introduced: this.screen.value.introduced || !config.pre_chat.enabled });
      await this.speak(this.host.locale);
    } catch {
      // The plain chat goes on; the next connection asks again.
    }
  }

  /** Name the button in the visitor's language, with the number of unread messages. */
  label(): void {
    const { unread } = this;
    const name = this.theme.launcher_label || this.words.t("launcher.open");
    if (unread === 0) return this.host.setUnread("", name);
    const count = unread > 9 ? `${this.words.number(9)}+` : this.words.number(unread);
    this.host.setUnread(count, `${name}, ${this.words.t("launcher.unread", { n: unread })}`);
  }

  identify(source: TokenSource | null): void {
    this.client.identify(source);
    this.screen.patch({
      notices: [],
      rated: {},
      view: "chat",
      draft: "",
      introduced: source !== null || !this.config.pre_chat.enabled,
    });
  }

  say(text: string): void {
    rememberActive(this.host.options);
    this.client.say(text);
    this.screen.patch({ view: "chat" });
  }

  sendFile(file: File): void {
    rememberActive(this.host.options);
    this.client.sendFile({ name: file.name, size: file.size, type: file.type, blob: file });
  }

  askForPerson(): void {
    if (!this.host.emit({ type: "handoff" })) return;
    this.screen.patch({ menuOpen: false });
    if (!this.hours.open_now) return this.show("ticket");
    rememberActive(this.host.options);
    void this.client.handoff(this.words.t("handoff.words"));
    this.show("chat");
  }

  show(view: View): void {
    this.screen.patch({ view, menuOpen: false, source: null, toast: "" });
  }

  begin(): void {
    this.client.switchTo(null);
    this.screen.patch({ notices: [] });
    this.show("chat");
  }

  resume(conversation: ConversationSummary): void {
    this.client.switchTo(conversation.id);
    this.screen.patch({ notices: [] });
    this.show("chat");
  }

  setSound(soundOn: boolean): void {
    keepSound(soundOn);
    this.screen.patch({ soundOn, menuOpen: false });
  }

  notice(text: string): void {
    const afterSeq = this.client.state.value.conversation.messages.at(-1)?.seq ?? 0;
    this.screen.patch({ notices: [...this.screen.value.notices, { afterSeq, text }] });
    this.announce(text);
  }

  announce(text: string): void {
    // A screen reader says what has changed: the same words twice are another text by a blank at their end.
    this.screen.patch({ announcement: text === this.screen.value.announcement ? `${text}\u00a0` : text });
  }

  toast(toast: string): void {
    this.screen.patch({ toast });
  }

  rated(conversationId: string, score: number, comment: string): void {
    this.screen.patch({ rated: { ...this.screen.value.rated, [conversationId]: score } });
    this.host.emit({ type: "csat", phase: "given", score, comment: comment || null });
  }
}

/** Return the address of `/ws` at a gateway that is named as `wss://`, `https://`, or not at all. */
export function socketUrl(gateway: string, api: string): string {
  const url = new URL(gateway || api);
  url.protocol = url.protocol.replace(/^http/, "ws");
  if (!url.pathname.endsWith("/ws")) url.pathname = `${url.pathname.replace(/\/+$/, "")}/ws`;
  return url.href;
}
