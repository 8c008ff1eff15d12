/** What a chat knows at a moment. */

import type { Link } from "./connection";
import { type Conversation, emptyConversation } from "./conversation";
import type { Outbox } from "./outbox";
import type { Problem } from "./protocol";

export interface ChatState {
  readonly link: Link;
  readonly problem: Problem | null;
  readonly conversation: Conversation;
  /** What is on its way into this conversation. */
  readonly outbox: Outbox;
  /** Messages up to this number were there when the conversation was joined: they are no news. */
  readonly historySeq: number;
  /** How often anything was tried again. */
  readonly retries: number;
  /** The visitor asked for a person and nobody has confirmed it yet. */
  readonly handoffAsked: boolean;
}

export const NOTHING_YET: ChatState = {
  link: "idle",
  problem: null,
  conversation: emptyConversation(),
  outbox: [],
  historySeq: 0,
  retries: 0,
  handoffAsked: false,
};
