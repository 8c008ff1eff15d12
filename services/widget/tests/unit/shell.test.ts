// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { socketUrl } from "../../src/chat/model";
import { themeOf } from "../../src/core/config";
import type { Widget } from "../../src/public";
import type { Chat, ChatHost } from "../../src/shell/host";
import { createWidget } from "../../src/shell/widget";
import { CONFIG } from "../support/config";

const OPTIONS = { tenantId: "t", apiBaseUrl: "https://api.example.com/" };
let widget: Widget;
let host: ChatHost;
const chat = { show: vi.fn(), hide: vi.fn(), identify: vi.fn(), setLocale: vi.fn(), destroy: vi.fn() } satisfies Chat;
const answer = vi.fn();
const until = (check: () => void) => vi.waitFor(check, { timeout: 30_000 });
const launcher = () => document.querySelector("[data-xin-widget]")?.shadowRoot?.querySelector<HTMLElement>(".launcher");

beforeEach(() => {
  vi.clearAllMocks();
  answer.mockResolvedValue({
    ok: true,
    json: () => Promise.resolve({ ...CONFIG, theme: { primary: "#ffcc00", launcher_label: { fa: "پشتیبانی" } } }),
  });
  vi.stubGlobal("fetch", answer);
  widget = createWidget({ ...OPTIONS, locale: "fa" }, () =>
    Promise.resolve({
      startChat: (given: ChatHost) => {
        host = given;
        return chat;
      },
    }),
  );
});
afterEach(() => {
  widget.destroy();
  vi.unstubAllGlobals();
});

describe("the shell", () => {
  it("paints the button as the tenant chose", async () => {
    await until(() => expect(launcher()?.getAttribute("aria-label")).toBe("پشتیبانی"));
    expect(launcher()?.className).toBe("launcher left");
    const style = document.querySelector<HTMLElement>("[data-xin-widget]")?.style;
    expect(style?.getPropertyValue("--on-primary")).toBe("rgb(0 0 0)");
    expect(String(answer.mock.calls[0]?.[0])).toBe("https://api.example.com/v1/widget/config?tenant_id=t");
  });

  it("keeps the count of unread messages in the button's name", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    widget.destroy();
    widget = createWidget(OPTIONS, () =>
      Promise.resolve({
        startChat: (given: ChatHost) => {
          given.setUnread("1", "Open chat, 1 unread message");
          return chat;
        },
      }),
    );
    widget.open();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(launcher()?.getAttribute("aria-label")).toBe("Open chat, 1 unread message");
  });

  it("loads the chat once, when it is wanted, and tells it of all that was said before", async () => {
    widget.identify("token");
    widget.open();
    widget.close();
    widget.open();
    await until(() => expect(chat.show).toHaveBeenCalled());
    expect(host.token).toBe("token");
    widget.setLocale("es");
    await until(() => expect(chat.setLocale).toHaveBeenCalledWith("es"));
    widget.destroy();
    await until(() => expect(chat.destroy).toHaveBeenCalledOnce());
  });

  it("asks its page before it opens and closes", () => {
    const stop = widget.on("open", (event) => event.preventDefault());
    widget.open();
    expect(widget.isOpen).toBe(false);
    stop();
    widget.open();
    expect(widget.isOpen).toBe(true);
    widget.on("close", (event) => event.preventDefault());
    widget.toggle();
    expect(widget.isOpen).toBe(true);
  });

  it.each([
    [503, "not_ready", true],
    [429, "too_many_requests", true],
    [403, "origin_not_allowed", false],
  ])("a platform that answers %i, %s, has its button: %s", async (status, code, appears) => {
    widget.destroy();
    vi.spyOn(console, "error").mockImplementation(() => {});
    const problem = { status, code, title: code, detail: code };
    answer.mockResolvedValue({ ok: false, status, json: () => Promise.resolve(problem) });
    widget = createWidget(OPTIONS, vi.fn());
    const told = vi.fn();
    widget.on("error", told);
    if (appears) await until(() => expect(launcher()).toBeTruthy());
    else await until(() => expect(told).toHaveBeenCalledWith(expect.objectContaining({ code, fatal: true })));
    expect(!!launcher()).toBe(appears);
    expect(told).toHaveBeenCalledTimes(appears ? 0 : 1);
  });

  it("goes on when a listener fails", () => {
    const report = vi.fn();
    vi.stubGlobal("reportError", report);
    const heard = vi.fn();
    widget.on("open", () => {
      throw new Error("the page's own fault");
    });
    widget.on("*", heard);
    widget.open();
    expect(report).toHaveBeenCalledOnce();
    expect(heard).toHaveBeenCalledWith(expect.objectContaining({ type: "open" }));
  });

  it("leaves a page alone that may not have it, and stays where the platform is only in trouble", async () => {
    const began = (status: number) => {
      const json = () => Promise.resolve({ code: "some_code", detail: "said so" });
      answer.mockResolvedValue({ ok: false, status, json });
      widget.destroy();
      widget = createWidget(OPTIONS, vi.fn());
      const fatal = vi.fn();
      widget.on("error", fatal);
      return fatal;
    };
    vi.spyOn(console, "error").mockImplementation(() => {});
    const refused = began(403);
    await until(() => expect(refused).toHaveBeenCalledWith(expect.objectContaining({ fatal: true })));
    expect(launcher()).toBeUndefined();
    for (const status of [429, 503]) {
      const troubled = began(status);
      await until(() => expect(launcher()).toBeDefined());
      expect(troubled).not.toHaveBeenCalled();
    }
  });

  it("needs to know whose it is", () => {
    expect(() => createWidget({ ...OPTIONS, tenantId: "" }, vi.fn())).toThrow("tenantId");
  });
});

describe("addresses and themes", () => {
  it.each([
    ["wss://gateway.example.com", "wss://gateway.example.com/ws"],
    ["https://gateway.example.com/", "wss://gateway.example.com/ws"],
    ["wss://example.com/chat/ws", "wss://example.com/chat/ws"],
    ["", "wss://api.example.com/ws"],
  ])("the gateway %j is reached at %s", (gateway, expected) => {
    expect(socketUrl(gateway, "https://api.example.com")).toBe(expected);
  });

  it("the page's own theme stands above the tenant's, whose nulls are nothing", () => {
    const config = { ...CONFIG, theme: { primary: "#111111", radius: null, launcher_label: { en: "Help" } } };
    expect(themeOf(config, { primary: "#222222" }, "en-GB")).toEqual({ primary: "#222222", launcher_label: "Help" });
  });
});
