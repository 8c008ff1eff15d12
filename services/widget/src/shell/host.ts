/** What the shell, which is always on the page, and the chat, which is loaded when it is needed, know of each other. */

import type { WidgetConfig } from "../core/config";
import type { TokenSource, WidgetEvent, WidgetOptions } from "../public";

/** An event before it is told: `preventDefault` is added where the kind has it. */
export type Told = WidgetEvent extends infer E
  ? E extends unknown
    ? Omit<E, "defaultPrevented" | "preventDefault">
    : never
  : never;

export interface ChatHost {
  readonly options: WidgetOptions;
  readonly root: ShadowRoot;
  readonly config: WidgetConfig | null;
  /** Ask for the configuration again, after the platform did not answer. */
  loadConfig(): Promise<WidgetConfig>;
  readonly token: TokenSource | null;
  readonly locale: string;
  readonly isOpen: boolean;
  /** Tell the page; false when it prevented the effect. */
  emit(event: Told): boolean;
  close(): void;
  /** Show a number at the button (empty: none), and what the button says to those who do not see it. */
  setUnread(count: string, label: string): void;
  /** Put a style sheet into the shadow root. */
  adopt(css: string): void;
}

/** The chat, as the shell drives it. */
export interface Chat {
  show(): void;
  hide(): void;
  identify(source: TokenSource | null): void;
  setLocale(locale: string): void;
  destroy(): void;
}

export interface ChatModule {
  startChat(host: ChatHost): Chat;
}
