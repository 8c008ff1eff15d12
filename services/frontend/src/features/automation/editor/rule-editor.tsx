/** The editor of one rule: When, If, Then, Limits, and beside them what it would do. */
import type { ReactNode } from "react";
import { useEffect, useRef } from "react";
import { useBrands } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { Field, FormProblem, Input, Select, Textarea } from "@/ui/field";
import { useLookups } from "../lookups";
import { variablesOf } from "../model/draft";
import { messageAt } from "../model/places";
import { TrialPanel } from "../trial/trial-panel";
import { ActionsFields } from "./actions-fields";
import { ConditionsFields } from "./conditions-fields";
import { EditingContext } from "./context";
import { LimitsFields } from "./limits-fields";
import type { Editor } from "./use-editor";
import { When } from "./when";

interface Props {
  id: string;
  editor: Editor;
  isNew: boolean;
  mayEdit: boolean;
  onSubmit: () => void;
}

export function RuleEditor({ id, editor, isNew, mayEdit, onSubmit }: Props) {
  const { t } = useLanguage();
  const lookups = useLookups();
  const form = useRef<HTMLFormElement>(null);
  const { draft, places, problem } = editor;
  useEffect(() => {
    if (Object.keys(places).length > 0)
      form.current?.querySelector('[role="alert"]')?.scrollIntoView({ block: "center" });
  }, [places]);
  const editing = { lookups, places, trigger: draft.trigger, variables: variablesOf(draft.actions), mayEdit };
  return (
    <EditingContext value={editing}>
      <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_minmax(18rem,24rem)]">
        <form
          id={id}
          ref={form}
          className="min-w-0"
          onSubmit={(event) => {
            event.preventDefault();
            onSubmit();
          }}
        >
          <fieldset disabled={!mayEdit} className="flex min-w-0 flex-col gap-5">
            {problem && <FormProblem problem={problem} />}
            <Head editor={editor} isNew={isNew} />
            <Section step={t("rule.when")} hint={t("rule.when_hint")}>
              <When trigger={draft.trigger} onChange={(trigger) => editor.set({ trigger })} />
            </Section>
            <Section step={t("rule.if")} hint={t("rule.if_hint")}>
              <ConditionsFields group={draft.conditions} onChange={(conditions) => editor.set({ conditions })} />
            </Section>
            <Section step={t("rule.then")} hint={t("rule.then_hint")}>
              <ActionsFields cards={draft.actions} onChange={(actions) => editor.set({ actions })} />
            </Section>
            <Section step={t("rule.limits")} hint={t("rule.limits_hint")}>
              <LimitsFields
                limits={draft.limits}
                trigger={draft.trigger}
                onChange={(limits) => editor.set({ limits })}
              />
            </Section>
          </fieldset>
        </form>
        {mayEdit && (
          <aside className="min-w-0 lg:sticky lg:top-0">
            <TrialPanel
              draft={draft}
              lookups={lookups}
              isComplete={() => (form.current?.reportValidity() ?? true) && editor.check()}
              onProblem={editor.tell}
            />
          </aside>
        )}
      </div>
    </EditingContext>
  );
}

function Head({ editor, isNew }: { editor: Editor; isNew: boolean }) {
  const { t } = useLanguage();
  const brands = useBrands().data?.items ?? [];
  const { draft, places } = editor;
  return (
    <section className="grid gap-4 rounded-xl border bg-panel p-4 sm:grid-cols-2">
      <Field label={t("field.name")} error={messageAt(places, "name")}>
        <Input
          required
          dir="auto"
          maxLength={200}
          placeholder={t("rule.name_hint")}
          value={draft.name}
          onChange={(event) => editor.set({ name: event.target.value })}
        />
      </Field>
      {brands.length > 1 && (
        <Field label={t("tenant.brand")} error={messageAt(places, "brand_id")}>
          <Select
            disabled={!isNew}
            value={draft.brandId ?? ""}
            onChange={(event) => editor.set({ brandId: event.target.value || null })}
            options={[
              { value: "", label: t("tenant.all_brands") },
              ...brands.map((brand) => ({ value: brand.id, label: brand.name })),
            ]}
          />
        </Field>
      )}
      <Field
        label={t("rule.description")}
        optional
        error={messageAt(places, "description")}
        className={brands.length > 1 ? "sm:col-span-2" : ""}
      >
        <Textarea
          rows={1}
          dir="auto"
          maxLength={2000}
          value={draft.description}
          onChange={(event) => editor.set({ description: event.target.value })}
        />
      </Field>
    </section>
  );
}

function Section({ step, hint, children }: { step: string; hint: string; children: ReactNode }) {
  return (
    <section className="min-w-0 rounded-xl border bg-panel">
      <header className="flex flex-wrap items-baseline gap-x-3 border-b px-4 py-3">
        <h2 className="rounded-md bg-accent-soft px-2 py-0.5 text-xs font-semibold text-accent-text">{step}</h2>
        <p className="min-w-0 flex-1 text-xs text-ink-faint">{hint}</p>
      </header>
      <div className="p-4">{children}</div>
    </section>
  );
}
