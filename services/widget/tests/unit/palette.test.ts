import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { palette } from "../../src/chat/palette";
import { contrast, parseColour, type Rgb, textOn } from "../../src/shell/colour";

const byte = fc.integer({ min: 0, max: 255 });
const hex = fc.tuple(byte, byte, byte).map((rgb) => `#${rgb.map((v) => v.toString(16).padStart(2, "0")).join("")}`);
const theme = fc.record({ primary: hex, accent: hex, background: hex, text: hex }, { requiredKeys: [] });
const rgb = (css: string | undefined) => (css?.match(/\d+/g) ?? []).map(Number) as unknown as Rgb;

/** Text, the ground it is written on, and the contrast that WCAG 2.2 AA asks for. */
const PAIRS = [
  ["ink", "ground", 4.5],
  ["ink", "bubble", 4.5],
  ["ink", "hover", 4.5],
  ["ink", "raised", 4.5],
  ["muted", "ground", 4.5],
  ["muted", "bubble", 4.5],
  ["muted", "hover", 4.5],
  ["muted", "raised", 4.5],
  ["link", "ground", 4.5],
  ["link", "bubble", 4.5],
  ["link", "tint", 4.5],
  ["on-primary", "primary", 4.5],
  ["error", "ground", 4.5],
  ["edge", "ground", 3],
  ["focus", "ground", 3],
] as const;

describe("colours", () => {
  it("can be read with any theme, light and dark", () => {
    fc.assert(
      fc.property(theme, fc.constantFrom("light" as const, "dark" as const), (given, scheme) => {
        const colours = palette(Object.fromEntries(Object.entries(given).filter(([, value]) => value)), scheme);
        for (const [text, ground, least] of PAIRS) {
          expect(
            contrast(rgb(colours[`--${text}`]), rgb(colours[`--${ground}`])),
            `${text} on ${ground}`,
          ).toBeGreaterThanOrEqual(least);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("are read in both spellings", () => {
    expect(parseColour("#f36")).toEqual([255, 51, 102]);
    expect(parseColour("#ff3366")).toEqual([255, 51, 102]);
    expect(parseColour("red")).toBeNull();
    expect(parseColour("#ff3366;}body{}")).toBeNull();
  });

  it("carry white where they can", () => {
    expect(textOn([59, 76, 202])).toEqual([255, 255, 255]);
    expect(textOn([255, 220, 0])).toEqual([0, 0, 0]);
  });
});
