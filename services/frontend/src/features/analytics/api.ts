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

/** The last so many days, today included, as dates of the tenant's zone (the reader's until it is known). */
export function lastDays(count: number, timeZone?: string, now: Date = new Date()): Range {
  const to = new Intl.DateTimeFormat("sv-SE", timeZone ? { timeZone } : {}).format(now); // ISO's order
  const first = new Date(`${to}T00:00:00Z`);
  first.setUTCDate(first.getUTCDate() - count + 1);
  return { from: first.toISOString().slice(0, 10), to };
}
