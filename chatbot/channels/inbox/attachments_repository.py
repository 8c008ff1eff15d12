"""The rows of customers' files."""

from uuid import UUID

from chatbot.db.models import Attachment
from chatbot.db.sessions import TenantReader, TenantSession


async def get(session: TenantReader, attachment_id: UUID) -> Attachment | None:
    """Return a file's row."""
    return await session.get(Attachment, (session.tenant_id, attachment_id))


async def lock(session: TenantSession, attachment_id: UUID) -> Attachment | None:
    """Return a file's row that nobody removes before the transaction ends."""
    return await session.get(Attachment, (session.tenant_id, attachment_id), with_for_update=True)
