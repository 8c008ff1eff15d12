/** Short notices at the edge of the screen, read out politely; one that leads somewhere stays until it is answered. */
import { CircleAlert, CircleCheck, X } from "lucide-react";
import { useEffect } from "react";
import { asProblem } from "@/api/problem";
import { useLanguage } from "@/i18n";
import { createStore, useStore } from "@/lib/store";
import { Button, IconButton } from "./button";
import { problemWords } from "./words";

interface Notice {
  id: number;
  tone: "good" | "bad";
  text: string | null;
  error: unknown;
  action?: { label: string; run: () => void };
}

const SHOWN_MS = 6000;
const notices = createStore<readonly Notice[]>([]);
let last = 0;

function show(notice: Omit<Notice, "id">): void {
  last += 1;
  notices.set([...notices.get().slice(-2), { ...notice, id: last }]);
}

function dismiss(id: number): void {
  notices.set(notices.get().filter((each) => each.id !== id));
}

export const toast = {
  done: (text: string) => show({ tone: "good", text, error: null }),
  failed: (error: unknown) => show({ tone: "bad", text: null, error }),
  lead: (text: string, label: string, run: () => void) =>
    show({ tone: "good", text, error: null, action: { label, run } }),
};

export function Toasts() {
  const all = useStore(notices);
  return (
    <div
      aria-live="polite"
      className="pointer-events-none fixed inset-x-4 bottom-4 z-60 flex flex-col items-center gap-2 sm:items-end"
    >
      {all.map((notice) => (
        <ToastView key={notice.id} notice={notice} />
      ))}
    </div>
  );
}

function ToastView({ notice }: { notice: Notice }) {
  const { t } = useLanguage();
  const { action } = notice;
  useEffect(() => {
    if (action) return undefined;
    const timer = setTimeout(() => dismiss(notice.id), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [notice.id, action]);
  const Icon = notice.tone === "good" ? CircleCheck : CircleAlert;
  return (
    <div className="pointer-events-auto flex max-w-sm items-center gap-2.5 rounded-lg border bg-raised py-1.5 ps-3 pe-1.5 text-sm shadow-float">
      <Icon aria-hidden className={notice.tone === "good" ? "size-4 shrink-0 text-good" : "size-4 shrink-0 text-bad"} />
      <span className="min-w-0 flex-1">{notice.text ?? problemWords(asProblem(notice.error), t)}</span>
      {action && (
        <Button
          size="sm"
          onClick={() => {
            dismiss(notice.id);
            action.run();
          }}
        >
          {action.label}
        </Button>
      )}
      <IconButton label={t("action.close")} size="iconSm" onClick={() => dismiss(notice.id)}>
        <X className="size-3.5" aria-hidden />
      </IconButton>
    </div>
  );
}
