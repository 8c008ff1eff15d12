// @vitest-environment happy-dom
import { act, createElement, StrictMode } from "react";
import { createRoot, type Root } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Widget, WidgetOptions } from "../../src/public";
import { useXinWidget, XinWidgetProvider } from "../../src/sdk/react";

const OPTIONS: WidgetOptions = { tenantId: "t", apiBaseUrl: "https://api.example.com", locale: "en" };
const hosts = () => document.querySelectorAll("[data-xin-widget]").length;
let root: Root;
let seen: Widget | null = null;

function Probe() {
  seen = useXinWidget();
  return null;
}
const app = (options: WidgetOptions) =>
  createElement(StrictMode, null, createElement(XinWidgetProvider, { options }, createElement(Probe)));

beforeEach(() => {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("no network")));
  const place = document.createElement("div");
  document.body.append(place);
  root = createRoot(place);
});
afterEach(() => {
  act(() => root.unmount());
  vi.unstubAllGlobals();
});

describe("the provider", () => {
  it("puts one widget on the page, also in strict mode, and takes it off", async () => {
    act(() => root.render(app(OPTIONS)));
    await vi.waitFor(() => expect(hosts()).toBe(1), { timeout: 30_000 });
    expect(seen?.version).toMatch(/^\d/);
    act(() => root.render(null));
    expect(hosts()).toBe(0);
  });

  it("takes on a new locale, and begins anew for another tenant", async () => {
    act(() => root.render(app(OPTIONS)));
    const first = seen;
    if (!first) throw new Error("there is no widget");
    const setLocale = vi.spyOn(first, "setLocale");
    act(() => root.render(app({ ...OPTIONS, locale: "fa" })));
    expect(seen).toBe(first);
    expect(setLocale).toHaveBeenCalledWith("fa");
    act(() => root.render(app({ ...OPTIONS, tenantId: "other" })));
    expect(seen).not.toBe(first);
    await vi.waitFor(() => expect(hosts()).toBe(1), { timeout: 30_000 });
  });

  it("renders on a server, where there is no widget", () => {
    expect(renderToString(createElement(XinWidgetProvider, { options: OPTIONS }, "content"))).toBe("content");
  });
});
