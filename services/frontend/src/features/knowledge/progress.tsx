/** How far something is. */
import { useLanguage } from "@/i18n";

export function Progress({ share, label }: { share: number; label: string }) {
  const { format } = useLanguage();
  const percent = Math.round(Math.min(1, Math.max(0, share)) * 100);
  return (
    <div className="flex w-36 flex-col gap-1">
      <div className="flex justify-between gap-2 text-2xs text-ink-soft">
        <span className="truncate">{label}</span>
        <span>{format.percent(percent / 100)}</span>
      </div>
      <div
        role="progressbar"
        aria-label={label}
        aria-valuenow={percent}
        aria-valuemin={0}
        aria-valuemax={100}
        className="h-1 overflow-hidden rounded-full bg-sunken"
      >
        <div
          className="h-full rounded-full bg-accent transition-[width] duration-300"
          style={{ width: `${percent}%` }}
        />
      </div>
    </div>
  );
}
