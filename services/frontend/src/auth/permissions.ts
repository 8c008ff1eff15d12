/** What a role may do in the console. The server decides; this only hides what it would refuse. */
import type { Me } from "./session";

export const ROLES = ["viewer", "agent", "tenant_admin", "platform_admin"] as const;
export type Role = (typeof ROLES)[number];

/** The lowest role for each thing. */
const NEEDS = {
  look: "viewer",
  answer: "agent",
  manageTickets: "agent",
  replayDelivery: "agent",
  editKnowledge: "tenant_admin",
  useBench: "tenant_admin",
  editPolicy: "tenant_admin",
  editChannels: "tenant_admin",
  editAutomation: "tenant_admin",
  editWebhooks: "tenant_admin",
  editBrands: "tenant_admin",
  seePeople: "tenant_admin",
  seeAudit: "tenant_admin",
  seeKeys: "tenant_admin",
  manageData: "tenant_admin",
  seeSystem: "platform_admin",
  makeTenants: "platform_admin",
} as const satisfies Record<string, Role>;

export type Permission = keyof typeof NEEDS;

export function isRole(value: string): value is Role {
  return (ROLES as readonly string[]).includes(value);
}

/** The role in one tenant; null when it is none of theirs. */
export function roleIn(me: Me, tenantId: string): Role | null {
  if (me.role === "platform_admin") return "platform_admin";
  const found = me.tenant_id === tenantId ? me.role : me.memberships.find((each) => each.tenant_id === tenantId)?.role;
  return found && isRole(found) ? found : null;
}

export function may(role: Role | null, what: Permission): boolean {
  return role !== null && ROLES.indexOf(role) >= ROLES.indexOf(NEEDS[what]);
}
