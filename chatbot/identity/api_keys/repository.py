"""API keys in the database."""

from uuid import UUID

from sqlalchemy import select

from chatbot.db.models import ApiKey
from chatbot.db.sessions import PlatformSession, TenantReader


async def tenant_of(session: PlatformSession, key_id: UUID) -> UUID | None:
    """Return whose key it is."""
    return (await session.execute(select(ApiKey.tenant_id).where(ApiKey.id == key_id))).scalar_one_or_none()


async def get_key(session: TenantReader, key_id: UUID, *, lock: bool = False) -> ApiKey | None:
    """Return a key of the session's tenant; locked, nobody else changes it until the transaction ends."""
    return await session.get(ApiKey, (session.tenant_id, key_id), with_for_update=lock or None)


async def list_keys(session: TenantReader, *, before: UUID | None, limit: int) -> list[ApiKey]:
    """Return the tenant's keys, newest first."""
    query = select(ApiKey).where(ApiKey.tenant_id == session.tenant_id).order_by(ApiKey.id.desc()).limit(limit)
    if before is not None:
        query = query.where(ApiKey.id < before)
    return list(await session.scalars(query))
