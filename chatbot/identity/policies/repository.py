"""Versions of policy documents; the highest is in force."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from chatbot.db.models import PolicyVersion
from chatbot.db.sessions import Later, TenantReader, TenantSession

Read = TypeVar("Read")

_NEWEST_OF_EACH = """
SELECT DISTINCT ON (kind) kind, version, document::text, created_at, created_by FROM policy_versions
WHERE tenant_id = %s ORDER BY kind, version DESC
"""


@dataclass(frozen=True, slots=True)
class Saved:
    """A saved version of one kind of document, which is JSON."""

    kind: str
    version: int
    document: str
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


def newest_of_each(session: TenantReader, read: Callable[[Mapping[str, Saved]], Read]) -> Later[Read]:
    """Read the versions in force, by kind, in one statement that goes with the next: each turn reads them all."""
    return session.defer(
        _NEWEST_OF_EACH, (session.tenant_id,), lambda rows: read({row[0]: Saved(*row) for row in rows})
    )


async def page_of_versions(
    session: TenantReader, kind: str, *, before: int | None, limit: int
) -> Sequence[PolicyVersion]:
    """Read `limit + 1` versions, newest first."""
    query = select(PolicyVersion).where(PolicyVersion.tenant_id == session.tenant_id, PolicyVersion.kind == kind)
    if before is not None:
        query = query.where(PolicyVersion.version < before)
    return (await session.scalars(query.order_by(PolicyVersion.version.desc()).limit(limit + 1))).all()


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
