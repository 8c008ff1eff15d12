/** Several of a closed set: a button that tells what is chosen, and a menu that stays open while one chooses. */
import { Menu as Base } from "@base-ui/react/menu";
import { Check, ChevronDown } from "lucide-react";
import { useLanguage } from "@/i18n";
import { cx } from "@/lib/classes";
import type { Option } from "./field";
import { Menu } from "./menu";

interface Props {
  label: string;
  placeholder: string;
  options: readonly Option[];
  value: readonly string[];
  onChange: (value: string[]) => void;
  invalid?: boolean;
}

export function Choices({ label, placeholder, options, value, onChange, invalid }: Props) {
  const { format } = useLanguage();
  const unknown = value.filter((each) => !options.some((option) => option.value === each));
  const all = [...options, ...unknown.map((each) => ({ value: each, label: each }))];
  const chosen = all.filter((option) => value.includes(option.value)).map((option) => option.label);
  const toggle = (one: string, on: boolean) => onChange(on ? [...value, one] : value.filter((each) => each !== one));
  return (
    <Menu
      align="start"
      trigger={
        <button
          type="button"
          aria-label={`${label}: ${chosen.length > 0 ? format.list(chosen) : placeholder}`}
          className={cx("control control-line flex items-center gap-2 text-start", invalid && "border-bad")}
        >
          <span className={cx("min-w-0 flex-1 truncate", chosen.length === 0 && "text-ink-faint")}>
            {chosen.length > 0 ? format.list(chosen) : placeholder}
          </span>
          <ChevronDown className="size-3.5 shrink-0 text-ink-faint" aria-hidden />
        </button>
      }
    >
      {all.map((option) => (
        <Base.CheckboxItem
          key={option.value}
          checked={value.includes(option.value)}
          onCheckedChange={(on) => toggle(option.value, on)}
          closeOnClick={false}
          className="flex min-h-8 items-center gap-2 rounded-md px-2 text-sm text-ink outline-none data-highlighted:bg-hover pointer-coarse:min-h-10"
        >
          <span className="flex size-4 items-center justify-center rounded border border-line-strong">
            <Base.CheckboxItemIndicator>
              <Check className="size-3 text-accent-text" aria-hidden />
            </Base.CheckboxItemIndicator>
          </span>
          <bdi className="min-w-0 flex-1 truncate">{option.label}</bdi>
        </Base.CheckboxItem>
      ))}
    </Menu>
  );
}
