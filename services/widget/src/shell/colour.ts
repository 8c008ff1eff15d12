/** Colours as `[red, green, blue]`, 0 to 255, and the contrast that WCAG 2 asks of them. */

export type Rgb = readonly [number, number, number];

/** Read `#rgb` or `#rrggbb`; null is neither. */
export function parseColour(hex: string | undefined): Rgb | null {
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(hex ?? "");
  const long = short
    ? `#${short
        .slice(1)
        .map((d) => d + d)
        .join("")}`
    : hex;
  const digits = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(long ?? "");
  return digits && [toByte(digits[1]), toByte(digits[2]), toByte(digits[3])];
}

const toByte = (hex: string | undefined) => Number.parseInt(hex ?? "0", 16);

/** Return the relative luminance of WCAG 2.2. */
export function luminance(colour: Rgb): number {
  const [r, g, b] = colour.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(a: Rgb, b: Rgb): number {
  const [x, y] = [luminance(a) + 0.05, luminance(b) + 0.05];
  return x > y ? x / y : y / x;
}

/** Return the colour of text on a ground: white where it can be read (4.5), else black, which then can. */
export function textOn(ground: Rgb): Rgb {
  return contrast([255, 255, 255], ground) >= 4.5 ? [255, 255, 255] : [0, 0, 0];
}

export const css = (colour: Rgb) => `rgb(${colour.join(" ")})`;
