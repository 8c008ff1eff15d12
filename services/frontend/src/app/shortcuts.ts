/**
 * Keys. `useShortcuts({ j: next, "mod+k": palette, "g i": inbox })`: a plain key counts only outside of fields and
 * dialogs, `mod` is Ctrl or Cmd, two keys with a space are pressed one after the other.
 */
import { useEffect, useRef } from "react";

export type Shortcuts = Readonly<Record<string, (() => void) | undefined>>;

const CHORD_MS = 1200;

export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

/** How a press is written: `k`, `?`, `mod+k`, `mod+enter`. */
export function keyName(event: Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "metaKey">): string {
  // On a Persian or Cyrillic layout `j` is another letter: the key's place counts, not what it types.
  const letter = /^Key([A-Z])$/.exec(event.code)?.[1]?.toLowerCase();
  const key = letter ?? event.key.toLowerCase();
  return event.ctrlKey || event.metaKey ? `mod+${key}` : key;
}

export function useShortcuts(shortcuts: Shortcuts): void {
  const latest = useRef(shortcuts);
  latest.current = shortcuts;
  useEffect(() => {
    let first: { key: string; at: number } | null = null;
    const listen = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.altKey) return;
      const key = keyName(event);
      const plain = !key.startsWith("mod+");
      const covered = document.querySelector('[role="dialog"], [role="menu"]') !== null;
      if (plain && (isTyping(event.target) || covered)) return;
      const chord = first && event.timeStamp - first.at < CHORD_MS ? `${first.key} ${key}` : null;
      const action = (chord && latest.current[chord]) || latest.current[key];
      first = plain ? { key, at: event.timeStamp } : null;
      if (!action) return;
      event.preventDefault();
      action();
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, []);
}
