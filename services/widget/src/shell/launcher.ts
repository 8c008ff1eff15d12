/** The round button that opens the chat. */

import { sideOf } from "../core/direction";
import type { WidgetTheme } from "../public";
import { css, parseColour, textOn } from "./colour";
import styles from "./launcher.css?inline";

const SVG = "http://www.w3.org/2000/svg";
const BUBBLE =
  "M12 3.5c5 0 9 3.4 9 7.8s-4 7.8-9 7.8c-1 0-2-.1-2.9-.4L4.6 20.5l.9-3.7C3.9 15.4 3 13.5 3 11.3c0-4.4 4-7.8 9-7.8Z";
const DOWN = "m6 9.5 6 6 6-6";

export interface Launcher {
  readonly element: HTMLButtonElement;
  paint(theme: WidgetTheme, locale: string): void;
  setOpen(open: boolean): void;
  setUnread(count: string, label: string): void;
}

/** Put a style sheet into a shadow root in a way that a page's policy against inline styles allows. */
export function adopt(root: ShadowRoot, text: string, nonce?: string): void {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  } catch {
    const style = document.createElement("style");
    if (nonce) style.nonce = nonce;
    style.textContent = text;
    root.append(style);
  }
}

function icon(path: string, name: string): SVGElement {
  const svg = document.createElementNS(SVG, "svg");
  const attributes = { viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", class: name, "aria-hidden": "true" };
  for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  line.setAttribute("stroke-width", "1.8");
  line.setAttribute("stroke-linejoin", "round");
  line.setAttribute("stroke-linecap", "round");
  svg.append(line);
  return svg;
}

export function createLauncher(root: ShadowRoot, onPress: () => void, nonce?: string): Launcher {
  adopt(root, styles, nonce);
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("part", "launcher");
  button.setAttribute("aria-haspopup", "dialog");
  button.setAttribute("aria-expanded", "false");
  const badge = document.createElement("span");
  badge.className = "badge";
  button.append(icon(BUBBLE, "bubble"), icon(DOWN, "down"), badge);
  button.addEventListener("click", onPress);
  return {
    element: button,
    paint(theme, locale) {
      const primary = parseColour(theme.primary);
      const style = (root.host as HTMLElement).style;
      if (primary) style.setProperty("--primary", css(primary));
      if (primary) style.setProperty("--on-primary", css(textOn(primary)));
      button.className = `launcher ${sideOf(theme, locale)}`;
      const label =
        theme.launcher_label || __LAUNCHER_LABELS__[locale.split(/[-_]/)[0] ?? ""] || __LAUNCHER_LABELS__["en"] || "";
      button.setAttribute("aria-label", label);
      button.lang = locale;
    },
    setOpen(open) {
      button.setAttribute("aria-expanded", String(open));
    },
    setUnread(count, label) {
      badge.textContent = count;
      button.setAttribute("aria-label", label);
    },
  };
}
