import { describe, expect, it } from "vitest";
import { may, roleIn } from "./permissions";
import type { Me } from "./session";

const HERE = "11111111-1111-7111-8111-111111111111";
const ELSEWHERE = "22222222-2222-7222-8222-222222222222";

function me(part: Partial<Me>): Me {
  return { subject: "user:1", role: "viewer", tenant_id: null, memberships: [], user: null, ...part };
}

describe("a role in a tenant", () => {
  it("is the membership's there and nothing elsewhere", () => {
    const agent = me({ role: "agent", memberships: [{ tenant_id: HERE, tenant_name: "Here", role: "agent" }] });
    expect(roleIn(agent, HERE)).toBe("agent");
    expect(roleIn(agent, ELSEWHERE)).toBeNull();
  });

  it("is a platform administrator's everywhere", () => {
    expect(roleIn(me({ role: "platform_admin" }), ELSEWHERE)).toBe("platform_admin");
  });

  it("is nothing where the server names a role that we do not know", () => {
    expect(roleIn(me({ memberships: [{ tenant_id: HERE, tenant_name: "Here", role: "owner" }] }), HERE)).toBeNull();
  });
});

it.each([
  ["viewer", "look", true],
  ["viewer", "answer", false],
  ["agent", "answer", true],
  ["agent", "editKnowledge", false],
  ["agent", "seePeople", false],
  ["tenant_admin", "editPolicy", true],
  ["tenant_admin", "seeSystem", false],
  ["platform_admin", "seeSystem", true],
] as const)("%s may %s: %s", (role, what, allowed) => {
  expect(may(role, what)).toBe(allowed);
});

it("nobody may do anything", () => {
  expect(may(null, "look")).toBe(false);
});
