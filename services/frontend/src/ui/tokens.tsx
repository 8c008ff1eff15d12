/** Several short texts in one field: typed, then Enter or leaving it; Backspace takes the last back. */
import { X } from "lucide-react";
import { type KeyboardEvent, useState } from "react";
import { useLanguage } from "@/i18n";
import { cx } from "@/lib/classes";
import { Input } from "./field";

interface Props {
  value: readonly string[];
  onChange: (value: string[]) => void;
  placeholder?: string;
  label?: string;
  maxLength?: number;
  invalid?: boolean;
}

export function Tokens({ value, onChange, placeholder, label, maxLength = 500, invalid }: Props) {
  const { t } = useLanguage();
  const [typed, setTyped] = useState("");
  const add = () => {
    const text = typed.trim();
    setTyped("");
    if (text && !value.includes(text)) onChange([...value, text]);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && typed.trim()) {
      event.preventDefault();
      add();
    } else if (event.key === "Backspace" && typed === "" && value.length > 0) {
      onChange(value.slice(0, -1));
    }
  };
  return (
    <div
      className={cx(
        "control flex min-h-8 flex-wrap items-center gap-1 px-1 py-0.5 focus-within:outline-2 focus-within:outline-accent",
        invalid && "border-bad",
      )}
    >
      {value.map((text) => (
        <span key={text} className="flex h-6 max-w-full items-center gap-0.5 rounded bg-sunken ps-2 pe-0.5 text-xs">
          <bdi className="truncate">{text}</bdi>
          <button
            type="button"
            className="rounded p-1 text-ink-faint hover:text-ink"
            aria-label={`${t("action.remove")}: ${text}`}
            onClick={() => onChange(value.filter((each) => each !== text))}
          >
            <X className="size-3" aria-hidden />
          </button>
        </span>
      ))}
      <Input
        dir="auto"
        aria-label={label}
        maxLength={maxLength}
        placeholder={value.length === 0 ? placeholder : undefined}
        className="h-6 w-auto min-w-24 flex-1 border-0 bg-transparent px-1.5 focus-visible:outline-none"
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onKeyDown={onKeyDown}
        onBlur={add}
      />
    </div>
  );
}
