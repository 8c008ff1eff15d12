/** The tenant's configuration of the widget, as `GET /v1/widget/config` answers it. */

import type { WidgetTheme } from "../public";
import type { Hours } from "./protocol";

/** A text in several languages, by language. */
export type ByLanguage<T = string> = Readonly<Record<string, T>>;

export interface PreChatField {
  readonly name: string;
  readonly type: "text" | "email" | "tel" | "select";
  readonly label: ByLanguage;
  readonly required: boolean;
  readonly options?: readonly string[];
}

export interface WidgetConfig {
  readonly brand_name: string;
  readonly bot: { readonly display_name: string; readonly avatar_url: string | null; readonly greeting: ByLanguage };
  /** Of what a tenant has not chosen, null. */
  readonly theme: {
    readonly [K in Exclude<keyof WidgetTheme, "launcher_label">]?: WidgetTheme[K] | null;
  } & { readonly launcher_label?: ByLanguage };
  readonly locales: readonly string[];
  readonly default_locale: string;
  readonly features: {
    readonly uploads: boolean;
    readonly handoff: boolean;
    readonly csat: boolean;
    readonly transcript: boolean;
    readonly sound: boolean;
  };
  readonly uploads: { readonly max_bytes: number; readonly types: readonly string[] };
  readonly pre_chat: { readonly enabled: boolean; readonly fields: readonly PreChatField[] };
  readonly quick_replies: ByLanguage<readonly string[]>;
  readonly hours: Hours & { readonly message: ByLanguage };
  /** Whether the brand can write e-mail. */
  readonly mail: boolean;
  readonly gateway_url: string;
}

/** Of a platform that could not be asked yet: a plain chat that promises nothing. */
export const PLAIN_CONFIG: WidgetConfig = {
  brand_name: "",
  bot: { display_name: "", avatar_url: null, greeting: {} },
  theme: {},
  locales: [],
  default_locale: "en",
  features: { uploads: false, handoff: true, csat: true, transcript: false, sound: true },
  uploads: { max_bytes: 0, types: [] },
  pre_chat: { enabled: false, fields: [] },
  quick_replies: {},
  hours: { open_now: true, next_open_at: null, message: {} },
  mail: false,
  gateway_url: "",
};

/** Return how the widget looks: as the page says, else as the tenant chose. */
export function themeOf(
  config: WidgetConfig | null,
  own: WidgetTheme = {},
  ...locales: readonly string[]
): WidgetTheme {
  const { launcher_label = {}, ...theme } = config?.theme ?? {};
  const label = inLanguage(launcher_label, ...locales);
  const chosen = Object.entries({ ...theme, launcher_label: label }).filter(([, value]) => value != null);
  return { ...Object.fromEntries(chosen), ...own };
}

/** Return the text for a locale: its own, its language's, then the fallbacks'; undefined where there is none. */
export function inLanguage<T>(texts: ByLanguage<T>, ...locales: readonly string[]): T | undefined {
  for (const locale of locales) {
    const found = texts[locale] ?? texts[locale.split(/[-_]/)[0]?.toLowerCase() ?? ""];
    if (found !== undefined) return found;
  }
  return undefined;
}
