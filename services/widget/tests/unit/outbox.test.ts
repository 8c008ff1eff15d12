import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backoff } from "../../src/core/backoff";
import * as outgoing from "../../src/core/outbox";
import { refreshIn } from "../../src/core/token";

const problem = { code: "too_many_requests", title: "", status: 429, detail: "" };
const of = (...ids: string[]) =>
  ids.reduce((outbox, id) => outgoing.enqueue(outbox, { id, text: id, createdAt: "" }), [] as outgoing.Outbox);

describe("the outbox", () => {
  it("sends one at a time, in order", () => {
    let outbox = of("a", "b");
    expect(outgoing.nextToSend(outbox, 0)?.id).toBe("a");
    outbox = outgoing.sending(outbox, "a");
    expect(outgoing.nextToSend(outbox, 0)).toBeNull();
    outbox = outgoing.acknowledged(outbox, "a");
    expect(outgoing.nextToSend(outbox, 0)?.id).toBe("b");
  });

  it("takes nothing twice", () => {
    expect(of("a", "a")).toHaveLength(1);
  });

  it("sends again what was under way when the line broke", () => {
    const outbox = outgoing.disconnected(outgoing.sending(of("a"), "a"));
    expect(outgoing.nextToSend(outbox, 0)).toMatchObject({ id: "a", attempts: 1 });
  });

  it("waits where it was told to, and lets nothing overtake", () => {
    const outbox = outgoing.refused(outgoing.sending(of("a", "b"), "a"), "a", problem, 500);
    expect(outgoing.nextToSend(outbox, 499)).toBeNull();
    expect(outgoing.waitingTime(outbox, 100)).toBe(400);
    expect(outgoing.nextToSend(outbox, 500)?.id).toBe("a");
  });

  it("gives up what is refused for good, and goes on with the next", () => {
    const outbox = outgoing.refused(of("a", "b"), "a", problem, null);
    expect(outbox[0]).toMatchObject({ status: "failed", problem });
    expect(outgoing.nextToSend(outbox, 0)?.id).toBe("b");
    expect(outgoing.nextToSend(outgoing.tryAgain(outbox, "a"), 0)?.id).toBe("a");
    expect(outgoing.discard(outbox, "a").map((item) => item.id)).toEqual(["b"]);
  });

  it("does not let go of what is under way", () => {
    expect(outgoing.discard(outgoing.sending(of("a"), "a"), "a")).toHaveLength(1);
  });
});

describe("waiting", () => {
  it("is none at first, then longer each time, never above half a minute", () => {
    expect(backoff(0)).toBe(0);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
        const delay = backoff(attempt, random);
        expect(delay).toBeGreaterThanOrEqual(500);
        expect(delay).toBeLessThanOrEqual(Math.min(30_000, 1_000 * 2 ** (attempt - 1)));
      }),
    );
  });

  it("refreshes a token in time, whatever the clock of the machine says", () => {
    expect(refreshIn(600_000, 0)).toBe(300_000);
    expect(refreshIn(200_000, 0)).toBe(140_000);
    expect(refreshIn(0, 3_600_000)).toBe(30_000);
    expect(refreshIn(null, 0)).toBe(300_000);
  });
});
