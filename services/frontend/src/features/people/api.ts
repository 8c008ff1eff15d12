/** Calls of the people page. */
import { api, type Body, call } from "@/api/client";

export type Person = Awaited<ReturnType<typeof getPerson>>;
export type MemberRole = Body<"PutMembership">["role"];
export type PersonStatus = Person["status"];

export const MEMBER_ROLES = ["viewer", "agent", "tenant_admin"] as const satisfies readonly MemberRole[];

const path = (id: string) => ({ params: { path: { user_id: id } } });
const membership = (id: string, tenantId: string) => ({ params: { path: { user_id: id, tenant_id: tenantId } } });

export function listPeople(tenantId: string, q: string, status: PersonStatus | undefined, cursor: string | undefined) {
  const query = { tenant_id: tenantId, ...(q && { q }), ...(status && { status }), ...(cursor && { cursor }) };
  return call(api.GET("/admin/users", { params: { query } }));
}

export const getPerson = (id: string) => call(api.GET("/admin/users/{user_id}", path(id)));
export const suspend = (id: string) => call(api.POST("/admin/users/{user_id}/suspend", path(id)));
export const activate = (id: string) => call(api.POST("/admin/users/{user_id}/activate", path(id)));
export const restore = (id: string) => call(api.POST("/admin/users/{user_id}/restore", path(id)));
export const remove = (id: string) => call(api.DELETE("/admin/users/{user_id}", path(id)));
export const resetPassword = (id: string) => call(api.POST("/admin/users/{user_id}/reset_password", path(id)));
export const setRole = (id: string, tenantId: string, role: MemberRole) =>
  call(api.PUT("/admin/users/{user_id}/memberships/{tenant_id}", { ...membership(id, tenantId), body: { role } }));
export const leaveTenant = (id: string, tenantId: string) =>
  call(api.DELETE("/admin/users/{user_id}/memberships/{tenant_id}", membership(id, tenantId)));

export const invite = (body: Body<"CreateInvitation">) => call(api.POST("/admin/invitations", { body }));
export const listInvitations = (tenantId: string) =>
  call(api.GET("/admin/invitations", { params: { query: { tenant_id: tenantId } } }));
export const revokeInvitation = (id: string) =>
  call(api.DELETE("/admin/invitations/{invitation_id}", { params: { path: { invitation_id: id } } }));
