/** The rules of a tenant: each in a sentence, with its switch, when it fired last and fires next. */
import { Link } from "@tanstack/react-router";
import { Copy, EllipsisVertical, Trash2, Workflow } from "lucide-react";
import { useState } from "react";
import { useGo } from "@/app/go";
import { useBrandId, useBrands, useMay, useTenantId } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { usePages } from "@/lib/paging";
import { Badge } from "@/ui/badge";
import { Button, IconButton } from "@/ui/button";
import { Confirm } from "@/ui/dialog";
import { Menu, MenuItem } from "@/ui/menu";
import { More } from "@/ui/more";
import { Card } from "@/ui/page";
import { Empty, Loaded } from "@/ui/states";
import { Ago } from "@/ui/time";
import { ActionIcon } from "./action-icon";
import { keys, listRules, type Rule } from "./api";
import { actionName, triggerInWords } from "./describe";
import { countOf, readConditions } from "./model/conditions";
import type { Action, Condition, Trigger } from "./model/vocabulary";
import { RuleSwitch } from "./rule-switch";
import { useRuleActs } from "./use-rule-acts";

const EVERY_MS = 10_000;

export function RulesList() {
  const { t } = useLanguage();
  const go = useGo();
  const tenantId = useTenantId();
  const brandId = useBrandId();
  const mayEdit = useMay("editAutomation");
  const acts = useRuleActs();
  const [removed, setRemoved] = useState<Rule | null>(null);
  const rules = usePages(keys.rules(tenantId), (cursor) => listRules(tenantId, cursor), { every: EVERY_MS });
  const ofBrand = (rule: Rule) => !brandId || rule.brand_id === null || rule.brand_id === brandId;
  return (
    <Card bodyClassName="">
      <Loaded query={rules}>
        {(items) =>
          items.some(ofBrand) ? (
            <ul className="divide-y">
              {items.filter(ofBrand).map((rule) => (
                <RuleRow key={rule.id} rule={rule} onRemove={() => setRemoved(rule)} />
              ))}
            </ul>
          ) : (
            <Empty
              icon={<Workflow aria-hidden />}
              title={t("automation.none")}
              action={
                mayEdit && (
                  <Button variant="primary" onClick={() => go(`/t/${tenantId}/automation/new`)}>
                    {t("rule.new")}
                  </Button>
                )
              }
            >
              {t("automation.none_hint")}
            </Empty>
          )
        }
      </Loaded>
      <More list={rules} />
      {removed && (
        <Confirm
          open
          onClose={() => setRemoved(null)}
          title={t("rule.delete_title", { name: removed.name })}
          description={t("rule.delete_hint")}
          action={t("action.delete")}
          onConfirm={() => acts.remove(removed)}
        />
      )}
    </Card>
  );
}

function RuleRow({ rule, onRemove }: { rule: Rule; onRemove: () => void }) {
  const language = useLanguage();
  const { t, tn } = language;
  const tenantId = useTenantId();
  const mayEdit = useMay("editAutomation");
  const acts = useRuleActs();
  const brands = useBrands().data?.items ?? [];
  const brand = brands.length > 1 ? brands.find((each) => each.id === rule.brand_id) : undefined;
  const asked = countOf(readConditions(rule.conditions as unknown as Condition));
  return (
    <li className="flex items-start gap-3 px-4 py-3">
      <div className="pt-0.5">
        <RuleSwitch rule={rule} named />
      </div>
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <Link
            to="/t/$tenantId/automation/$ruleId"
            params={{ tenantId, ruleId: rule.id }}
            search={(before) => (before.brand ? { brand: before.brand } : {})}
            className="font-medium hover:underline"
          >
            <bdi>{rule.name}</bdi>
          </Link>
          {brand && (
            <Badge>
              <bdi>{brand.name}</bdi>
            </Badge>
          )}
          {rule.state === "paused" && <Badge tone="warn">{t("rule.off")}</Badge>}
        </p>
        <p className="mt-0.5 text-xs text-ink-soft">
          {triggerInWords(rule.trigger as unknown as Trigger, language)}
          {asked > 0 && ` · ${tn("rule.conditions", asked)}`}
        </p>
        <p className="mt-1 flex flex-wrap gap-x-3 gap-y-1 text-xs text-ink-soft">
          {(rule.actions as unknown as Action[]).slice(0, 4).map((action, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: actions stand in the rule's order
            <span key={index} className="inline-flex items-center gap-1">
              <ActionIcon type={action.type} className="size-3.5" />
              {actionName(action.type, language)}
            </span>
          ))}
          {rule.actions.length > 4 && <span>+{language.format.number(rule.actions.length - 4)}</span>}
        </p>
        {rule.state === "paused" && rule.paused_because && (
          <p className="mt-1 text-xs text-warn">{pausedWords(rule.paused_because, t)}</p>
        )}
        <p className="mt-1 text-xs text-ink-faint sm:hidden">
          <Times rule={rule} />
        </p>
      </div>
      <p className="shrink-0 text-end text-xs text-ink-faint max-sm:hidden">
        <Times rule={rule} />
      </p>
      {mayEdit && (
        <Menu
          trigger={
            <IconButton size="iconSm" label={`${t("field.actions")}: ${rule.name}`}>
              <EllipsisVertical className="size-4" aria-hidden />
            </IconButton>
          }
        >
          <MenuItem icon={<Copy className="size-4" aria-hidden />} onSelect={() => void acts.duplicate(rule)}>
            {t("rule.duplicate")}
          </MenuItem>
          <MenuItem danger icon={<Trash2 className="size-4" aria-hidden />} onSelect={onRemove}>
            {t("action.delete")}
          </MenuItem>
        </Menu>
      )}
    </li>
  );
}

function Times({ rule }: { rule: Rule }) {
  const { t } = useLanguage();
  return (
    <>
      <span className="block">
        {t("rule.last_fired")}: {rule.last_fired_at ? <Ago at={rule.last_fired_at} /> : t("state.never")}
      </span>
      {rule.next_fire_at && (
        <span className="block">
          {t("rule.next_fire")}: <Ago at={rule.next_fire_at} />
        </span>
      )}
    </>
  );
}

/** Why a rule rests: the platform says one of two things, which have words in each language. */
function pausedWords(because: string, t: ReturnType<typeof useLanguage>["t"]): string {
  return because.startsWith("It fired again and again") ? t("rule.paused_loop") : t("rule.paused_by_hand");
}
