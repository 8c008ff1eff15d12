/**
 * Who is signed in. The access token lives in this module's memory and nowhere else; what outlives a reload is an
 * HttpOnly cookie that scripts cannot read and only `/auth` is sent.
 */
import { Problem } from "@/api/problem";
import type { components } from "@/api/schema";
import { createStore } from "@/lib/store";

export type Me = components["schemas"]["Me"];
type SignedIn = components["schemas"]["SignedIn"];

/** `ended`: nobody asked to leave; the platform knows the session no more. */
export type SessionState = { status: "starting" } | { status: "out"; ended: boolean } | { status: "in"; me: Me };

/** Renew this many seconds before the token runs out. */
const EARLY = 60;

interface Token {
  value: string;
  endsAt: number;
}

export const sessionState = createStore<SessionState>({ status: "starting" });

let held: Token | null = null;
let renewing: Promise<boolean> | null = null;

/** `X-Xin-Console` proves that no form of another page sent this; see docs/CONSOLE.md. */
async function post(path: string, body?: unknown, token?: string): Promise<Response> {
  const headers = new Headers({ "X-Xin-Console": "1" });
  if (body !== undefined) headers.set("Content-Type", "application/json");
  if (token) headers.set("Authorization", `Bearer ${token}`);
  return fetch(path, { method: "POST", headers, body: body === undefined ? null : JSON.stringify(body) });
}

function hold(signed: SignedIn): void {
  held = { value: signed.access_token, endsAt: Date.now() + signed.expires_in * 1000 };
}

async function enter(signed: SignedIn): Promise<void> {
  hold(signed);
  await reloadMe();
}

/** Ask again who this is: after a change of name, of a membership. */
export async function reloadMe(): Promise<void> {
  const response = await fetch("/auth/me", { headers: { Authorization: `Bearer ${held?.value ?? ""}` } });
  if (!response.ok) throw Problem.from(response, await response.json().catch(() => null));
  const me = (await response.json()) as Me;
  if (held !== null) sessionState.set({ status: "in", me }); // else it was left meanwhile
}

/** So often at most it is looked whether a refusal was for a role that has changed. */
const RECHECK_MS = 5000;
let checkedAt = 0;

/** Somebody was refused: perhaps the role is another one by now, and pages must know. */
async function recheck(): Promise<void> {
  if (sessionState.get().status !== "in" || Date.now() - checkedAt < RECHECK_MS) return;
  checkedAt = Date.now();
  await reloadMe().catch(() => undefined); // who cannot be asked now is asked at the next refusal
}

function leave(ended = false): void {
  held = null;
  sessionState.set({ status: "out", ended });
}

/** The platform knows the session no more; a request that is refused after that must not make it look like a sign-out. */
function expire(): void {
  const { status } = sessionState.get();
  if (status !== "out") leave(status === "in");
}

/** The cookie's token serves once, so two tabs must not use the same one: they take turns. */
async function refresh(): Promise<Response> {
  const ask = () => post("/auth/refresh");
  return navigator.locks ? navigator.locks.request("xin.refresh", ask) : ask();
}

async function renewOnce(): Promise<boolean> {
  let response: Response;
  try {
    response = await refresh();
  } catch {
    // The network is away, the session is not over: whoever asked sees the network's failure.
    if (sessionState.get().status === "starting") leave();
    return false;
  }
  if (!response.ok) {
    // Too many at once, or a server in trouble, ends no session.
    if (response.status < 500 && response.status !== 429) expire();
    else if (sessionState.get().status === "starting") leave();
    return false;
  }
  const signed = (await response.json()) as SignedIn;
  const state = sessionState.get();
  if (state.status !== "in") {
    await enter(signed);
    return true;
  }
  if (state.me.user?.id !== signed.user.id) {
    // In another tab somebody else has signed in, and the cookie is theirs: nothing here may be shown to them or done as them.
    leave();
    return false;
  }
  hold(signed);
  return true;
}

export interface Credentials {
  email: string;
  password: string;
  totp?: string;
}

export const session = {
  /** The present token, renewed shortly before its end; null when nobody is signed in. */
  async token(): Promise<string | null> {
    if (held && Date.now() > held.endsAt - EARLY * 1000) await session.renew();
    return held?.value ?? null;
  },

  /** Get a new token by the cookie; callers that come at once share one request. */
  renew(): Promise<boolean> {
    renewing ??= renewOnce().finally(() => {
      renewing = null;
    });
    return renewing;
  },

  recheck,

  /** Raises the `Problem` of a refusal: `totp_required` asks for a code. */
  async signIn(credentials: Credentials): Promise<void> {
    const response = await post("/auth/login", { ...credentials, cookie: true });
    if (!response.ok) throw Problem.from(response, await response.json().catch(() => null));
    await enter((await response.json()) as SignedIn);
  },

  async signOut(): Promise<void> {
    await post("/auth/logout", undefined, held?.value).catch(() => null);
    leave();
  },

  /** At the first load: are we still signed in from before? */
  async resume(): Promise<void> {
    if (sessionState.get().status === "starting") await session.renew().catch(() => leave());
    if (sessionState.get().status === "starting") leave();
  },
};
