/** What a rule is tried against: the last days, one conversation, or an event as one imagines it. */
import { useQuery } from "@tanstack/react-query";
import { useTenantId } from "@/app/tenant";
import { keys as inboxKeys, listConversations } from "@/features/inbox/api";
import { visitorName } from "@/features/inbox/people";
import { useLanguage } from "@/i18n";
import { Field, Input, Select } from "@/ui/field";
import { Tokens } from "@/ui/tokens";
import type { Against } from "../api";
import { aboutInWords, eventName } from "../describe";
import { type Lookups, useChoices } from "../lookups";
import { type Group, kindOf, type Part } from "../model/conditions";
import { EVENTS, eventsOf, type Trigger } from "../model/vocabulary";

export type Way = "days" | "conversation" | "event";

export interface Chosen {
  way: Way;
  days: number;
  conversationId: string;
  event: string;
  /** By the name of a field, or of an event's value as `event.<key>`. */
  supposed: Readonly<Record<string, unknown>>;
}

export const AT_FIRST: Chosen = { way: "days", days: 7, conversationId: "", event: "", supposed: {} };

/** What is sent of a choice; null: something is still missing. */
export function againstOf(chosen: Chosen, trigger: Trigger): Against | null {
  if (trigger.type === "cron") return {};
  if (chosen.way === "days") return { days: chosen.days };
  if (chosen.way === "conversation") return chosen.conversationId ? { conversation_id: chosen.conversationId } : null;
  const given = Object.entries(chosen.supposed).filter(([, value]) => value !== "" && value !== undefined);
  const ofEvent = given.filter(([name]) => name.startsWith("event."));
  const payload = Object.fromEntries(ofEvent.map(([name, value]) => [name.slice("event.".length), value]));
  return {
    event: {
      name: eventToTry(chosen, trigger),
      payload: { ...payload, ...(chosen.conversationId && { conversation_id: chosen.conversationId }) },
      fields: Object.fromEntries(given.filter(([name]) => !name.includes("event.") && !name.startsWith("variable."))),
    },
  };
}

export function eventToTry(chosen: Chosen, trigger: Trigger): string {
  const names = eventsOf(trigger);
  return names.includes(chosen.event) ? chosen.event : (names[0] ?? "");
}

interface Props {
  chosen: Chosen;
  onChange: (chosen: Chosen) => void;
  trigger: Trigger;
  conditions: Group;
  lookups: Lookups;
}

export function AgainstFields({ chosen, onChange, trigger, conditions, lookups }: Props) {
  const language = useLanguage();
  const { t, tn, named } = language;
  const set = (part: Partial<Chosen>) => onChange({ ...chosen, ...part });
  if (trigger.type === "cron") return <p className="text-xs text-ink-soft">{t("trial.schedule_hint")}</p>;
  const ways: Way[] = trigger.type === "event" ? ["days", "conversation", "event"] : ["days", "conversation"];
  const way = ways.includes(chosen.way) ? chosen.way : "days";
  const names = eventsOf(trigger);
  return (
    <div className="flex flex-col gap-3">
      <Field label={t("trial.against")}>
        <Select
          value={way}
          onChange={(event) => set({ way: event.target.value as Way })}
          options={ways.map((each) => ({ value: each, label: named("trial_way", each) }))}
        />
      </Field>
      {way === "days" && (
        <Field label={t("trial.days")} hideLabel>
          <Select
            value={String(chosen.days)}
            onChange={(event) => set({ days: Number(event.target.value) })}
            options={[1, 7, 30].map((days) => ({ value: String(days), label: tn("analytics.days", days) }))}
          />
        </Field>
      )}
      {way === "event" && names.length > 1 && (
        <Field label={t("trigger.event")}>
          <Select
            value={eventToTry(chosen, trigger)}
            onChange={(event) => set({ event: event.target.value })}
            options={names.map((name) => ({ value: name, label: eventName(name, language) }))}
          />
        </Field>
      )}
      {(way === "conversation" || (way === "event" && hasConversation(eventToTry(chosen, trigger)))) && (
        <ConversationField
          value={chosen.conversationId}
          onChange={(conversationId) => set({ conversationId })}
          optional={way === "event"}
        />
      )}
      {way === "event" && <Supposed chosen={chosen} onChange={onChange} conditions={conditions} lookups={lookups} />}
    </div>
  );
}

function hasConversation(event: string): boolean {
  return EVENTS[event]?.includes("conversation_id") ?? false;
}

interface ConversationProps {
  value: string;
  onChange: (id: string) => void;
  optional: boolean;
}

function ConversationField({ value, onChange, optional }: ConversationProps) {
  const { t, format } = useLanguage();
  const tenantId = useTenantId();
  const filter = { queue: "all", brandId: undefined, tag: undefined } as const;
  const recent = useQuery({
    queryKey: [...inboxKeys.list(tenantId, filter), "recent"],
    queryFn: () => listConversations(tenantId, filter, undefined),
  });
  const options = (recent.data?.items ?? []).map((each) => ({
    value: each.id,
    label: `${visitorName(each, t)} · ${format.dateTime(each.updated_at)}`,
  }));
  return (
    <Field label={t("trial.conversation")} optional={optional}>
      <Select
        value={value}
        onChange={(event) => onChange(event.target.value)}
        options={[{ value: "", label: t(optional ? "trial.no_conversation" : "rule.choose") }, ...options]}
      />
    </Field>
  );
}

/** What the rule's conditions ask about, in their order. */
export function askedAbout(part: Part): string[] {
  if (part.kind === "comparison") return [part.about];
  return [...new Set(part.parts.flatMap(askedAbout))];
}

type SupposedProps = Pick<Props, "chosen" | "onChange" | "conditions" | "lookups">;

function Supposed({ chosen, onChange, conditions, lookups }: SupposedProps) {
  const language = useLanguage();
  const asked = askedAbout(conditions).filter((name) => !name.startsWith("variable."));
  const names = [...new Set(["message.text", ...asked])];
  return (
    <fieldset className="flex flex-col gap-3">
      <legend className="mb-2 text-xs text-ink-soft">{language.t("trial.suppose")}</legend>
      {names.map((name) => (
        <Field key={name} label={aboutInWords(name, language)}>
          <SupposedField
            name={name}
            value={chosen.supposed[name]}
            onChange={(value) => onChange({ ...chosen, supposed: { ...chosen.supposed, [name]: value } })}
            lookups={lookups}
          />
        </Field>
      ))}
    </fieldset>
  );
}

interface SupposedFieldProps {
  name: string;
  value: unknown;
  onChange: (value: unknown) => void;
  lookups: Lookups;
}

function SupposedField({ name, value, onChange, lookups }: SupposedFieldProps) {
  const { t, named } = useLanguage();
  const choices = useChoices(name, lookups);
  const kind = kindOf(name);
  if (kind === "tags") return <Tokens value={(value as string[] | undefined) ?? []} onChange={onChange} />;
  if (kind === "flag") {
    return (
      <Select
        value={value === undefined ? "" : String(value)}
        onChange={(event) => onChange(event.target.value === "" ? undefined : event.target.value === "true")}
        options={[
          { value: "", label: t("trial.as_is") },
          ...["true", "false"].map((each) => ({ value: each, label: named("flag", `${name}.${each}`) })),
        ]}
      />
    );
  }
  if (choices) {
    return (
      <Select
        value={(value as string | undefined) ?? ""}
        onChange={(event) => onChange(event.target.value)}
        options={[{ value: "", label: t("trial.as_is") }, ...choices]}
      />
    );
  }
  if (kind === "number") {
    return (
      <Input
        type="number"
        step="any"
        value={(value as number | undefined) ?? ""}
        onChange={(event) => onChange(event.target.value === "" ? undefined : event.target.valueAsNumber)}
      />
    );
  }
  return (
    <Input dir="auto" value={(value as string | undefined) ?? ""} onChange={(event) => onChange(event.target.value)} />
  );
}
