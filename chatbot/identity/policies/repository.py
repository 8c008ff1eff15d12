"""Versions of policy documents; the highest is in force."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from chatbot.db.models import PolicyVersion
from chatbot.db.sessions import TenantReader, TenantSession, fetch

_NEWEST_OF_EACH = """
SELECT DISTINCT ON (kind) kind, version, document, created_at, created_by FROM policy_versions
WHERE tenant_id = %s ORDER BY kind, version DESC
"""


@dataclass(frozen=True, slots=True)
class Saved:
    """A saved version of one kind of document."""

    kind: str
    version: int
    document: dict[str, Any]
    created_at: datetime
    created_by: str


async def newest(session: TenantReader, kind: str) -> PolicyVersion | None:
    """Return the version in force; one look at the primary key."""
    query = (
        select(PolicyVersion)
        .where(PolicyVersion.tenant_id == session.tenant_id, PolicyVersion.kind == kind)
        .order_by(PolicyVersion.version.desc())
        .limit(1)
    )
    return (await session.scalars(query)).one_or_none()


async def newest_of_each(session: TenantReader) -> list[Saved]:
    """Return the versions in force of every kind, in one statement: each turn reads them all."""
    return [Saved(*row) for row in await fetch(session, _NEWEST_OF_EACH, (session.tenant_id,))]


async def append(
    session: TenantSession, *, kind: str, version: int, document: dict[str, Any], created_by: str
) -> PolicyVersion | None:
    """Insert a version; None when somebody else has saved it first."""
    statement = (
        insert(PolicyVersion)
        .values(tenant_id=session.tenant_id, kind=kind, version=version, document=document, created_by=created_by[:200])
        .on_conflict_do_nothing()
        .returning(PolicyVersion)
    )
    return (await session.scalars(statement)).one_or_none()
