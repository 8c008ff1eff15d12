/**
 * What is kept in the browser between visits: language, theme, the tenant last looked at, an unread sound. Nothing else
 * is ever written to storage; a test reads the built files for other uses of it.
 */
import { createStore } from "./store";

export type Theme = "auto" | "light" | "dark";

export interface Preferences {
  locale: string | null;
  theme: Theme;
  tenantId: string | null;
}

const KEY = "xin.console";
const FRESH: Preferences = { locale: null, theme: "auto", tenantId: null };

function read(): Preferences {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    if (typeof kept !== "object" || kept === null) return FRESH;
    const { locale, theme, tenantId } = kept as Record<string, unknown>;
    return {
      locale: typeof locale === "string" ? locale : null,
      theme: theme === "light" || theme === "dark" ? theme : "auto",
      tenantId: typeof tenantId === "string" ? tenantId : null,
    };
  } catch {
    // Storage may be forbidden or hold something foreign: the defaults do.
    return FRESH;
  }
}

export const preferences = createStore<Preferences>(read());

/** Change some preferences and keep them. */
export function prefer(change: Partial<Preferences>): void {
  preferences.set({ ...preferences.get(), ...change });
  try {
    localStorage.setItem(KEY, JSON.stringify(preferences.get()));
  } catch {
    // Kept for this visit only.
  }
}
