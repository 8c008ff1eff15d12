/** Invites somebody; the link is shown this once, and mailed where the tenant has mail. */
import { useState } from "react";
import { FormDialog } from "@/app/form-dialog";
import { useLanguage } from "@/i18n";
import { useForm } from "@/lib/form";
import { TakeAway } from "@/ui/dialog";
import { Field, Input, Select } from "@/ui/field";
import { invite, MEMBER_ROLES, type MemberRole } from "./api";

interface Props {
  tenantId: string;
  onClose: () => void;
  onInvited: () => Promise<unknown>;
}

export function InviteDialog({ tenantId, onClose, onInvited }: Props) {
  const { t, named } = useLanguage();
  const [link, setLink] = useState<string | null>(null);
  const form = useForm({ email: "", name: "", role: "agent" as MemberRole }, async ({ email, name, role }) => {
    const made = await invite({ tenant_id: tenantId, email, role, ...(name && { name }) });
    await onInvited();
    setLink(made.url);
  });
  if (link) {
    return (
      <TakeAway
        text={link}
        label={t("people.invited")}
        onClose={onClose}
        title={t("people.invited")}
        description={t("people.invited_hint")}
      />
    );
  }
  return (
    <FormDialog
      form={form}
      shown={["email", "name", "role"]}
      onClose={onClose}
      title={t("people.invite")}
      action={t("people.invite")}
    >
      <Field label={t("field.email")} error={form.error("email")}>
        <Input
          type="email"
          required
          dir="ltr"
          value={form.values.email}
          onChange={(event) => form.set("email", event.target.value)}
        />
      </Field>
      <Field label={t("field.name")} optional error={form.error("name")}>
        <Input maxLength={200} value={form.values.name} onChange={(event) => form.set("name", event.target.value)} />
      </Field>
      <Field label={t("field.role")} hint={t(`role_hint.${form.values.role}`)} error={form.error("role")}>
        <Select
          value={form.values.role}
          onChange={(event) => form.set("role", event.target.value as MemberRole)}
          options={MEMBER_ROLES.map((each) => ({ value: each, label: named("role", each) }))}
        />
      </Field>
    </FormDialog>
  );
}
