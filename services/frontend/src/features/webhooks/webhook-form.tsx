/** The fields of a webhook: where to, of what, for which brand. */
import { useId } from "react";
import { useBrands } from "@/app/tenant";
import { EVENTS, grouped } from "@/features/automation/model/vocabulary";
import { useLanguage } from "@/i18n";
import type { Form } from "@/lib/form";
import { Button } from "@/ui/button";
import { Field, Input, Select } from "@/ui/field";

export interface WebhookValues {
  url: string;
  description: string;
  events: string[];
  brandId: string;
}

export const SHOWN = ["url", "description", "events", "brand_id"] as const;

interface Props {
  form: Form<WebhookValues>;
  isNew: boolean;
}

export function WebhookFields({ form, isNew }: Props) {
  const { t } = useLanguage();
  const brands = useBrands().data?.items ?? [];
  return (
    <>
      <Field label={t("field.address")} hint={t("webhooks.address_hint")} error={form.error("url")}>
        <Input
          type="url"
          dir="ltr"
          required
          pattern="https?://.+"
          title="https://…"
          maxLength={2000}
          placeholder="https://example.com/hooks/xin"
          value={form.values.url}
          onChange={(event) => form.set("url", event.target.value)}
        />
      </Field>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("webhooks.for_what")} optional error={form.error("description")}>
          <Input
            dir="auto"
            maxLength={2000}
            value={form.values.description}
            onChange={(event) => form.set("description", event.target.value)}
          />
        </Field>
        {isNew && brands.length > 1 && (
          <Field label={t("tenant.brand")} error={form.error("brand_id")}>
            <Select
              value={form.values.brandId}
              onChange={(event) => form.set("brandId", event.target.value)}
              options={[
                { value: "", label: t("tenant.all_brands") },
                ...brands.map((brand) => ({ value: brand.id, label: brand.name })),
              ]}
            />
          </Field>
        )}
      </div>
      <EventsChooser
        chosen={form.values.events}
        onChange={(events) => form.set("events", events)}
        error={form.error("events")}
      />
    </>
  );
}

interface ChooserProps {
  chosen: readonly string[];
  onChange: (events: string[]) => void;
  error: string | undefined;
}

/** All events in groups, each with a box; a group is chosen as a whole by its own. */
function EventsChooser({ chosen, onChange, error }: ChooserProps) {
  const { t, tn, named } = useLanguage();
  const all = Object.keys(EVENTS);
  const toggle = (names: readonly string[], on: boolean) =>
    onChange(all.filter((name) => (names.includes(name) ? on : chosen.includes(name))));
  return (
    <fieldset className="flex min-w-0 flex-col gap-2">
      <legend className="mb-1 text-xs font-medium text-ink-soft">{t("webhooks.events")}</legend>
      <div className="flex items-center gap-2 text-xs text-ink-faint">
        <span className="flex-1">{tn("webhooks.chosen", chosen.length)}</span>
        <Button size="sm" variant="ghost" onClick={() => toggle(all, chosen.length < all.length)}>
          {t(chosen.length < all.length ? "webhooks.choose_all" : "webhooks.choose_none")}
        </Button>
      </div>
      <div
        // biome-ignore lint/a11y/noNoninteractiveTabindex: who has no mouse scrolls it by its focus
        tabIndex={0}
        className="scroll-quiet max-h-72 overflow-y-auto rounded-lg border px-3 py-2"
      >
        {grouped(all).map(([group, names]) => {
          const on = names.filter((name) => chosen.includes(name)).length;
          return (
            <div key={group} className="py-1">
              <Box
                label={named("event_group", group)}
                strong
                checked={on === names.length}
                partly={on > 0 && on < names.length}
                onChange={(next) => toggle(names, next)}
              />
              <div className="grid ps-6 sm:grid-cols-2">
                {names.map((name) => (
                  <Box
                    key={name}
                    label={named("event", name)}
                    code={name}
                    checked={chosen.includes(name)}
                    onChange={(next) => toggle([name], next)}
                  />
                ))}
              </div>
            </div>
          );
        })}
      </div>
      {error && (
        <p role="alert" className="text-xs text-bad">
          {error}
        </p>
      )}
    </fieldset>
  );
}

interface BoxProps {
  label: string;
  code?: string;
  strong?: boolean;
  checked: boolean;
  partly?: boolean;
  onChange: (on: boolean) => void;
}

function Box({ label, code, strong, checked, partly = false, onChange }: BoxProps) {
  const id = useId();
  return (
    <div className="flex items-center gap-2 py-1 pointer-coarse:py-2">
      <input
        id={id}
        type="checkbox"
        className="size-4 shrink-0 accent-(--accent)"
        checked={checked}
        ref={(box) => {
          if (box) box.indeterminate = partly;
        }}
        onChange={(event) => onChange(event.target.checked)}
      />
      <label htmlFor={id} title={code} className={strong ? "text-xs font-semibold text-ink-soft" : "min-w-0 text-sm"}>
        {label}
      </label>
    </div>
  );
}
