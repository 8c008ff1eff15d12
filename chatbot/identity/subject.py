"""Who is asking: the subject of a request, its role, and what it may reach."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from chatbot.core.errors import Forbidden, NotFound


class RoleTooLow(Forbidden):
    """The subject's role in a tenant does not reach."""

    def __init__(self, tenant_id: UUID, at_least: "Role") -> None:
        super().__init__(f"this needs the role {at_least}")
        self.tenant_id = tenant_id


class Role(StrEnum):
    """What a subject may do; each includes those after it."""

    PLATFORM_ADMIN = "platform_admin"
    TENANT_ADMIN = "tenant_admin"
    AGENT = "agent"
    VIEWER = "viewer"
    VISITOR = "visitor"


_RANK = {role: rank for rank, role in enumerate(reversed(Role))}


def highest(roles: Iterable[Role]) -> Role:
    """Return the highest of some roles; `visitor` when there is none."""
    return max(roles, key=_RANK.__getitem__, default=Role.VISITOR)


@dataclass(frozen=True, slots=True)
class Subject:
    """An authenticated caller.

    Attributes:
        name: for audit rows and logs: `user:<id>`, `api_key:<id>`, `visitor:<id>`, `gateway`.
        role: the highest role; `platform_admin` reaches every tenant.
        tenant_id: its tenant; None only for users, who carry `memberships`, and platform admins.
        memberships: a user's role in each tenant.
        visitor: for embed tokens: the identity that the host page vouched for.
        session_id: the signed-in session of a user.
        same_program: of an API key: the names of those that it took the place of, or that took its own.
    """

    name: str
    role: Role
    tenant_id: UUID | None = None
    memberships: dict[UUID, Role] = field(default_factory=dict)
    brand_id: UUID | None = None
    visitor: dict[str, str] = field(default_factory=dict)
    session_id: UUID | None = None
    same_program: tuple[str, ...] = ()

    @property
    def user_id(self) -> UUID | None:
        """The person behind the subject; None for API keys, the command line, visitors."""
        kind, _, user_id = self.name.partition(":")
        return UUID(user_id) if kind == "user" else None

    def role_in(self, tenant_id: UUID) -> Role | None:
        """Return the subject's role in a tenant, None when it has none there."""
        if self.role is Role.PLATFORM_ADMIN:
            return self.role
        if self.tenant_id == tenant_id:
            return self.role
        return self.memberships.get(tenant_id)

    def tenants(self) -> set[UUID]:
        """Return the tenants that the subject belongs to; a platform admin reaches all others too."""
        return {self.tenant_id} if self.tenant_id else set(self.memberships)

    def only_tenant(self) -> UUID | None:
        """Return the one tenant that the subject belongs to, None when there are several or none."""
        tenants = self.tenants()
        return tenants.pop() if len(tenants) == 1 else None

    def reach(self, tenant_id: UUID | None, at_least: Role, what: str = "tenant") -> UUID:
        """Return the tenant id when the subject has at least this role in it.

        Args:
            tenant_id: the tenant, or that of the row that was asked for; None when there is no such row.
            at_least: the lowest role that will do.
            what: what was asked for, as the client knows it: `brand`, `source`, …

        Raises:
            NotFound: there is none, or the tenant is none of the subject's: the two answers are the same.
            Forbidden: it is the subject's, with too low a role.
        """
        role = self.role_in(tenant_id) if tenant_id else None
        if tenant_id is None or role is None or role is Role.VISITOR:
            raise NotFound(f"no such {what}")
        if _RANK[role] < _RANK[at_least]:
            raise RoleTooLow(tenant_id, at_least)
        return tenant_id

    def administers(self, tenant_id: UUID) -> bool:
        """Whether the subject is an administrator of a tenant."""
        return self.role_in(tenant_id) in (Role.PLATFORM_ADMIN, Role.TENANT_ADMIN)

    def grant(self, tenant_id: UUID, role: Role) -> Role:
        """Return a role that the subject may give to another in a tenant: never one above its own.

        Raises:
            NotFound: the tenant is none of the subject's.
            Forbidden: the role is above the subject's own.
        """
        self.reach(tenant_id, role)
        return role

    def require_platform_admin(self) -> None:
        """Raise `Forbidden` unless the subject is a platform admin."""
        if self.role is not Role.PLATFORM_ADMIN:
            raise Forbidden("this needs the role platform_admin")
