/** What was published when and by whom, and the way back. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { History } from "lucide-react";
import { useState } from "react";
import { useLanguage } from "@/i18n";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/dialog";
import { Card } from "@/ui/page";
import { Empty, Loaded } from "@/ui/states";
import { When } from "@/ui/time";
import { getPolicy, listVersions, type Policy, policyKey, restoreVersion, versionsKey } from "./api";

interface Props {
  tenantId: string;
  current: number;
  mayEdit: boolean;
  onRestored: (policy: Policy) => void;
}

export function Versions({ tenantId, current, mayEdit, onRestored }: Props) {
  const { t, format } = useLanguage();
  const queries = useQueryClient();
  const [chosen, setChosen] = useState<number | null>(null);
  const versions = useQuery({ queryKey: versionsKey(tenantId), queryFn: () => listVersions(tenantId) });
  return (
    <Card title={t("persona.tab_versions")} bodyClassName="">
      <Loaded query={versions}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty icon={<History aria-hidden />} title={t("persona.no_versions")}>
              {t("persona.no_versions_hint")}
            </Empty>
          ) : (
            <ol className="divide-y">
              {items.map((each) => (
                <li key={each.version} className="flex flex-wrap items-center gap-3 px-4 py-3">
                  <span className="text-sm font-medium">
                    {t("persona.version", { number: format.number(each.version) })}
                  </span>
                  {each.version === current && <Badge tone="good">{t("persona.in_force")}</Badge>}
                  <span className="min-w-0 flex-1 truncate text-xs text-ink-faint">
                    <When at={each.created_at} /> {each.created_by && <bdi>· {each.created_by}</bdi>}
                    {each.changed.length > 0 && <span className="block truncate">{format.list(each.changed)}</span>}
                  </span>
                  {mayEdit && each.version !== current && (
                    <Button size="sm" onClick={() => setChosen(each.version)}>
                      {t("persona.restore")}
                    </Button>
                  )}
                </li>
              ))}
            </ol>
          )
        }
      </Loaded>
      <Confirm
        open={chosen !== null}
        onClose={() => setChosen(null)}
        danger={false}
        title={t("persona.restore_title", { number: format.number(chosen ?? 0) })}
        description={t("persona.restore_hint")}
        action={t("persona.restore")}
        onConfirm={async () => {
          await restoreVersion(tenantId, chosen ?? 0);
          const policy = await getPolicy(tenantId);
          queries.setQueryData(policyKey(tenantId), policy);
          onRestored(policy);
          await queries.invalidateQueries({ queryKey: versionsKey(tenantId) });
        }}
      />
    </Card>
  );
}
