/** From an empty tenant to a widget that answers: five steps, each looked at for real by the platform. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Check, ChevronRight, PartyPopper } from "lucide-react";
import { api, type Body, call } from "@/api/client";
import { useGo } from "@/app/go";
import { useBrandId, useMay, useTenantId } from "@/app/tenant";
import { listChannels } from "@/features/channels/api";
import { Snippet } from "@/features/channels/snippet";
import { type Key, useLanguage } from "@/i18n";
import { cx } from "@/lib/classes";
import { Button } from "@/ui/button";
import { Card, Page } from "@/ui/page";
import { Loaded } from "@/ui/states";

type Onboarding = Body<"OnboardingView">;
type StepId = Body<"StepView">["id"];

const EVERY_MS = 4000;

/** Where each step is done, and what it is called. */
const STEPS: Record<StepId, readonly [Key, Key, string]> = {
  knowledge: ["start.knowledge", "start.knowledge_hint", "knowledge"],
  persona: ["start.persona", "start.persona_hint", "persona"],
  channel: ["start.channel", "start.channel_hint", "channels"],
  widget: ["start.widget", "start.widget_hint", "channels"],
  first_answer: ["start.first_answer", "start.first_answer_hint", "persona"],
};

export function StartPage() {
  const { t, format } = useLanguage();
  const tenantId = useTenantId();
  const onboarding = useQuery({
    queryKey: ["onboarding", tenantId],
    queryFn: () => call(api.GET("/admin/onboarding", { params: { query: { tenant_id: tenantId } } })),
    refetchInterval: (query) => (query.state.data?.done ? false : EVERY_MS),
  });
  return (
    <Page title={t("nav.start")} description={t("start.description")}>
      <Loaded query={onboarding}>
        {({ steps, done }) => {
          const made = steps.filter((step) => step.done).length;
          return (
            <div className="mx-auto flex w-full max-w-2xl flex-col gap-5">
              <div>
                <h2 className="flex items-center gap-2 text-lg font-semibold">
                  {done && <PartyPopper className="size-5 text-accent-text" aria-hidden />}
                  {t(done ? "start.done" : "start.headline")}
                </h2>
                <p className="mt-1 text-sm text-ink-soft">{t(done ? "start.done_hint" : "start.headline_hint")}</p>
                <div
                  role="progressbar"
                  aria-label={t("nav.start")}
                  aria-valuemin={0}
                  aria-valuemax={steps.length}
                  aria-valuenow={made}
                  className="mt-4 flex items-center gap-3"
                >
                  <span className="h-1.5 flex-1 overflow-hidden rounded-full bg-sunken">
                    <span
                      className="block h-full rounded-full bg-accent transition-[width]"
                      style={{ width: `${(made / Math.max(1, steps.length)) * 100}%` }}
                    />
                  </span>
                  <span className="text-xs text-ink-faint">
                    {format.number(made)} / {format.number(steps.length)}
                  </span>
                </div>
              </div>
              <Steps steps={steps} />
            </div>
          );
        }}
      </Loaded>
    </Page>
  );
}

function websiteOf(channels: Awaited<ReturnType<typeof listChannels>> | undefined) {
  return channels?.items.find((channel) => channel.channel_type === "web");
}

function Steps({ steps }: { steps: Onboarding["steps"] }) {
  const { t, format, named } = useLanguage();
  const go = useGo();
  const tenantId = useTenantId();
  const brandId = useBrandId();
  const mayEdit = useMay("editPolicy");
  const queries = useQueryClient();
  const listed = {
    queryKey: ["channels", tenantId, brandId, "start"],
    queryFn: () => listChannels(tenantId, brandId, undefined),
  };
  useQuery(listed); // ahead of a press, which then need not wait
  const next = steps.findIndex((step) => !step.done);
  /** The website's own channel where there is one: its pages are named under Bot, its embed code stands under Health. */
  const open = async (id: StepId, page: string) => {
    // A press may come before the channels do.
    const channels = page === "channels" ? await queries.ensureQueryData(listed).catch(() => undefined) : undefined;
    const website = websiteOf(channels);
    if (!website) return go(`/t/${tenantId}/${page}`);
    go(`/t/${tenantId}/channels/${website.id}`, id === "channel" ? "bot" : undefined);
  };
  return (
    <Card bodyClassName="">
      <ol className="divide-y">
        {steps.map((step, index) => {
          const [title, hint, page] = STEPS[step.id];
          return (
            <li key={step.id} className="flex gap-4 p-4">
              <span
                className={cx(
                  "flex size-7 shrink-0 items-center justify-center rounded-full text-xs font-semibold",
                  step.done
                    ? "bg-good-soft text-good"
                    : index === next
                      ? "bg-accent text-accent-ink"
                      : "bg-sunken text-ink-soft",
                )}
              >
                {step.done ? <Check className="size-4" aria-label={t("state.done")} /> : format.number(index + 1)}
              </span>
              <div className="min-w-0 flex-1">
                <h3 className="text-sm font-semibold">{t(title)}</h3>
                {step.done ? (
                  <p className="text-sm text-good">{named("step_done", step.id)}</p>
                ) : (
                  <p className="text-sm text-ink-soft">{t(hint)}</p>
                )}
                {step.id === "widget" && index === next && (
                  <div className="mt-3">
                    <Snippet tenantId={tenantId} brandId={brandId} />
                  </div>
                )}
              </div>
              {mayEdit && !step.done && (
                <Button
                  size="sm"
                  variant={index === next ? "primary" : "secondary"}
                  className="self-start"
                  onClick={() => void open(step.id, page)}
                >
                  {t("start.go")}
                  <ChevronRight className="flip-rtl size-3.5" aria-hidden />
                </Button>
              )}
            </li>
          );
        })}
      </ol>
    </Card>
  );
}
