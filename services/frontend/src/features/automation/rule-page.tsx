/** One rule: written or changed, tried, switched on and off; and what it has done. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { ArrowLeft, Copy, EllipsisVertical, Trash2 } from "lucide-react";
import { useState } from "react";
import { useGo } from "@/app/go";
import { LeaveGuard } from "@/app/leave-guard";
import { useShortcuts } from "@/app/shortcuts";
import { useMay, useTenantId } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { Button, IconButton } from "@/ui/button";
import { Confirm } from "@/ui/dialog";
import { Menu, MenuItem } from "@/ui/menu";
import { Page, Tabs } from "@/ui/page";
import { Loaded } from "@/ui/states";
import { toast } from "@/ui/toast";
import { changeRule, createRule, getRule, keys, type Rule } from "./api";
import { Gallery } from "./editor/gallery";
import { RuleEditor } from "./editor/rule-editor";
import { type Editor, useEditor } from "./editor/use-editor";
import { JobsList } from "./jobs/jobs-list";
import { changesOf, documentOf, type RuleParts } from "./model/draft";
import { RuleSwitch } from "./rule-switch";
import { useRuleActs } from "./use-rule-acts";

const FORM = "rule";

export function RulePage() {
  const { ruleId = "new" } = useParams({ strict: false });
  return ruleId === "new" ? <NewRulePage /> : <StoredRulePage key={ruleId} ruleId={ruleId} />;
}

function BackButton() {
  const { t } = useLanguage();
  const go = useGo();
  const tenantId = useTenantId();
  return (
    <Button
      variant="ghost"
      icon={<ArrowLeft className="flip-rtl size-4" aria-hidden />}
      onClick={() => go(`/t/${tenantId}/automation`)}
    >
      {t("nav.automation")}
    </Button>
  );
}

function NewRulePage() {
  const { t } = useLanguage();
  const [parts, setParts] = useState<RuleParts | null>(null);
  if (parts) return <Writing parts={parts} />;
  return (
    <Page title={t("rule.new")} description={t("rule.gallery")} actions={<BackButton />}>
      <Gallery onChoose={setParts} />
    </Page>
  );
}

function Writing({ parts }: { parts: RuleParts }) {
  const { t } = useLanguage();
  const go = useGo();
  const tenantId = useTenantId();
  const queries = useQueryClient();
  const editor = useEditor(parts);
  const [done, setDone] = useState(false);
  const create = async (state: "active" | "paused") => {
    const made = await editor.save((draft) =>
      createRule({
        tenant_id: tenantId,
        brand_id: draft.brandId,
        name: draft.name,
        description: draft.description,
        state,
        ...documentOf(draft),
      }),
    );
    if (!made) return;
    setDone(true);
    await queries.invalidateQueries({ queryKey: keys.all(tenantId) });
    toast.done(t(state === "active" ? "rule.made" : "rule.made_paused"));
    setTimeout(() => go(`/t/${tenantId}/automation`));
  };
  return (
    <Page
      title={editor.draft.name || t("rule.new")}
      wide
      actions={
        <>
          <BackButton />
          <Button disabled={editor.busy} onClick={() => isComplete() && void create("paused")}>
            {t("rule.save_paused")}
          </Button>
          <Button variant="primary" type="submit" form={FORM} busy={editor.busy}>
            {t("rule.save_on")}
          </Button>
        </>
      }
    >
      <RuleEditor id={FORM} editor={editor} isNew mayEdit onSubmit={() => void create("active")} />
      <SaveKey />
      <LeaveGuard dirty={!done && editor.dirty} />
    </Page>
  );
}

/** Whether the form's own fields are filled in; the browser says which are not. */
function isComplete(): boolean {
  return (document.getElementById(FORM) as HTMLFormElement | null)?.reportValidity() ?? true;
}

function StoredRulePage({ ruleId }: { ruleId: string }) {
  const { t } = useLanguage();
  const tenantId = useTenantId();
  const rule = useQuery({ queryKey: keys.rule(tenantId, ruleId), queryFn: () => getRule(ruleId) });
  if (rule.data) return <Changing rule={rule.data} />;
  return (
    <Page title={t("rule.one")} actions={<BackButton />}>
      <Loaded query={rule}>{() => null}</Loaded>
    </Page>
  );
}

type Tab = "rule" | "jobs";

function Changing({ rule }: { rule: Rule }) {
  const { t } = useLanguage();
  const tenantId = useTenantId();
  const mayEdit = useMay("editAutomation");
  const queries = useQueryClient();
  const editor = useEditor(rule);
  const [tab, setTab] = useState<Tab>("rule");
  // Of what is edited here: somebody else's newer one is not written over.
  const [version, setVersion] = useState(rule.version);
  const save = async () => {
    if (!mayEdit || !editor.dirty) return;
    const sent = await editor.save(async (draft, saved) => {
      setVersion((await changeRule(rule.id, { ...changesOf(saved, draft), version })).version);
    });
    if (!sent) return;
    await queries.invalidateQueries({ queryKey: keys.all(tenantId) });
    toast.done(t("state.saved"));
  };
  return (
    <Page
      title={editor.draft.name || rule.name}
      wide
      actions={<Actions rule={rule} editor={editor} mayEdit={mayEdit} />}
      tabs={
        <Tabs<Tab>
          label={t("rule.one")}
          value={tab}
          onChange={setTab}
          tabs={[
            { id: "rule", label: t("rule.one") },
            { id: "jobs", label: t("automation.jobs") },
          ]}
        />
      }
    >
      {tab === "jobs" ? (
        <JobsList ruleId={rule.id} />
      ) : (
        <RuleEditor id={FORM} editor={editor} isNew={false} mayEdit={mayEdit} onSubmit={() => void save()} />
      )}
      <SaveKey />
      <LeaveGuard dirty={editor.dirty} />
    </Page>
  );
}

function Actions({ rule, editor, mayEdit }: { rule: Rule; editor: Editor; mayEdit: boolean }) {
  const { t } = useLanguage();
  const go = useGo();
  const tenantId = useTenantId();
  const acts = useRuleActs();
  const [removing, setRemoving] = useState(false);
  return (
    <>
      <BackButton />
      <RuleSwitch rule={rule} />
      {mayEdit && (
        <>
          <Menu
            trigger={
              <IconButton label={t("field.actions")}>
                <EllipsisVertical className="size-4" aria-hidden />
              </IconButton>
            }
          >
            <MenuItem icon={<Copy className="size-4" aria-hidden />} onSelect={() => void acts.duplicate(rule)}>
              {t("rule.duplicate")}
            </MenuItem>
            <MenuItem danger icon={<Trash2 className="size-4" aria-hidden />} onSelect={() => setRemoving(true)}>
              {t("action.delete")}
            </MenuItem>
          </Menu>
          <Button variant="primary" type="submit" form={FORM} busy={editor.busy} disabled={!editor.dirty}>
            {t("action.save")}
          </Button>
        </>
      )}
      {removing && (
        <Confirm
          open
          onClose={() => setRemoving(false)}
          title={t("rule.delete_title", { name: rule.name })}
          description={t("rule.delete_hint")}
          action={t("action.delete")}
          onConfirm={async () => {
            await acts.remove(rule);
            go(`/t/${tenantId}/automation`);
          }}
        />
      )}
    </>
  );
}

/** Ctrl S saves. */
function SaveKey() {
  useShortcuts({ "mod+s": () => (document.getElementById(FORM) as HTMLFormElement | null)?.requestSubmit() });
  return null;
}
