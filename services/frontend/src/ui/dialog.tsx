/** Dialogs: a centred one for forms and questions, a sheet at the side for details. */
import { Dialog as Base } from "@base-ui/react/dialog";
import { X } from "lucide-react";
import { type ReactNode, useState } from "react";
import { asProblem, type Problem } from "@/api/problem";
import { useLanguage } from "@/i18n";
import { cx } from "@/lib/classes";
import { Button, IconButton } from "./button";
import { CodeBox } from "./copy";
import { FormProblem } from "./field";

export interface DialogProps {
  open: boolean;
  onClose: () => void;
  title: string;
  description?: ReactNode;
  children: ReactNode;
  wide?: boolean;
  /** A press beside it does not close it: what was typed, or is shown only now, would be gone. */
  keepsOpen?: boolean;
}

const BACKDROP =
  "fixed inset-0 z-40 bg-black/35 transition-opacity duration-150 data-starting-style:opacity-0 data-ending-style:opacity-0";

export function Dialog({ open, onClose, title, description, children, wide, keepsOpen = false }: DialogProps) {
  return (
    <Base.Root open={open} onOpenChange={(next) => !next && onClose()} disablePointerDismissal={keepsOpen}>
      <Base.Portal>
        <Base.Backdrop className={BACKDROP} />
        <Base.Viewport className="fixed inset-0 z-50 flex items-end justify-center overflow-y-auto sm:items-start sm:p-4 sm:pt-[10vh]">
          <Base.Popup
            className={cx(
              "w-full rounded-t-xl border bg-panel shadow-float outline-none sm:rounded-xl",
              "transition duration-150 data-starting-style:translate-y-2 data-starting-style:opacity-0 data-ending-style:opacity-0",
              wide ? "sm:max-w-2xl" : "sm:max-w-md",
            )}
          >
            <div className="flex items-start gap-3 px-5 pt-4 pb-3">
              <div className="min-w-0 flex-1">
                <Base.Title className="text-base font-semibold">{title}</Base.Title>
                {description && (
                  <Base.Description className="mt-0.5 text-sm text-ink-soft">{description}</Base.Description>
                )}
              </div>
              <CloseButton />
            </div>
            <div className="px-5 pb-5">{children}</div>
          </Base.Popup>
        </Base.Viewport>
      </Base.Portal>
    </Base.Root>
  );
}

function CloseButton() {
  const { t } = useLanguage();
  return (
    <Base.Close
      render={
        <IconButton label={t("action.close")} size="iconSm">
          <X className="size-4" aria-hidden />
        </IconButton>
      }
    />
  );
}

interface SheetProps extends Omit<DialogProps, "wide" | "description" | "keepsOpen"> {
  side?: "start" | "end";
  headless?: boolean;
}

export function Sheet({ open, onClose, title, children, side = "end", headless }: SheetProps) {
  return (
    <Base.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Base.Portal>
        <Base.Backdrop className={BACKDROP} />
        <Base.Popup
          className={cx(
            "fixed inset-y-0 z-50 flex flex-col border bg-panel shadow-float outline-none transition duration-150 data-starting-style:opacity-0 data-ending-style:opacity-0",
            side === "end" ? "end-0 w-full max-w-xl border-y-0 border-e-0" : "start-0 w-64 border-y-0 border-s-0",
          )}
        >
          <div className={cx("flex items-center gap-3 border-b px-5 py-3", headless && "sr-only")}>
            <Base.Title className="min-w-0 flex-1 truncate text-base font-semibold">{title}</Base.Title>
            <CloseButton />
          </div>
          <div className="scroll-quiet min-h-0 flex-1 overflow-y-auto">{children}</div>
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

export function DialogFooter({ children }: { children: ReactNode }) {
  return <footer className="mt-5 flex flex-wrap items-center justify-end gap-2">{children}</footer>;
}

interface TakeAwayProps extends Omit<DialogProps, "open" | "wide" | "children"> {
  text: string;
  label: string;
  children?: ReactNode;
}

/** Something to take along now: it is not shown again. */
export function TakeAway({ text, label, children, ...dialog }: TakeAwayProps) {
  const { t } = useLanguage();
  return (
    <Dialog open keepsOpen {...dialog}>
      <div className="flex flex-col gap-3">
        <CodeBox text={text} label={label} />
        {children}
      </div>
      <DialogFooter>
        <Button variant="primary" onClick={dialog.onClose}>
          {t("action.done")}
        </Button>
      </DialogFooter>
    </Dialog>
  );
}

interface ConfirmProps {
  open: boolean;
  onClose: () => void;
  title: string;
  description: ReactNode;
  action: string;
  danger?: boolean;
  onConfirm: () => Promise<unknown>;
}

/** Asks before what cannot be taken back; stays open and says why when it failed. */
export function Confirm({ open, onClose, title, description, action, danger = true, onConfirm }: ConfirmProps) {
  const { t } = useLanguage();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const confirm = async () => {
    setBusy(true);
    setProblem(null);
    try {
      await onConfirm();
      onClose();
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog open={open} onClose={onClose} title={title} description={description}>
      <FormProblem problem={problem} />
      <DialogFooter>
        <Button onClick={onClose}>{t("action.cancel")}</Button>
        <Button variant={danger ? "danger" : "primary"} busy={busy} onClick={confirm}>
          {action}
        </Button>
      </DialogFooter>
    </Dialog>
  );
}
