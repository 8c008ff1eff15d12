/** A small chart of days: stacked bars, drawn as SVG without a library; its figures are in a table for screen readers. */
import { useState } from "react";
import { useLanguage } from "@/i18n";

export interface Series {
  label: string;
  colour: string;
  values: readonly number[];
}

interface Props {
  title: string;
  days: readonly string[];
  series: readonly Series[];
  format: (value: number) => string;
}

const HEIGHT = 100;
const GAP = 0.25;

export function Chart({ title, days, series, format }: Props) {
  const { format: words } = useLanguage();
  const [at, setAt] = useState<number | null>(null);
  const sums = days.map((_, index) => series.reduce((sum, each) => sum + (each.values[index] ?? 0), 0));
  const highest = Math.max(...sums, 0);
  const most = highest || 1;
  const day = (index: number) => words.day(`${days[index]}T12:00:00`);
  return (
    <figure className="flex flex-col gap-2">
      <figcaption className="flex flex-wrap items-center gap-x-4 gap-y-1 text-xs">
        {series.map((each) => (
          <span key={each.label} className="flex items-center gap-1.5 text-ink-soft">
            <span aria-hidden className="size-2 rounded-xs" style={{ background: each.colour }} />
            {each.label}
            {at !== null && <b className="font-semibold text-ink">{format(each.values[at] ?? 0)}</b>}
          </span>
        ))}
        {at !== null && <span className="ms-auto text-ink-faint">{day(at)}</span>}
      </figcaption>
      {/* the highest day: what a full height stands for */}
      <div aria-hidden className="-mb-2 h-4 border-b border-dashed text-2xs text-ink-faint tabular-nums">
        {highest > 0 && format(highest)}
      </div>
      <svg
        aria-hidden
        viewBox={`0 0 ${days.length} ${HEIGHT}`}
        preserveAspectRatio="none"
        className="h-32 w-full rtl:-scale-x-100"
        onPointerLeave={() => setAt(null)}
      >
        <title>{title}</title>
        {days.map((each, index) => {
          let top = HEIGHT;
          return (
            <g key={each} onPointerEnter={() => setAt(index)}>
              <rect
                x={index}
                width={1}
                y={0}
                height={HEIGHT}
                className={at === index ? "fill-hover" : "fill-transparent"}
              />
              {series.map((one) => {
                const height = ((one.values[index] ?? 0) / most) * HEIGHT;
                top -= height;
                return (
                  <rect key={one.label} x={index + GAP / 2} width={1 - GAP} y={top} height={height} fill={one.colour} />
                );
              })}
              {sums[index] === 0 && (
                <rect x={index + GAP / 2} width={1 - GAP} y={HEIGHT - 1} height={1} className="fill-line" />
              )}
            </g>
          );
        })}
      </svg>
      <div className="flex justify-between text-2xs text-ink-faint">
        <span>{days.length > 0 && day(0)}</span>
        <span>{days.length > 1 && day(days.length - 1)}</span>
      </div>
      {/* a table itself takes its own width, however it is hidden */}
      <div className="sr-only">
        <table>
          <caption>{title}</caption>
          <tbody>
            {days.map((each, index) => (
              <tr key={each}>
                <th scope="row">{day(index)}</th>
                {series.map((one) => (
                  <td key={one.label}>
                    {one.label}: {format(one.values[index] ?? 0)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
}
