/** A visitor's chat without a face: the conversation, what is on its way out, and the connection that joins the two. */

import type { TokenSource } from "../public";
import { type Api, ApiError, type Contact, type ConversationSummary } from "./api";
import { backoff } from "./backoff";
import { Connection, type Link } from "./connection";
import { apply, type Conversation, emptyConversation, resumeFrom } from "./conversation";
import { uuid } from "./ids";
import * as outgoing from "./outbox";
import type { Problem, ServerFrame } from "./protocol";
import { type ChatState, NOTHING_YET } from "./state";
import { Store } from "./store";
import { Tabs } from "./tabs";
import { noToken, Tokens } from "./token";
import { TypingSignal } from "./typing";

export interface ClientOptions {
  readonly api: Api;
  readonly tenantId: string;
  readonly brandId: string | undefined;
  readonly token: TokenSource | null;
  readonly socketUrl: () => string;
  readonly locale: () => string;
  readonly onRetry: (what: "connection" | "message" | "file", attempt: number, delayMs: number, count: number) => void;
  readonly onProblem: (problem: Problem, fatal: boolean) => void;
  /** A person was asked for and cannot be had. */
  readonly onNoPerson: () => void;
}

const ACKNOWLEDGED_WITHIN_MS = 15_000;

type Timer = ReturnType<typeof setTimeout>;

export class Client {
  readonly state = new Store<ChatState>(NOTHING_YET);
  readonly #options: ClientOptions;
  readonly #tokens: Tokens;
  readonly #connection: Connection;
  readonly #tabs: Tabs;
  readonly #typing = new TypingSignal((active) => void this.#connection.send({ type: "typing", active }));
  /** What waits for other conversations, until the visitor is in them again: it is never said elsewhere. */
  #elsewhere = new Map<string | null, outgoing.Outbox>();
  #joined = false;
  /** Each visitor has a number: what was asked for an earlier one is nobody's business. */
  #visitor = 0;
  #flushTimer: Timer | undefined;
  #ackTimer: Timer | undefined;
  #handoffTimer: Timer | undefined;
  #upload: AbortController | null = null;
  #contact: Contact = {};
  /** The visitor wants the conversation to end, once everything is said. */
  #finishing = false;
  /** What the anonymous visitor of this page began is to be the signed-in one's. */
  #claiming = false;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#tokens = new Tokens(options.api, options.token);
    this.#tabs = new Tabs(`xin:${options.tenantId}:${options.brandId ?? ""}`, (told) => this.#onTold(told));
    this.#connection = new Connection(options.socketUrl, options.brandId, this.#tokens, {
      place: () => this.#place(),
      locale: options.locale,
      onFrame: (frame) => this.#onFrame(frame),
      onLink: (link, problem) => this.#onLink(link, problem),
      onRetry: (attempt, delayMs) => this.#countRetry("connection", attempt, delayMs),
      onForgotten: () => this.#become(null),
    });
  }

  get api(): Api {
    return this.#options.api;
  }

  /** The bearer of the moment, for calls beside the socket. */
  readonly token = async (): Promise<string> => (await this.#tokens.get()).token;

  start(): void {
    this.#connection.start();
  }

  probe(): void {
    this.#connection.probe();
  }

  destroy(): void {
    this.#connection.stop();
    this.#upload?.abort();
    this.#tabs.close();
    clearTimeout(this.#flushTimer);
    clearTimeout(this.#ackTimer);
    this.#typing.cancel();
    clearTimeout(this.#handoffTimer);
  }

  /** Somebody else speaks from now on. Who was anonymous until then is the same person and goes on where they are. */
  identify(source: TokenSource | null): void {
    this.#claiming = source !== null && (this.#claiming || this.#tokens.anonymous);
    this.#tokens.use(source);
    this.#visitor += 1;
    this.#joined = false;
    this.#become(null);
    if (!this.#claiming) {
      this.#elsewhere.clear();
      this.#contact = {};
      this.state.patch({ outbox: [] });
    }
    if (this.#connection.link !== "idle") this.#connection.restart();
  }

  /** Go on with a conversation; null begins one with the next message. */
  switchTo(id: string | null): void {
    if (id !== null && id === this.state.value.conversation.id) return;
    this.#enter(id, false);
  }

  #enter(id: string | null, takesAlong: boolean): void {
    this.#joined = true;
    this.#become(id, takesAlong);
    this.#connection.restart();
  }

  /** The visitor's conversations, newest first. */
  async conversations(): Promise<readonly ConversationSummary[]> {
    return this.api.conversations(this.token);
  }

  say(text: string): void {
    this.#enqueue(text, null);
  }

  sendFile(file: outgoing.OutgoingFile): void {
    this.#enqueue("", file);
  }

  tryAgain(id: string): void {
    this.#setOutbox(outgoing.tryAgain(this.state.value.outbox, id));
    this.#flush();
  }

  discard(id: string): void {
    this.#setOutbox(outgoing.discard(this.state.value.outbox, id));
  }

  /** The visitor has seen the messages up to this number. */
  read(seq: number): void {
    const { conversation } = this.state.value;
    if (seq <= conversation.readSeq || !this.#connection.send({ type: "read", seq })) return;
    this.state.patch({ conversation: { ...conversation, readSeq: seq } });
  }

  /** A key was pressed in the composer. Told only to a person: a bot does not care. */
  typing(active: boolean): void {
    if (this.state.value.conversation.state === "human") this.#typing.set(active);
  }

  /** Ask for a person. What cannot be asked now is said in `words`, which wait with all that is said. */
  async handoff(words: string): Promise<void> {
    const { link, conversation } = this.state.value;
    this.state.patch({ handoffAsked: true });
    if (conversation.id === null || link !== "online") this.say(words);
    else await this.#askForPerson();
  }

  /** End the conversation: at once, or when the network is back and everything is said. */
  finish(): void {
    this.#finishing = true;
    this.#flush();
  }

  async introduce(fields: Readonly<Record<string, string>>): Promise<void> {
    const { name, email } = fields;
    this.#contact = { ...(name ? { name } : {}), ...(email ? { email } : {}) };
    const visitor = this.#visitor;
    const session = await this.api.introduce(this.token, fields);
    if (visitor !== this.#visitor) return; // somebody else speaks by now
    this.#tokens.take(session);
    this.#connection.send({ type: "refresh", token: session.token });
  }

  get contact(): Contact {
    return this.#contact;
  }

  async #askForPerson(): Promise<void> {
    const { id } = this.state.value.conversation;
    if (id === null) return;
    const contact = Object.keys(this.#contact).length ? { contact: this.#contact } : {};
    try {
      const standing = await this.api.handoff(this.token, id, contact);
      if (this.state.value.conversation.id !== id) return;
      this.state.patch({ conversation: apply(this.state.value.conversation, { type: "state", ...standing }) });
    } catch (error) {
      if (this.state.value.conversation.id !== id) return;
      if (!(error instanceof ApiError) || error.passing) return this.#askLater(error);
      this.#options.onProblem(error.problem, false);
      this.#options.onNoPerson();
    }
    this.state.patch({ handoffAsked: false });
  }

  /** A lost connection asks again when it is back; a platform that is busy is asked in a while. */
  #askLater(error: unknown): void {
    if (this.state.value.link !== "online") return;
    const wishMs = error instanceof ApiError ? error.retryAfterMs : null;
    this.#handoffTimer = setTimeout(() => void this.#askForPerson(), Math.max(wishMs ?? 0, backoff(2)));
  }

  /** Where to go on. The first time the visitor's last open conversation is looked for. */
  async #place(): Promise<{ conversationId: string | null; afterSeq: number }> {
    if (!this.#joined) {
      const visitor = this.#visitor;
      await this.#claim();
      const last = await this.#lastOpen();
      // Meanwhile somebody else may speak, or a conversation have been chosen.
      if (visitor === this.#visitor && !this.#joined) {
        this.#joined = true;
        if (last !== null && this.state.value.conversation.id === null) this.#become(last, true);
      }
    }
    const { conversation } = this.state.value;
    return { conversationId: conversation.id, afterSeq: resumeFrom(conversation) };
  }

  async #claim(): Promise<void> {
    if (!this.#claiming) return;
    try {
      await this.api.claim(this.token);
    } catch (error) {
      // Refused, it stays what it was: the signed-in visitor begins anew.
      if (!(error instanceof ApiError) || error.passing) throw error;
    }
    this.#claiming = false;
  }

  async #lastOpen(): Promise<string | null> {
    try {
      return (await this.conversations()).find((item) => item.state !== "closed")?.id ?? null;
    } catch (error) {
      // A refusal is no reason not to chat; a platform that does not answer is asked again.
      if (error instanceof ApiError && !error.passing) return null;
      throw error;
    }
  }

  /** Be in a conversation. What was said before any was known goes along, where that turns out to be the one meant. */
  #become(id: string | null, takesAlong = false): void {
    clearTimeout(this.#handoffTimer);
    this.#finishing = false;
    const { conversation, outbox } = this.state.value;
    const left = outgoing.disconnected(outbox);
    this.#elsewhere.set(conversation.id, takesAlong ? [] : left);
    const waiting = [...(this.#elsewhere.get(id) ?? []), ...(takesAlong ? left : [])];
    this.#elsewhere.delete(id);
    this.state.patch({ conversation: emptyConversation(id), outbox: waiting, historySeq: 0, handoffAsked: false });
  }

  #onFrame(frame: ServerFrame): void {
    const before = this.state.value.conversation;
    const conversation = apply(before, frame);
    if (frame.type === "ready") this.#onReady(frame.conversation_id !== before.id, conversation, frame.seq);
    else this.state.patch({ conversation });
    if (frame.type === "message" && frame.role === "visitor" && frame.client_message_id) {
      this.#acknowledge(frame.client_message_id);
    }
    if (frame.type === "error" && frame.client_message_id) this.#onRefused(frame.client_message_id, frame.problem);
    if (before.id === null && conversation.id !== null) void this.#onBegun(conversation.id);
  }

  #onReady(isOther: boolean, conversation: Conversation, seq: number): void {
    const first = isOther || this.state.value.conversation.messages.length === 0;
    this.state.patch({ conversation, ...(first ? { historySeq: seq } : {}) });
  }

  async #onBegun(id: string): Promise<void> {
    this.#tabs.tell({ visitorId: await this.#visitorId(), conversationId: id });
    if (this.state.value.handoffAsked) await this.#askForPerson();
  }

  /** Another tab began a conversation: be in the same one, unless this one is in its own. */
  async #onTold(told: { visitorId: string | null; conversationId: string }): Promise<void> {
    const { conversation, outbox } = this.state.value;
    const isFree = (conversation.id === null && outbox.length === 0) || conversation.state === "closed";
    if (!isFree || this.#connection.link === "idle") return;
    const visitorId = await this.#visitorId();
    if (visitorId !== null && visitorId === told.visitorId) this.switchTo(told.conversationId);
  }

  /** Who speaks; null where nobody can be asked just now. */
  async #visitorId(): Promise<string | null> {
    const held = await this.#tokens.get().catch(() => null);
    return held?.visitorId ?? null;
  }

  #onLink(link: Link, problem?: Problem): void {
    this.state.patch({ link, problem: problem ?? null });
    if (problem) this.#options.onProblem(problem, link === "refused");
    clearTimeout(this.#handoffTimer);
    if (link === "online") {
      if (this.state.value.handoffAsked) void this.#askForPerson();
      return this.#flush();
    }
    clearTimeout(this.#ackTimer);
    this.#setOutbox(outgoing.disconnected(this.state.value.outbox));
    this.#upload?.abort();
    this.#upload = null;
  }

  #enqueue(text: string, file: outgoing.OutgoingFile | null): void {
    const { conversation } = this.state.value;
    if (conversation.state === "closed" && conversation.id !== null) this.switchTo(null);
    const item = { id: uuid(), text, file, createdAt: new Date().toISOString() };
    this.#setOutbox(outgoing.enqueue(this.state.value.outbox, item));
    this.start();
    this.#flush();
  }

  #setOutbox(outbox: outgoing.Outbox): void {
    this.state.patch({ outbox });
  }

  #flush(): void {
    clearTimeout(this.#flushTimer);
    const { outbox, link } = this.state.value;
    if (link !== "online") return;
    const now = Date.now();
    const item = outgoing.nextToSend(outbox, now);
    if (item) return this.#send(item);
    const wait = outgoing.waitingTime(outbox, now);
    if (wait !== null) this.#flushTimer = setTimeout(() => this.#flush(), wait);
    else if (this.#finishing && !outgoing.isBusy(outbox)) {
      this.#finishing = !this.#connection.send({ type: "close" });
    }
  }

  #send(item: outgoing.Outgoing): void {
    this.#setOutbox(outgoing.sending(this.state.value.outbox, item.id));
    if (item.attempts > 0) this.#countRetry(item.file ? "file" : "message", item.attempts, 0);
    if (item.file) return void this.#sendFile(item.id, item.text, item.file);
    this.#connection.send({ type: "message", text: item.text, client_message_id: item.id });
    // Its fate is unknown when nothing comes: a new connection asks again, and the server knows the repeat.
    this.#ackTimer = setTimeout(() => this.#connection.restart(), ACKNOWLEDGED_WITHIN_MS);
  }

  async #sendFile(id: string, text: string, file: outgoing.OutgoingFile): Promise<void> {
    const upload = new AbortController();
    this.#upload = upload;
    const onProgress = (share: number) => this.#setOutbox(outgoing.progressed(this.state.value.outbox, id, share));
    const { conversation } = this.state.value;
    try {
      const message = await this.api.upload(this.token, conversation.id, { id, text, file }, onProgress, upload.signal);
      if (upload.signal.aborted) return;
      this.#onUploaded(id, conversation.id, { type: "message", ...message });
    } catch (error) {
      if (upload.signal.aborted) return;
      if (error instanceof ApiError) this.#onRefused(id, error.problem, error.passing, error.retryAfterMs);
      else this.#onRefused(id, noToken(error), true);
    }
  }

  #onUploaded(id: string, into: string | null, frame: ServerFrame & { type: "message" }): void {
    if (into !== null) {
      this.#acknowledge(id);
      return this.#onFrame(frame);
    }
    // The file began the conversation beside the socket: join it, and say there what else was said meanwhile.
    this.#setOutbox(outgoing.acknowledged(this.state.value.outbox, id));
    if (frame.conversation_id !== this.state.value.conversation.id) this.#enter(frame.conversation_id, true);
    else this.#flush();
    void this.#onBegun(frame.conversation_id);
  }

  #acknowledge(id: string): void {
    if (!this.state.value.outbox.some((item) => item.id === id)) return;
    clearTimeout(this.#ackTimer);
    this.#setOutbox(outgoing.acknowledged(this.state.value.outbox, id));
    this.#flush();
  }

  #onRefused(id: string, problem: Problem, passing = isPassing(problem), wishMs: number | null = null): void {
    clearTimeout(this.#ackTimer);
    const item = this.state.value.outbox.find((known) => known.id === id);
    if (!item) return;
    const retryAt = passing ? Date.now() + Math.max(wishMs ?? 0, backoff(item.attempts)) : null;
    this.#setOutbox(outgoing.refused(this.state.value.outbox, id, problem, retryAt));
    if (!passing) this.#options.onProblem(problem, false);
    this.#flush();
  }

  #countRetry(what: "connection" | "message" | "file", attempt: number, delayMs: number): void {
    const retries = this.state.value.retries + 1;
    this.state.patch({ retries });
    this.#options.onRetry(what, attempt, delayMs, retries);
  }
}

/** Whether the same frame may be taken later. */
function isPassing(problem: Problem): boolean {
  return problem.status === 429 || problem.status >= 500;
}
