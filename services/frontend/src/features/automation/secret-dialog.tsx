/** The secret that signs what rules send to programs: made anew, shown once. */
import { useState } from "react";
import { useTenantId } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { useForm } from "@/lib/form";
import { Button } from "@/ui/button";
import { CodeBox } from "@/ui/copy";
import { Dialog, DialogFooter } from "@/ui/dialog";
import { FormProblem } from "@/ui/field";
import { newSecret } from "./api";

export function SecretDialog({ onClose }: { onClose: () => void }) {
  const { t } = useLanguage();
  const tenantId = useTenantId();
  const [secret, setSecret] = useState<string | null>(null);
  const form = useForm({}, async () => setSecret((await newSecret(tenantId)).secret));
  return (
    <Dialog
      open
      onClose={onClose}
      title={t("automation.secret")}
      description={t(secret ? "state.shown_once" : "automation.secret_hint")}
    >
      {secret && <CodeBox text={secret} label={t("channels.secret")} />}
      <FormProblem problem={form.problem} />
      <DialogFooter>
        <Button onClick={onClose}>{t(secret ? "action.done" : "action.cancel")}</Button>
        {!secret && (
          <Button variant="danger" busy={form.busy} onClick={() => void form.onSubmit()}>
            {t("automation.new_secret")}
          </Button>
        )}
      </DialogFooter>
    </Dialog>
  );
}
