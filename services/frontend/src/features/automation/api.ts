/** Calls of automation. */
import { api, type Body, call } from "@/api/client";
import type { RuleDocument } from "./model/vocabulary";

export type Rule = Body<"RuleView">;
export type Job = Body<"RuleJobView">;
export type JobStatus = Job["status"];
export type Overview = Body<"AutomationView">;
export type Trial = Body<"Trial">;
export type Tried = Body<"Tried">;
export type Against = Body<"Against">;

export const JOB_STATUSES = ["pending", "running", "succeeded", "failed", "cancelled"] as const satisfies JobStatus[];

/** What stands before the name of whoever paused all tenants. */
export const BY_OPERATIONS = "operations: ";

export const keys = {
  all: (tenantId: string) => ["automation", tenantId] as const,
  overview: (tenantId: string) => ["automation", tenantId, "overview"] as const,
  rules: (tenantId: string) => ["automation", tenantId, "rules"] as const,
  rule: (tenantId: string, id: string) => ["automation", tenantId, "rule", id] as const,
  jobs: (tenantId: string, filter: object) => ["automation", tenantId, "jobs", filter] as const,
  job: (tenantId: string, id: string) => ["automation", tenantId, "job", id] as const,
  times: (tenantId: string, cron: string, zone: string | null) =>
    ["automation", tenantId, "times", cron, zone] as const,
};

const rulePath = (id: string) => ({ params: { path: { rule_id: id } } });
const jobPath = (id: string) => ({ params: { path: { job_id: id } } });
const next = (cursor: string | undefined) => (cursor ? { cursor } : {});

export const getOverview = (tenantId: string) =>
  call(api.GET("/admin/automation", { params: { query: { tenant_id: tenantId } } }));
export const pauseAll = (tenantId: string) =>
  call(api.POST("/admin/automation/pause", { body: { tenant_id: tenantId } }));
export const resumeAll = (tenantId: string) =>
  call(api.POST("/admin/automation/resume", { body: { tenant_id: tenantId } }));
export const newSecret = (tenantId: string) =>
  call(api.POST("/admin/automation/webhook_secret", { body: { tenant_id: tenantId } }));

export const listRules = (tenantId: string, cursor: string | undefined) =>
  call(api.GET("/admin/automation/rules", { params: { query: { tenant_id: tenantId, ...next(cursor) } } }));
export const getRule = (id: string) => call(api.GET("/admin/automation/rules/{rule_id}", rulePath(id)));
export const createRule = (body: Body<"CreateRule">) => call(api.POST("/admin/automation/rules", { body }));
export const changeRule = (id: string, body: Body<"ChangeRule">) =>
  call(api.PATCH("/admin/automation/rules/{rule_id}", { ...rulePath(id), body }));
export const removeRule = (id: string) => call(api.DELETE("/admin/automation/rules/{rule_id}", rulePath(id)));
export const pauseRule = (id: string) => call(api.POST("/admin/automation/rules/{rule_id}/pause", rulePath(id)));
export const resumeRule = (id: string) => call(api.POST("/admin/automation/rules/{rule_id}/resume", rulePath(id)));

export const tryRule = (tenantId: string, brandId: string | null, rule: RuleDocument, against: Against) =>
  call(api.POST("/admin/automation/test", { body: { tenant_id: tenantId, brand_id: brandId, rule, ...against } }));

export interface JobFilter {
  status?: JobStatus;
  rule_id?: string;
}

export const listJobs = (tenantId: string, filter: JobFilter, cursor: string | undefined) =>
  call(api.GET("/admin/automation/jobs", { params: { query: { tenant_id: tenantId, ...filter, ...next(cursor) } } }));
export const getJob = (id: string) => call(api.GET("/admin/automation/jobs/{job_id}", jobPath(id)));
export const retryJob = (id: string) => call(api.POST("/admin/automation/jobs/{job_id}/retry", jobPath(id)));
export const cancelJob = (id: string) => call(api.POST("/admin/automation/jobs/{job_id}/cancel", jobPath(id)));

/** When a schedule fires next, told by the platform itself. */
export async function nextTimes(tenantId: string, cron: string, timezone: string | null): Promise<readonly string[]> {
  const rule: RuleDocument = {
    trigger: { type: "cron", cron, timezone },
    conditions: { all: [] },
    actions: [{ type: "wait", minutes: 1 }],
    limits: { misfire: { policy: "once", grace_seconds: 300 } },
  };
  return (await tryRule(tenantId, null, rule, {})).next_times;
}
