/** A ticket by hand, alone or out of a conversation. */
import { useQueryClient } from "@tanstack/react-query";
import { FormDialog } from "@/app/form-dialog";
import { useLanguage } from "@/i18n";
import { useForm } from "@/lib/form";
import { Field, Input, Select, Textarea } from "@/ui/field";
import { toast } from "@/ui/toast";
import { createTicket, PRIORITIES, type Priority } from "./api";

interface Props {
  tenantId: string;
  conversationId?: string;
  subject?: string;
  requester?: { name: string; email: string };
  onClose: () => void;
}

export function NewTicketDialog({ tenantId, conversationId, subject = "", requester, onClose }: Props) {
  const { t, named, format } = useLanguage();
  const queries = useQueryClient();
  const initial = {
    subject,
    problem: "",
    name: requester?.name ?? "",
    email: requester?.email ?? "",
    priority: "normal" as Priority,
  };
  const form = useForm(initial, async (values) => {
    const ticket = await createTicket({
      tenant_id: tenantId,
      ...(conversationId && { conversation_id: conversationId }),
      subject: values.subject,
      problem: values.problem,
      requester: { name: values.name, ...(values.email && { email: values.email }) },
      priority: values.priority,
    });
    await queries.invalidateQueries({ queryKey: ["tickets"] });
    toast.done(t("tickets.made", { number: format.number(ticket.number, { useGrouping: false }) }));
    onClose();
  });
  return (
    <FormDialog
      form={form}
      shown={["subject", "problem", "requester", "priority"]}
      onClose={onClose}
      title={t("tickets.new")}
      wide
      action={t("action.create")}
    >
      <Field label={t("tickets.subject")} error={form.error("subject")}>
        <Input
          required
          maxLength={200}
          dir="auto"
          value={form.values.subject}
          onChange={(event) => form.set("subject", event.target.value)}
        />
      </Field>
      <Field label={t("tickets.problem")} error={form.error("problem")}>
        <Textarea
          required
          rows={5}
          dir="auto"
          value={form.values.problem}
          onChange={(event) => form.set("problem", event.target.value)}
        />
      </Field>
      <div className="grid gap-4 sm:grid-cols-3">
        <Field label={t("tickets.requester")} error={form.error("requester.name")}>
          <Input
            required
            dir="auto"
            value={form.values.name}
            onChange={(event) => form.set("name", event.target.value)}
          />
        </Field>
        <Field label={t("field.email")} optional error={form.error("requester.email")}>
          <Input
            type="email"
            dir="ltr"
            value={form.values.email}
            onChange={(event) => form.set("email", event.target.value)}
          />
        </Field>
        <Field label={t("tickets.priority")} error={form.error("priority")}>
          <Select
            value={form.values.priority}
            onChange={(event) => form.set("priority", event.target.value as Priority)}
            options={PRIORITIES.map((each) => ({ value: each, label: named("priority", each) }))}
          />
        </Field>
      </div>
    </FormDialog>
  );
}
