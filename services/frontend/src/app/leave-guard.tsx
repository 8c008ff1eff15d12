/** Asks before another page, or the way out of a dialog, takes what was written and not saved. */
import { useBlocker } from "@tanstack/react-router";
import { sessionState } from "@/auth/session";
import { useLanguage } from "@/i18n";
import { Confirm } from "@/ui/dialog";

export function LeaveGuard({ dirty }: { dirty: boolean }) {
  const leaving = useBlocker({
    // A page's own tabs and the brand are in the address too: they leave nothing. Whose session has ended must sign in.
    shouldBlockFn: ({ current, next }) =>
      dirty && current.pathname !== next.pathname && sessionState.get().status === "in",
    enableBeforeUnload: () => dirty,
    withResolver: true,
  });
  if (leaving.status !== "blocked") return null;
  return <LeaveQuestion onStay={leaving.reset} onLeave={leaving.proceed} />;
}

export function LeaveQuestion({ onStay, onLeave }: { onStay: () => void; onLeave: () => void }) {
  const { t } = useLanguage();
  return (
    <Confirm
      open
      onClose={onStay}
      title={t("form.leave_title")}
      description={t("form.leave_hint")}
      action={t("action.discard")}
      onConfirm={async () => onLeave()}
    />
  );
}
