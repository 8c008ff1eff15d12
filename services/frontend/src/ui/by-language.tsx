/** One text in several languages. */
import { Plus, X } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useLanguage } from "@/i18n";
import { direction } from "@/i18n/catalogue";
import { IconButton } from "./button";
import { Field, Select, Textarea } from "./field";

const COMMON = ["en", "fa", "es", "ar", "de", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "tr", "uk", "zh"];

/** What stands for one language in place of a plain field. */
interface OneLanguage {
  code: string;
  value: string;
  onChange: (text: string) => void;
}

interface Props {
  label: string;
  hint?: string;
  value: Readonly<Record<string, string>>;
  onChange: (value: Record<string, string>) => void;
  error?: string | undefined;
  field?: (one: OneLanguage) => ReactNode;
}

function PlainField({ code, value, onChange }: OneLanguage) {
  return (
    <Textarea
      lang={code}
      dir={direction(code)}
      rows={2}
      maxLength={1000}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

export function ByLanguage({ label, hint, value, onChange, error, field = PlainField }: Props) {
  const { t, format } = useLanguage();
  const codes = Object.keys(value);
  const [adding, setAdding] = useState("");
  const free = COMMON.filter((code) => !codes.includes(code));
  const chosen = adding || free[0] || "";
  const without = (code: string) => Object.fromEntries(Object.entries(value).filter(([each]) => each !== code));
  return (
    <fieldset className="flex flex-col gap-2">
      <legend className="mb-1 text-xs font-medium text-ink-soft">{label}</legend>
      {codes.map((code) => (
        <div key={code} className="flex items-start gap-2">
          <Field className="flex-1" label={format.language(code)}>
            {field({ code, value: value[code] ?? "", onChange: (text) => onChange({ ...value, [code]: text }) })}
          </Field>
          <IconButton className="mt-5" label={t("action.remove")} size="iconSm" onClick={() => onChange(without(code))}>
            <X className="size-3.5" aria-hidden />
          </IconButton>
        </div>
      ))}
      {free.length > 0 && (
        <div className="flex items-center gap-2">
          <Select
            aria-label={t("language.label")}
            className="w-40"
            value={chosen}
            onChange={(event) => setAdding(event.target.value)}
            options={free.map((code) => ({ value: code, label: format.language(code) }))}
          />
          <IconButton
            variant="secondary"
            label={t("action.add_language")}
            onClick={() => {
              onChange({ ...value, [chosen]: "" });
              setAdding("");
            }}
          >
            <Plus className="size-4" aria-hidden />
          </IconButton>
        </div>
      )}
      {hint && <p className="text-xs text-ink-faint">{hint}</p>}
      {error && (
        <p role="alert" className="text-xs text-bad">
          {error}
        </p>
      )}
    </fieldset>
  );
}
