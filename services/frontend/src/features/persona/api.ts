/** Calls of the persona page: the policy, its versions, a try of what is not saved yet. */
import { api, type Body, call } from "@/api/client";

export type Policy = Body<"PolicyView">;
export type Draft = Omit<Required<Policy>, "version" | "updated_at" | "updated_by">;
export type Weekday = Body<"OpenHours">["day"];

export type Tried = Body<"TryAnswer">;

const path = (tenantId: string) => ({ path: { tenant_id: tenantId } });

export const policyKey = (tenantId: string) => ["policy", tenantId];
export const versionsKey = (tenantId: string) => ["policy-versions", tenantId];

export const getPolicy = (tenantId: string) => call(api.GET("/admin/policies/{tenant_id}", { params: path(tenantId) }));

/** Saves a policy unless another was saved since `version`. */
export const putPolicy = (tenantId: string, draft: Draft, version: number) =>
  call(api.PUT("/admin/policies/{tenant_id}", { params: path(tenantId), body: { ...draft, version } }));

export const listVersions = (tenantId: string) =>
  call(
    api.GET("/admin/policies/{tenant_id}/versions", {
      params: { ...path(tenantId), query: { kind: "policy", limit: 100 } },
    }),
  );

export function restoreVersion(tenantId: string, version: number) {
  const params = { path: { tenant_id: tenantId, version }, query: { kind: "policy" as const } };
  return call(api.POST("/admin/policies/{tenant_id}/versions/{version}/restore", { params }));
}

/** Answers as with the draft; nothing is stored. */
export function tryPolicy(tenantId: string, message: string, policy: Draft, brandId: string | undefined) {
  const body = { message, policy, ...(brandId && { brand_id: brandId }) };
  return call(api.POST("/admin/policies/{tenant_id}/try", { params: path(tenantId), body }));
}

/** The part of a policy that people change. */
export function draftOf(policy: Policy): Draft {
  const { version: _version, updated_at: _at, updated_by: _by, ...draft } = policy as Required<Policy>;
  return draft;
}
