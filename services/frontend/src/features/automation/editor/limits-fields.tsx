/** Limits: how often at most, when not at all, and what becomes of a firing that came too late. */
import type { ReactNode } from "react";
import { useLanguage } from "@/i18n";
import { timeZones } from "@/lib/time-zones";
import { DurationInput } from "@/ui/duration";
import { Field, Input, Select, Toggle } from "@/ui/field";
import { messageAt } from "../model/places";
import type { Limits, Trigger } from "../model/vocabulary";
import { useEditing } from "./context";

interface Props {
  limits: Required<Limits>;
  trigger: Trigger;
  onChange: (limits: Required<Limits>) => void;
}

export function LimitsFields({ limits, trigger, onChange }: Props) {
  const { t } = useLanguage();
  const { places } = useEditing();
  const set = (part: Partial<Limits>) => onChange({ ...limits, ...part });
  const cool = limits.cool_down_minutes;
  const times = limits.per_conversation;
  return (
    <div className="flex flex-col gap-4">
      {trigger.type !== "cron" && (
        <>
          <Optional on={cool !== null} onChange={(on) => set({ cool_down_minutes: on ? 60 : null })} what="cool_down">
            <Field label={t("limit.pause")} error={messageAt(places, "limits.cool_down_minutes")}>
              <DurationInput
                required
                max={43_200}
                value={cool ?? 60}
                onChange={(minutes) => set({ cool_down_minutes: minutes })}
              />
            </Field>
          </Optional>
          <Optional
            on={times !== null}
            onChange={(on) => set({ per_conversation: on ? 1 : null })}
            what="per_conversation"
          >
            <Field label={t("limit.times")} error={messageAt(places, "limits.per_conversation")} className="w-32">
              <Input
                type="number"
                required
                min={1}
                max={1000}
                value={times === null || Number.isNaN(times) ? "" : times}
                onChange={(event) => set({ per_conversation: event.target.valueAsNumber })}
              />
            </Field>
          </Optional>
        </>
      )}
      <QuietHours limits={limits} set={set} />
      {trigger.type === "cron" && <Misfire limits={limits} set={set} />}
    </div>
  );
}

interface OptionalProps {
  on: boolean;
  onChange: (on: boolean) => void;
  what: "cool_down" | "per_conversation" | "quiet_hours";
  children: ReactNode;
}

function Optional({ on, onChange, what, children }: OptionalProps) {
  const { named } = useLanguage();
  const { mayEdit } = useEditing();
  return (
    <div className="flex flex-col gap-2">
      <Toggle
        checked={on}
        onChange={onChange}
        label={named("limit", what)}
        hint={named("limit_hint", what)}
        disabled={!mayEdit}
      />
      {on && <div className="flex flex-wrap gap-4 ps-11">{children}</div>}
    </div>
  );
}

interface PartProps {
  limits: Required<Limits>;
  set: (part: Partial<Limits>) => void;
}

function QuietHours({ limits, set }: PartProps) {
  const { t } = useLanguage();
  const { places } = useEditing();
  const hours = limits.quiet_hours;
  const error = messageAt(places, "limits.quiet_hours");
  const shown = hours ?? { begins: "22:00", ends: "07:00", timezone: null };
  const change = (part: Partial<typeof shown>) => set({ quiet_hours: { ...shown, ...part } });
  return (
    <Optional on={hours !== null} onChange={(on) => set({ quiet_hours: on ? shown : null })} what="quiet_hours">
      <Field label={t("limit.from")} error={error} className="w-32">
        <Input
          type="time"
          required
          value={shown.begins}
          onChange={(event) => event.target.value && change({ begins: event.target.value })}
        />
      </Field>
      <Field label={t("limit.until")} className="w-32">
        <Input
          type="time"
          required
          value={shown.ends}
          onChange={(event) => event.target.value && change({ ends: event.target.value })}
        />
      </Field>
      <Field label={t("field.time_zone")} className="min-w-48 flex-1">
        <Select
          value={shown.timezone ?? ""}
          onChange={(event) => change({ timezone: event.target.value || null })}
          options={[{ value: "", label: t("persona.tenants_zone") }, ...timeZones(shown.timezone ?? "UTC")]}
        />
      </Field>
    </Optional>
  );
}

function Misfire({ limits, set }: PartProps) {
  const { t } = useLanguage();
  const { places } = useEditing();
  const { policy = "once", grace_seconds = 300 } = limits.misfire;
  const change = (part: Partial<Limits["misfire"]>) => set({ misfire: { policy, grace_seconds, ...part } });
  return (
    <div className="flex flex-wrap gap-4">
      <Field label={t("limit.misfire")} hint={t("limit.misfire_hint")} className="min-w-64 flex-1">
        <Select
          value={policy}
          onChange={(event) => change({ policy: event.target.value as "once" | "skip" })}
          options={[
            { value: "once", label: t("limit.once") },
            { value: "skip", label: t("limit.skip") },
          ]}
        />
      </Field>
      {policy === "skip" && (
        <Field label={t("limit.grace")} error={messageAt(places, "limits.misfire.grace_seconds")}>
          <DurationInput
            required
            units={["seconds", "minutes", "hours"]}
            max={86_400}
            value={grace_seconds}
            onChange={(seconds) => change({ grace_seconds: seconds })}
          />
        </Field>
      )}
    </div>
  );
}
