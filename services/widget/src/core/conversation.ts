/** A conversation as the server tells it: a pure function from what is known and a frame to what is known then. */

import type { Agent } from "../public";
import type { Message, ServerFrame, Standing } from "./protocol";

export interface Conversation extends Standing {
  readonly id: string | null;
  /** By `seq`, each once. */
  readonly messages: readonly Message[];
  /** How far the visitor has read, and how far the person on the other side. */
  readonly readSeq: number;
  readonly agentReadSeq: number;
  readonly typing: { readonly role: "bot" | "agent"; readonly name: string | null } | null;
  /** The conversation was closed and the visitor may say how it was. */
  readonly csatAsked: boolean;
}

const EMPTY: Conversation = {
  id: null,
  messages: [],
  readSeq: 0,
  agentReadSeq: 0,
  typing: null,
  csatAsked: false,
  state: "bot",
  agent: null,
  queue: null,
  hours: null,
};

/** Return a conversation of which nothing but perhaps its id is known. */
export function emptyConversation(id: string | null = null): Conversation {
  return { ...EMPTY, id };
}

/** Return the `after_seq` to resume by: the last number up to which every message is here and finished. */
export function resumeFrom(conversation: Conversation): number {
  let last = 0;
  for (const message of conversation.messages) {
    if (message.seq !== last + 1 || message.status === "streaming") break;
    last = message.seq;
  }
  return last;
}

/** Return what is known after a frame. A frame that changes nothing returns the same object. */
export function apply(now: Conversation, frame: ServerFrame): Conversation {
  switch (frame.type) {
    case "ready":
      return onReady(now, frame);
    case "message":
      return onMessage(now, frame);
    case "delta":
      return change(now, frame.message_id, (message) =>
        message.status === "streaming" ? { ...message, text: message.text + frame.text } : message,
      );
    case "citation":
      return change(now, frame.message_id, (message) => withCitation(message, frame));
    case "done":
      return onDone(now, frame);
    case "error":
      return onError(now, frame);
    case "typing":
      return { ...now, typing: frame.active ? { role: frame.role ?? "bot", name: frame.name ?? null } : null };
    case "read":
      return onRead(now, frame);
    case "state":
      return onState(now, frame);
    case "agent_joined":
      return { ...now, state: "human", agent: frame.agent ?? now.agent, queue: null, typing: null };
    case "agent_left":
      return { ...now, agent: null, typing: null };
    case "csat_request":
      return { ...now, csatAsked: true };
    case "refreshed":
    case "pong":
    case "shutdown":
      return now;
  }
}

type FrameOf<T extends ServerFrame["type"]> = Extract<ServerFrame, { type: T }>;

function onReady(now: Conversation, frame: FrameOf<"ready">): Conversation {
  const known = frame.conversation_id === now.id ? now : emptyConversation(frame.conversation_id);
  const agent = frame.state === "human" ? known.agent : null;
  return { ...known, readSeq: frame.read_seq, state: frame.state, agent, typing: null };
}

function onMessage(now: Conversation, frame: FrameOf<"message">): Conversation {
  if (now.id !== null && frame.conversation_id !== now.id) return now;
  const { type: _type, ...message } = frame;
  const index = now.messages.findIndex((known) => known.seq >= message.seq);
  const known = now.messages[index];
  const messages =
    known?.seq === message.seq ? now.messages.with(index, message) : insert(now.messages, index, message);
  const typing = message.role === "agent" && now.typing?.role === "agent" ? null : now.typing;
  return { ...now, id: message.conversation_id, messages, typing };
}

function insert(messages: readonly Message[], index: number, message: Message): readonly Message[] {
  return index < 0 ? [...messages, message] : messages.toSpliced(index, 0, message);
}

function withCitation(message: Message, frame: FrameOf<"citation">): Message {
  if (message.citations.some((known) => known.index === frame.index)) return message;
  const { type: _type, message_id: _id, ...citation } = frame;
  return { ...message, citations: [...message.citations, citation] };
}

function onDone(now: Conversation, frame: FrameOf<"done">): Conversation {
  const settled: Conversation = { ...now, typing: now.typing?.role === "bot" ? null : now.typing };
  const { answer, citations, mode, handoff_offered, status } = frame;
  // Where no reply was begun, a frame of mode human bears the question's own id.
  return change(settled, frame.message_id, (message) =>
    message.role === "visitor" ? message : { ...message, text: answer, citations, mode, handoff_offered, status },
  );
}

function onError(now: Conversation, frame: FrameOf<"error">): Conversation {
  if (!frame.message_id) return now;
  return change({ ...now, typing: null }, frame.message_id, (message) =>
    message.status === "streaming" ? { ...message, status: "failed" } : message,
  );
}

function onRead(now: Conversation, frame: FrameOf<"read">): Conversation {
  if (frame.role === "agent") return { ...now, agentReadSeq: Math.max(now.agentReadSeq, frame.seq) };
  return { ...now, readSeq: Math.max(now.readSeq, frame.seq) };
}

function onState(now: Conversation, frame: FrameOf<"state">): Conversation {
  const { state } = frame;
  const agent = unlessSame(now.agent, frame.agent ?? null);
  const queue = unlessSame(now.queue, frame.queue ?? null);
  const hours = unlessSame(now.hours, frame.hours ?? null);
  // A conversation that was opened again is judged when it is closed again.
  return { ...now, state, agent, queue, hours, csatAsked: state === "closed" && now.csatAsked };
}

/** Return the value that is known where the new one says the same: standings are told again and again. */
function unlessSame<T>(known: T, given: T): T {
  return JSON.stringify(known) === JSON.stringify(given) ? known : given;
}

function change(now: Conversation, id: string, how: (message: Message) => Message): Conversation {
  const index = now.messages.findIndex((message) => message.id === id);
  const message = now.messages[index];
  if (!message) return now;
  const changed = how(message);
  return changed === message ? now : { ...now, messages: now.messages.with(index, changed) };
}

/** Whether there is something to show: a reply that was withdrawn is an empty, finished message. */
export function isVisible(message: Message): boolean {
  return message.status === "streaming" || message.text.trim() !== "" || !!message.attachments?.length;
}

/** Return how many messages of the other side the visitor has not read. */
export function unreadCount(conversation: Conversation): number {
  return conversation.messages.filter(
    (message) =>
      message.seq > conversation.readSeq &&
      (message.role === "bot" || message.role === "agent") &&
      message.status !== "streaming" &&
      isVisible(message),
  ).length;
}

/** Return who speaks for the other side now: the person, or the one who wrote last. */
export function agentOf(conversation: Conversation): Agent | null {
  return conversation.state === "human"
    ? (conversation.agent ?? conversation.messages.findLast((m) => m.author)?.author ?? null)
    : null;
}
