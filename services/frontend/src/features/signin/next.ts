/** Where to go after the sign-in: only ever a page of the console, whatever the address asked for. */
export function insideOnly(next: string | undefined): string {
  if (!next?.startsWith("/") || next.startsWith("//") || next.includes("\\")) return "/";
  return next.replace(/^\/console(?=\/|$)/, "") || "/";
}
