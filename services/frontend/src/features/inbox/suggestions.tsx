/** A short list above the field, gone through by arrow keys while the caret stays in the field. */
import { type KeyboardEvent, useState } from "react";
import { cx } from "@/lib/classes";

export interface Suggestion {
  id: string;
  title: string;
  detail: string;
  choose: () => void;
}

export interface SuggestionState {
  all: readonly Suggestion[];
  at: number;
  move: (to: number) => void;
  /** True when the press was for the list. */
  onKeyDown: (event: KeyboardEvent) => boolean;
}

export function useSuggestions(all: readonly Suggestion[]): SuggestionState {
  const [at, setAt] = useState(0);
  const [dismissed, setDismissed] = useState("");
  const signature = all.map((each) => each.id).join();
  const shown = dismissed === signature ? [] : all;
  const current = Math.min(at, Math.max(0, shown.length - 1));
  const onKeyDown = (event: KeyboardEvent) => {
    if (shown.length === 0 || event.ctrlKey || event.metaKey) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setAt((current + step + shown.length) % shown.length);
    else if (event.key === "Enter" || event.key === "Tab") shown[current]?.choose();
    else if (event.key === "Escape") setDismissed(signature);
    else return false;
    event.preventDefault();
    return true;
  };
  return { all: shown, at: current, move: setAt, onKeyDown };
}

export function Suggestions({ state, label }: { state: SuggestionState; label: string }) {
  if (state.all.length === 0) return null;
  return (
    <ul
      aria-label={label}
      className="scroll-quiet absolute inset-x-0 bottom-full z-10 mb-1 max-h-56 overflow-y-auto rounded-lg border bg-raised p-1 shadow-float"
    >
      {state.all.map((each, index) => (
        <li key={each.id}>
          <button
            type="button"
            tabIndex={-1}
            aria-current={index === state.at}
            onPointerMove={() => state.move(index)}
            onPointerDown={(event) => event.preventDefault()}
            onClick={each.choose}
            className={cx(
              "flex w-full items-center gap-3 rounded-md px-2.5 py-1.5 text-start text-sm",
              index === state.at && "bg-hover",
            )}
          >
            <bdi className="font-medium">{each.title}</bdi>
            <bdi className="min-w-0 flex-1 truncate text-xs text-ink-faint">{each.detail}</bdi>
          </button>
        </li>
      ))}
    </ul>
  );
}
