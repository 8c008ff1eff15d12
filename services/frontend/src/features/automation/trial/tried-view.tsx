/** One happening that a rule was held against: whether it would run, each comparison with what it met, what it would do. */
import { CircleCheck, CircleMinus, CircleX } from "lucide-react";
import { useTenantId } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { Ago } from "@/ui/time";
import { ActionIcon } from "../action-icon";
import type { Tried } from "../api";
import { actionName, eventName } from "../describe";
import type { Lookups } from "../lookups";
import type { Group } from "../model/conditions";
import { judge } from "../model/judged";
import { JudgedView } from "./judged-view";
import { Rendered } from "./rendered";

interface Props {
  tried: Tried;
  /** Of the rule that was tried. */
  conditions: Group;
  lookups: Lookups;
  open: boolean;
}

export function TriedView({ tried, conditions, lookups, open }: Props) {
  const language = useLanguage();
  const { t, named } = language;
  const tenantId = useTenantId();
  const judged = judge(conditions, tried.comparisons);
  const outcome = !tried.matches ? "no" : tried.held_back_by ? "held" : "yes";
  return (
    <details open={open} className="rounded-lg border">
      <summary className="flex items-center gap-2 px-3 py-2 text-sm">
        <OutcomeIcon outcome={outcome} />
        <span className="min-w-0 flex-1">
          <span className="block font-medium">{named("trial_outcome", outcome)}</span>
          <span className="block text-xs text-ink-faint">
            {eventName(tried.event, language)} · <Ago at={tried.at} />
          </span>
        </span>
      </summary>
      <div className="flex flex-col gap-3 border-t px-3 py-2.5 text-sm">
        {tried.held_back_by && <p className="text-warn">{named("held_back", tried.held_back_by)}</p>}
        {judged && judged.parts.length > 0 && <JudgedView judged={judged} lookups={lookups} />}
        {tried.actions.length > 0 && (
          <ol className="flex flex-col gap-2">
            {tried.actions.map((action, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: actions stay in the rule's order
              <li key={index} className="flex items-start gap-2">
                <ActionIcon type={action.type} className="mt-0.5" />
                <div className="min-w-0 flex-1">
                  <span className="font-medium">{actionName(action.type, language)}</span>
                  <Rendered type={action.type} values={action.rendered} lookups={lookups} />
                </div>
              </li>
            ))}
          </ol>
        )}
        {tried.conversation_id && (
          <a
            className="self-start text-xs text-accent-text hover:underline"
            href={`/console/t/${tenantId}/inbox/${tried.conversation_id}`}
            target="_blank"
            rel="noreferrer"
          >
            {t("trial.open_conversation")}
          </a>
        )}
      </div>
    </details>
  );
}

function OutcomeIcon({ outcome }: { outcome: "yes" | "held" | "no" }) {
  if (outcome === "yes") return <CircleCheck className="size-4 shrink-0 text-good" aria-hidden />;
  if (outcome === "held") return <CircleMinus className="size-4 shrink-0 text-warn" aria-hidden />;
  return <CircleX className="size-4 shrink-0 text-ink-faint" aria-hidden />;
}
