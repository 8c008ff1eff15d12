/** Whether some typed letters mean a text: every word of them begins or lies in one of its words, marks left aside. */
export function folded(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/[\p{M}\u200c\u0640]/gu, "")
    .replaceAll("ي", "ی")
    .replaceAll("ك", "ک")
    .toLowerCase();
}

export function matches(typed: string, text: string): boolean {
  const within = folded(text);
  return folded(typed)
    .split(/\s+/)
    .every((word) => within.includes(word));
}
