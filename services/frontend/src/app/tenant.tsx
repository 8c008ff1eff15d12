/** The tenant (and brand) that the page is about: from the address, so that a link means the same to a colleague. */
import { useQuery } from "@tanstack/react-query";
import { useParams, useSearch } from "@tanstack/react-router";
import { api, type Body, call } from "@/api/client";
import { may, type Permission, type Role, roleIn } from "@/auth/permissions";
import { type Me, sessionState } from "@/auth/session";
import { preferences } from "@/lib/preferences";
import { useStore } from "@/lib/store";

export type Tenant = Body<"TenantView">;
export type Brand = Body<"BrandView">;

export function useMe(): Me {
  const state = useStore(sessionState);
  if (state.status !== "in") throw new Error("nobody is signed in");
  return state.me;
}

export function useTenantId(): string {
  const { tenantId } = useParams({ strict: false });
  if (!tenantId) throw new Error("this page is about no tenant");
  return tenantId;
}

/** The tenant of the page, or the last one where the page is about none: what the navigation leads to. */
export function useShownTenantId(): string | undefined {
  const { tenantId } = useParams({ strict: false });
  const { tenantId: last } = useStore(preferences);
  const me = useMe();
  return tenantId ?? (last && roleIn(me, last) ? last : undefined);
}

/** The chosen brand's id; undefined is all of them. */
export function useBrandId(): string | undefined {
  return useSearch({ strict: false, select: (search) => search.brand });
}

export function useRole(): Role | null {
  return roleIn(useMe(), useTenantId());
}

export function useMay(what: Permission): boolean {
  return may(useRole(), what);
}

export function tenantQuery(tenantId: string) {
  return {
    queryKey: ["tenant", tenantId],
    queryFn: () => call(api.GET("/admin/tenants/{tenant_id}", { params: { path: { tenant_id: tenantId } } })),
    staleTime: 60_000,
  };
}

export function listTenants(cursor: string | undefined) {
  return call(api.GET("/admin/tenants", { params: { query: { limit: 100, ...(cursor && { cursor }) } } }));
}

/** The first hundred: what a menu has room for. All of them are a page. */
export function tenantsQuery() {
  return { queryKey: ["tenants"], queryFn: () => listTenants(undefined), staleTime: 60_000 };
}

export function brandsQuery(tenantId: string) {
  return {
    queryKey: ["brands", tenantId],
    queryFn: () => call(api.GET("/admin/brands", { params: { query: { tenant_id: tenantId, limit: 100 } } })),
    staleTime: 60_000,
  };
}

export function useTenant() {
  return useQuery(tenantQuery(useTenantId()));
}

export function useBrands() {
  return useQuery(brandsQuery(useTenantId()));
}
