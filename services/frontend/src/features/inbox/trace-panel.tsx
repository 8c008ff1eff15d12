/** "Why did it say that?": what was found and how well it fitted, what was asked of the model, what it cost, how long it took. */
import { useQuery } from "@tanstack/react-query";
import { CircleCheck } from "lucide-react";
import type { ReactNode } from "react";
import { useLanguage } from "@/i18n";
import { Badge } from "@/ui/badge";
import { Facts } from "@/ui/page";
import { Loaded } from "@/ui/states";
import { getTrace, type Trace } from "./api";
import { Bar } from "./bar";

export function TracePanel({ conversationId, messageId }: { conversationId: string; messageId: string }) {
  const trace = useQuery({
    queryKey: ["trace", conversationId, messageId],
    queryFn: () => getTrace(conversationId, messageId),
    staleTime: Number.POSITIVE_INFINITY,
  });
  return <Loaded query={trace}>{(data) => <TraceView trace={data} />}</Loaded>;
}

export function TraceView({ trace }: { trace: Trace }) {
  const { t, format, named } = useLanguage();
  const { usage } = trace;
  const mostWords = Math.max(1, ...trace.passages.map((passage) => passage.lexical_score ?? 0));
  return (
    <div className="flex flex-col gap-6 p-5">
      <Part title={t("trace.question")}>
        <p dir="auto" className="rounded-lg bg-sunken px-3 py-2 text-sm">
          {trace.question ?? "—"}
        </p>
        {trace.query && trace.query !== trace.question && (
          <p className="text-xs text-ink-faint">
            {t("trace.searched")} <bdi>{trace.query}</bdi>
          </p>
        )}
      </Part>
      <Part title={t("trace.passages")}>
        {typeof trace.evidence === "number" && <Bar label={t("trace.evidence")} value={trace.evidence} strong />}
        {trace.passages.length === 0 && <p className="text-sm text-ink-faint">{t("trace.none")}</p>}
        <ol className="flex flex-col gap-2">
          {trace.passages.map((passage, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the passages of a past turn never change places
            <li key={index} className="rounded-lg border p-3">
              <div className="mb-2 flex items-center gap-2">
                <span className="text-xs text-ink-faint">{format.number(index + 1)}</span>
                <bdi className="min-w-0 flex-1 truncate text-sm font-medium">{passage.title ?? "—"}</bdi>
                {passage.cited && (
                  <Badge tone="good">
                    <CircleCheck className="size-3" aria-hidden />
                    {t("trace.cited")}
                  </Badge>
                )}
                {passage.cut && <Badge>{named("cut", passage.cut)}</Badge>}
              </div>
              <div className="mb-2 grid gap-x-4 gap-y-1 sm:grid-cols-3">
                <Bar label={t("trace.score")} value={passage.score} strong />
                {passage.lexical_score !== null && (
                  <Bar label={t("trace.words")} value={passage.lexical_score} most={mostWords} />
                )}
                {passage.vector_score !== null && <Bar label={t("trace.meaning")} value={passage.vector_score} />}
              </div>
              <p dir="auto" className="line-clamp-4 text-xs whitespace-pre-wrap text-ink-soft">
                {passage.passage}
              </p>
            </li>
          ))}
        </ol>
      </Part>
      <Part title={t("trace.cost")}>
        <Facts
          items={[
            [t("channels.model"), <bdi key="model">{trace.model ?? t("trace.no_model")}</bdi>],
            ...(usage
              ? ([
                  [t("trace.tokens"), `${format.number(usage.input_tokens)} + ${format.number(usage.output_tokens)}`],
                  [t("trace.price"), format.money(usage.cost_usd)],
                ] as const)
              : []),
            ...(trace.policy_versions.length > 0
              ? [[t("trace.policy"), format.list(trace.policy_versions.map((each) => format.number(each)))] as const]
              : []),
          ]}
        />
      </Part>
      <Stages milliseconds={trace.milliseconds} />
      <Raw title={t("trace.prompt")} text={trace.prompt} />
      <Raw
        title={t("trace.plan")}
        text={Object.keys(trace.plan).length > 0 ? JSON.stringify(trace.plan, null, 2) : null}
      />
      <Raw
        title={t("trace.notes")}
        text={Object.keys(trace.notes).length > 0 ? JSON.stringify(trace.notes, null, 2) : null}
      />
    </div>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="flex flex-col gap-2">
      <h3 className="text-xs font-medium text-ink-faint">{title}</h3>
      {children}
    </section>
  );
}

/** The stages of a turn, in their order. */
const TURN = ["accept", "decide", "retrieve", "ground", "generate", "check", "commit"];

function Stages({ milliseconds }: { milliseconds: Trace["milliseconds"] }) {
  const { t, format, named } = useLanguage();
  const stages = Object.entries(milliseconds).sort(([one], [other]) => TURN.indexOf(one) - TURN.indexOf(other));
  const longest = Math.max(1, ...stages.map(([, took]) => took));
  if (stages.length === 0) return null;
  return (
    <Part title={t("trace.time")}>
      <ul className="flex flex-col gap-1">
        {stages.map(([name, took]) => (
          <li key={name} className="flex items-center gap-2 text-xs">
            <span className="w-24 shrink-0 truncate text-ink-soft">{named("turn", name)}</span>
            <span aria-hidden className="h-1.5 flex-1 overflow-hidden rounded-full bg-sunken">
              <span
                className="block h-full rounded-full bg-accent/70"
                style={{ width: `${(took / longest) * 100}%` }}
              />
            </span>
            <span className="w-20 text-end whitespace-nowrap text-ink-faint tabular-nums">
              {format.duration(took / 1000)}
            </span>
          </li>
        ))}
      </ul>
    </Part>
  );
}

function Raw({ title, text }: { title: string; text: string | null }) {
  if (!text) return null;
  return (
    <details className="rounded-lg border">
      <summary className="px-3 py-2 text-xs font-medium">{title}</summary>
      <pre
        dir="auto"
        className="scroll-quiet max-h-96 overflow-auto border-t bg-sunken p-3 font-mono text-xs whitespace-pre-wrap"
      >
        {text}
      </pre>
    </details>
  );
}
