/** Form fields: a label, the control, a hint, and what is wrong with it, tied together for screen readers. */
import { Switch as BaseSwitch } from "@base-ui/react/switch";
import { Search } from "lucide-react";
import { type ComponentProps, createContext, type ReactNode, useContext, useId } from "react";
import type { Problem } from "@/api/problem";
import { useLanguage } from "@/i18n";
import { cx } from "@/lib/classes";
import { isOf } from "@/lib/form";
import { problemWords } from "./words";

interface Wiring {
  id: string;
  describedBy: string | undefined;
  invalid: boolean;
}

const FieldContext = createContext<Wiring | null>(null);

interface FieldProps {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
  optional?: boolean;
  hideLabel?: boolean;
  className?: string;
  children: ReactNode;
}

export function Field({ label, hint, error, optional, hideLabel, className, children }: FieldProps) {
  const id = useId();
  const { t } = useLanguage();
  const describedBy = cx(hint && `${id}-hint`, error && `${id}-error`) || undefined;
  return (
    <div className={cx("flex min-w-0 flex-col gap-1", className)}>
      <label htmlFor={id} className={cx("text-xs font-medium text-ink-soft", hideLabel && "sr-only")}>
        {label}
        {optional && <span className="font-normal text-ink-faint"> · {t("form.optional")}</span>}
      </label>
      <FieldContext value={{ id, describedBy, invalid: Boolean(error) }}>{children}</FieldContext>
      {hint && (
        <div id={`${id}-hint`} className="text-xs text-ink-faint">
          {hint}
        </div>
      )}
      {error && (
        <div id={`${id}-error`} role="alert" className="text-xs text-bad first-letter:uppercase">
          {error}
        </div>
      )}
    </div>
  );
}

function useWiring() {
  const field = useContext(FieldContext);
  return field
    ? { id: field.id, "aria-describedby": field.describedBy, "aria-invalid": field.invalid || undefined }
    : {};
}

export function Input({ className, ...rest }: ComponentProps<"input">) {
  return <input {...useWiring()} className={cx("control control-line", className)} {...rest} />;
}

/** What is looked for; its label is told to those who do not see the glass. */
export function SearchInput({ label, ...rest }: ComponentProps<"input"> & { label: string }) {
  return (
    <div className="relative w-full sm:w-64">
      <Search className="pointer-events-none absolute start-2.5 top-2 size-4 text-ink-faint" aria-hidden />
      <Input type="search" dir="auto" className="px-8" aria-label={label} placeholder={label} {...rest} />
    </div>
  );
}

export function Textarea({ className, ...rest }: ComponentProps<"textarea">) {
  return <textarea rows={4} {...useWiring()} className={cx("control control-text", className)} {...rest} />;
}

export interface Option {
  value: string;
  label: string;
}

export interface OptionGroup {
  label: string;
  options: readonly Option[];
}

interface SelectProps extends ComponentProps<"select"> {
  options?: readonly Option[];
  /** Options below headings, after those of none. */
  groups?: readonly OptionGroup[];
}

export function Select({ options = [], groups = [], className, ...rest }: SelectProps) {
  return (
    <select {...useWiring()} className={cx("control control-line", className)} {...rest}>
      <Options options={options} />
      {groups.map((group) => (
        <optgroup key={group.label} label={group.label}>
          <Options options={group.options} />
        </optgroup>
      ))}
    </select>
  );
}

interface FilterProps<Value extends string> {
  label: string;
  /** The words for no filter. */
  any: string;
  values: readonly Value[];
  value: Value | undefined;
  onChange: (value: Value | undefined) => void;
  name: (value: Value) => string;
}

/** Narrows a list to one value of a closed set, or to none. */
export function Filter<Value extends string>({ label, any, values, value, onChange, name }: FilterProps<Value>) {
  return (
    <Select
      aria-label={label}
      className="w-auto"
      value={value ?? ""}
      onChange={(event) => onChange(values.find((each) => each === event.target.value))}
      options={[{ value: "", label: any }, ...values.map((each) => ({ value: each, label: name(each) }))]}
    />
  );
}

function Options({ options }: { options: readonly Option[] }) {
  return options.map((each) => (
    <option key={each.value} value={each.value}>
      {each.label}
    </option>
  ));
}

interface ToggleProps {
  checked: boolean;
  onChange: (checked: boolean) => void;
  label: string;
  hint?: ReactNode;
  hideLabel?: boolean;
  disabled?: boolean | undefined;
}

export function Toggle({ checked, onChange, label, hint, hideLabel, disabled }: ToggleProps) {
  const id = useId();
  return (
    <div className="flex items-start gap-3">
      <BaseSwitch.Root
        id={id}
        aria-labelledby={`${id}-label`}
        checked={checked}
        onCheckedChange={onChange}
        disabled={disabled}
        className="mt-0.5 flex h-4.5 w-8 shrink-0 items-center rounded-full border-0 bg-line-strong p-0.5 transition-colors data-checked:bg-accent data-disabled:opacity-50"
      >
        <BaseSwitch.Thumb className="size-3.5 rounded-full bg-white shadow transition-transform data-checked:translate-x-3.5 rtl:data-checked:-translate-x-3.5" />
      </BaseSwitch.Root>
      <label htmlFor={id} className={cx("min-w-0", hideLabel && "sr-only")}>
        <span id={`${id}-label`} className="block text-sm text-ink">
          {label}
        </span>
        {hint && <span className="block text-xs text-ink-faint">{hint}</span>}
      </label>
    </div>
  );
}

/** What is wrong with a form as a whole; silent when a field already says it. */
export function FormProblem({ problem, shown = [] }: { problem: Problem | null; shown?: readonly string[] }) {
  const { t } = useLanguage();
  if (!problem) return null;
  const untold = problem.errors.filter((each) => !shown.some((name) => isOf(each.field, name)));
  if (problem.errors.length > 0 && untold.length === 0) return null;
  return (
    <div role="alert" className="rounded-md bg-bad-soft px-3 py-2 text-sm text-bad">
      {problemWords(problem, t)}
    </div>
  );
}
