/** What a view shows when it has nothing yet, nothing at all, or failed. */
import { CircleAlert, LockKeyhole, RotateCw, WifiOff } from "lucide-react";
import type { ReactNode } from "react";
import { asProblem } from "@/api/problem";
import { useLanguage } from "@/i18n";
import { cx } from "@/lib/classes";
import { Button } from "./button";
import { problemWords } from "./words";

interface EmptyProps {
  icon?: ReactNode;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
  className?: string;
}

export function Empty({ icon, title, children, action, className }: EmptyProps) {
  return (
    <div className={cx("flex flex-col items-center justify-center gap-2 px-6 py-14 text-center", className)}>
      {icon && (
        <div className="mb-1 flex size-11 items-center justify-center rounded-xl border bg-panel text-ink-faint [&_svg]:size-5">
          {icon}
        </div>
      )}
      <h2 className="text-sm font-semibold text-ink">{title}</h2>
      {children && <p className="max-w-sm text-sm text-ink-soft">{children}</p>}
      {action && <div className="mt-2 flex flex-wrap justify-center gap-2">{action}</div>}
    </div>
  );
}

export function Failure({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { t } = useLanguage();
  const problem = asProblem(error);
  const forbidden = problem.status === 403;
  return (
    <div role="alert">
      <Empty
        icon={forbidden ? <LockKeyhole aria-hidden /> : <CircleAlert aria-hidden />}
        title={t(forbidden ? "problem.forbidden" : problem.status === 404 ? "problem.not_found" : "problem.title")}
        action={
          onRetry &&
          !forbidden && (
            <Button icon={<RotateCw className="size-3.5" aria-hidden />} onClick={onRetry}>
              {t("action.retry")}
            </Button>
          )
        }
      >
        {forbidden ? t("problem.forbidden_hint") : problemWords(problem, t)}
        {problem.requestId && <span className="mt-1 block text-2xs text-ink-faint">{problem.requestId}</span>}
      </Empty>
    </div>
  );
}

/** Over a page: what is on it may be old, and nothing new comes just now. */
export function Lost({ children }: { children: ReactNode }) {
  return (
    <p
      role="status"
      className="flex items-center justify-center gap-2 bg-warn-soft px-4 py-1.5 text-xs font-medium text-warn"
    >
      <WifiOff className="size-3.5 shrink-0" aria-hidden />
      {children}
    </p>
  );
}

export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={cx("skeleton", className)} />;
}

export function Rows({ count = 6 }: { count?: number }) {
  const { t } = useLanguage();
  const widths = ["w-1/2", "w-2/3", "w-2/5", "w-3/5"];
  return (
    <div role="status" data-loading className="flex flex-col gap-4 p-4">
      <span className="sr-only">{t("state.loading")}</span>
      {Array.from({ length: count }, (_, row) => row).map((row) => (
        <div key={row} className="flex items-center gap-3">
          <Skeleton className="size-6 rounded-full" />
          <Skeleton className={widths[row % widths.length] ?? "w-1/2"} />
        </div>
      ))}
    </div>
  );
}

interface LoadedProps<Data> {
  query: { data: Data | undefined; error: unknown; refetch: () => unknown };
  loading?: ReactNode;
  children: (data: Data) => ReactNode;
}

/** The three states of a query, the same everywhere. */
export function Loaded<Data>({ query, loading, children }: LoadedProps<Data>) {
  if (query.data !== undefined) return children(query.data);
  if (query.error) return <Failure error={query.error} onRetry={() => query.refetch()} />;
  return loading ?? <Rows />;
}
