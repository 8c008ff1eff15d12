/** Who the bot is and what it keeps to: changed as a draft, tried beside the form, published as a version. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { LeaveGuard } from "@/app/leave-guard";
import { useTab } from "@/app/tab";
import { useMay, useTenantId } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { type Form, useForm } from "@/lib/form";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { FormProblem } from "@/ui/field";
import { Page, Tabs } from "@/ui/page";
import { Loaded } from "@/ui/states";
import { toast } from "@/ui/toast";
import { type Draft, draftOf, getPolicy, type Policy, policyKey, putPolicy, versionsKey } from "./api";
import { LimitsPart, SlaPart } from "./limit-parts";
import { AnswersPart, HoursPart, PersonaPart } from "./parts";
import { TryPane } from "./try-pane";
import { Versions } from "./versions";

export function PersonaPage() {
  const tenantId = useTenantId();
  const policy = useQuery({ queryKey: policyKey(tenantId), queryFn: () => getPolicy(tenantId) });
  const { t } = useLanguage();
  if (!policy.data) {
    return (
      <Page title={t("nav.persona")}>
        <Loaded query={policy}>{() => null}</Loaded>
      </Page>
    );
  }
  return <Editor key={tenantId} tenantId={tenantId} newest={policy.data} />;
}

const PARTS = {
  persona: PersonaPart,
  answers: AnswersPart,
  hours: HoursPart,
  sla: SlaPart,
  limits: LimitsPart,
} as const;

const TABS = ["persona", "answers", "hours", "sla", "limits", "versions"] as const;

const TOLD_AT_FIELDS = [
  "persona",
  "languages",
  "default_language",
  "no_answer_reply",
  "guardrails",
  "hours",
  "handoff",
  "budgets",
  "retention",
  "sla",
];

function Editor({ tenantId, newest }: { tenantId: string; newest: Policy }) {
  const { t, format } = useLanguage();
  const mayEdit = useMay("editPolicy");
  const queries = useQueryClient();
  const [part, setPart] = useTab(TABS);
  const [{ policy, round }, setBase] = useState({ policy: newest, round: 0 });
  const initial = useMemo(() => draftOf(policy), [policy]);
  const form = useForm<Draft>(initial, async (draft) => {
    const published = await putPolicy(tenantId, draft, policy.version);
    queries.setQueryData(policyKey(tenantId), published);
    begin(published);
    await queries.invalidateQueries({ queryKey: versionsKey(tenantId) });
    toast.done(t("persona.published"));
  });
  /** Begin anew from a policy: what was changed and not published is gone. */
  const begin = (from: Policy) => {
    setBase({ policy: from, round: round + 1 });
    form.reset(draftOf(from));
  };
  const changed = form.dirty;
  // A colleague's newer version is taken on where nothing would be lost by it; else publishing says that there is one.
  if (newest.version > policy.version && !changed && !form.busy) begin(newest);
  return (
    <Page
      title={t("nav.persona")}
      wide
      actions={
        <>
          <Badge tone={changed ? "warn" : "neutral"}>
            {changed ? t("persona.unsaved") : t("persona.version", { number: format.number(policy.version) })}
          </Badge>
          {mayEdit && (
            <>
              <Button disabled={!changed} onClick={() => begin(policy)}>
                {t("action.discard")}
              </Button>
              <Button variant="primary" disabled={!changed} busy={form.busy} onClick={() => void form.onSubmit()}>
                {t("persona.publish")}
              </Button>
            </>
          )}
        </>
      }
      tabs={
        <Tabs
          label={t("nav.persona")}
          value={part}
          onChange={setPart}
          tabs={[
            { id: "persona", label: t("persona.tab_persona") },
            { id: "answers", label: t("persona.tab_answers") },
            { id: "hours", label: t("persona.tab_hours") },
            { id: "sla", label: t("persona.tab_sla") },
            { id: "limits", label: t("persona.tab_limits") },
            { id: "versions", label: t("persona.tab_versions") },
          ]}
        />
      }
    >
      <FormProblem problem={form.problem} shown={TOLD_AT_FIELDS} />
      {part === "versions" ? (
        <Versions tenantId={tenantId} current={policy.version} mayEdit={mayEdit} onRestored={begin} />
      ) : (
        <div className="grid items-start gap-5 xl:grid-cols-[1fr_22rem]">
          <PartView key={`${part}-${round}`} part={part} form={form} mayEdit={mayEdit} />
          {mayEdit && <TryPane tenantId={tenantId} draft={form.values} changed={changed} />}
        </div>
      )}
      <LeaveGuard dirty={changed} />
    </Page>
  );
}

function PartView({ part, form, mayEdit }: { part: keyof typeof PARTS; form: Form<Draft>; mayEdit: boolean }) {
  const View = PARTS[part];
  return (
    <form onSubmit={form.onSubmit} className="min-w-0">
      <fieldset disabled={!mayEdit} className="flex min-w-0 flex-col gap-5">
        <View form={form} />
      </fieldset>
    </form>
  );
}
