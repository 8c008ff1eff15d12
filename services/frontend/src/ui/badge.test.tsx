import { render } from "@testing-library/react";
import { expect, it } from "vitest";
import { Avatar, FACES } from "./badge";

/** Relative luminance of `#rrggbb` (WCAG 2.2). */
function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((at) => parseInt(color.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

it.each(FACES)("white letters can be read on %s", (color) => {
  expect(1.05 / (luminance(color) + 0.05)).toBeGreaterThanOrEqual(4.5);
});

it("keeps the letters of a face in their own order", () => {
  const { container } = render(<Avatar name="Saffron & Tile" />);
  expect(container.querySelector("bdi")).toHaveTextContent(/^S&$/);
});
