/** Conditions with what each met, as the rule groups them. */
import { Check, X } from "lucide-react";
import { useLanguage } from "@/i18n";
import type { Tried } from "../api";
import { comparisonInWords, valueInWords } from "../describe";
import type { Lookups } from "../lookups";
import type { Judged } from "../model/judged";

type Compared = Tried["comparisons"][number];

interface Props {
  judged: Judged<Compared>;
  lookups: Lookups;
}

export function JudgedView({ judged, lookups }: Props) {
  const { named } = useLanguage();
  const { part, parts, holds } = judged;
  if (part.kind === "comparison") return <ComparisonView judged={judged} lookups={lookups} />;
  return (
    <div className="flex flex-col gap-1.5">
      {(parts.length > 1 || part.negated) && (
        <p className="flex items-start gap-2 text-xs font-medium text-ink-soft">
          <Verdict holds={holds} />
          {named("group_mode", part.negated ? `not_${part.mode}` : part.mode)}
        </p>
      )}
      <ul className="flex flex-col gap-1.5 border-s ps-3">
        {parts.map((each) => (
          <li key={each.part.id}>
            <JudgedView judged={each} lookups={lookups} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function ComparisonView({ judged: { part, holds, found }, lookups }: Props) {
  const language = useLanguage();
  const { t } = language;
  if (!found) return null;
  const words = comparisonInWords(found, language, lookups);
  return (
    <div className="flex items-start gap-2">
      <Verdict holds={holds} />
      <span className="min-w-0">
        <span className="block">{part.negated ? t("op.not", { op: words }) : words}</span>
        <span className="block text-xs text-ink-soft">
          {t("trial.was", { value: valueInWords(found.about, found.was, language, lookups) })}
        </span>
      </span>
    </div>
  );
}

function Verdict({ holds }: { holds: boolean }) {
  const { t } = useLanguage();
  return holds ? (
    <Check className="mt-0.5 size-4 shrink-0 text-good" aria-label={t("trial.holds")} />
  ) : (
    <X className="mt-0.5 size-4 shrink-0 text-bad" aria-label={t("trial.fails")} />
  );
}
