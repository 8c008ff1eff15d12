/** A dialog that is one form: what is wrong with it as a whole, its fields, and the way out or on. */
import { useState } from "react";
import { useLanguage } from "@/i18n";
import type { Form } from "@/lib/form";
import { Button } from "@/ui/button";
import { Dialog, DialogFooter, type DialogProps } from "@/ui/dialog";
import { FormProblem } from "@/ui/field";
import { LeaveGuard, LeaveQuestion } from "./leave-guard";

interface Props extends Omit<DialogProps, "open"> {
  form: Pick<Form<never>, "busy" | "dirty" | "problem" | "onSubmit">;
  /** Fields that say themselves what is wrong with them. */
  shown: readonly string[];
  action: string;
  danger?: boolean;
  ready?: boolean;
  /** Where one comes from, in place of a way out. */
  onBack?: () => void;
}

/** Asks before what was typed is lost; what only confirms something dangerous is no loss. */
export function FormDialog({ form, shown, action, danger, ready = true, onBack, onClose, children, ...dialog }: Props) {
  const { t } = useLanguage();
  const [leaving, setLeaving] = useState<{ by: () => void } | null>(null);
  const dirty = form.dirty && !form.busy && !danger;
  const leave = (by: () => void) => (dirty ? setLeaving({ by }) : by());
  return (
    <Dialog open keepsOpen onClose={() => leave(onClose)} {...dialog}>
      <form className="flex flex-col gap-4" onSubmit={form.onSubmit}>
        <FormProblem problem={form.problem} shown={shown} />
        {children}
        <DialogFooter>
          <Button onClick={() => leave(onBack ?? onClose)}>{t(onBack ? "action.back" : "action.cancel")}</Button>
          <Button type="submit" variant={danger ? "danger" : "primary"} busy={form.busy} disabled={!ready}>
            {action}
          </Button>
        </DialogFooter>
      </form>
      <LeaveGuard dirty={dirty} />
      {leaving && <LeaveQuestion onStay={() => setLeaving(null)} onLeave={leaving.by} />}
    </Dialog>
  );
}
