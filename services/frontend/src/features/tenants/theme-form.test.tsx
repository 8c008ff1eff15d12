import { expect, it } from "vitest";
import { renderIn } from "../../../tests/render";
import { Preview } from "./theme-form";

function parts(theme: Parameters<typeof Preview>[0]["theme"]) {
  const { container } = renderIn(<Preview theme={theme} />);
  const root = container.firstElementChild as HTMLElement;
  const ground = (part: string) => {
    const found = container.querySelector(`[data-part="${part}"]`);
    return root.style.getPropertyValue(/bg-\[var\((--[\w-]+)\)\]/.exec(found?.className ?? "")?.[1] ?? "none");
  };
  return { root, ground, launcher: container.querySelector('[data-part="launcher"]') };
}

it("paints the parts of the widget as the widget does", () => {
  const { root, ground } = parts({ primary: "#ffe600", accent: "#0044cc" });
  expect(ground("header")).toBe("rgb(255 255 255)");
  expect(ground("mine")).toBe("rgb(255 230 0)");
  expect(ground("launcher")).toBe("rgb(255 230 0)");
  expect(ground("link")).toBe("rgb(0 68 204)");
  expect(root.style.getPropertyValue("--on-primary"), "white could not be read on yellow").toBe("rgb(0 0 0)");
});

it("shows the widget's own colours where nothing is chosen, and the side that is", () => {
  const { ground, launcher } = parts({ primary: null, position: "left" });
  expect(ground("mine")).toBe("rgb(59 76 202)");
  expect(launcher).toHaveClass("mr-auto");
});
