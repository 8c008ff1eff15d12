import { afterEach, beforeEach, expect, test, vi } from "vitest";

const ANA = { user: { id: "1", email: "ana@shop.example" }, memberships: [] };
const SIGNED = { access_token: "a", expires_in: 3600, user: ANA.user };

const answer = (status: number, body: unknown) => new Response(JSON.stringify(body), { status });

beforeEach(() => vi.resetModules());
afterEach(() => vi.unstubAllGlobals());

test("a session that ended stays one that ended, also when a second request is refused after it", async () => {
  let refused = false;
  vi.stubGlobal("fetch", async (path: string) => {
    if (path === "/auth/me") return answer(200, ANA);
    return refused ? answer(401, { status: 401, code: "unauthorized" }) : answer(200, SIGNED);
  });
  const { session, sessionState } = await import("./session");
  await session.resume();
  expect(sessionState.get().status).toBe("in");

  refused = true;
  expect(await session.renew()).toBe(false);
  expect(await session.renew()).toBe(false);
  expect(sessionState.get()).toEqual({ status: "out", ended: true });

  await session.signOut();
  expect(sessionState.get()).toEqual({ status: "out", ended: false });
});

test("whoever was never signed in is not told that a session has ended", async () => {
  vi.stubGlobal("fetch", async () => answer(401, { status: 401, code: "unauthorized" }));
  const { session, sessionState } = await import("./session");
  await session.resume();
  expect(sessionState.get()).toEqual({ status: "out", ended: false });
});
