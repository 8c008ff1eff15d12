"""Brands in the database."""

from uuid import UUID

from sqlalchemy import delete, exists, select

from chatbot.db.models import Brand, Conversation, KnowledgeSource
from chatbot.db.sessions import PlatformSession, TenantReader, TenantSession


async def tenant_of(session: PlatformSession, brand_id: UUID) -> UUID | None:
    """Return whose brand it is."""
    return (await session.execute(select(Brand.tenant_id).where(Brand.id == brand_id))).scalar_one_or_none()


async def get_brand(session: TenantReader, brand_id: UUID) -> Brand | None:
    """Return a brand of the session's tenant."""
    return await session.get(Brand, (session.tenant_id, brand_id))


async def list_brands(session: TenantReader, *, before: UUID | None, limit: int) -> list[Brand]:
    """Return the tenant's brands, newest first."""
    query = select(Brand).where(Brand.tenant_id == session.tenant_id).order_by(Brand.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Brand.id < before)
    return list(await session.scalars(query))


async def has_knowledge(session: TenantReader, brand_id: UUID) -> bool:
    """Whether the brand has a source, in whatever state."""
    owned = (KnowledgeSource.tenant_id == session.tenant_id, KnowledgeSource.brand_id == brand_id)
    return bool((await session.execute(select(exists().where(*owned)))).scalar_one())


async def has_conversations(session: TenantReader, brand_id: UUID) -> bool:
    """Whether anybody ever wrote to the brand."""
    owned = (Conversation.tenant_id == session.tenant_id, Conversation.brand_id == brand_id)
    return bool((await session.execute(select(exists().where(*owned)))).scalar_one())


async def delete_brand(session: TenantSession, brand_id: UUID) -> None:
    """Delete a brand with its channels."""
    await session.execute(delete(Brand).where(Brand.tenant_id == session.tenant_id, Brand.id == brand_id))
