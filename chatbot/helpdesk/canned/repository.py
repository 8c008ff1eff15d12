"""The rows of canned replies."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select

from chatbot.db.models import Brand, CannedReply
from chatbot.db.sessions import PlatformSession, TenantReader


async def tenant_of(session: PlatformSession, reply_id: UUID) -> UUID | None:
    """Return whose canned reply it is."""
    query = select(CannedReply.tenant_id).where(CannedReply.id == reply_id)
    return (await session.execute(query)).scalar_one_or_none()


async def get(session: TenantReader, reply_id: UUID) -> CannedReply | None:
    """Return one canned reply."""
    return await session.get(CannedReply, (session.tenant_id, reply_id))


async def texts(session: TenantReader, reply_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the texts of canned replies that are there."""
    owned = (CannedReply.tenant_id == session.tenant_id, CannedReply.id.in_(reply_ids))
    return dict((await session.execute(select(CannedReply.id, CannedReply.text).where(*owned))).tuples().all())


async def page(session: TenantReader, *, brand_id: UUID | None, before: UUID | None, limit: int) -> list[CannedReply]:
    """Return canned replies, newest first; with a brand, its own and those of all brands."""
    query = select(CannedReply).where(CannedReply.tenant_id == session.tenant_id)
    if brand_id is not None:
        query = query.where((CannedReply.brand_id == brand_id) | CannedReply.brand_id.is_(None))
    if before is not None:
        query = query.where(CannedReply.id < before)
    return list(await session.scalars(query.order_by(CannedReply.id.desc()).limit(limit)))


async def brand_name(session: TenantReader, brand_id: UUID) -> str | None:
    """Return a brand's name; None when it is none of the tenant's."""
    query = select(Brand.name).where(Brand.tenant_id == session.tenant_id, Brand.id == brand_id)
    return (await session.execute(query)).scalar_one_or_none()
