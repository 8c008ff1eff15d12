/** Automation: how it stands, the rules, and what they have done. */
import { KeyRound, Plus } from "lucide-react";
import { useState } from "react";
import { useGo } from "@/app/go";
import { useTab } from "@/app/tab";
import { useMay, useTenantId } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { Button, IconButton } from "@/ui/button";
import { Page, Tabs } from "@/ui/page";
import { JobsList } from "./jobs/jobs-list";
import { OverviewStrip } from "./overview-strip";
import { RulesList } from "./rules-list";
import { SecretDialog } from "./secret-dialog";

const TABS = ["rules", "jobs"] as const;

export function AutomationPage() {
  const { t } = useLanguage();
  const go = useGo();
  const tenantId = useTenantId();
  const mayEdit = useMay("editAutomation");
  const [tab, setTab] = useTab(TABS);
  const [signing, setSigning] = useState(false);
  return (
    <Page
      title={t("nav.automation")}
      description={t("automation.description")}
      actions={
        mayEdit && (
          <>
            <IconButton label={t("automation.secret")} variant="secondary" onClick={() => setSigning(true)}>
              <KeyRound className="size-4" aria-hidden />
            </IconButton>
            <Button
              variant="primary"
              icon={<Plus className="size-4" aria-hidden />}
              onClick={() => go(`/t/${tenantId}/automation/new`)}
            >
              {t("rule.new")}
            </Button>
          </>
        )
      }
      tabs={
        <Tabs
          label={t("nav.automation")}
          value={tab}
          onChange={setTab}
          tabs={[
            { id: "rules", label: t("automation.rules") },
            { id: "jobs", label: t("automation.jobs") },
          ]}
        />
      }
    >
      <OverviewStrip />
      {tab === "rules" ? <RulesList /> : <JobsList />}
      {signing && <SecretDialog onClose={() => setSigning(false)} />}
    </Page>
  );
}
