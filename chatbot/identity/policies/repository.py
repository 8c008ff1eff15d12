"""Versions of policy documents; the highest is in force."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from chatbot.db.models import PolicyVersion
from chatbot.db.sessions import TenantReader, TenantSession


async def newest(session: TenantReader, kind: str) -> PolicyVersion | None:
    """Return the version in force; one look at the primary key."""
    query = (
        select(PolicyVersion)
        .where(PolicyVersion.tenant_id == session.tenant_id, PolicyVersion.kind == kind)
        .order_by(PolicyVersion.version.desc())
        .limit(1)
    )
    return (await session.scalars(query)).one_or_none()


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
