/** How it goes: by day and by channel, for a span of days, to look at and to take along. */
import { useQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { useState } from "react";
import { download } from "@/api/client";
import { useBrandId, useTenant, useTenantId } from "@/app/tenant";
import { ChannelMark } from "@/features/channels/brand-marks";
import { BudgetBanner } from "@/features/data/budget-card";
import { type Key, useLanguage } from "@/i18n";
import type { Format } from "@/i18n/format";
import { saveBlob } from "@/lib/save";
import { Button } from "@/ui/button";
import { Input, Select } from "@/ui/field";
import { Card, Page } from "@/ui/page";
import { Loaded, Skeleton } from "@/ui/states";
import { type Column, Table } from "@/ui/table";
import { toast } from "@/ui/toast";
import {
  type Analytics,
  type AnalyticsQuery,
  exportPath,
  type Figures,
  getAnalytics,
  lastDays,
  type Range,
} from "./api";
import { Chart } from "./chart";

const SPANS = [7, 30, 90] as const;

export function AnalyticsPage() {
  const { t, tn } = useLanguage();
  const tenantId = useTenantId();
  const brandId = useBrandId();
  const [span, setSpan] = useState<string>("30");
  const zone = useTenant().data?.timezone;
  const [chosen, setOwn] = useState<Range>();
  const own = chosen ?? lastDays(30, zone);
  const range = span === "own" ? own : lastDays(Number(span), zone);
  const query: AnalyticsQuery = { ...range, tenant_id: tenantId, ...(brandId && { brand_id: brandId }) };
  const analytics = useQuery({
    queryKey: ["analytics", query],
    queryFn: () => getAnalytics(query),
    placeholderData: (before) => before,
  });
  const save = () =>
    void download(exportPath(query))
      .then((blob) => saveBlob(blob, `analytics-${range.from}-${range.to}.csv`))
      .catch(toast.failed);
  return (
    <Page
      title={t("nav.analytics")}
      wide
      actions={
        <>
          <Select
            className="w-auto"
            aria-label={t("analytics.span")}
            value={span}
            onChange={(event) => setSpan(event.target.value)}
            options={[
              ...SPANS.map((each) => ({ value: String(each), label: tn("analytics.days", each) })),
              { value: "own", label: t("analytics.own") },
            ]}
          />
          {span === "own" && (
            <>
              <Input
                type="date"
                className="w-36"
                aria-label={t("audit.since")}
                value={own.from}
                max={own.to}
                onChange={(event) => setOwn({ ...own, from: event.target.value })}
              />
              <Input
                type="date"
                className="w-36"
                aria-label={t("audit.until")}
                value={own.to}
                min={own.from}
                onChange={(event) => setOwn({ ...own, to: event.target.value })}
              />
            </>
          )}
          <Button icon={<Download className="size-4" aria-hidden />} onClick={save}>
            CSV
          </Button>
        </>
      }
    >
      <BudgetBanner />
      <Loaded query={analytics} loading={<Loading />}>
        {(data) => <Board analytics={data} />}
      </Loaded>
    </Page>
  );
}

function Loading() {
  return (
    <div className="grid grid-cols-2 gap-3 lg:grid-cols-4">
      {SPANS.map((each) => (
        <Skeleton key={each} className="h-24 rounded-xl" />
      ))}
    </div>
  );
}

const known = (value: number | null, tell: (value: number) => string) => (value === null ? "—" : tell(value));

/** The figures that matter first: how each is told, and what stands below it. */
const TILES: readonly (readonly [Key, (figures: Figures, format: Format) => string])[] = [
  ["analytics.conversations", (figures, format) => format.number(figures.conversations)],
  [
    "analytics.by_bot",
    (figures, format) =>
      figures.answered_by_bot + figures.no_answer === 0
        ? "—"
        : format.percent(figures.answered_by_bot / (figures.answered_by_bot + figures.no_answer)),
  ],
  ["analytics.handed_over", (figures, format) => format.number(figures.handed_over)],
  ["analytics.first_response", (figures, format) => known(figures.first_response_seconds_p50, format.duration)],
  ["analytics.wait", (figures, format) => known(figures.handoff_wait_seconds_p50, format.duration)],
  [
    "analytics.csat",
    (figures, format) =>
      known(
        figures.csat_average,
        (score) => `${format.number(score, { maximumFractionDigits: 1 })} / ${format.number(5)}`,
      ),
  ],
  ["analytics.cost", (figures, format) => format.money(figures.cost_usd)],
  ["analytics.gaps", (figures, format) => format.number(figures.gaps)],
];

function Board({ analytics }: { analytics: Analytics }) {
  const { t, format } = useLanguage();
  const { totals, days, channels } = analytics;
  const of = (pick: (figures: Figures) => number) => days.map(pick);
  const dayNames = days.map((each) => each.day);
  const number = (value: number) => format.number(value);
  return (
    <>
      <dl className="grid grid-cols-2 gap-3 lg:grid-cols-4">
        {TILES.map(([label, tell]) => (
          <div key={label} className="rounded-xl border bg-panel px-4 py-3">
            <dt className="text-xs text-ink-faint">{t(label)}</dt>
            <dd className="mt-1 text-xl font-semibold tabular-nums">{tell(totals, format)}</dd>
          </div>
        ))}
      </dl>
      <div className="grid gap-5 lg:grid-cols-2">
        <Card title={t("analytics.conversations")}>
          <Chart
            title={t("analytics.conversations")}
            days={dayNames}
            format={number}
            series={[
              {
                label: t("analytics.conversations"),
                colour: "var(--accent)",
                values: of((each) => each.conversations),
              },
            ]}
          />
        </Card>
        <Card title={t("analytics.answers")}>
          <Chart
            title={t("analytics.answers")}
            days={dayNames}
            format={number}
            series={[
              { label: t("analytics.answered"), colour: "var(--good)", values: of((each) => each.answered_by_bot) },
              { label: t("analytics.no_answer"), colour: "#d97706", values: of((each) => each.no_answer) },
              { label: t("analytics.handed_over"), colour: "var(--accent)", values: of((each) => each.handed_over) },
            ]}
          />
        </Card>
        <Card title={t("analytics.tokens")}>
          <Chart
            title={t("analytics.tokens")}
            days={dayNames}
            format={number}
            series={[{ label: t("analytics.tokens"), colour: "#0d9488", values: of((each) => each.tokens) }]}
          />
        </Card>
        <Card title={t("analytics.cost")}>
          <Chart
            title={t("analytics.cost")}
            days={dayNames}
            format={format.money}
            series={[{ label: t("analytics.cost"), colour: "#9333ea", values: of((each) => each.cost_usd) }]}
          />
        </Card>
      </div>
      <Card title={t("analytics.by_channel")} bodyClassName="">
        {channels.length === 0 ? (
          <p className="p-4 text-sm text-ink-faint">{t("analytics.nothing")}</p>
        ) : (
          <ChannelTable channels={channels} />
        )}
      </Card>
    </>
  );
}

type ChannelFigures = Analytics["channels"][number];

function ChannelTable({ channels }: { channels: readonly ChannelFigures[] }) {
  const { t, named, format } = useLanguage();
  const columns: Column<ChannelFigures>[] = [
    {
      id: "channel",
      label: t("field.channel"),
      render: (row) => (
        <span className="flex items-center gap-2">
          <ChannelMark type={row.channel_type} size={20} />
          {named("channel", row.channel_type)}
        </span>
      ),
    },
    { id: "conversations", label: t("analytics.conversations"), render: (row) => format.number(row.conversations) },
    { id: "bot", label: t("analytics.answered"), wide: true, render: (row) => format.number(row.answered_by_bot) },
    { id: "none", label: t("analytics.no_answer"), wide: true, render: (row) => format.number(row.no_answer) },
    { id: "over", label: t("analytics.handed_over"), wide: true, render: (row) => format.number(row.handed_over) },
    {
      id: "csat",
      label: t("analytics.csat"),
      wide: true,
      render: (row) => known(row.csat_average, (score) => format.number(score, { maximumFractionDigits: 1 })),
    },
    { id: "cost", label: t("analytics.cost"), render: (row) => format.money(row.cost_usd) },
  ];
  return (
    <Table label={t("analytics.by_channel")} columns={columns} rows={channels} rowKey={(row) => row.channel_type} />
  );
}
