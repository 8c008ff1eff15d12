/** Calls of the analytics page. */
import { api, type Body, call } from "@/api/client";

export type Figures = Body<"FiguresView">;
export type Analytics = Body<"AnalyticsReport">;

export interface Range {
  from: string;
  to: string;
}

export type AnalyticsQuery = Range & { tenant_id: string; brand_id?: string };

export const getAnalytics = (query: AnalyticsQuery) => call(api.GET("/admin/analytics", { params: { query } }));

export function exportPath(query: AnalyticsQuery): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]));
  return `/admin/analytics/export?${new URLSearchParams(given)}`;
}

/** The last so many days, today included, as dates of the reader's clock. */
export function lastDays(count: number, now: Date = new Date()): Range {
  const first = new Date(now);
  first.setDate(first.getDate() - count + 1);
  const iso = (date: Date) =>
    `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}-${String(date.getDate()).padStart(2, "0")}`;
  return { from: iso(first), to: iso(now) };
}
