/** The visitor's token: in memory only, from the host's provider or from the platform's own session. */

import type { TokenSource, VisitorToken } from "../public";
import type { Api, SessionAnswer } from "./api";
import type { Problem } from "./protocol";

export interface HeldToken {
  readonly token: string;
  /** In milliseconds, by this machine's clock; null is not known. */
  readonly expiresAt: number | null;
  readonly visitorId: string | null;
}

/** Refreshed so long before the end, and never sooner or later than these: the two clocks may differ. */
const BEFORE_MS = 60_000;
const SOONEST_MS = 30_000;
const LATEST_MS = 300_000;

export class Tokens {
  #held: HeldToken | null = null;
  #asking: Promise<HeldToken> | null = null;
  #source: TokenSource | null;
  readonly #api: Api;

  constructor(api: Api, source: TokenSource | null) {
    this.#api = api;
    this.#source = source;
  }

  /** Somebody else from now on. */
  use(source: TokenSource | null): void {
    this.#source = source;
    this.#held = null;
    this.#asking = null;
  }

  /** Whether the platform's own anonymous visitor has spoken until now. */
  get anonymous(): boolean {
    return this.#source === null && this.#held !== null;
  }

  /** Return the token in use, or get one where there is none or it has run out. */
  async get(): Promise<HeldToken> {
    const held = this.#held;
    return held && (held.expiresAt === null || held.expiresAt > Date.now()) ? held : this.fresh();
  }

  /** The platform does not take the token in use: the next one who asks gets another. */
  refused(): void {
    this.#held = null;
  }

  /** Get a new one; whoever asks meanwhile gets the same. */
  fresh(): Promise<HeldToken> {
    if (this.#asking) return this.#asking;
    const asking = this.#ask().then(
      (held) => {
        if (this.#asking === asking) {
          this.#held = held;
          this.#asking = null;
        }
        return held;
      },
      (error: unknown) => {
        if (this.#asking === asking) this.#asking = null;
        throw error;
      },
    );
    this.#asking = asking;
    return asking;
  }

  /** Use a token that the platform gave in exchange for the one in use. */
  take(session: SessionAnswer): void {
    this.#held = held(session, session.visitor_id);
  }

  async #ask(): Promise<HeldToken> {
    const source = this.#source;
    if (source === null) {
      const session = await this.#api.session();
      return held(session, session.visitor_id);
    }
    return held(typeof source === "function" ? await source() : source, null);
  }
}

/** Return why there is no token, when the host's own provider failed. */
export function noToken(error: unknown): Problem {
  return { code: "no_token", title: "", status: 0, detail: String(error) };
}

/** Return in how many milliseconds a token is to be refreshed. */
export function refreshIn(expiresAt: number | null, now: number): number {
  if (expiresAt === null) return LATEST_MS;
  return Math.min(LATEST_MS, Math.max(SOONEST_MS, expiresAt - now - BEFORE_MS));
}

function held(given: string | VisitorToken, visitorId: string | null): HeldToken {
  const { token, expires_at } = typeof given === "string" ? { token: given, expires_at: undefined } : given;
  const claims = claimsOf(token);
  const expires = expires_at ? Date.parse(expires_at) : Number(claims?.["exp"]) * 1000;
  const subject = claims?.["sub"];
  return {
    token,
    expiresAt: Number.isFinite(expires) ? expires : null,
    visitorId: visitorId ?? (typeof subject === "string" ? subject : null),
  };
}

function claimsOf(token: string): Record<string, unknown> | null {
  try {
    const payload = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(atob(payload)) as Record<string, unknown>;
  } catch {
    return null;
  }
}
