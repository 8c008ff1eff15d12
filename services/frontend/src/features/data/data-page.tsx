/** A tenant's data: how long it is kept, who is erased, what is taken out, what can be brought back. */
import { useSearch } from "@tanstack/react-router";
import { Problem } from "@/api/problem";
import { useMay } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { Page } from "@/ui/page";
import { Failure } from "@/ui/states";
import { BudgetCard } from "./budget-card";
import { DecommissionCard } from "./decommission-card";
import { DeletedCard } from "./deleted-card";
import { EraseCard } from "./erase-card";
import { ExportCard } from "./export-card";
import { RetentionCard } from "./retention-card";

export function DataPage() {
  const { t } = useLanguage();
  const allowed = useMay("manageData");
  const mayEnd = useMay("makeTenants");
  const conversationId = useSearch({ strict: false, select: (search) => search.erase });
  return (
    <Page title={t("nav.data")} description={t("data.description")}>
      {allowed ? (
        <>
          <BudgetCard />
          <RetentionCard />
          <EraseCard key={conversationId} conversationId={conversationId} />
          <ExportCard />
          <DeletedCard />
          {mayEnd && <DecommissionCard />}
        </>
      ) : (
        <Failure error={new Problem(403, "forbidden", "")} />
      )}
    </Page>
  );
}
