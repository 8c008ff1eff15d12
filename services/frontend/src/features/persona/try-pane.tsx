/** Asks the bot as it would be with the draft; nothing of it is stored. */
import { Send } from "lucide-react";
import { useState } from "react";
import { asProblem } from "@/api/problem";
import { useBrandId } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { Badge } from "@/ui/badge";
import { IconButton } from "@/ui/button";
import { Input } from "@/ui/field";
import { Markdown } from "@/ui/markdown";
import { Card } from "@/ui/page";
import { ReplyMode } from "@/ui/reply-mode";
import { problemWords } from "@/ui/words";
import { type Draft, type Tried, tryPolicy } from "./api";

interface Exchange {
  id: number;
  question: string;
  answer: Tried | null;
  error: unknown;
}

export function TryPane({ tenantId, draft, changed }: { tenantId: string; draft: Draft; changed: boolean }) {
  const { t } = useLanguage();
  const brandId = useBrandId();
  const [typed, setTyped] = useState("");
  const [exchanges, setExchanges] = useState<readonly Exchange[]>([]);
  const ask = async () => {
    const question = typed.trim();
    if (!question) return;
    const id = exchanges.length;
    const settle = (part: Partial<Exchange>) =>
      setExchanges((all) => all.map((each) => (each.id === id ? { ...each, ...part } : each)));
    setTyped("");
    setExchanges([...exchanges, { id, question, answer: null, error: null }]);
    await tryPolicy(tenantId, question, draft, brandId).then(
      (answer) => settle({ answer }),
      (error: unknown) => settle({ error }),
    );
  };
  return (
    <Card
      title={t("persona.try")}
      description={t(changed ? "persona.try_draft" : "persona.try_hint")}
      className="xl:sticky xl:top-0"
      bodyClassName="flex flex-col"
    >
      <div aria-live="polite" className="scroll-quiet flex max-h-96 min-h-40 flex-col gap-3 overflow-y-auto p-4">
        {exchanges.length === 0 && (
          <p className="m-auto text-center text-sm text-ink-faint">{t("persona.try_empty")}</p>
        )}
        {exchanges.map((each) => (
          <div key={each.id} className="flex flex-col gap-2">
            <p
              dir="auto"
              className="max-w-[85%] self-end rounded-xl rounded-ee-sm bg-accent px-3 py-2 text-sm text-accent-ink"
            >
              {each.question}
            </p>
            <div className="max-w-[95%] self-start rounded-xl rounded-es-sm bg-sunken px-3 py-2 text-sm">
              {each.answer && (
                <>
                  <Markdown text={each.answer.answer} />
                  <div className="mt-2 flex flex-wrap gap-1">
                    <ReplyMode reply={each.answer} />
                    {each.answer.citations.map((citation) => (
                      <Badge key={citation.index} tone="accent">
                        {citation.index} · <bdi className="max-w-40 truncate">{citation.title}</bdi>
                      </Badge>
                    ))}
                  </div>
                </>
              )}
              {each.error !== null && <span className="text-bad">{problemWords(asProblem(each.error), t)}</span>}
              {!each.answer && each.error === null && <span className="text-ink-faint">{t("state.thinking")}</span>}
            </div>
          </div>
        ))}
      </div>
      <form
        className="flex gap-2 border-t p-3"
        onSubmit={(event) => {
          event.preventDefault();
          void ask();
        }}
      >
        <Input
          aria-label={t("persona.try_question")}
          placeholder={t("persona.try_question")}
          dir="auto"
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
        <IconButton type="submit" variant="primary" label={t("action.send")}>
          <Send className="flip-rtl size-4" aria-hidden />
        </IconButton>
      </form>
    </Card>
  );
}
