/** The settings of the search, with what each one does. */
import type { Body } from "@/api/client";
import { splitTags } from "@/features/knowledge/tags";
import { type Key, useLanguage } from "@/i18n";
import { Field, Input, Toggle } from "@/ui/field";

export type Config = Required<Body<"RetrievalConfig">>;

export function configOf(stored: Body<"RetrievalConfigView">): Config {
  const {
    version: _version,
    updated_at: _at,
    updated_by: _by,
    ...config
  } = stored as Required<Body<"RetrievalConfigView">>;
  return config;
}

const SHARES = [
  ["hybrid_weight", "bench.hybrid_weight", "bench.hybrid_weight_hint"],
  ["min_score", "bench.min_score", "bench.min_score_hint"],
] as const satisfies readonly (readonly [keyof Config, Key, Key])[];

const COUNTS = [
  ["max_documents", "bench.max_documents", 1, 20],
  ["context_budget_tokens", "bench.context_budget", 256, 32_000],
] as const satisfies readonly (readonly [keyof Config, Key, number, number])[];

export function ConfigForm({ config, onChange }: { config: Config; onChange: (config: Config) => void }) {
  const { t, format } = useLanguage();
  const { filters } = config;
  const visible = filters.visibility ?? ["public"];
  return (
    <div className="flex flex-col gap-4">
      {SHARES.map(([name, label, hint]) => (
        <Field key={name} label={`${t(label)} · ${format.number(config[name])}`} hint={t(hint)}>
          <input
            type="range"
            min={0}
            max={1}
            step={0.05}
            aria-label={t(label)}
            value={config[name]}
            onChange={(event) => onChange({ ...config, [name]: Number(event.target.value) })}
            className="w-full accent-(--accent)"
          />
        </Field>
      ))}
      {COUNTS.map(([name, label, min, max]) => (
        <Field key={name} label={t(label)}>
          <Input
            type="number"
            min={min}
            max={max}
            value={config[name]}
            onChange={(event) => onChange({ ...config, [name]: Number(event.target.value) })}
          />
        </Field>
      ))}
      <Field label={t("field.tags")} hint={t("bench.tags_hint")} optional>
        <Input
          defaultValue={(filters.tags ?? []).join(", ")}
          onBlur={(event) => onChange({ ...config, filters: { ...filters, tags: splitTags(event.target.value) } })}
        />
      </Field>
      <Toggle
        label={t("bench.internal")}
        checked={visible.includes("internal")}
        onChange={(internal) =>
          onChange({ ...config, filters: { ...filters, visibility: internal ? ["public", "internal"] : ["public"] } })
        }
      />
    </div>
  );
}
