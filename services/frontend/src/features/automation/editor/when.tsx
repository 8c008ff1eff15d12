/** When: an event, a schedule, or that nobody has answered for a while. */
import { CalendarClock, Hourglass, type LucideIcon, Plus, X, Zap } from "lucide-react";
import type { ReactNode } from "react";
import { useLanguage } from "@/i18n";
import { cx } from "@/lib/classes";
import { Button, IconButton } from "@/ui/button";
import { DurationInput } from "@/ui/duration";
import { Field, Select } from "@/ui/field";
import { eventName } from "../describe";
import { EVENTS, eventsOf, grouped, type Trigger } from "../model/vocabulary";
import { useMessage } from "./context";
import { ScheduleFields } from "./schedule-fields";

type Type = Trigger["type"];

const ICONS: Record<Type, LucideIcon> = { event: Zap, cron: CalendarClock, silence: Hourglass };
const BLANK: Record<Type, Trigger> = {
  event: { type: "event", name: "message.received" },
  cron: { type: "cron", cron: "0 9 * * *", timezone: null },
  silence: { type: "silence", minutes: 10, waiting_for: "team" },
};

interface Props {
  trigger: Trigger;
  onChange: (trigger: Trigger) => void;
}

export function When({ trigger, onChange }: Props) {
  const { t, named } = useLanguage();
  return (
    <div className="flex flex-col gap-4">
      <fieldset className="grid gap-2 sm:grid-cols-3">
        <legend className="sr-only">{t("trigger.kind")}</legend>
        {(["event", "cron", "silence"] as const).map((type) => (
          <Kind
            key={type}
            type={type}
            chosen={trigger.type === type}
            onChoose={() => trigger.type !== type && onChange(BLANK[type])}
            hint={named("trigger_hint", type)}
          >
            {named("trigger_kind", type)}
          </Kind>
        ))}
      </fieldset>
      {trigger.type === "event" && <Events trigger={trigger} onChange={onChange} />}
      {trigger.type === "cron" && <ScheduleFields trigger={trigger} onChange={onChange} />}
      {trigger.type === "silence" && <Silence trigger={trigger} onChange={onChange} />}
    </div>
  );
}

interface KindProps {
  type: Type;
  chosen: boolean;
  onChoose: () => void;
  hint: string;
  children: ReactNode;
}

function Kind({ type, chosen, onChoose, hint, children }: KindProps) {
  const Icon = ICONS[type];
  return (
    <label
      className={cx(
        "flex cursor-pointer items-start gap-2.5 rounded-lg border p-3 transition-colors has-focus-visible:outline-2 has-focus-visible:outline-accent",
        chosen ? "border-accent bg-accent-soft" : "hover:bg-hover",
      )}
    >
      <input type="radio" name="trigger" className="sr-only" checked={chosen} onChange={onChoose} />
      <Icon className={cx("mt-0.5 size-4 shrink-0", chosen ? "text-accent-text" : "text-ink-faint")} aria-hidden />
      <span className="min-w-0">
        <span className="block text-sm font-medium">{children}</span>
        <span className="block text-xs text-ink-soft">{hint}</span>
      </span>
    </label>
  );
}

function useEventGroups() {
  const language = useLanguage();
  return grouped(Object.keys(EVENTS)).map(([group, names]) => ({
    label: language.named("event_group", group),
    options: names.map((name) => ({ value: name, label: eventName(name, language) })),
  }));
}

function Events({ trigger, onChange }: { trigger: Trigger & { type: "event" }; onChange: Props["onChange"] }) {
  const { t } = useLanguage();
  const groups = useEventGroups();
  const error = useMessage("trigger");
  const names = [...eventsOf(trigger)];
  const write = (next: string[]) => onChange({ type: "event", name: next.length === 1 ? (next[0] ?? "") : next });
  const free = Object.keys(EVENTS).find((name) => !names.includes(name));
  return (
    <div className="flex flex-col gap-2">
      {names.map((name, index) => (
        <div key={name} className="flex items-end gap-2">
          <Field
            className="max-w-md flex-1"
            label={t(index === 0 ? "trigger.event" : "trigger.or_event")}
            error={index === 0 ? error : undefined}
          >
            <Select
              value={name}
              onChange={(event) => write(names.map((each, at) => (at === index ? event.target.value : each)))}
              groups={groups.map((group) => ({
                ...group,
                options: group.options.filter(({ value }) => value === name || !names.includes(value)),
              }))}
            />
          </Field>
          {names.length > 1 && (
            <IconButton label={t("action.remove")} onClick={() => write(names.filter((each) => each !== name))}>
              <X className="size-4" aria-hidden />
            </IconButton>
          )}
        </div>
      ))}
      {free && (
        <Button
          size="sm"
          variant="ghost"
          className="self-start"
          icon={<Plus className="size-3.5" aria-hidden />}
          onClick={() => write([...names, free])}
        >
          {t("trigger.add_event")}
        </Button>
      )}
    </div>
  );
}

function Silence({ trigger, onChange }: { trigger: Trigger & { type: "silence" }; onChange: Props["onChange"] }) {
  const { t } = useLanguage();
  return (
    <div className="flex flex-wrap gap-4">
      <Field label={t("trigger.waiting_for")} className="min-w-56 flex-1" error={useMessage("trigger.waiting_for")}>
        <Select
          value={trigger.waiting_for ?? "team"}
          onChange={(event) => onChange({ ...trigger, waiting_for: event.target.value as "team" | "visitor" })}
          options={[
            { value: "team", label: t("trigger.for_team") },
            { value: "visitor", label: t("trigger.for_visitor") },
          ]}
        />
      </Field>
      <Field label={t("trigger.for")} error={useMessage("trigger.minutes")}>
        <DurationInput value={trigger.minutes} max={43_200} onChange={(minutes) => onChange({ ...trigger, minutes })} />
      </Field>
    </div>
  );
}
