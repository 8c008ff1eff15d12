"""Tenants in the database. What has no tenant yet, or spans several, goes through a platform session."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select

from chatbot.db.models import Brand, Tenant
from chatbot.db.sessions import PlatformSession, TenantReader


async def get_tenant(session: TenantReader) -> Tenant | None:
    """Return the session's tenant unless it is deleted."""
    query = select(Tenant).where(Tenant.id == session.tenant_id, Tenant.deleted_at.is_(None))
    return (await session.scalars(query)).one_or_none()


async def list_tenants(
    session: PlatformSession, *, only: Collection[UUID] | None, before: UUID | None, limit: int
) -> list[Tenant]:
    """Return living tenants, newest first; with `only`, none but those."""
    query = select(Tenant).where(Tenant.deleted_at.is_(None)).order_by(Tenant.id.desc()).limit(limit)
    if only is not None:
        query = query.where(Tenant.id.in_(only))
    if before is not None:
        query = query.where(Tenant.id < before)
    return list(await session.scalars(query))


async def owns_brand(session: TenantReader, brand_id: UUID) -> bool:
    """Whether the brand is the session's tenant's."""
    query = select(Brand.id).where(Brand.tenant_id == session.tenant_id, Brand.id == brand_id)
    return (await session.execute(query)).scalar_one_or_none() is not None
