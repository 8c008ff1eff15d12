import { render } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";
import { keyName, type Shortcuts, useShortcuts } from "./shortcuts";

function Keys({ shortcuts }: { shortcuts: Shortcuts }) {
  useShortcuts(shortcuts);
  return <input aria-label="field" />;
}

it("hears a key outside of fields only, and Ctrl-K everywhere", async () => {
  const next = vi.fn();
  const palette = vi.fn();
  const { getByLabelText } = render(<Keys shortcuts={{ j: next, "mod+k": palette }} />);
  await userEvent.keyboard("j");
  await userEvent.click(getByLabelText("field"));
  await userEvent.keyboard("j");
  await userEvent.keyboard("{Control>}k{/Control}");
  expect(next).toHaveBeenCalledTimes(1);
  expect(palette).toHaveBeenCalledTimes(1);
});

it("hears two keys one after the other", async () => {
  const inbox = vi.fn();
  render(<Keys shortcuts={{ "g i": inbox }} />);
  await userEvent.keyboard("gi");
  expect(inbox).toHaveBeenCalledTimes(1);
});

it("knows a key by its place on a Persian keyboard", () => {
  expect(keyName({ key: "ت", code: "KeyJ", ctrlKey: false, metaKey: false })).toBe("j");
});
