import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { patiently } from "./reach";

const answer = vi.fn<() => Promise<Response>>();

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("fetch", answer);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const gone = () => Promise.reject(new TypeError("Failed to fetch dynamically imported module: /console/a.js"));

it("waits for a page's file while nothing answers, and has it when the network is back", async () => {
  answer.mockRejectedValue(new TypeError("Failed to fetch"));
  const load = vi.fn<() => Promise<string>>().mockImplementationOnce(gone).mockImplementationOnce(gone);
  load.mockResolvedValue("the page");
  const page = patiently(load);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(load).toHaveBeenCalledTimes(2);
  dispatchEvent(new Event("online"));
  await expect(page).resolves.toBe("the page");
});

it("leaves a file that the platform has no more to the router, which loads the console anew", async () => {
  answer.mockResolvedValue(new Response());
  await expect(patiently(gone)).rejects.toThrow("dynamically imported module");
});
