/** The colours of the chat: from a tenant's few, all that is needed, each readable on its ground. */

import type { WidgetTheme } from "../public";
import { contrast, css, luminance, parseColour, type Rgb, textOn } from "../shell/colour";

export type Scheme = "light" | "dark";

const GROUND: Readonly<Record<Scheme, Rgb>> = { light: [255, 255, 255], dark: [22, 23, 27] };
const INK: Readonly<Record<Scheme, Rgb>> = { light: [24, 25, 31], dark: [236, 237, 240] };
const PRIMARY: Rgb = [59, 76, 202];
const READABLE = 4.5;
const GROUND_CONTRAST = 11;

/** Return a colour that is so much of `a` and the rest of `b`. */
export function mix(a: Rgb, b: Rgb, share: number): Rgb {
  return [0, 1, 2].map((i) => Math.round((a[i] ?? 0) * share + (b[i] ?? 0) * (1 - share))) as unknown as Rgb;
}

/** Return the colour itself or, where it cannot be read on a ground, the nearest of its kind that can. */
export function readable(colour: Rgb, ground: Rgb, least = READABLE): Rgb {
  const end: Rgb = luminance(ground) > 0.18 ? [0, 0, 0] : [255, 255, 255];
  for (let share = 1; share > 0; share -= 0.04) {
    const tried = mix(colour, end, share);
    if (contrast(tried, ground) >= least) return tried;
  }
  return end;
}

/** Return a ground of a tenant's, taken so far towards the scheme's own that text, links and hints can be told apart on it. */
function calmed(own: Rgb, scheme: Scheme): Rgb {
  for (let share = 1; share > 0; share -= 0.05) {
    const tried = mix(own, GROUND[scheme], share);
    if (contrast(INK[scheme], tried) >= GROUND_CONTRAST) return tried;
  }
  return GROUND[scheme];
}

/** Return the custom properties of a theme in a scheme. */
export function palette(theme: WidgetTheme, scheme: Scheme): Readonly<Record<string, string>> {
  const own = parseColour(theme.background);
  // A tenant's own ground belongs to the scheme that it was chosen for.
  const fits = own && luminance(own) > 0.18 === (scheme === "light");
  const ground = fits ? calmed(own, scheme) : GROUND[scheme];
  const ink = readable((fits && parseColour(theme.text)) || INK[scheme], ground, 7);
  const primary = parseColour(theme.primary) ?? PRIMARY;
  const accent = parseColour(theme.accent) ?? primary;
  const bubble = mix(ink, ground, scheme === "light" ? 0.055 : 0.1);
  // The muted ink is read on the bubble too, which is the darker ground of the two.
  const muted = readable(mix(ink, ground, 0.6), bubble, 4.6);
  const tint = mix(primary, ground, scheme === "light" ? 0.1 : 0.34);
  const error: Rgb = [200, 30, 40];
  const good: Rgb = [22, 130, 72];
  const colours: Record<string, Rgb> = {
    ground,
    ink,
    muted,
    primary,
    "on-primary": textOn(primary),
    "on-primary-muted": readable(mix(textOn(primary), primary, 0.8), primary),
    link: readable(readable(accent, bubble), tint),
    bubble,
    raised: scheme === "light" ? ground : mix(ink, ground, 0.06),
    hover: mix(ink, ground, scheme === "light" ? 0.045 : 0.09),
    line: mix(ink, ground, scheme === "light" ? 0.1 : 0.16),
    edge: readable(mix(ink, ground, 0.4), ground, 3),
    tint,
    focus: readable(primary, ground, 3),
    error: readable(error, ground),
    good: readable(good, ground),
  };
  return Object.fromEntries(Object.entries(colours).map(([name, colour]) => [`--${name}`, css(colour)]));
}
