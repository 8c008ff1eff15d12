/** What a new rule begins with: one of some that others needed, or nothing. */
import { Plus } from "lucide-react";
import { useLanguage } from "@/i18n";
import { ActionIcon } from "../action-icon";
import { EMPTY, type RuleParts } from "../model/draft";
import { partsOf, TEMPLATES } from "../templates";

const CARD =
  "flex h-full w-full flex-col gap-2 rounded-xl border bg-panel p-4 text-start transition-colors hover:border-accent hover:bg-hover";

export function Gallery({ onChoose }: { onChoose: (parts: RuleParts) => void }) {
  const language = useLanguage();
  const { t } = language;
  return (
    <ul className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
      <li>
        <button type="button" className={CARD} onClick={() => onChoose(EMPTY)}>
          <Plus className="size-4 text-accent-text" aria-hidden />
          <span className="text-sm font-medium">{t("rule.from_nothing")}</span>
          <span className="text-xs text-ink-soft">{t("rule.from_nothing_hint")}</span>
        </button>
      </li>
      {TEMPLATES.map((template) => {
        const parts = partsOf(template, language);
        return (
          <li key={template}>
            <button type="button" className={CARD} onClick={() => onChoose(parts)}>
              <span className="flex gap-2">
                {parts.actions.map((action) => {
                  const { type } = action as { type: string };
                  return <ActionIcon key={type} type={type} className="text-accent-text" />;
                })}
              </span>
              <span className="text-sm font-medium">{parts.name}</span>
              <span className="text-xs text-ink-soft">{parts.description}</span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}
