const ALLOWED = new Set(["http:", "https:", "mailto:"]);

/** Return an address that is safe to open, or null: absolute, and http, https or mailto. */
export function safeHref(given: string | null | undefined): string | null {
  if (!given || !URL.canParse(given)) return null;
  const url = new URL(given);
  return ALLOWED.has(url.protocol) ? url.href : null;
}
