/** The retrieval bench: one question, the settings in force beside changed ones, and the changed ones saved as a version. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { FlaskConical, Play } from "lucide-react";
import { useState } from "react";
import { api, type Body, call } from "@/api/client";
import { asProblem } from "@/api/problem";
import { useBrandId, useTenantId } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Field, FormProblem, Input } from "@/ui/field";
import { Card, Page } from "@/ui/page";
import { Empty, Loaded } from "@/ui/states";
import { toast } from "@/ui/toast";
import { type Config, ConfigForm, configOf } from "./config-form";
import { type Report, Results } from "./results";

export function BenchPage() {
  const { t } = useLanguage();
  const tenantId = useTenantId();
  const stored = useQuery({
    queryKey: ["retrieval-config", tenantId],
    queryFn: () =>
      call(api.GET("/admin/policies/{tenant_id}/retrieval_config", { params: { path: { tenant_id: tenantId } } })),
  });
  return (
    <Page title={t("nav.bench")} description={t("bench.description")} wide>
      <Loaded query={stored}>{(data) => <Bench key={data.version} tenantId={tenantId} stored={data} />}</Loaded>
    </Page>
  );
}

interface Pair {
  inForce: Report;
  changed: Report;
}

/** Asked for at the bench; more than an answer uses, to see what came close. */
const SHOWN = 10;

function Bench({ tenantId, stored }: { tenantId: string; stored: Body<"RetrievalConfigView"> }) {
  const { t, format } = useLanguage();
  const brandId = useBrandId();
  const queries = useQueryClient();
  const inForce = configOf(stored);
  const [config, setConfig] = useState<Config>(inForce);
  const [question, setQuestion] = useState("");
  const [busy, setBusy] = useState<"run" | "save" | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [pair, setPair] = useState<Pair | null>(null);
  const differs = JSON.stringify(config) !== JSON.stringify(inForce);

  const ask = (changed: Config) =>
    call(
      api.POST("/admin/diagnostics/retrieval", {
        body: {
          tenant_id: tenantId,
          query: question,
          limit: SHOWN,
          config: changed,
          ...(brandId && { brand_id: brandId }),
        },
      }),
    );
  const run = async () => {
    if (question.trim() === "") return;
    setBusy("run");
    setError(null);
    try {
      const [before, after] = await Promise.all([ask(inForce), ask(config)]);
      setPair({ inForce: before, changed: after });
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(null);
    }
  };
  const save = async () => {
    setBusy("save");
    setError(null);
    try {
      await call(
        api.PUT("/admin/policies/{tenant_id}/retrieval_config", {
          params: { path: { tenant_id: tenantId } },
          body: { ...config, version: stored.version },
        }),
      );
      await queries.invalidateQueries({ queryKey: ["retrieval-config", tenantId] });
      toast.done(t("bench.saved"));
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(null);
    }
  };
  return (
    <>
      <form
        className="flex flex-wrap items-end gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          void run();
        }}
      >
        <Field label={t("trace.question")} className="min-w-60 flex-1">
          <Input
            dir="auto"
            required
            maxLength={4000}
            placeholder={t("bench.placeholder")}
            value={question}
            onChange={(event) => setQuestion(event.target.value)}
          />
        </Field>
        <Button
          type="submit"
          variant="primary"
          busy={busy === "run"}
          icon={<Play className="flip-rtl size-3.5" aria-hidden />}
        >
          {t("bench.run")}
        </Button>
      </form>
      <FormProblem problem={error === null ? null : asProblem(error)} />
      <div className="grid items-start gap-5 xl:grid-cols-[18rem_1fr]">
        <Card
          title={t("bench.settings")}
          description={t("persona.version", { number: format.number(stored.version) })}
          actions={differs && <Badge tone="warn">{t("persona.unsaved")}</Badge>}
        >
          <ConfigForm config={config} onChange={setConfig} />
          <div className="mt-4 flex flex-wrap gap-2">
            <Button size="sm" disabled={!differs} onClick={() => setConfig(inForce)}>
              {t("action.discard")}
            </Button>
            <Button size="sm" variant="primary" disabled={!differs} busy={busy === "save"} onClick={() => void save()}>
              {t("bench.save")}
            </Button>
          </div>
        </Card>
        {pair ? (
          <div className="grid min-w-0 gap-4 lg:grid-cols-2">
            <Results title={t("bench.in_force")} report={pair.inForce} beside={null} />
            <Results title={t("bench.changed")} report={pair.changed} beside={pair.inForce} />
          </div>
        ) : (
          <Card>
            <Empty icon={<FlaskConical aria-hidden />} title={t("bench.empty")}>
              {t("bench.empty_hint")}
            </Empty>
          </Card>
        )}
      </div>
    </>
  );
}
