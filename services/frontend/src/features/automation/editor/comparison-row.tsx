/** One comparison: of what, how, with what; each kind of value has a field of its own. */
import { X } from "lucide-react";
import { useLanguage } from "@/i18n";
import { IconButton } from "@/ui/button";
import { Choices } from "@/ui/choices";
import { Input, type OptionGroup, Select } from "@/ui/field";
import { Tokens } from "@/ui/tokens";
import { aboutInWords, operatorName } from "../describe";
import { useChoices } from "../lookups";
import { about, type Comparison, kindOf } from "../model/conditions";
import { FIELDS, grouped, OPERATORS, payloadOf } from "../model/vocabulary";
import { useEditing, useMessage } from "./context";
import { PlaceMessage } from "./place-message";

interface Props {
  comparison: Comparison;
  onChange: (comparison: Comparison) => void;
  onRemove: () => void;
  place: string;
}

const NEW_VARIABLE = "variable.";

export function ComparisonRow({ comparison, onChange, onRemove, place }: Props) {
  const { t, named } = useLanguage();
  const kind = kindOf(comparison.about);
  return (
    <div className="rounded-lg bg-sunken p-2">
      <div className="flex items-start gap-2">
        <div className="grid min-w-0 flex-1 gap-2 sm:grid-cols-2 2xl:grid-cols-[minmax(0,1fr)_minmax(0,0.9fr)_minmax(0,1.4fr)]">
          <AboutField comparison={comparison} onChange={onChange} />
          {kind === "flag" ? (
            <Select
              aria-label={t("rule.value")}
              value={String(comparison.value)}
              onChange={(event) => onChange({ ...comparison, value: event.target.value === "true" })}
              options={[true, false].map((value) => ({
                value: String(value),
                label: named("flag", `${comparison.about}.${value}`),
              }))}
            />
          ) : (
            <>
              <OperatorField comparison={comparison} onChange={onChange} />
              <div className="min-w-0 sm:col-span-2 2xl:col-span-1">
                <ValueField comparison={comparison} onChange={onChange} place={place} />
              </div>
            </>
          )}
        </div>
        <IconButton size="iconSm" label={t("rule.remove_condition")} onClick={onRemove}>
          <X className="size-3.5" aria-hidden />
        </IconButton>
      </div>
      <PlaceMessage place={place} />
    </div>
  );
}

type PartProps = Pick<Props, "comparison" | "onChange">;

/** What may be compared: fields, what the event carries, variables. */
function useAboutGroups(present: string): OptionGroup[] {
  const language = useLanguage();
  const { trigger, variables } = useEditing();
  const option = (value: string) => ({ value, label: aboutInWords(value, language) });
  const groups = grouped(Object.keys(FIELDS)).map(([head, names]) => ({
    label: language.named("rule_field_group", head),
    options: names.map(option),
  }));
  const event = payloadOf(trigger).map((key) => `event.${key}`);
  const own = variables.map((name) => `variable.${name}`);
  if (present.startsWith("event.") && !event.includes(present)) event.push(present);
  if (present.startsWith(NEW_VARIABLE) && present !== NEW_VARIABLE && !own.includes(present)) own.push(present);
  return [
    ...groups,
    ...(event.length > 0 ? [{ label: language.t("rule_field_group.event"), options: event.map(option) }] : []),
    {
      label: language.t("rule_field_group.variable"),
      options: [...own.map(option), { value: NEW_VARIABLE, label: language.t("rule.other_variable") }],
    },
  ];
}

function AboutField({ comparison, onChange }: PartProps) {
  const { t } = useLanguage();
  const { variables } = useEditing();
  const groups = useAboutGroups(comparison.about);
  const name = comparison.about.startsWith(NEW_VARIABLE) ? comparison.about.slice(NEW_VARIABLE.length) : null;
  const typed = name !== null && !variables.includes(name);
  return (
    <div className="flex min-w-0 flex-col gap-1">
      <Select
        aria-label={t("rule.field")}
        value={typed ? NEW_VARIABLE : comparison.about}
        onChange={(event) => onChange(about(comparison, event.target.value))}
        groups={groups}
      />
      {typed && (
        <Input
          aria-label={t("rule.variable_name")}
          placeholder={t("rule.variable_name")}
          dir="ltr"
          pattern="[a-z][a-z0-9_]{0,59}"
          title={t("rule.variable_hint")}
          value={name}
          onChange={(event) => onChange({ ...comparison, about: `${NEW_VARIABLE}${event.target.value}` })}
        />
      )}
    </div>
  );
}

function OperatorField({ comparison, onChange }: PartProps) {
  const language = useLanguage();
  const { t } = language;
  const options = OPERATORS[kindOf(comparison.about)].flatMap((op) => {
    const label = operatorName(comparison.about, op, language);
    return comparison.negated && op !== comparison.op ? [] : [{ value: op, label }];
  });
  const negated = { value: "not", label: t("op.not", { op: operatorName(comparison.about, comparison.op, language) }) };
  return (
    <Select
      aria-label={t("rule.operator")}
      value={comparison.negated ? "not" : comparison.op}
      onChange={(event) =>
        onChange(
          event.target.value === "not"
            ? { ...comparison, negated: true }
            : { ...comparison, negated: false, op: event.target.value },
        )
      }
      options={[...options, negated]}
    />
  );
}

function ValueField({ comparison, onChange, place }: PartProps & { place: string }) {
  const { t } = useLanguage();
  const { lookups } = useEditing();
  const invalid = useMessage(`${place}.value`) !== undefined;
  const choices = useChoices(comparison.about, lookups);
  const { value } = comparison;
  if (typeof value === "boolean") return null;
  if (typeof value === "number") {
    return (
      <Input
        type="number"
        step="any"
        required
        aria-label={t("rule.value")}
        aria-invalid={invalid || undefined}
        value={Number.isNaN(value) ? "" : value}
        onChange={(event) => onChange({ ...comparison, value: event.target.valueAsNumber })}
      />
    );
  }
  if (choices) {
    return (
      <Choices
        label={t("rule.value")}
        placeholder={t("rule.choose")}
        options={choices}
        value={value}
        onChange={(next) => onChange({ ...comparison, value: next })}
        invalid={invalid}
      />
    );
  }
  return (
    <Tokens
      label={t("rule.value")}
      placeholder={t("rule.type_value")}
      value={value}
      onChange={(next) => onChange({ ...comparison, value: next })}
      invalid={invalid}
    />
  );
}
