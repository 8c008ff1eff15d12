"""Who may read and write a tenant's knowledge."""

from uuid import UUID

from chatbot.identity.subject import Role, Subject


def may_read(subject: Subject, tenant_id: UUID | None, what: str = "tenant") -> UUID:
    """Return the tenant's id for whoever belongs to it. Raises `NotFound`, `Forbidden`."""
    return subject.reach(tenant_id, Role.VIEWER, what)


def may_write(subject: Subject, tenant_id: UUID | None, what: str = "tenant") -> UUID:
    """Return the tenant's id for its administrators. Raises `NotFound`, `Forbidden`."""
    return subject.reach(tenant_id, Role.TENANT_ADMIN, what)
