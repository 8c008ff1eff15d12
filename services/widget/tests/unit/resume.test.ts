/** Whatever is lost, and whenever: what the visitor sees in the end is what the server has, each message once. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { apply, type Conversation, emptyConversation, resumeFrom } from "../../src/core/conversation";
import * as outgoing from "../../src/core/outbox";
import type { ServerFrame } from "../../src/core/protocol";
import { Conversations, type Conversation as Stored } from "../support/conversations";

type Step =
  | { readonly do: "say" | "serve" | "receive" | "connect" | "begin reply" | "agent" }
  | { readonly do: "delta" | "done"; readonly which: number }
  | { readonly do: "drop"; readonly arrived: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<Step>({ do: "say" }, { do: "begin reply" }, { do: "agent" }) },
  { weight: 6, arbitrary: fc.constantFrom<Step>({ do: "serve" }, { do: "receive" }, { do: "connect" }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("delta" as const, "done" as const), which: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("drop" as const), arrived: fc.nat(3) }) },
);

/** A visitor's page and a server with a line between them that can be cut with frames in it, both ways. */
class World {
  conversation: Conversation = emptyConversation();
  outbox: outgoing.Outbox = [];
  readonly said: string[] = [];
  stored: Stored | null = null;
  #connected = false;
  /** The server's page is in the conversation. */
  #joined = false;
  #toClient: ServerFrame[] = [];
  #toServer: { id: string; text: string }[] = [];
  #replies: ReturnType<Conversations["reply"]>[] = [];
  readonly #server = new Conversations((_, frame) => {
    if (this.#connected && this.#joined) this.#toClient.push(frame);
  });

  run(now: Step): void {
    if (now.do === "say") this.#say();
    else if (now.do === "serve") this.#serve();
    else if (now.do === "receive") this.#receive();
    else if (now.do === "connect") this.#connect();
    else if (now.do === "drop") this.#drop(now.arrived);
    else if (this.stored) this.#answer(now, this.stored);
  }

  /** Connect, and let everything come to rest. */
  settle(): void {
    this.#connect();
    for (const reply of this.#replies) reply.done({ text: "The end." });
    for (let rounds = 0; rounds < 1_000 && (this.#toServer.length || this.#toClient.length); rounds += 1) {
      this.#serve();
      this.#receive();
    }
  }

  #say(): void {
    const text = `message ${this.said.length}`;
    this.said.push(text);
    this.outbox = outgoing.enqueue(this.outbox, { id: `id ${text}`, text, createdAt: "" });
    this.#flush();
  }

  #flush(): void {
    const item = this.#connected ? outgoing.nextToSend(this.outbox, 0) : null;
    if (!item) return;
    this.outbox = outgoing.sending(this.outbox, item.id);
    this.#toServer.push({ id: item.id, text: item.text });
  }

  #serve(): void {
    const frame = this.#toServer.shift();
    if (!frame) return;
    const stored = this.stored ?? this.#server.begin("visitor");
    this.stored = stored;
    if (!this.#server.known("visitor", frame.id)) {
      this.#server.add(stored, { role: "visitor", text: frame.text, client_message_id: frame.id });
    }
    // A page that was in no conversation is in this one now, and is told all of it.
    if (!this.#joined) this.#toClient.push(...framesOf(stored, 0));
    this.#joined = true;
  }

  #receive(): void {
    const frame = this.#toClient.shift();
    if (!frame) return;
    this.conversation = apply(this.conversation, frame);
    if (frame.type === "message" && frame.client_message_id) {
      this.outbox = outgoing.acknowledged(this.outbox, frame.client_message_id);
    }
    if (frame.type === "ready") this.#connected = true;
    this.#flush();
  }

  #answer(now: Step, stored: Stored): void {
    if (now.do === "begin reply") this.#replies.push(this.#server.reply(stored));
    if (now.do === "agent") this.#server.add(stored, { role: "agent", text: "A word." });
    if (now.do === "delta") this.#replies[now.which]?.delta("more ");
    if (now.do === "done") this.#replies.splice(now.which, 1)[0]?.done({ text: "The end." });
  }

  /** The line breaks: the first of what was on its way still arrives, and nobody knows. */
  #drop(arrived: number): void {
    for (let count = 0; count < arrived; count += 1) this.#serve();
    this.#connected = false;
    this.#joined = false;
    this.#toServer = [];
    this.#toClient = [];
    this.outbox = outgoing.disconnected(this.outbox);
  }

  #connect(): void {
    if (this.#connected) return;
    const from = resumeFrom(this.conversation);
    const joins = this.conversation.id !== null && this.stored;
    this.#connected = true;
    this.#joined = !!joins;
    this.#toClient = [
      {
        type: "ready",
        conversation_id: joins ? joins.id : null,
        seq: joins ? joins.messages.length : 0,
        read_seq: 0,
        state: "bot",
        expires_at: null,
      },
      ...(joins ? framesOf(joins, from) : []),
    ];
  }
}

const framesOf = (stored: Stored, after: number): ServerFrame[] =>
  stored.messages.slice(after).map((message) => ({ type: "message", ...message }));

describe("a conversation over a line that breaks", () => {
  it("ends as the server has it, with everything said once and in order", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const world = new World();
        for (const now of steps) world.run(now);
        world.settle();
        expect(world.outbox).toEqual([]);
        expect(world.conversation.messages).toEqual(world.stored?.messages ?? []);
        const mine = world.conversation.messages.filter((message) => message.role === "visitor");
        expect(mine.map((message) => message.text)).toEqual(world.said);
      }),
      { numRuns: 500 },
    );
  });

  it("resumes before the first message that is still being written", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const world = new World();
        for (const now of steps) {
          world.run(now);
          const { messages } = world.conversation;
          const from = resumeFrom(world.conversation);
          expect(messages.slice(0, from).map((message) => message.seq)).toEqual(
            Array.from({ length: from }, (_, i) => i + 1),
          );
          expect(messages.slice(0, from).every((message) => message.status !== "streaming")).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("does not care in which order messages come, nor how often", () => {
    const server = new Conversations(() => {});
    const stored = server.begin("visitor");
    for (let count = 0; count < 6; count += 1) server.add(stored, { role: "bot", text: `message ${count}` });
    const frames = framesOf(stored, 0);
    fc.assert(
      fc.property(fc.shuffledSubarray(frames, { minLength: 6 }), fc.array(fc.constantFrom(...frames)), (all, again) => {
        const known = [...all, ...again].reduce<Conversation>(apply, emptyConversation(stored.id));
        expect(known.messages).toEqual(stored.messages);
      }),
    );
  });
});
