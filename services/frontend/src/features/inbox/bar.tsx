/** A figure as a bar: of 1, or of the most there is where it has no bound (BM25). */
import { useLanguage } from "@/i18n";

interface Props {
  label: string;
  value: number;
  most?: number;
  strong?: boolean;
}

export function Bar({ label, value, most = 1, strong }: Props) {
  const { format } = useLanguage();
  const width = `${Math.min(100, Math.max(0, (value / (most || 1)) * 100))}%`;
  return (
    <div className="flex items-center gap-2 text-2xs text-ink-soft">
      <span className="shrink-0 truncate">{label}</span>
      <span aria-hidden className="h-1.5 min-w-8 flex-1 overflow-hidden rounded-full bg-sunken">
        <span
          className={strong ? "block h-full rounded-full bg-accent" : "block h-full rounded-full bg-line-strong"}
          style={{ width }}
        />
      </span>
      <span className="min-w-8 shrink-0 text-end tabular-nums">
        {format.number(value, { minimumFractionDigits: 2, maximumFractionDigits: 2 })}
      </span>
    </div>
  );
}
