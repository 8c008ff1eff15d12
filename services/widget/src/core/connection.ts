/** One live connection to `/ws`, made again whenever it is lost, as docs/WEBSOCKET.md asks. */

import { ApiError } from "./api";
import { backoff } from "./backoff";
import { type ClientFrame, type Problem, readFrame, type ServerFrame } from "./protocol";
import { noToken, refreshIn, type Tokens } from "./token";

export type Link = "idle" | "connecting" | "online" | "offline" | "refused";

export interface Place {
  readonly conversationId: string | null;
  readonly afterSeq: number;
}

export interface ConnectionHost {
  /** Asked before each connection; may fail, and is then asked again later. */
  place(): Promise<Place>;
  locale(): string;
  onFrame(frame: ServerFrame): void;
  onLink(link: Link, problem?: Problem): void;
  onRetry(attempt: number, delayMs: number): void;
  /** The server does not know the conversation: it is to be forgotten. */
  onForgotten(): void;
}

const READY_MS = 15_000;
const PING_EVERY_MS = 25_000;
const PONG_MS = 8_000;
/** A connection that held for so long was a good one: the next loss is a first one again. */
const STEADY_MS = 5_000;
const CROWDED_MS = 10_000;
/** Ends that no try mends: a client's mistake, or a page that may not connect. */
const FINAL: Readonly<Record<number, string>> = {
  1009: "frame_too_large",
  4400: "bad_hello",
  4403: "origin_not_allowed",
  4422: "bad_hello",
};

type Timer = ReturnType<typeof setTimeout>;

export class Connection {
  readonly #url: () => string;
  readonly #brandId: string | undefined;
  readonly #tokens: Tokens;
  readonly #host: ConnectionHost;
  #socket: WebSocket | null = null;
  #link: Link = "idle";
  #attempt = 0;
  /** Each connection has a number: what an older one still says is nobody's business. */
  #generation = 0;
  #retryTimer: Timer | undefined;
  #refreshTimer: Timer | undefined;
  #pingTimer: Timer | undefined;
  #deadline: Timer | undefined;
  #steadyTimer: Timer | undefined;
  #comeBackIn: number | null = null;
  #lastProblem: Problem | undefined;

  constructor(url: () => string, brandId: string | undefined, tokens: Tokens, host: ConnectionHost) {
    this.#url = url;
    this.#brandId = brandId;
    this.#tokens = tokens;
    this.#host = host;
  }

  get link(): Link {
    return this.#link;
  }

  /** Connect, unless it is connected or on its way. */
  start(): void {
    if (this.#link === "idle" || this.#link === "refused") void this.#connect();
  }

  /** Connect anew, now: somebody else speaks, or of another conversation. */
  restart(): void {
    this.#drop(1000);
    this.#attempt = 0;
    void this.#connect();
  }

  /** Say goodbye. */
  stop(): void {
    this.#drop(1000);
    this.#set("idle");
  }

  /** The network may be back, or gone without a word: find out at once. */
  probe(): void {
    if (this.#link === "offline") {
      clearTimeout(this.#retryTimer);
      void this.#connect();
    } else if (this.#link === "online") {
      if (navigator.onLine === false) this.#lost();
      else this.#ping();
    }
  }

  /** Send a frame; false when there is no connection to send it on. */
  send(frame: ClientFrame): boolean {
    if (this.#link !== "online" || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  async #connect(): Promise<void> {
    const generation = ++this.#generation;
    const isCurrent = () => generation === this.#generation;
    this.#set("connecting");
    this.#comeBackIn = null;
    this.#lastProblem = undefined;
    try {
      const { token } = await this.#tokens.get();
      const place = await this.#host.place();
      if (isCurrent()) this.#openSocket(token, place, isCurrent);
    } catch (error) {
      if (isCurrent()) this.#onNoToken(error);
    }
  }

  #openSocket(token: string, place: Place, isCurrent: () => boolean): void {
    const socket = new WebSocket(this.#url());
    this.#socket = socket;
    this.#deadline = setTimeout(() => this.#lost(), READY_MS);
    socket.onopen = () => {
      if (isCurrent()) socket.send(JSON.stringify(this.#hello(token, place)));
    };
    socket.onmessage = (event) => {
      const frame = isCurrent() ? readFrame(event.data) : null;
      if (frame) this.#onFrame(frame);
    };
    socket.onclose = (event) => {
      if (isCurrent()) this.#onClose(event.code);
    };
  }

  #hello(token: string, { conversationId, afterSeq }: Place): ClientFrame {
    return {
      type: "hello",
      token,
      locale: this.#host.locale(),
      ...(this.#brandId ? { brand_id: this.#brandId } : {}),
      ...(conversationId ? { conversation_id: conversationId, after_seq: afterSeq } : {}),
    };
  }

  #onFrame(frame: ServerFrame): void {
    if (frame.type === "ready") {
      clearTimeout(this.#deadline);
      this.#steadyTimer = setTimeout(() => {
        this.#attempt = 0;
      }, STEADY_MS);
      this.#scheduleRefresh(frame.expires_at);
      this.#schedulePing();
    } else if (frame.type === "pong") {
      clearTimeout(this.#deadline);
      this.#schedulePing();
    } else if (frame.type === "refreshed") {
      this.#scheduleRefresh(frame.expires_at);
    } else if (frame.type === "shutdown") {
      this.#comeBackIn = frame.retry_after_ms;
    } else if (frame.type === "error" && this.#link === "connecting") {
      this.#lastProblem = frame.problem;
    }
    // What the frame says is known before "online" sets the outbox going.
    this.#host.onFrame(frame);
    if (frame.type === "ready") this.#set("online");
  }

  #onClose(code: number): void {
    const attempt = this.#attempt;
    this.#drop();
    const final = FINAL[code];
    if (final) return this.#refuse({ code: final, title: "", status: 0, detail: `the socket was closed with ${code}` });
    if (code === 4404) this.#host.onForgotten();
    if (code === 4401) return this.#afterRefusedToken();
    let delay = backoff(attempt);
    if (this.#comeBackIn !== null) delay = this.#comeBackIn;
    if (code === 4429) delay = Math.max(CROWDED_MS, delay);
    this.#retryIn(delay);
  }

  /** A token that does not hold is replaced once; a source that only has bad ones is asked less and less often. */
  #afterRefusedToken(): void {
    const delay = backoff(this.#attempt);
    const generation = this.#generation;
    this.#set("offline");
    this.#tokens.fresh().then(
      () => generation === this.#generation && this.#retryIn(delay),
      (error: unknown) => generation === this.#generation && this.#onNoToken(error),
    );
  }

  #onNoToken(error: unknown): void {
    if (!(error instanceof ApiError)) {
      this.#host.onLink(this.#link, noToken(error));
    } else if (!error.passing) {
      return this.#refuse(error.problem);
    }
    if (error instanceof ApiError && error.problem.status === 401) this.#tokens.refused();
    const wish = error instanceof ApiError ? error.retryAfterMs : null;
    this.#retryIn(Math.max(wish ?? 0, backoff(Math.max(1, this.#attempt))));
  }

  #lost(): void {
    const delay = backoff(this.#attempt);
    this.#drop();
    this.#retryIn(delay);
  }

  #retryIn(delayMs: number): void {
    this.#attempt += 1;
    // Set before anybody hears of it: who wants to be back sooner probes, and the timer is taken back.
    this.#retryTimer = setTimeout(() => void this.#connect(), delayMs);
    this.#host.onRetry(this.#attempt, delayMs);
    this.#set("offline");
  }

  #refuse(problem: Problem): void {
    this.#drop();
    this.#set("refused", this.#lastProblem ?? problem);
  }

  /** Let go of the socket and of every timer; with a code the server is told goodbye. */
  #drop(code?: number): void {
    this.#generation += 1;
    for (const timer of [this.#retryTimer, this.#refreshTimer, this.#pingTimer, this.#deadline, this.#steadyTimer])
      clearTimeout(timer);
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    // Only 1000 and codes from 3000 may be said by a page; one that was lost is not said goodbye to.
    socket.close(code ?? 4000);
  }

  #scheduleRefresh(expiresAt: string | null): void {
    clearTimeout(this.#refreshTimer);
    if (expiresAt === null) return;
    this.#refreshTimer = setTimeout(() => void this.#refresh(), refreshIn(Date.parse(expiresAt), Date.now()));
  }

  async #refresh(): Promise<void> {
    const generation = this.#generation;
    try {
      const { token } = await this.#tokens.fresh();
      if (generation === this.#generation) this.send({ type: "refresh", token });
    } catch {
      // Asked again soon; should the token run out meanwhile, the server closes with 4401 and we come back.
      if (generation === this.#generation) this.#refreshTimer = setTimeout(() => void this.#refresh(), PONG_MS);
    }
  }

  #schedulePing(): void {
    clearTimeout(this.#pingTimer);
    this.#pingTimer = setTimeout(() => this.#ping(), PING_EVERY_MS);
  }

  #ping(): void {
    clearTimeout(this.#pingTimer);
    clearTimeout(this.#deadline);
    if (!this.send({ type: "ping" })) return;
    this.#deadline = setTimeout(() => this.#lost(), PONG_MS);
  }

  #set(link: Link, problem?: Problem): void {
    if (this.#link === link && !problem) return;
    this.#link = link;
    this.#host.onLink(link, problem);
  }
}
