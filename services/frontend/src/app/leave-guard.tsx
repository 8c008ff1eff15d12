/** Asks before another page takes what was written and not saved. */
import { useBlocker } from "@tanstack/react-router";
import { sessionState } from "@/auth/session";
import { useLanguage } from "@/i18n";
import { Confirm } from "@/ui/dialog";

export function LeaveGuard({ dirty }: { dirty: boolean }) {
  const { t } = useLanguage();
  const leaving = useBlocker({
    // A page's own tabs and the brand are in the address too: they leave nothing. Whose session has ended must sign in.
    shouldBlockFn: ({ current, next }) =>
      dirty && current.pathname !== next.pathname && sessionState.get().status === "in",
    enableBeforeUnload: () => dirty,
    withResolver: true,
  });
  if (leaving.status !== "blocked") return null;
  return (
    <Confirm
      open
      onClose={leaving.reset}
      title={t("form.leave_title")}
      description={t("form.leave_hint")}
      action={t("action.discard")}
      onConfirm={async () => leaving.proceed()}
    />
  );
}
