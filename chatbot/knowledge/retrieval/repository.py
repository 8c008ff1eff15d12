"""Reads what a retrieval needs to know of the tenant."""

from uuid import UUID

from sqlalchemy import select

from chatbot.db.models import Brand
from chatbot.db.sessions import TenantReader


async def brand_exists(session: TenantReader, brand_id: UUID) -> bool:
    """Whether the session's tenant has the brand."""
    found = select(Brand.id).where(Brand.tenant_id == session.tenant_id, Brand.id == brand_id)
    return (await session.scalar(found)) is not None
