/** The fields of each kind of action. */
import type { ReactNode } from "react";
import { useLanguage } from "@/i18n";
import { ByLanguage } from "@/ui/by-language";
import { DurationInput } from "@/ui/duration";
import { Field, Input, Select, Textarea, Toggle } from "@/ui/field";
import { Tokens } from "@/ui/tokens";
import type { CardValue } from "../model/draft";
import type { ActionType } from "../model/vocabulary";
import { useEditing, useMessage } from "./context";
import { TemplateText, type TemplateTextProps } from "./template-text";

interface Props<Type extends ActionType> {
  value: CardValue & { type: Type };
  onChange: (value: CardValue) => void;
  place: string;
}

const FIELDS: { [Type in ActionType]: ((props: Props<Type>) => ReactNode) | null } = {
  reply: ReplyFields,
  canned_reply: CannedReplyFields,
  webhook: WebhookFields,
  ticket: TicketFields,
  assign: AssignFields,
  tag: TagFields,
  hand_over: HandOverFields,
  note: NoteFields,
  email: EmailFields,
  close: null,
  wait: WaitFields,
  set_variable: VariableFields,
};

export function ActionFields(props: Props<ActionType>) {
  const { named } = useLanguage();
  const Fields = FIELDS[props.value.type] as ((props: Props<ActionType>) => ReactNode) | null;
  if (!Fields) return <p className="text-xs text-ink-soft">{named("rule_action_hint", props.value.type)}</p>;
  return <Fields {...props} />;
}

interface TextFieldProps extends TemplateTextProps {
  label: string;
  hint?: string;
  optional?: boolean;
  /** In the document: what the server says of it stands here. */
  place: string;
}

function TextField({ label, hint, optional, place, ...text }: TextFieldProps) {
  return (
    <Field label={label} hint={hint} optional={optional} error={useMessage(place)}>
      <TemplateText {...text} />
    </Field>
  );
}

/** A text of an action: where it stands, what it is, how it changes. */
function bound<Type extends ActionType>(
  { value, onChange, place }: Props<Type>,
  name: string & keyof Extract<CardValue, { type: Type }>,
) {
  return {
    place: `${place}.${name}`,
    value: String((value as Readonly<Record<string, unknown>>)[name] ?? ""),
    onChange: (text: string) => onChange({ ...value, [name]: text }),
  };
}

function ReplyFields({ value, onChange, place }: Props<"reply">) {
  const { t, locale } = useLanguage();
  const { mayEdit } = useEditing();
  const error = useMessage(`${place}.text`);
  const { text } = value;
  const several = typeof text !== "string";
  const first = several ? (Object.values(text)[0] ?? "") : text;
  return (
    <>
      {several ? (
        <ByLanguage
          label={t("rule.text")}
          hint={t("rule.by_language_hint")}
          value={text as Record<string, string>}
          onChange={(next) => onChange({ ...value, text: next })}
          error={error}
          field={(one) => (
            <TemplateText
              required
              rows={3}
              maxLength={4000}
              lang={one.code}
              value={one.value}
              onChange={one.onChange}
            />
          )}
        />
      ) : (
        <TextField
          label={t("rule.text")}
          place={`${place}.text`}
          required
          rows={3}
          maxLength={4000}
          value={text}
          onChange={(next) => onChange({ ...value, text: next })}
        />
      )}
      <Toggle
        checked={several}
        onChange={(on) => onChange({ ...value, text: on ? { [locale]: first } : first })}
        label={t("rule.by_language")}
        disabled={!mayEdit}
      />
    </>
  );
}

function CannedReplyFields({ value, onChange, place }: Props<"canned_reply">) {
  const { t } = useLanguage();
  const { lookups } = useEditing();
  const known = lookups.replies.some((reply) => reply.value === value.canned_reply_id);
  return (
    <Field
      label={t("rule_action.canned_reply")}
      hint={lookups.replies.length === 0 ? t("rule.no_replies") : undefined}
      error={useMessage(place)}
    >
      <Select
        required
        value={value.canned_reply_id}
        onChange={(event) => onChange({ ...value, canned_reply_id: event.target.value })}
        options={[
          ...(known ? [] : [{ value: value.canned_reply_id, label: value.canned_reply_id || t("rule.choose") }]),
          ...lookups.replies,
        ]}
      />
    </Field>
  );
}

function WebhookFields({ value, onChange, place }: Props<"webhook">) {
  const { t } = useLanguage();
  return (
    <>
      <Field label={t("field.address")} hint={t("rule.webhook_hint")} error={useMessage(`${place}.url`)}>
        <Input
          type="url"
          dir="ltr"
          required
          maxLength={2000}
          pattern="https?://.+"
          title="https://…"
          value={value.url}
          onChange={(event) => onChange({ ...value, url: event.target.value })}
        />
      </Field>
      <Field label={t("rule.body")} hint={t("rule.body_hint")} optional error={useMessage(`${place}.body`)}>
        <Textarea
          rows={4}
          dir="ltr"
          className="font-mono text-xs"
          spellCheck={false}
          placeholder={'{"text": "{{visitor.name}}: {{message.text}}"}'}
          value={value.body}
          onChange={(event) => onChange({ ...value, body: event.target.value })}
        />
      </Field>
    </>
  );
}

const PRIORITIES = ["low", "normal", "high", "urgent"] as const;

function TicketFields(props: Props<"ticket">) {
  const { t, named } = useLanguage();
  const { value, onChange, place } = props;
  return (
    <>
      <div className="grid gap-3 sm:grid-cols-[1fr_10rem]">
        <TextField label={t("tickets.subject")} required maxLength={200} {...bound(props, "subject")} />
        <Field label={t("tickets.priority")} error={useMessage(`${place}.priority`)}>
          <Select
            value={value.priority ?? "normal"}
            onChange={(event) => onChange({ ...value, priority: event.target.value as (typeof PRIORITIES)[number] })}
            options={PRIORITIES.map((priority) => ({ value: priority, label: named("priority", priority) }))}
          />
        </Field>
      </div>
      <TextField label={t("tickets.problem")} required rows={3} maxLength={4000} {...bound(props, "problem")} />
    </>
  );
}

function AssignFields({ value, onChange, place }: Props<"assign">) {
  const { t } = useLanguage();
  const { lookups } = useEditing();
  const unknown = value.agent_id !== null && !lookups.agents.some((agent) => agent.value === value.agent_id);
  return (
    <Field label={t("inbox.assignee")} error={useMessage(place)} className="max-w-md">
      <Select
        value={value.agent_id ?? ""}
        onChange={(event) => onChange({ ...value, agent_id: event.target.value || null })}
        options={[
          { value: "", label: t("rule.to_queue") },
          ...(unknown ? [{ value: value.agent_id ?? "", label: value.agent_id ?? "" }] : []),
          ...lookups.agents,
        ]}
      />
    </Field>
  );
}

function TagFields({ value, onChange, place }: Props<"tag">) {
  const { t } = useLanguage();
  return (
    <div className="grid gap-3 sm:grid-cols-2">
      <Field label={t("rule.add_tags")} error={useMessage(`${place}.add`)}>
        <Tokens
          maxLength={60}
          placeholder={t("rule.type_tag")}
          value={value.add ?? []}
          onChange={(add) => onChange({ ...value, add })}
        />
      </Field>
      <Field label={t("rule.remove_tags")} error={useMessage(`${place}.remove`)}>
        <Tokens
          maxLength={60}
          placeholder={t("rule.type_tag")}
          value={value.remove ?? []}
          onChange={(remove) => onChange({ ...value, remove })}
        />
      </Field>
    </div>
  );
}

function HandOverFields(props: Props<"hand_over">) {
  const { t } = useLanguage();
  const reason = bound(props, "reason");
  return <TextField label={t("inbox.reason")} hint={t("rule.reason_hint")} optional maxLength={200} {...reason} />;
}

function NoteFields(props: Props<"note">) {
  const { t } = useLanguage();
  const text = bound(props, "text");
  return <TextField label={t("inbox.note")} hint={t("rule.note_hint")} required rows={3} maxLength={4000} {...text} />;
}

function EmailFields(props: Props<"email">) {
  const { t } = useLanguage();
  return (
    <>
      <TextField label={t("rule.to")} hint={t("rule.email_hint")} required maxLength={320} {...bound(props, "to")} />
      <TextField label={t("tickets.subject")} required maxLength={200} {...bound(props, "subject")} />
      <TextField label={t("rule.text")} required rows={5} maxLength={4000} {...bound(props, "text")} />
    </>
  );
}

function WaitFields({ value, onChange, place }: Props<"wait">) {
  const { t } = useLanguage();
  return (
    <Field label={t("rule.how_long")} hint={t("rule.wait_hint")} error={useMessage(`${place}.minutes`)}>
      <DurationInput
        required
        max={43_200}
        value={value.minutes}
        onChange={(minutes) => onChange({ ...value, minutes })}
      />
    </Field>
  );
}

function VariableFields(props: Props<"set_variable">) {
  const { t } = useLanguage();
  const { value, onChange, place } = props;
  return (
    <div className="grid gap-3 sm:grid-cols-2">
      <Field label={t("field.name")} hint={t("rule.variable_hint")} error={useMessage(`${place}.name`)}>
        <Input
          required
          dir="ltr"
          pattern="[a-z][a-z0-9_]{0,59}"
          title={t("rule.variable_hint")}
          value={value.name}
          onChange={(event) => onChange({ ...value, name: event.target.value })}
        />
      </Field>
      <TextField label={t("rule.value")} maxLength={1000} {...bound(props, "value")} />
    </div>
  );
}
