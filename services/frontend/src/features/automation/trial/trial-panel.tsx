/** Try it: what the rule as it stands would do, and why it would not; nothing is done and nothing need be saved. */
import { FlaskConical } from "lucide-react";
import { useState } from "react";
import { asProblem, type Problem } from "@/api/problem";
import { useTenantId } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { Button } from "@/ui/button";
import { FormProblem } from "@/ui/field";
import { Card } from "@/ui/page";
import { When } from "@/ui/time";
import { type Trial, tryRule } from "../api";
import type { Lookups } from "../lookups";
import { BodyIsNoJson, type Draft, documentOf } from "../model/draft";
import { AgainstFields, AT_FIRST, againstOf } from "./against-fields";
import { TriedView } from "./tried-view";

interface Props {
  draft: Draft;
  lookups: Lookups;
  /** Whether the rule is filled in; marks what is not. */
  isComplete: () => boolean;
  /** Tells the editor what the server refused, so that it stands at its place; null: nothing. */
  onProblem: (error: unknown) => void;
}

export function TrialPanel({ draft, lookups, isComplete, onProblem }: Props) {
  const { t } = useLanguage();
  const tenantId = useTenantId();
  const [chosen, setChosen] = useState(AT_FIRST);
  const [trial, setTrial] = useState<{ of: Draft; found: Trial } | null>(null);
  const [problem, setProblem] = useState<Problem | "marked" | null>(null);
  const [busy, setBusy] = useState(false);
  const against = againstOf(chosen, draft.trigger);
  const run = async () => {
    if (!against || busy || !isComplete()) return;
    setBusy(true);
    setProblem(null);
    try {
      setTrial({ of: draft, found: await tryRule(tenantId, draft.brandId, documentOf(draft), against) });
    } catch (error) {
      setTrial(null);
      const found = asProblem(error);
      const marked = error instanceof BodyIsNoJson || found.errors.length > 0;
      setProblem(marked ? "marked" : found);
      if (marked) onProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Card title={t("trial.title")} description={t("trial.hint")} bodyClassName="flex flex-col gap-4 p-4">
      <AgainstFields
        chosen={chosen}
        onChange={setChosen}
        trigger={draft.trigger}
        conditions={draft.conditions}
        lookups={lookups}
      />
      <Button
        className="self-start"
        busy={busy}
        disabled={against === null || draft.actions.length === 0}
        icon={<FlaskConical className="size-4" aria-hidden />}
        onClick={() => void run()}
      >
        {t("trial.run")}
      </Button>
      {problem === "marked" ? <Refused /> : <FormProblem problem={problem} />}
      {trial && trial.of !== draft && <p className="text-xs text-warn">{t("trial.stale")}</p>}
      {trial && trial.of.trigger.type === draft.trigger.type && (
        <TrialView trial={trial.found} of={trial.of} lookups={lookups} />
      )}
    </Card>
  );
}

function Refused() {
  const { t } = useLanguage();
  return (
    <p role="alert" className="rounded-md bg-bad-soft px-3 py-2 text-sm text-bad">
      {t("rule.has_errors")}
    </p>
  );
}

function TrialView({ trial, of, lookups }: { trial: Trial; of: Draft; lookups: Lookups }) {
  const { t, tn, format } = useLanguage();
  return (
    <div className="flex flex-col gap-3" aria-live="polite">
      {of.trigger.type === "cron" ? (
        <section className="text-xs">
          <h3 className="mb-1 font-medium text-ink-soft">{t("schedule.next")}</h3>
          <ol className="flex flex-col gap-0.5">
            {trial.next_times.map((at) => (
              <li key={at}>
                <When at={at} />
              </li>
            ))}
          </ol>
        </section>
      ) : (
        <p className="text-sm font-medium">
          {trial.considered === 0
            ? t("trial.nothing")
            : tn("trial.matched", trial.matched, { considered: format.number(trial.considered) })}
          {trial.would_run < trial.matched && (
            <span className="block font-normal text-ink-soft">{tn("trial.would_run", trial.would_run)}</span>
          )}
          {trial.truncated && <span className="font-normal text-ink-soft"> {t("trial.truncated")}</span>}
        </p>
      )}
      <ul className="flex flex-col gap-2">
        {trial.tried.map((tried, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the list never changes, and a happening has no name
          <li key={index}>
            <TriedView tried={tried} conditions={of.conditions} lookups={lookups} open={index === 0} />
          </li>
        ))}
      </ul>
    </div>
  );
}
