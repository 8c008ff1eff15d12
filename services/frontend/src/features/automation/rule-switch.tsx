/** Switches one rule on and off. */
import { useState } from "react";
import { useMay } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { Toggle } from "@/ui/field";
import type { Rule } from "./api";
import { useRuleActs } from "./use-rule-acts";

interface Props {
  rule: Rule;
  /** The label is the rule's name, for who cannot see beside what it stands. */
  named?: boolean;
}

export function RuleSwitch({ rule, named = false }: Props) {
  const { t } = useLanguage();
  const mayEdit = useMay("editAutomation");
  const acts = useRuleActs();
  const [busy, setBusy] = useState(false);
  const on = rule.state === "active";
  const change = async (wanted: boolean) => {
    setBusy(true);
    await acts.switchTo(rule, wanted);
    setBusy(false);
  };
  return (
    <Toggle
      checked={on}
      onChange={(wanted) => void change(wanted)}
      label={named ? rule.name : t(on ? "rule.on" : "rule.off")}
      hideLabel={named}
      disabled={!mayEdit || busy}
    />
  );
}
