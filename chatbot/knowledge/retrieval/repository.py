"""Reads what a retrieval needs to know of the tenant: its brands and its saved configuration."""

from uuid import UUID

from sqlalchemy import select

from chatbot.db.models import Brand, PolicyVersion
from chatbot.db.sessions import TenantReader
from chatbot.knowledge.retrieval.config import RetrievalConfig


async def brand_exists(session: TenantReader, brand_id: UUID) -> bool:
    """Whether the session's tenant has the brand."""
    found = select(Brand.id).where(Brand.tenant_id == session.tenant_id, Brand.id == brand_id)
    return (await session.scalar(found)) is not None


async def read_config(session: TenantReader) -> RetrievalConfig:
    """Return the tenant's configuration in force, the defaults where nothing was saved."""
    newest = (
        select(PolicyVersion.document)
        .where(PolicyVersion.tenant_id == session.tenant_id, PolicyVersion.kind == "retrieval_config")
        .order_by(PolicyVersion.version.desc())
        .limit(1)
    )
    return RetrievalConfig.model_validate(await session.scalar(newest) or {})
