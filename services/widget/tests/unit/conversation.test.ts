import { describe, expect, it } from "vitest";
import {
  agentOf,
  apply,
  type Conversation,
  emptyConversation,
  isVisible,
  unreadCount,
} from "../../src/core/conversation";
import { type Message, readFrame, type ServerFrame } from "../../src/core/protocol";
import { SARA } from "../support/conversations";

const message = (seq: number, what: Partial<Message> = {}): ServerFrame => ({
  type: "message",
  id: `m${seq}`,
  conversation_id: "c1",
  seq,
  role: "bot",
  status: "complete",
  text: `text ${seq}`,
  language: null,
  client_message_id: null,
  mode: null,
  citations: [],
  handoff_offered: false,
  created_at: "2026-03-01T10:00:00.000Z",
  ...what,
});
const source = { index: 1, source_id: "s1", title: "Shipping", url: null, passage: "…" };
const done = (what: Partial<Extract<ServerFrame, { type: "done" }>> = {}): ServerFrame => ({
  type: "done",
  conversation_id: "c1",
  message_id: "m1",
  answer: "Whole.",
  citations: [source],
  mode: "model",
  handoff_offered: true,
  status: "complete",
  ...what,
});
const told = (...frames: ServerFrame[]): Conversation => frames.reduce(apply, emptyConversation());

describe("a reply", () => {
  const streaming = message(1, { status: "streaming", text: "" });

  it("grows by its deltas and is whole with done", () => {
    const partly = told(
      streaming,
      { type: "delta", message_id: "m1", text: "Wh" },
      { type: "delta", message_id: "m1", text: "o" },
    );
    expect(partly.messages[0]).toMatchObject({ text: "Who", status: "streaming" });
    expect(apply(partly, done()).messages[0]).toMatchObject({
      text: "Whole.",
      status: "complete",
      handoff_offered: true,
    });
  });

  it("has each source once", () => {
    const citation: ServerFrame = { type: "citation", message_id: "m1", ...source };
    expect(told(streaming, citation, citation).messages[0]?.citations).toEqual([source]);
  });

  it("that is finished takes no more deltas", () => {
    expect(told(message(1), { type: "delta", message_id: "m1", text: "x" }).messages[0]?.text).toBe("text 1");
  });

  it("that failed says so", () => {
    const problem = { code: "x", title: "", status: 500, detail: "" };
    expect(told(streaming, { type: "error", problem, message_id: "m1" }).messages[0]?.status).toBe("failed");
  });

  it("that was withdrawn is not shown", () => {
    const taken = done({ answer: "", citations: [], mode: "human", status: "interrupted" });
    const [withdrawn] = told(streaming, taken).messages;
    expect(withdrawn && isVisible(withdrawn)).toBe(false);
  });

  it("is not made of the question's own message while a person has the conversation", () => {
    const now = told(message(1, { role: "visitor", text: "Question" }), done({ mode: "human", answer: "" }));
    expect(now.messages[0]?.text).toBe("Question");
  });
});

describe("a conversation", () => {
  it("takes its id from its first message, and no message of another", () => {
    const now = told(message(1), message(2, { conversation_id: "other" }));
    expect(now.id).toBe("c1");
    expect(now.messages).toHaveLength(1);
  });

  it("begins anew when ready names another", () => {
    const ready = { type: "ready", seq: 0, read_seq: 0, state: "bot", expires_at: null } as const;
    expect(apply(told(message(1)), { ...ready, conversation_id: "c2" }).messages).toEqual([]);
    expect(apply(told(message(1)), { ...ready, conversation_id: "c1" }).messages).toHaveLength(1);
  });

  it("counts what the other side wrote and the visitor has not read", () => {
    const frames = [
      message(1),
      message(2, { role: "visitor" }),
      message(3, { role: "agent" }),
      message(4, { text: " " }),
    ];
    expect(unreadCount(told(...frames))).toBe(2);
    expect(unreadCount(told(...frames, { type: "read", seq: 1 }))).toBe(1);
    expect(unreadCount(told(...frames, { type: "read", seq: 9, role: "agent" }))).toBe(2);
  });

  it("knows the person who has it", () => {
    const joined = told(message(1), { type: "agent_joined", agent: SARA });
    expect(agentOf(joined)).toEqual(SARA);
    expect(agentOf(apply(joined, { type: "state", state: "bot", agent: null, queue: null, hours: null }))).toBeNull();
    expect(agentOf(told(message(1, { role: "agent", author: SARA }), { type: "agent_joined" }))).toEqual(SARA);
  });

  it("asks how it was once, and again after it was opened again", () => {
    const standing = { agent: null, queue: null, hours: null };
    const closed = told({ type: "state", state: "closed", ...standing }, { type: "csat_request" });
    expect(closed.csatAsked).toBe(true);
    expect(apply(closed, { type: "state", state: "bot", ...standing }).csatAsked).toBe(false);
  });
});

describe("a frame", () => {
  it.each([
    "",
    "[]",
    "null",
    "7",
    '{"type":"constructor"}',
    '{"type":"news"}',
    '{"type":"delta"}',
    '{"type":"message","id":1}',
  ])("that is not understood is left alone: %s", (data) => expect(readFrame(data)).toBeNull());

  it("is read", () => {
    expect(readFrame('{"type":"pong"}')).toEqual({ type: "pong" });
    expect(readFrame(new ArrayBuffer(2))).toBeNull();
  });
});
