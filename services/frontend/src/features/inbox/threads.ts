/**
 * The threads that are open or were, each with its own sending line: messages leave one after the other, a network that is
 * away is waited for, and the same message sent again has the same id, so that it is stored once.
 */
import { asProblem, type Problem } from "@/api/problem";
import { onForget } from "@/lib/forget";
import { createStore, type Store } from "@/lib/store";
import { listMessages, type Message, PAGE, say } from "./api";
import type { UploadedFile } from "./attach";
import { EMPTY, lastSeq, reduceThread, type Thread, type ThreadAction } from "./thread";

const RETRY_MS = [1000, 2000, 4000, 8000, 15_000];

export interface ThreadCalls {
  list: typeof listMessages;
  say: typeof say;
  pause: (milliseconds: number) => Promise<void>;
}

/** Waits, but not longer than until the network is back. */
function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    function done() {
      clearTimeout(timer);
      removeEventListener("online", done);
      resolve();
    }
    addEventListener("online", done);
  });
}

function worthWaiting(problem: Problem): boolean {
  return problem.code === "network" || problem.status === 429 || problem.status >= 500;
}

export class OpenThread {
  readonly state: Store<Thread> = createStore(EMPTY);
  readonly error: Store<unknown> = createStore<unknown>(null);
  readonly loaded: Store<boolean> = createStore(false);
  #line: Promise<void> = Promise.resolve();
  #looking: Promise<void> | null = null;
  #lookAgain = false;

  constructor(
    readonly conversationId: string,
    private readonly calls: ThreadCalls = { list: listMessages, say, pause },
  ) {}

  #do(action: ThreadAction): void {
    this.state.set(reduceThread(this.state.get(), action));
  }

  /** Let go of everything, also of what waits to be sent: it is not said in the name of whoever signs in next. */
  forget(): void {
    this.state.set(EMPTY);
  }

  /** Read the newest page anew. */
  async load(): Promise<void> {
    try {
      const { items } = await this.calls.list(this.conversationId);
      this.#do({ type: "loaded", messages: items, full: items.length === PAGE });
      this.error.set(null);
      this.loaded.set(true);
    } catch (error) {
      this.error.set(error);
    }
  }

  async loadOlder(): Promise<void> {
    const before = this.state.get().messages[0]?.seq;
    if (before === undefined) return;
    const { items } = await this.calls.list(this.conversationId, { before_seq: before });
    this.#do({ type: "older", messages: items, full: items.length === PAGE });
  }

  /** Read what is new. Calls that come while one is under way share the next one. */
  look(): Promise<void> {
    this.#lookAgain = true;
    this.#looking ??= this.#lookUntilDone().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #lookUntilDone(): Promise<void> {
    while (this.#lookAgain) {
      this.#lookAgain = false;
      if (!this.loaded.get()) {
        await this.load();
        continue;
      }
      const { items } = await this.calls
        .list(this.conversationId, { after_seq: lastSeq(this.state.get()) })
        .catch(() => ({ items: [] as Message[] }));
      if (items.length > 0) this.#do({ type: "newer", messages: items });
      if (items.length === PAGE) this.#lookAgain = true;
    }
  }

  send(text: string, files: readonly UploadedFile[] = [], clientMessageId: string = crypto.randomUUID()): void {
    this.#do({ type: "sending", clientMessageId, text, files, at: new Date().toISOString() });
    this.#queue(clientMessageId);
  }

  retry(clientMessageId: string): void {
    this.#do({ type: "retrying", clientMessageId });
    this.#queue(clientMessageId);
  }

  drop(clientMessageId: string): void {
    this.#do({ type: "dropped", clientMessageId });
  }

  #queue(clientMessageId: string): void {
    this.#line = this.#line.then(() => this.#deliver(clientMessageId));
  }

  async #deliver(clientMessageId: string): Promise<void> {
    for (let tries = 0; ; tries += 1) {
      const waiting = this.state.get().outgoing.find((each) => each.clientMessageId === clientMessageId);
      if (!waiting) return;
      try {
        const message = await this.calls.say(
          this.conversationId,
          waiting.text,
          clientMessageId,
          waiting.files.map((file) => file.id),
        );
        this.#do({ type: "newer", messages: [message] });
        // Its number may not be the next one: what came in between is asked for, not stepped over.
        await this.load();
        return;
      } catch (error) {
        const problem = asProblem(error);
        if (!worthWaiting(problem)) {
          this.#do({ type: "failed", clientMessageId, failure: problem.detail });
          return;
        }
        const wait = RETRY_MS[Math.min(tries, RETRY_MS.length - 1)] ?? 1000;
        await this.calls.pause(problem.retryAfter ? problem.retryAfter * 1000 : wait);
      }
    }
  }
}

const open = new Map<string, OpenThread>();

/** The thread of a conversation: the same for all who ask, with what was typed and not yet sent. */
export function threadOf(conversationId: string): OpenThread {
  let thread = open.get(conversationId);
  if (!thread) {
    thread = new OpenThread(conversationId);
    open.set(conversationId, thread);
  }
  return thread;
}

/** Let go of a conversation that is gone for good. */
export function forgetThread(conversationId: string): void {
  open.get(conversationId)?.forget();
  open.delete(conversationId);
}

onForget(() => {
  for (const thread of open.values()) thread.forget();
  open.clear();
});
