/** What a search found, in order, with its scores; beside another search, how each passage moved. */
import { ArrowDown, ArrowUp, CircleCheck, CircleX, Sparkle } from "lucide-react";
import type { Body } from "@/api/client";
import { Bar } from "@/features/inbox/bar";
import { useLanguage } from "@/i18n";
import { cx } from "@/lib/classes";
import { Badge } from "@/ui/badge";
import { Card } from "@/ui/page";

export type Report = Body<"RetrievalReport">;
type Found = Body<"PassageFound">;

interface Props {
  title: string;
  report: Report;
  beside: Report | null;
}

export function Results({ title, report, beside }: Props) {
  const { t, format } = useLanguage();
  const mostWords = Math.max(1, ...report.results.map((found) => found.lexical_score));
  return (
    <Card
      title={title}
      description={`${format.language(report.language)} · ${format.duration(report.took_ms / 1000)}`}
      bodyClassName=""
    >
      <div
        className={cx(
          "flex items-center gap-2 border-b px-4 py-2.5 text-xs font-medium",
          report.answerable ? "text-good" : "text-bad",
        )}
      >
        {report.answerable ? (
          <CircleCheck className="size-4" aria-hidden />
        ) : (
          <CircleX className="size-4" aria-hidden />
        )}
        {t(report.answerable ? "bench.answerable" : "bench.not_answerable")}
        <span className="ms-auto w-40">
          <Bar label={t("trace.evidence")} value={report.evidence} strong />
        </span>
      </div>
      {report.results.length === 0 && <p className="p-4 text-sm text-ink-faint">{t("trace.none")}</p>}
      <ol className="divide-y">
        {report.results.map((found) => (
          <FoundRow
            mostWords={mostWords}
            key={found.passage_id}
            found={found}
            before={beside?.results.find((each) => each.passage_id === found.passage_id)}
            compared={beside !== null}
          />
        ))}
      </ol>
    </Card>
  );
}

interface FoundRowProps {
  found: Found;
  before: Found | undefined;
  compared: boolean;
  mostWords: number;
}

function FoundRow({ found, before, compared, mostWords }: FoundRowProps) {
  const { t, format, named } = useLanguage();
  return (
    <li className={cx("px-4 py-3", found.cut && "opacity-60")}>
      <div className="mb-1.5 flex items-center gap-2">
        <span className="w-4 text-xs text-ink-faint">{format.number(found.rank)}</span>
        <bdi className="min-w-0 flex-1 truncate text-sm font-medium">{found.title}</bdi>
        {found.cut && <Badge>{named("cut", found.cut)}</Badge>}
        {compared && <Move from={before?.rank} to={found.rank} label={t("bench.new")} />}
      </div>
      <div className="mb-1.5 grid grid-cols-[repeat(auto-fit,minmax(9rem,1fr))] gap-x-4 gap-y-1">
        <Bar label={t("trace.score")} value={found.score} strong />
        <Bar label={t("trace.words")} value={found.lexical_score} most={mostWords} />
        {found.vector_score !== null && <Bar label={t("trace.meaning")} value={found.vector_score} />}
      </div>
      <p dir="auto" className="line-clamp-3 text-xs text-ink-soft">
        {found.passage}
      </p>
    </li>
  );
}

function Move({ from, to, label }: { from: number | undefined; to: number; label: string }) {
  const { format } = useLanguage();
  if (from === undefined) {
    return (
      <Badge tone="accent">
        <Sparkle className="size-3" aria-hidden />
        {label}
      </Badge>
    );
  }
  if (from === to) return null;
  const up = to < from;
  const Icon = up ? ArrowUp : ArrowDown;
  return (
    <Badge tone={up ? "good" : "warn"}>
      <Icon className="size-3" aria-hidden />
      {format.number(Math.abs(from - to))}
    </Badge>
  );
}
