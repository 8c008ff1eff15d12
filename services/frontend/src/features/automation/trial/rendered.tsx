/** An action's values as they are or would be, for people; a body that goes to a program as it is sent. */
import { useLanguage } from "@/i18n";
import { minutesInWords } from "../describe";
import type { Lookups } from "../lookups";

interface Props {
  type: string;
  values: Readonly<Record<string, unknown>>;
  lookups: Lookups;
}

/** As in the editor's cards; the database keeps no order. */
const ORDER = [
  "url",
  "to",
  "subject",
  "problem",
  "priority",
  "name",
  "add",
  "remove",
  "reason",
  "value",
  "text",
  "body",
];

const label = (lookup: readonly { value: string; label: string }[], id: unknown) =>
  lookup.find((each) => each.value === id)?.label ?? String(id);

export function Rendered({ type, values, lookups }: Props) {
  const { t, named, format, locale } = useLanguage();
  if (type === "assign")
    return <Line>{values.agent_id ? label(lookups.agents, values.agent_id) : t("rule.to_queue")}</Line>;
  if (type === "canned_reply") {
    return (
      <>
        <Line>{label(lookups.replies, values.canned_reply_id)}</Line>
        {typeof values.text === "string" && <Line>{values.text}</Line>}
      </>
    );
  }
  if (type === "wait") return <Line>{minutesInWords(Number(values.minutes), locale)}</Line>;
  if (type === "reply" && isByLanguage(values.text)) {
    return Object.entries(values.text).map(([code, text]) => (
      <Line key={code} name={format.language(code)}>
        {text}
      </Line>
    ));
  }
  const shown = Object.entries(values)
    .filter(([name, value]) => name !== "type" && !isNothing(value))
    .sort(([one], [other]) => ORDER.indexOf(one) - ORDER.indexOf(other));
  return shown.map(([name, value]) => (
    <Line key={name} name={["text", "url"].includes(name) ? undefined : named("action_value", name)}>
      {typeof value === "string" ? value : isTexts(name, value) ? value.join(" · ") : JSON.stringify(value, null, 2)}
    </Line>
  ));
}

function isNothing(value: unknown): boolean {
  return value === null || value === "" || (Array.isArray(value) && value.length === 0);
}

function isByLanguage(text: unknown): text is Record<string, string> {
  return typeof text === "object" && text !== null;
}

function isTexts(name: string, value: unknown): value is string[] {
  return Array.isArray(value) && (name === "add" || name === "remove");
}

function Line({ name, children }: { name?: string | undefined; children: string }) {
  return (
    <p className="text-xs whitespace-pre-wrap text-ink-soft">
      {name && <span className="text-ink-faint">{name}: </span>}
      <bdi>{children}</bdi>
    </p>
  );
}
