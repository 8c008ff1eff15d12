/** One job: what started it, each step and what came of it, and trying it again or stopping it. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Ban, RotateCw } from "lucide-react";
import { useState } from "react";
import { useMay, useTenantId } from "@/app/tenant";
import { type Language, useLanguage } from "@/i18n";
import { Badge, type Tone } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Sheet } from "@/ui/dialog";
import { Facts } from "@/ui/page";
import { Loaded } from "@/ui/states";
import { When } from "@/ui/time";
import { toast } from "@/ui/toast";
import { ActionIcon } from "../action-icon";
import { cancelJob, getJob, type Job, keys, retryJob } from "../api";
import { aboutInWords, actionName, eventName, valueInWords } from "../describe";
import { useLookups } from "../lookups";
import { Rendered } from "../trial/rendered";
import { JOB_TONES } from "./tones";

const EVERY_MS = 3000;
const STUCK_MS = 600_000;

interface Result {
  step: number;
  outcome: "done" | "later" | "failed";
  words: string;
  at: string;
  took_ms: number;
}

export function JobSheet({ jobId, onClose }: { jobId: string; onClose: () => void }) {
  const { t } = useLanguage();
  const tenantId = useTenantId();
  const job = useQuery({
    queryKey: keys.job(tenantId, jobId),
    queryFn: () => getJob(jobId),
    refetchInterval: EVERY_MS,
  });
  return (
    <Sheet open onClose={onClose} title={job.data?.rule_name ?? t("jobs.one")}>
      <Loaded query={job}>{(data) => <JobView job={data} />}</Loaded>
    </Sheet>
  );
}

function JobView({ job }: { job: Job }) {
  const language = useLanguage();
  const { t, named, format } = language;
  const tenantId = useTenantId();
  const results = job.results as unknown as Result[];
  return (
    <div className="flex flex-col gap-5 p-5">
      <JobActs job={job} />
      <Facts
        items={[
          [
            t("field.status"),
            <Badge key="status" tone={JOB_TONES[job.status]}>
              {named("rule_job", job.status)}
            </Badge>,
          ],
          ...(job.reason ? [[t("inbox.reason"), <bdi key="reason">{job.reason}</bdi>] as const] : []),
          [t("jobs.started_by"), eventName(String(job.event.name ?? ""), language)],
          [t("field.created"), <When key="created" at={job.created_at} />],
          ...(job.status === "pending" ? [[t("jobs.due"), <When key="due" at={job.due_at} />] as const] : []),
          ...(job.finished_at ? [[t("jobs.ended"), <When key="ended" at={job.finished_at} />] as const] : []),
          ...(job.attempts > 0 ? [[t("deliveries.attempts"), format.number(job.attempts)] as const] : []),
          [t("jobs.rule_version"), format.number(job.rule_version)],
        ]}
      />
      {job.conversation_id && (
        <Link
          className="self-start text-sm text-accent-text hover:underline"
          to="/t/$tenantId/inbox/$conversationId"
          params={{ tenantId, conversationId: job.conversation_id }}
        >
          {t("trial.open_conversation")}
        </Link>
      )}
      <section>
        <h3 className="mb-2 text-xs font-medium text-ink-faint">{t("jobs.steps")}</h3>
        <ol className="flex flex-col gap-2">
          {job.actions.map((action, index) => (
            <StepView
              // biome-ignore lint/suspicious/noArrayIndexKey: steps stand in the job's order
              key={index}
              action={action}
              results={results.filter((result) => result.step === index)}
              now={index === job.step && (job.status === "pending" || job.status === "running")}
            />
          ))}
        </ol>
      </section>
      <EventView payload={(job.event.payload as Record<string, unknown> | undefined) ?? {}} />
    </div>
  );
}

const OUTCOME_TONES: Readonly<Record<string, Tone>> = { done: "good", later: "warn", failed: "bad", now: "accent" };

/** What came of a step. The platform says it in English; in other languages what was done has words of ours. */
export function cameOf(
  type: string,
  { outcome, words }: Pick<Result, "outcome" | "words">,
  language: Language,
): string {
  return outcome === "done" && language.locale !== "en" ? language.named("step_done", type) : words;
}

interface StepProps {
  action: Readonly<Record<string, unknown>>;
  results: readonly Result[];
  now: boolean;
}

function StepView({ action, results, now }: StepProps) {
  const language = useLanguage();
  const { named, format } = language;
  const lookups = useLookups();
  const type = String(action.type);
  const outcome = now ? "now" : (results.at(-1)?.outcome ?? "not_yet");
  return (
    <li className="rounded-lg border px-3 py-2.5">
      <div className="flex items-center gap-2 text-sm">
        <ActionIcon type={type} />
        <span className="min-w-0 flex-1 font-medium">{actionName(type, language)}</span>
        <Badge tone={OUTCOME_TONES[outcome] ?? "neutral"}>{named("step_outcome", outcome)}</Badge>
      </div>
      <div className="mt-1 ps-6">
        <Rendered type={type} values={action} lookups={lookups} />
        {results.map((result) => (
          <p key={result.at} className="mt-1 flex gap-2 text-xs">
            <bdi className={result.outcome === "failed" ? "min-w-0 flex-1 text-bad" : "min-w-0 flex-1 text-ink-soft"}>
              {cameOf(type, result, language)}
            </bdi>
            <span className="text-ink-faint">
              {format.time(result.at)}
              {result.took_ms > 0 && ` · ${format.duration(result.took_ms / 1000)}`}
            </span>
          </p>
        ))}
      </div>
    </li>
  );
}

function EventView({ payload }: { payload: Readonly<Record<string, unknown>> }) {
  const language = useLanguage();
  const told = Object.entries(payload).filter(([, value]) => value !== null && typeof value !== "object");
  if (told.length === 0) return null;
  return (
    <details className="rounded-lg border">
      <summary className="px-3 py-2 text-sm">{language.t("jobs.event")}</summary>
      <div className="border-t p-3">
        <Facts
          items={told.map(([key, value]) => [
            aboutInWords(`event.${key}`, language),
            <bdi key={key}>{typeof value === "string" ? value : valueInWords(`event.${key}`, value, language)}</bdi>,
          ])}
        />
      </div>
    </details>
  );
}

function JobActs({ job }: { job: Job }) {
  const { t } = useLanguage();
  const tenantId = useTenantId();
  const mayEdit = useMay("editAutomation");
  const queries = useQueryClient();
  const [busy, setBusy] = useState(false);
  const ended = job.status === "failed" || job.status === "cancelled";
  const stoppable = job.status === "pending" || job.status === "running";
  /** It was not taken and is to be sent again later, or nothing has come of it for too long. */
  const waits = stoppable && (job.reason !== null || Date.now() - Date.parse(job.due_at) > STUCK_MS);
  if (!mayEdit || !(ended || stoppable)) return null;
  const act = async (how: "retry" | "cancel") => {
    setBusy(true);
    try {
      await (how === "retry" ? retryJob(job.id) : cancelJob(job.id));
      toast.done(t(how === "retry" ? "jobs.retried" : "jobs.cancelled"));
    } catch (error) {
      toast.failed(error);
    }
    await queries.invalidateQueries({ queryKey: keys.all(tenantId) });
    setBusy(false);
  };
  return (
    <div className="flex flex-wrap gap-2">
      {(ended || waits) && (
        <Button
          variant="primary"
          busy={busy}
          icon={<RotateCw className="size-4" aria-hidden />}
          onClick={() => void act("retry")}
        >
          {t(ended ? "action.retry" : "jobs.try_now")}
        </Button>
      )}
      {stoppable && (
        <Button
          variant="danger"
          busy={busy}
          icon={<Ban className="size-4" aria-hidden />}
          onClick={() => void act("cancel")}
        >
          {t("jobs.cancel")}
        </Button>
      )}
    </div>
  );
}
