import { describe, expect, it } from "vitest";
import { Problem } from "@/api/problem";
import type { Message } from "./api";
import { EMPTY, lastSeq, reduceThread, type Thread, type ThreadAction } from "./thread";
import { OpenThread } from "./threads";

function message(seq: number, part: Partial<Message> = {}): Message {
  return {
    id: `m${seq}`,
    conversation_id: "c",
    seq,
    role: "visitor",
    status: "complete",
    text: `text ${seq}`,
    language: null,
    client_message_id: null,
    reply_to: null,
    mode: null,
    citations: [],
    handoff_offered: false,
    created_at: `2026-01-01T00:00:${String(seq).padStart(2, "0")}Z`,
    completed_at: null,
    author: null,
    attachments: [],
    usage: {},
    content: {},
    edited_at: null,
    deleted_at: null,
    delivery: null,
    ...part,
  };
}

const seqs = (thread: Thread) => thread.messages.map((each) => each.seq);
const reduced = (...actions: ThreadAction[]) => actions.reduce(reduceThread, EMPTY);

describe("a thread", () => {
  it("holds messages once and in order, however they come", () => {
    const thread = reduced(
      { type: "loaded", messages: [message(3), message(4)], full: true },
      { type: "newer", messages: [message(5), message(4)] },
      { type: "older", messages: [message(1), message(2), message(3)], full: false },
      { type: "newer", messages: [message(5)] },
    );
    expect(seqs(thread)).toEqual([1, 2, 3, 4, 5]);
    expect(thread.hasOlder).toBe(false);
    expect(lastSeq(thread)).toBe(5);
  });

  it("shows a message as it was told last", () => {
    const thread = reduced(
      { type: "loaded", messages: [message(1)], full: false },
      { type: "newer", messages: [message(1, { text: "edited" })] },
    );
    expect(thread.messages[0]?.text).toBe("edited");
  });

  it("does not hide a gap: a page that does not reach the old one takes its place", () => {
    const thread = reduced(
      { type: "loaded", messages: [message(1), message(2)], full: false },
      { type: "loaded", messages: [message(70), message(71)], full: true },
    );
    expect(seqs(thread)).toEqual([70, 71]);
    expect(thread.hasOlder).toBe(true);
  });

  it("replaces what is on its way by what was stored, also when the feed is quicker than the answer", () => {
    const sending = {
      type: "sending",
      clientMessageId: "x",
      text: "hi",
      files: [],
      at: "2026-01-01T00:00:00Z",
    } as const;
    const thread = reduced(sending, {
      type: "newer",
      messages: [message(1, { role: "agent", client_message_id: "x" })],
    });
    expect(thread.outgoing).toEqual([]);
    expect(seqs(thread)).toEqual([1]);
  });
});

/** A server that stores by client id, as the platform does, behind a network that fails as told. */
function desk(faults: (() => unknown)[]) {
  const stored: Message[] = [];
  const calls: string[] = [];
  return {
    stored,
    calls,
    thread: new OpenThread("c", {
      list: async () => ({ items: stored }),
      say: async (_id, text, clientId) => {
        calls.push(clientId);
        const fault = faults.shift()?.();
        // Stored, and the answer lost on the way back.
        const known =
          stored.find((each) => each.client_message_id === clientId) ??
          message(stored.length + 1, { role: "agent", text, client_message_id: clientId });
        if (!stored.includes(known) && fault !== "unreached") stored.push(known);
        if (fault === "unreached") throw Problem.network();
        if (fault) throw fault;
        return known;
      },
      pause: async () => undefined,
    }),
  };
}

async function settledThread(thread: OpenThread) {
  for (
    let waited = 0;
    waited < 200 && thread.state.get().outgoing.some((each) => each.failure === undefined);
    waited += 1
  ) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return thread.state.get();
}

describe("sending", () => {
  it("shows a message at once and sends in order", async () => {
    const { thread, stored } = desk([]);
    thread.send("one");
    thread.send("two");
    expect(thread.state.get().outgoing.map((each) => each.text)).toEqual(["one", "two"]);
    const state = await settledThread(thread);
    expect(stored.map((each) => each.text)).toEqual(["one", "two"]);
    expect(state.outgoing).toEqual([]);
    expect(state.messages.map((each) => each.text)).toEqual(["one", "two"]);
  });

  it("tries again with the same id when the network was away, and stores it once", async () => {
    const { thread, calls, stored } = desk([
      () => "unreached",
      () => Problem.network(),
      () => new Problem(503, "unavailable", ""),
    ]);
    thread.send("hello");
    const state = await settledThread(thread);
    expect(new Set(calls).size).toBe(1);
    expect(calls).toHaveLength(4);
    expect(stored).toHaveLength(1);
    expect(state.messages).toHaveLength(1);
  });

  it("keeps a refused message with the platform's words, to send again or drop", async () => {
    const { thread, stored } = desk([() => new Problem(409, "not_yours", "Sara has this conversation")]);
    stored.push(message(1));
    thread.send("hello", [], "id");
    const refused = await settledThread(thread);
    expect(refused.outgoing[0]?.failure).toBe("Sara has this conversation");
    thread.retry("id");
    const state = await settledThread(thread);
    expect(state.outgoing).toEqual([]);
    expect(state.messages.map((each) => each.text)).toContain("hello");
  });
});
