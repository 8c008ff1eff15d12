/** A length of time as a number and its unit, counted in the smallest of the units offered. */
import { useState } from "react";
import { useLanguage } from "@/i18n";
import { Input, Select } from "./field";

const SECONDS = { seconds: 1, minutes: 60, hours: 3600, days: 86_400 } as const;
export type Unit = keyof typeof SECONDS;

interface Props {
  value: number;
  onChange: (value: number) => void;
  units?: readonly Unit[];
  max?: number;
  required?: boolean;
}

/** The largest unit that a length is a whole number of. */
export function unitOf(value: number, units: readonly Unit[]): Unit {
  const base = SECONDS[units[0] ?? "minutes"];
  const whole = units.filter((unit) => value > 0 && (value * base) % SECONDS[unit] === 0);
  return whole.at(-1) ?? units[0] ?? "minutes";
}

export function DurationInput({ value, onChange, units = ["minutes", "hours", "days"], max, required }: Props) {
  const { named } = useLanguage();
  const [unit, setUnit] = useState(() => unitOf(value, units));
  const base = SECONDS[units[0] ?? "minutes"];
  const factor = SECONDS[unit] / base;
  const count = Number.isFinite(value) ? value / factor : Number.NaN;
  const choose = (next: Unit) => {
    setUnit(next);
    onChange((count * SECONDS[next]) / base);
  };
  return (
    <div className="flex max-w-xs gap-2">
      <Input
        type="number"
        min={1}
        max={max && Math.floor(max / factor)}
        step={1}
        required={required}
        className="w-24 flex-none"
        value={Number.isNaN(count) ? "" : count}
        onChange={(event) => onChange(event.target.value === "" ? Number.NaN : Number(event.target.value) * factor)}
      />
      <Select
        id={undefined}
        aria-label={named("unit", "label")}
        value={unit}
        onChange={(event) => choose(event.target.value as Unit)}
        options={units.map((each) => ({ value: each, label: named("unit", each) }))}
      />
    </div>
  );
}
