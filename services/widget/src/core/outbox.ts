/** What the visitor has said and the server has not acknowledged: in order, one under way at a time, kept in memory. */

import type { Problem } from "./protocol";

export interface OutgoingFile {
  readonly name: string;
  readonly size: number;
  readonly type: string;
  readonly blob: Blob;
}

export interface Outgoing {
  /** The `client_message_id`: the same at every try, so that a repeat is stored once. */
  readonly id: string;
  readonly text: string;
  readonly file: OutgoingFile | null;
  readonly createdAt: string;
  readonly status: "waiting" | "sending" | "failed";
  /** How often it was tried. */
  readonly attempts: number;
  /** Not tried again before this time, in milliseconds. */
  readonly notBefore: number;
  /** 0 to 1, of a file that is under way. */
  readonly progress: number;
  readonly problem: Problem | null;
}

export type Outbox = readonly Outgoing[];

const MAX_ATTEMPTS = 8;

export function enqueue(
  outbox: Outbox,
  what: Pick<Outgoing, "id" | "text" | "createdAt"> & { file?: OutgoingFile | null },
): Outbox {
  if (outbox.some((item) => item.id === what.id)) return outbox;
  const fresh = { status: "waiting", attempts: 0, notBefore: 0, progress: 0, problem: null } as const;
  return [...outbox, { file: null, ...what, ...fresh }];
}

/** Return what to send now: the oldest that is not given up, unless one is under way or must wait. */
export function nextToSend(outbox: Outbox, now: number): Outgoing | null {
  const first = outbox.find((item) => item.status !== "failed");
  return first?.status === "waiting" && first.notBefore <= now ? first : null;
}

/** Return for how many milliseconds the next one must wait; null when nothing waits for time alone. */
export function waitingTime(outbox: Outbox, now: number): number | null {
  const first = outbox.find((item) => item.status !== "failed");
  return first?.status === "waiting" && first.notBefore > now ? first.notBefore - now : null;
}

/** Whether anything is still to be sent or under way. */
export function isBusy(outbox: Outbox): boolean {
  return outbox.some((item) => item.status !== "failed");
}

export function sending(outbox: Outbox, id: string): Outbox {
  return change(outbox, id, (item) => ({ ...item, status: "sending", attempts: item.attempts + 1, problem: null }));
}

export function progressed(outbox: Outbox, id: string, progress: number): Outbox {
  return change(outbox, id, (item) => ({ ...item, progress }));
}

/** The server has it. */
export function acknowledged(outbox: Outbox, id: string): Outbox {
  return outbox.some((item) => item.id === id) ? outbox.filter((item) => item.id !== id) : outbox;
}

/** The connection is gone: the fate of what was under way is not known, so it is sent again. */
export function disconnected(outbox: Outbox): Outbox {
  if (!outbox.some((item) => item.status === "sending")) return outbox;
  return outbox.map((item) => (item.status === "sending" ? { ...item, status: "waiting" } : item));
}

/** It was refused: tried again later when the refusal was for now, else given up with the reason. */
export function refused(outbox: Outbox, id: string, problem: Problem, retryAt: number | null): Outbox {
  return change(outbox, id, (item) =>
    retryAt !== null && item.attempts < MAX_ATTEMPTS
      ? { ...item, status: "waiting", notBefore: retryAt, progress: 0, problem }
      : { ...item, status: "failed", progress: 0, problem },
  );
}

/** The visitor asks for another try. */
export function tryAgain(outbox: Outbox, id: string): Outbox {
  return change(outbox, id, (item) => ({ ...item, status: "waiting", attempts: 0, notBefore: 0, problem: null }));
}

/** The visitor lets go of what could not be sent. */
export function discard(outbox: Outbox, id: string): Outbox {
  return outbox.filter((item) => item.id !== id || item.status === "sending");
}

function change(outbox: Outbox, id: string, how: (item: Outgoing) => Outgoing): Outbox {
  return outbox.map((item) => (item.id === id ? how(item) : item));
}
