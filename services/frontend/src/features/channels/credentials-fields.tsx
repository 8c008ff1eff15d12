/** The fields that a provider's credentials have, as the platform declares them. */
import { useState } from "react";
import { type Language, useLanguage } from "@/i18n";
import { Button } from "@/ui/button";
import { Field, Input, Select, Textarea, Toggle } from "@/ui/field";
import type { AskedField, ChannelType } from "./api";

export type CredentialValues = Readonly<Record<string, unknown>>;

/** What is sent: fields left empty are left out, so that the platform's default holds. */
export function filledIn(fields: readonly AskedField[], values: CredentialValues): Record<string, unknown> {
  const asked = fields.filter((field) => isAskedFor(field, fields, values));
  const given = asked.map((field) => [field.name, values[field.name] ?? field.default] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== "" && value !== null && value !== undefined));
}

/** Whether a field means something with what is chosen in others. */
function isAskedFor(field: AskedField, fields: readonly AskedField[], values: CredentialValues): boolean {
  return Object.entries(field.only_with ?? {}).every(([name, wanted]) =>
    wanted.includes(String(values[name] ?? fields.find((each) => each.name === name)?.default)),
  );
}

/** What most people leave as it is. */
function isRare(field: AskedField): boolean {
  return !field.required && /^(api_url|data_url|ca_certificate)$/.test(field.name);
}

interface Props {
  type: ChannelType;
  fields: readonly AskedField[];
  values: CredentialValues;
  onChange: (values: CredentialValues) => void;
  error: (name: string) => string | undefined;
}

export function CredentialsFields({ type, fields, values, onChange, error }: Props) {
  const { t } = useLanguage();
  const [all, setAll] = useState(false);
  const asked = fields.filter((field) => isAskedFor(field, fields, values));
  const shown = asked.filter((field) => all || !isRare(field));
  return (
    <>
      {shown.map((field) => (
        <CredentialField
          key={field.name}
          type={type}
          field={field}
          value={values[field.name] ?? field.default ?? ""}
          error={error(`credentials.${field.name}`) ?? error(field.name)}
          onChange={(value) => onChange({ ...values, [field.name]: value })}
        />
      ))}
      {shown.length < asked.length && (
        <Button variant="ghost" size="sm" className="self-start" onClick={() => setAll(true)}>
          {t("channels.more_fields")}
        </Button>
      )}
    </>
  );
}

interface OneProps {
  type: ChannelType;
  field: AskedField;
  value: unknown;
  error: string | undefined;
  onChange: (value: unknown) => void;
}

/** What was typed as the field's own kind; nothing stays nothing. */
export function typed(field: AskedField, text: string): string | number {
  return field.type === "integer" && text !== "" ? Number(text) : text;
}

const ABBREVIATED = new Set(["api", "ca", "id", "imap", "sid", "smtp", "url"]);

/** `imap_host` is "IMAP host". */
export function labelOf(name: string): string {
  const words = name.split("_").map((word) => (ABBREVIATED.has(word) ? word.toUpperCase() : word));
  return words.join(" ").replace(/^./, (first) => first.toUpperCase());
}

/** What a field is, in the reader's language; names that several providers use may mean something else with each. */
export function hintOf(type: ChannelType, field: AskedField, named: Language["named"]): string {
  const ours = named("credential", field.name, field.description.replaceAll("`", ""));
  return named("credential", `${type}.${field.name}`, ours);
}

function CredentialField({ type, field, value, error, onChange }: OneProps) {
  const { named } = useLanguage();
  const label = labelOf(field.name);
  const description = hintOf(type, field, named);
  if (field.type === "boolean") {
    return <Toggle checked={value === true} onChange={onChange} label={label} hint={description} />;
  }
  const hint = <span dir="auto">{description}</span>;
  return (
    <Field label={label} hint={hint} error={error} optional={!field.required}>
      {field.options ? (
        <Select
          value={String(value)}
          onChange={(event) => onChange(event.target.value)}
          options={field.options.map((each) => ({ value: each, label: each }))}
        />
      ) : field.name === "ca_certificate" ? (
        <Textarea dir="ltr" rows={3} value={String(value)} onChange={(event) => onChange(event.target.value)} />
      ) : (
        <Input
          dir="ltr"
          type={field.secret ? "password" : field.type === "integer" ? "number" : "text"}
          autoComplete="off"
          required={field.required}
          value={String(value)}
          onChange={(event) => onChange(typed(field, event.target.value))}
        />
      )}
    </Field>
  );
}
