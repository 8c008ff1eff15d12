/** How a reply came about, in a word. */
import { useLanguage } from "@/i18n";
import { Badge } from "@/ui/badge";

export interface Reply {
  readonly mode: string;
  readonly handoff_offered: boolean;
}

/** A greeting and the word that a person comes have the mode of what found no answer, but are none of that. */
export function replyMode({ mode, handoff_offered }: Reply): string {
  return mode === "no_answer" && !handoff_offered ? "unsourced" : mode;
}

export function ReplyMode({ reply, className }: { reply: Reply; className?: string }) {
  const { named } = useLanguage();
  return <Badge className={className}>{named("mode", replyMode(reply))}</Badge>;
}
