/** Conversations as a platform keeps them, for tests: messages with numbers, replies that stream, people who take over. */

import { randomUUID } from "node:crypto";
import type { Citation, Message, ServerFrame, Standing } from "../../src/core/protocol";
import type { Agent, ConversationState } from "../../src/public";

export interface Conversation {
  readonly id: string;
  visitor: string;
  readonly messages: Message[];
  standing: Standing;
  readSeq: number;
  agentReadSeq: number;
}

export interface Answer {
  readonly text: string;
  readonly citations?: readonly Citation[];
  readonly handoffOffered?: boolean;
  readonly content?: Message["content"];
}

export type Listener = (conversation: Conversation, frame: ServerFrame) => void;

export const SARA: Agent = { id: "a1", name: "Sara Ahmadi", avatar_url: null };
const HOURS = { open_now: true, next_open_at: null };

export class Conversations {
  readonly all = new Map<string, Conversation>();
  readonly #byClientId = new Map<string, Message>();
  readonly #listener: Listener;

  constructor(listener: Listener) {
    this.#listener = listener;
  }

  begin(visitor: string): Conversation {
    const standing: Standing = { state: "bot", agent: null, queue: null, hours: HOURS };
    const conversation = { id: randomUUID(), visitor, messages: [], standing, readSeq: 0, agentReadSeq: 0 };
    this.all.set(conversation.id, conversation);
    return conversation;
  }

  /** The message that a visitor said under this id before, whatever conversation it began. */
  known(visitor: string, clientId: string): Message | undefined {
    return this.#byClientId.get(`${visitor}/${clientId}`);
  }

  add(conversation: Conversation, what: Partial<Message> & Pick<Message, "role" | "text">): Message {
    const message: Message = {
      id: randomUUID(),
      conversation_id: conversation.id,
      seq: conversation.messages.length + 1,
      status: "complete",
      language: null,
      client_message_id: null,
      mode: null,
      citations: [],
      handoff_offered: false,
      created_at: new Date().toISOString(),
      ...what,
    };
    conversation.messages.push(message);
    if (message.client_message_id)
      this.#byClientId.set(`${conversation.visitor}/${message.client_message_id}`, message);
    this.#tell(conversation, { type: "message", ...message });
    return message;
  }

  /** Begin a reply; the functions that come back go on with it. */
  reply(conversation: Conversation) {
    const { id, seq } = this.add(conversation, { role: "bot", text: "", status: "streaming" });
    const change = (how: Partial<Message>) => {
      const message = { ...(conversation.messages[seq - 1] as Message), ...how };
      conversation.messages[seq - 1] = message;
      return message;
    };
    return {
      delta: (text: string) => {
        change({ text: (conversation.messages[seq - 1]?.text ?? "") + text });
        this.#tell(conversation, { type: "delta", message_id: id, text });
      },
      cite: (citation: Citation) => {
        change({ citations: [...(conversation.messages[seq - 1]?.citations ?? []), citation] });
        this.#tell(conversation, { type: "citation", message_id: id, ...citation });
      },
      done: ({ text, citations = [], handoffOffered = false, content }: Answer) => {
        change({
          text,
          citations,
          status: "complete",
          mode: "model",
          handoff_offered: handoffOffered,
          ...(content ? { content } : {}),
        });
        this.#tell(conversation, {
          type: "done",
          conversation_id: conversation.id,
          message_id: id,
          answer: text,
          citations,
          mode: "model",
          handoff_offered: handoffOffered,
          status: "complete",
        });
        if (content) this.#tell(conversation, { type: "message", ...(conversation.messages[seq - 1] as Message) });
      },
    };
  }

  stand(conversation: Conversation, state: ConversationState, rest: Partial<Standing> = {}): void {
    conversation.standing = { state, agent: null, queue: null, hours: HOURS, ...rest };
    if (state === "human") this.#tell(conversation, { type: "agent_joined", agent: conversation.standing.agent });
    this.#tell(conversation, { type: "state", ...conversation.standing });
    if (state === "closed") this.#tell(conversation, { type: "csat_request" });
  }

  tell(conversation: Conversation, frame: ServerFrame): void {
    this.#tell(conversation, frame);
  }

  #tell(conversation: Conversation, frame: ServerFrame): void {
    this.#listener(conversation, frame);
  }
}
