"""API keys: shown once, kept as a hash, revoked for good."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from chatbot.core import crypto
from chatbot.core.clock import utcnow
from chatbot.core.errors import Conflict, NotFound
from chatbot.core.ids import new_id
from chatbot.db.models import ApiKey
from chatbot.db.sessions import Database, TenantReader, TenantSession
from chatbot.identity.access.service import API_KEY_PREFIX
from chatbot.identity.api_keys import repository
from chatbot.identity.api_keys.schemas import CreateApiKey
from chatbot.identity.audit.acting import note
from chatbot.identity.subject import Role, Subject
from chatbot.identity.tenants.service import require_tenant
from chatbot.identity.tokens import ROTATION_OVERLAP

_HINT_LENGTH = len(API_KEY_PREFIX) + 5


class Rotated(NamedTuple):
    """A key's successor: its row, the key itself, which is kept nowhere, and until when the old one works."""

    row: ApiKey
    key: str
    previous_until: datetime


async def reach_key(database: Database, subject: Subject, key_id: UUID) -> UUID:
    """Return the tenant of a key that the subject administers.

    Raises:
        NotFound: no such key, or one of a tenant that is none of the subject's.
        Forbidden: too low a role.
    """
    async with database.platform() as session:
        tenant_id = await repository.tenant_of(session, key_id)
    return subject.reach(tenant_id, Role.TENANT_ADMIN, "API key")


async def create_key(session: TenantSession, subject: Subject, wanted: CreateApiKey) -> tuple[ApiKey, str]:
    """Insert a key.

    Returns:
        The row, and the key itself, which is kept nowhere.

    Raises:
        NotFound: no such tenant.
        Forbidden: the role is above the subject's own.
    """
    role = subject.grant(session.tenant_id, Role(wanted.role))
    await require_tenant(session)
    row, key = _new_key(session.tenant_id, wanted.name, role.value, wanted.expires_at)
    session.add(row)
    await session.flush()
    await session.refresh(row)
    note(target=f"api_key:{row.id}", detail={"role": role.value})
    return row, key


async def rotate_key(session: TenantSession, key_id: UUID) -> Rotated:
    """Give a key a successor of the same name, role and end; the old one works for a quarter of an hour more.

    Raises:
        NotFound: no such key here, or one that is revoked.
        Conflict: the key has a successor already, or ends by itself within that quarter of an hour.
    """
    old = await repository.get_key(session, key_id, lock=True)
    if old is None or old.revoked_at is not None:
        raise NotFound("no such API key")
    until = utcnow() + ROTATION_OVERLAP
    if old.expires_at is not None and old.expires_at <= until:
        raise Conflict(
            f"this key ends at {old.expires_at:%Y-%m-%d %H:%M} UTC, with or without a successor: make a new one"
        )
    row, key = _new_key(session.tenant_id, old.name, old.role, old.expires_at)
    row.agent_id = old.agent_id or old.id  # the same program: the conversations that it has stay its own
    old.expires_at = until
    session.add(row)
    await session.flush()
    await session.refresh(row)
    note(target=f"api_key:{key_id}", detail={"successor": str(row.id), "role": row.role})
    return Rotated(row, key, until)


async def list_keys(session: TenantReader, *, before: UUID | None, limit: int) -> list[ApiKey]:
    """Return the tenant's keys, newest first; one more than the limit when there are more."""
    await require_tenant(session)
    return await repository.list_keys(session, before=before, limit=limit + 1)


async def revoke_key(session: TenantSession, key_id: UUID) -> None:
    """Revoke a key; one that is revoked stays so.

    Raises:
        NotFound: no such key here.
    """
    row = await repository.get_key(session, key_id)
    if row is None:
        raise NotFound("no such API key")
    row.revoked_at = row.revoked_at or utcnow()


def _new_key(tenant_id: UUID, name: str, role: str, expires_at: datetime | None) -> tuple[ApiKey, str]:
    key = crypto.random_secret(API_KEY_PREFIX)
    row = ApiKey(
        tenant_id=tenant_id, id=new_id(), name=name, role=role, key_hash=crypto.hash_secret(key),
        hint=f"{key[:_HINT_LENGTH]}…", expires_at=expires_at,
    )  # fmt: skip
    return row, key
