/** The state of the rule editor: the draft, what was saved last, what the server said of which place. */
import { useState } from "react";
import { asProblem, type Problem } from "@/api/problem";
import { useLanguage } from "@/i18n";
import { writeConditions } from "../model/conditions";
import { BodyIsNoJson, changesOf, type Draft, documentOf, draftOf, type RuleParts } from "../model/draft";
import { emptyValues, type Places, placesOf, unplaced } from "../model/places";
import type { RuleDocument } from "../model/vocabulary";

export interface Editor {
  draft: Draft;
  set(part: Partial<Draft>): void;
  /** Whether something would be lost. */
  dirty: boolean;
  busy: boolean;
  places: Places;
  /** What could not be told at a place. */
  problem: Problem | null;
  /** Notes what went wrong at its places; null forgets it. */
  tell(error: unknown): void;
  /** Whether each comparison has something to compare with; marks those that have not. */
  check(): boolean;
  /** Saves by a call that is given the draft and the saved one; false: it was refused. */
  save(send: (draft: Draft, saved: Draft) => Promise<unknown>): Promise<boolean>;
}

/** Whether two drafts would be stored differently. */
function differs(before: Draft, after: Draft): boolean {
  try {
    return before.brandId !== after.brandId || Object.keys(changesOf(before, after)).length > 0;
  } catch {
    return true;
  }
}

function written(draft: Draft): RuleDocument | null {
  try {
    return documentOf(draft);
  } catch {
    return null;
  }
}

export function useEditor(parts: RuleParts): Editor {
  const { t } = useLanguage();
  const [draft, setDraft] = useState(() => draftOf(parts));
  const [saved, setSaved] = useState(draft);
  const [busy, setBusy] = useState(false);
  const [told, setTold] = useState<{ places: Places; problem: Problem | null }>({ places: {}, problem: null });
  const tell = (error: unknown) => {
    if (error === null) return setTold({ places: {}, problem: null });
    if (error instanceof BodyIsNoJson) {
      return setTold({ places: { [error.message]: t("rule.body_no_json") }, problem: null });
    }
    const problem = asProblem(error);
    const places = placesOf(problem, written(draft));
    const whole = problem.errors.length === 0 || unplaced(places).length > 0;
    return setTold({ places, problem: whole ? problem : null });
  };
  const check = () => {
    const empty = emptyValues(writeConditions(draft.conditions));
    const places = Object.fromEntries(empty.map((place) => [place, t("rule.value_missing")]));
    setTold({ places, problem: null });
    return empty.length === 0;
  };
  return {
    draft,
    set: (part) => setDraft((before) => ({ ...before, ...part })),
    dirty: differs(saved, draft),
    busy,
    ...told,
    tell,
    check,
    save: async (send) => {
      if (busy || !check()) return false;
      setBusy(true);
      try {
        await send(draft, saved);
        setSaved(draft);
        return true;
      } catch (error) {
        tell(error);
        return false;
      } finally {
        setBusy(false);
      }
    },
  };
}
