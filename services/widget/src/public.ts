/** What a host page sees of the widget: its options, its handle and its events. Nothing here depends on how it is built. */

/** A token of the visitor, as the host's own server got it from `POST /admin/tenants/{id}/embed_token`. */
export interface VisitorToken {
  readonly token: string;
  /** RFC 3339; read from the token itself when it is left out. */
  readonly expires_at?: string | null;
}

/** Called whenever a fresh token is needed: at the start, some time before the last one expires, and after a refusal. */
export type TokenProvider = () => Promise<string | VisitorToken> | string | VisitorToken;

/** A provider, or one token. One token lasts as long as it lasts: prefer a provider. */
export type TokenSource = string | VisitorToken | TokenProvider;

/** How the widget looks; colours are `#rgb` or `#rrggbb`, lengths are pixels. What is left out is the tenant's own. */
export interface WidgetTheme {
  primary?: string;
  accent?: string;
  background?: string;
  text?: string;
  position?: "left" | "right";
  radius?: number;
  scheme?: "light" | "dark" | "auto";
  launcher_label?: string;
}

export interface WidgetOptions {
  tenantId: string;
  /** Where the API answers, such as `https://api.example.com`. */
  apiBaseUrl: string;
  /** Where the gateway answers, such as `wss://gateway.example.com`; the tenant's configuration says it otherwise. */
  gatewayUrl?: string;
  /** BCP 47, such as `fa` or `es-MX`; the page's own language, then the browser's, when it is left out. */
  locale?: string;
  /** The tenant's default brand when it is left out. */
  brandId?: string;
  theme?: WidgetTheme;
  /** Who the visitor is. Without it the platform keeps an anonymous visitor by a cookie of its own. */
  token?: TokenSource;
  /** `false` leaves the button out: the page opens the chat itself. */
  launcher?: boolean;
  /** For style elements, in browsers without constructable style sheets. */
  nonce?: string;
}

export type ConversationState = "bot" | "waiting" | "human" | "closed";

export interface Agent {
  readonly id: string;
  readonly name: string;
  readonly avatar_url: string | null;
}

export interface QueuePlace {
  readonly position: number;
  readonly expected_wait_seconds: number | null;
}

/** A finished message, told once. */
export interface WidgetMessage {
  readonly id: string;
  readonly conversationId: string;
  readonly seq: number;
  readonly role: "visitor" | "bot" | "agent" | "system";
  readonly text: string;
  readonly createdAt: string;
}

/** An event whose effect the host can prevent. */
interface Cancellable {
  readonly defaultPrevented: boolean;
  preventDefault(): void;
}

/** Everything the widget tells, told apart by `type`. */
export type WidgetEvent =
  | { readonly type: "ready"; readonly conversationId: string | null; readonly version: string }
  | ({ readonly type: "open" } & Cancellable)
  | ({ readonly type: "close" } & Cancellable)
  | { readonly type: "message"; readonly message: WidgetMessage }
  | { readonly type: "unread"; readonly count: number }
  /** The visitor asks for a person. */
  | ({ readonly type: "handoff" } & Cancellable)
  | {
      readonly type: "state";
      readonly state: ConversationState;
      readonly agent: Agent | null;
      readonly queue: QueuePlace | null;
    }
  /** `asked` can be prevented: then no question appears. */
  | ({ readonly type: "csat"; readonly phase: "asked" } & Cancellable)
  | { readonly type: "csat"; readonly phase: "given"; readonly score: number; readonly comment: string | null }
  | { readonly type: "error"; readonly code: string; readonly detail: string; readonly fatal: boolean }
  /** Something is tried again. `count` is how often anything was, since the page was opened. */
  | {
      readonly type: "retry";
      readonly what: "connection" | "message" | "file";
      readonly attempt: number;
      readonly delayMs: number;
      readonly count: number;
    };

export type WidgetEventType = WidgetEvent["type"];
export type WidgetEventOf<T extends WidgetEventType> = Extract<WidgetEvent, { type: T }>;
export type WidgetListener<T extends WidgetEventType> = (event: WidgetEventOf<T>) => void;

/** A widget on a page. Methods may be called at any time; what needs the chat waits until it is loaded. */
export interface Widget {
  readonly version: string;
  readonly isOpen: boolean;
  open(): void;
  close(): void;
  toggle(): void;
  /** Says who the visitor is from now on; null is the anonymous visitor again. */
  identify(source: TokenSource | null): void;
  setLocale(locale: string): void;
  /** Listens to a kind of event, or to `*`; the function that comes back ends it. */
  on<T extends WidgetEventType>(type: T, listener: WidgetListener<T>): () => void;
  on(type: "*", listener: (event: WidgetEvent) => void): () => void;
  /** Takes everything off the page. */
  destroy(): void;
}
