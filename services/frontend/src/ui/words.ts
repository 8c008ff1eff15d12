/** What a problem is called in the reader's language; the server's own words where it knows more. */
import type { Problem } from "@/api/problem";
import type { Language } from "@/i18n";

/** The server's words begin small, as after a field's name; here they are a sentence. */
const sentence = (words: string) => words.charAt(0).toUpperCase() + words.slice(1);

export function problemWords(problem: Problem, t: Language["t"]): string {
  if (problem.code === "network") return t("problem.network");
  if (problem.code === "totp_required") return t("signin.totp_hint");
  if (problem.status === 403) return `${t("problem.forbidden")} ${sentence(problem.detail)}`;
  if (problem.status === 429) return t("problem.too_many", { seconds: problem.retryAfter ?? 1 });
  if (problem.status >= 500) return `${t("problem.server")} ${sentence(problem.detail)}`;
  return sentence(problem.detail);
}
