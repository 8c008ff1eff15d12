/** What is done with a whole rule, wherever it is shown. */
import { useQueryClient } from "@tanstack/react-query";
import { useGo } from "@/app/go";
import { useTenantId } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { toast } from "@/ui/toast";
import { createRule, keys, pauseRule, type Rule, removeRule, resumeRule } from "./api";
import { documentOf, draftOf } from "./model/draft";

export function useRuleActs() {
  const { t } = useLanguage();
  const go = useGo();
  const tenantId = useTenantId();
  const queries = useQueryClient();
  const reload = () => queries.invalidateQueries({ queryKey: keys.all(tenantId) });
  return {
    switchTo: async (rule: Rule, on: boolean) => {
      try {
        await (on ? resumeRule(rule.id) : pauseRule(rule.id));
      } catch (error) {
        toast.failed(error);
      }
      await reload();
    },
    /** The copy rests until somebody has looked at it. */
    duplicate: async (rule: Rule) => {
      try {
        const copy = await createRule({
          tenant_id: tenantId,
          brand_id: rule.brand_id,
          name: t("rule.copy_of", { name: rule.name }).slice(0, 200),
          description: rule.description,
          state: "paused",
          ...documentOf(draftOf(rule)),
        });
        await reload();
        go(`/t/${tenantId}/automation/${copy.id}`);
      } catch (error) {
        toast.failed(error);
      }
    },
    remove: async (rule: Rule) => {
      await removeRule(rule.id);
      await reload();
    },
  };
}
