/**
 * A conversation's messages as one agent's screen holds them: what the server has told, in order and once, and what is on
 * its way there. Pure: pages of any order and overlap, echoes and retries end in the same thread.
 */
import type { Message } from "./api";
import type { UploadedFile } from "./attach";

export interface Outgoing {
  clientMessageId: string;
  text: string;
  files: readonly UploadedFile[];
  at: string;
  /** Undefined while it is being sent; the refusal's words after that. */
  failure: string | undefined;
}

export interface Thread {
  messages: readonly Message[];
  outgoing: readonly Outgoing[];
  /** Whether there are messages before the first. */
  hasOlder: boolean;
}

export type ThreadAction =
  /** The newest page, read anew. */
  | { type: "loaded"; messages: readonly Message[]; full: boolean }
  | { type: "older"; messages: readonly Message[]; full: boolean }
  | { type: "newer"; messages: readonly Message[] }
  | { type: "sending"; clientMessageId: string; text: string; files: readonly UploadedFile[]; at: string }
  | { type: "failed"; clientMessageId: string; failure: string }
  | { type: "retrying"; clientMessageId: string }
  | { type: "dropped"; clientMessageId: string };

export const EMPTY: Thread = { messages: [], outgoing: [], hasOlder: false };

/** Messages by number; of two with the same, the later told one holds: it may have been edited or delivered since. */
function merged(known: readonly Message[], told: readonly Message[]): readonly Message[] {
  const bySeq = new Map(known.map((message) => [message.seq, message]));
  for (const message of told) bySeq.set(message.seq, message);
  return [...bySeq.values()].sort((one, other) => one.seq - other.seq);
}

function withMessages(thread: Thread, told: readonly Message[]): Thread {
  const arrived = new Set(told.map((message) => message.client_message_id).filter((id) => id !== null));
  const outgoing = thread.outgoing.filter((each) => !arrived.has(each.clientMessageId));
  return { ...thread, messages: merged(thread.messages, told), outgoing };
}

function changeOutgoing(thread: Thread, id: string, change: Partial<Outgoing>): Thread {
  return {
    ...thread,
    outgoing: thread.outgoing.map((each) => (each.clientMessageId === id ? { ...each, ...change } : each)),
  };
}

export function reduceThread(thread: Thread, action: ThreadAction): Thread {
  switch (action.type) {
    case "loaded": {
      // Read anew after a gap: an old page that does not reach the new one would hide what lies between.
      const first = action.messages[0]?.seq ?? 0;
      const reaches = thread.messages.some((message) => message.seq >= first - 1);
      const kept =
        reaches || action.messages.length === 0 ? thread : { ...thread, messages: [], hasOlder: action.full };
      const hasOlder = kept.messages.length > 0 ? kept.hasOlder : action.full;
      return { ...withMessages(kept, action.messages), hasOlder };
    }
    case "older":
      return { ...withMessages(thread, action.messages), hasOlder: action.full };
    case "newer":
      return withMessages(thread, action.messages);
    case "sending": {
      const { clientMessageId, text, files, at } = action;
      return { ...thread, outgoing: [...thread.outgoing, { clientMessageId, text, files, at, failure: undefined }] };
    }
    case "failed":
      return changeOutgoing(thread, action.clientMessageId, { failure: action.failure });
    case "retrying":
      return changeOutgoing(thread, action.clientMessageId, { failure: undefined });
    case "dropped":
      return { ...thread, outgoing: thread.outgoing.filter((each) => each.clientMessageId !== action.clientMessageId) };
  }
}

/** The number to ask for messages after. */
export function lastSeq(thread: Thread): number {
  return thread.messages.at(-1)?.seq ?? 0;
}
