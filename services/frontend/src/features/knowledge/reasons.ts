/** Why a source or a job is as it is, in the reader's language. */
import type { Language } from "@/i18n";

/** The server's sentence is English and says more than its code; other languages have a sentence for each code. */
export function reasonOf(
  told: { reason: string | null; reason_code: string | null },
  { locale, named }: Language,
): string | null {
  const { reason, reason_code: code } = told;
  if (code === null || (locale === "en" && reason)) return reason;
  return named("reason", code, reason ?? undefined);
}
