/** How long to wait before a try: at once after the first loss, then longer each time with chance in it. */

const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;

/** Return the milliseconds before try number `attempt` (from 0). `random` is 0 to 1. */
export function backoff(attempt: number, random: number = Math.random()): number {
  if (attempt <= 0) return 0;
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** (attempt - 1));
  return Math.round(full / 2 + (full / 2) * random);
}
