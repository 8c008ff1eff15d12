/** What is kept in the browser: that somebody chatted here lately, and whether sounds are wanted. Never a token, a name or a text. */

const DAY_MS = 86_400_000;

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // storage is forbidden here
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Without storage the page forgets: nothing else depends on it.
  }
}

const activeKey = (who: { tenantId: string; brandId?: string }) => `xin:active:${who.tenantId}:${who.brandId ?? ""}`;

/** Whether a conversation was going on within a day: then it is joined in the background, for its unread messages. */
export function wasActive(who: { tenantId: string; brandId?: string }): boolean {
  return Date.now() - Number(read(activeKey(who))) < DAY_MS;
}

export function rememberActive(who: { tenantId: string; brandId?: string }): void {
  write(activeKey(who), String(Date.now()));
}

export function soundWanted(): boolean | null {
  const kept = read("xin:sound");
  return kept === null ? null : kept === "1";
}

export function keepSound(on: boolean): void {
  write("xin:sound", on ? "1" : "0");
}
