/** How a tenant's budgets of models stand; nothing where none is set. */
import { useQuery } from "@tanstack/react-query";
import { api, type Body, call } from "@/api/client";
import { useTenantId } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { Badge, type Tone } from "@/ui/badge";
import { Card } from "@/ui/page";

type Budget = Body<"BudgetView">;

const TONES: Record<Budget["level"], Tone> = { ok: "good", warn: "warn", degrade: "warn", stop: "bad" };

export function useBudget() {
  const tenantId = useTenantId();
  const params = { path: { tenant_id: tenantId } };
  return useQuery({
    queryKey: ["budget", tenantId],
    queryFn: () => call(api.GET("/admin/tenants/{tenant_id}/budget", { params })),
    refetchInterval: 60_000,
  });
}

export function BudgetCard() {
  const { t, named, format } = useLanguage();
  const { data } = useBudget();
  if (!data || data.limits.length === 0) return null;
  return (
    <Card
      title={t("persona.budgets")}
      description={t("data.budget_hint")}
      actions={<Badge tone={TONES[data.level]}>{named("budget_level", data.level)}</Badge>}
      bodyClassName="flex flex-col gap-3 p-4"
    >
      {data.limits.map((limit) => (
        <div key={limit.name} className="flex flex-col gap-1 text-sm">
          <div className="flex items-center justify-between gap-3">
            <span>{named("budget_limit", limit.name)}</span>
            <span className="text-ink-soft tabular-nums">
              {format.number(limit.spent)} / {format.number(limit.most)}
            </span>
          </div>
          <progress
            className="h-1.5 w-full"
            max={100}
            value={Math.min(100, limit.percent)}
            aria-label={named("budget_limit", limit.name)}
          />
        </div>
      ))}
    </Card>
  );
}

/** Tells whoever looks at the figures that answers are cheaper, or none of a model's, by now. */
export function BudgetBanner() {
  const { named } = useLanguage();
  const { data } = useBudget();
  if (!data || data.level === "ok") return null;
  return (
    <div role="status" className="rounded-xl border bg-panel px-4 py-3 text-sm">
      <Badge tone={TONES[data.level]}>{named("budget_level", data.level)}</Badge>{" "}
      <span className="text-ink-soft">{named("budget_then", data.level)}</span>
    </div>
  );
}
