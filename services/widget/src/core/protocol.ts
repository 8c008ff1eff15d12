/** The frames of `/ws` as docs/WEBSOCKET.md shows them, and the views that the visitors' HTTP API shares with them. */

import type { Agent, ConversationState, QueuePlace } from "../public";

export type Role = "visitor" | "bot" | "agent" | "system";
export type MessageStatus = "complete" | "streaming" | "interrupted" | "failed";

export interface Citation {
  readonly index: number;
  readonly source_id: string;
  readonly title: string;
  readonly url: string | null;
  readonly passage: string;
}

export interface Attachment {
  readonly id: string;
  readonly name: string;
  readonly mime: string;
  readonly size: number;
  readonly status: string;
}

/** Something to press: it says its title for the visitor, or opens `url`. */
export interface Choice {
  readonly title: string;
  readonly id?: string;
  readonly url?: string;
  readonly description?: string;
}

export interface Message {
  readonly id: string;
  readonly conversation_id: string;
  readonly seq: number;
  readonly role: Role;
  readonly status: MessageStatus;
  readonly text: string;
  readonly language: string | null;
  readonly client_message_id: string | null;
  readonly mode: string | null;
  readonly citations: readonly Citation[];
  readonly handoff_offered: boolean;
  readonly created_at: string;
  readonly author?: Agent | null;
  readonly attachments?: readonly Attachment[];
  readonly content?: { readonly choices?: readonly Choice[]; readonly style?: "buttons" | "list" };
}

export interface Hours {
  readonly open_now: boolean;
  readonly next_open_at: string | null;
}

export interface Standing {
  readonly state: ConversationState;
  readonly agent: Agent | null;
  readonly queue: QueuePlace | null;
  readonly hours: Hours | null;
}

/** Why something was refused (RFC 9457). */
export interface Problem {
  readonly code: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
}

export type ServerFrame =
  | {
      readonly type: "ready";
      readonly conversation_id: string | null;
      readonly seq: number;
      readonly read_seq: number;
      readonly state: ConversationState;
      readonly expires_at: string | null;
    }
  | ({ readonly type: "message" } & Message)
  | { readonly type: "delta"; readonly message_id: string; readonly text: string }
  | ({ readonly type: "citation"; readonly message_id: string } & Citation)
  | {
      readonly type: "done";
      readonly conversation_id: string;
      readonly message_id: string;
      readonly answer: string;
      readonly citations: readonly Citation[];
      readonly mode: string;
      readonly handoff_offered: boolean;
      readonly status: MessageStatus;
    }
  | {
      readonly type: "error";
      readonly problem: Problem;
      readonly client_message_id?: string | null;
      readonly message_id?: string | null;
    }
  | { readonly type: "typing"; readonly role: "bot" | "agent"; readonly active: boolean; readonly name?: string | null }
  | { readonly type: "read"; readonly seq: number; readonly role?: "visitor" | "agent" }
  | ({ readonly type: "state" } & Standing)
  | { readonly type: "agent_joined"; readonly agent?: Agent | null }
  | { readonly type: "agent_left" }
  | { readonly type: "csat_request" }
  | { readonly type: "refreshed"; readonly expires_at: string | null }
  | { readonly type: "pong" }
  | { readonly type: "shutdown"; readonly retry_after_ms: number };

export type ClientFrame =
  | {
      readonly type: "hello";
      readonly token: string;
      readonly conversation_id?: string;
      readonly after_seq?: number;
      readonly locale?: string;
      readonly brand_id?: string;
    }
  | { readonly type: "message"; readonly text: string; readonly client_message_id: string }
  | { readonly type: "read"; readonly seq: number }
  | { readonly type: "refresh"; readonly token: string }
  | { readonly type: "typing"; readonly active: boolean }
  | { readonly type: "handoff"; readonly reason?: string }
  | { readonly type: "close" }
  | { readonly type: "ping" };

type Check = (frame: Record<string, unknown>) => boolean;
const isText = (value: unknown): value is string => typeof value === "string";
const isNumber = (value: unknown): value is number => typeof value === "number";
const always: Check = () => true;

/** What a frame must have before it is believed; one of a kind that is not listed is of a newer server, and left alone. */
const CHECKS: Readonly<Record<ServerFrame["type"], Check>> = {
  ready: (f) => isNumber(f["seq"]) && isText(f["state"]),
  message: (f) => isText(f["id"]) && isNumber(f["seq"]) && isText(f["text"]) && isText(f["conversation_id"]),
  delta: (f) => isText(f["message_id"]) && isText(f["text"]),
  citation: (f) => isText(f["message_id"]) && isNumber(f["index"]),
  done: (f) => isText(f["message_id"]) && isText(f["answer"]),
  error: (f) => typeof f["problem"] === "object" && f["problem"] !== null,
  typing: (f) => typeof f["active"] === "boolean",
  read: (f) => isNumber(f["seq"]),
  state: (f) => isText(f["state"]),
  agent_joined: always,
  agent_left: always,
  csat_request: always,
  refreshed: always,
  pong: always,
  shutdown: (f) => isNumber(f["retry_after_ms"]),
};

/** Read a frame of the server; null is one that is not understood. */
export function readFrame(data: unknown): ServerFrame | null {
  if (!isText(data)) return null;
  let frame: unknown;
  try {
    frame = JSON.parse(data);
  } catch {
    return null;
  }
  if (typeof frame !== "object" || frame === null) return null;
  const type = (frame as { type?: unknown }).type;
  if (!isText(type) || !Object.hasOwn(CHECKS, type)) return null;
  return CHECKS[type as ServerFrame["type"]](frame as Record<string, unknown>) ? (frame as ServerFrame) : null;
}
