/** Where a language begins: its direction, and the corner that the button and the panel share. */

import type { WidgetTheme } from "../public";

const RTL = /^(?:ar|fa|he|iw|ur|ps|ckb|sd|ug|yi|dv)\b/i;

/** Return the direction in which a language is written. */
export const directionOf = (locale: string): "ltr" | "rtl" => (RTL.test(locale) ? "rtl" : "ltr");

/** Return the tenant's corner, else that in which lines of the page's language end. */
export const sideOf = (theme: WidgetTheme, locale: string): "left" | "right" =>
  theme.position ?? (directionOf(locale) === "rtl" ? "left" : "right");
