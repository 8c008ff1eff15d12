/** What a part keeps in memory beside the queries, and must not keep for the next person who signs in. */

const forgetters = new Set<() => void>();

export function onForget(forget: () => void): void {
  forgetters.add(forget);
}

export function forgetAll(): void {
  for (const forget of forgetters) forget();
}
