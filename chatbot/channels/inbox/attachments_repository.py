"""The rows of customers' files."""

from uuid import UUID

from sqlalchemy import text

from chatbot.db.models import Attachment
from chatbot.db.sessions import TenantReader, TenantSession

# One that is being fetched may be stored already, under the name that `AttachmentStore.fetch` gives it.
_REMOVE = text("""
DELETE FROM attachments WHERE tenant_id = :tenant_id AND message_id = :message_id
RETURNING CASE WHEN status = 'pending' THEN 'attachments/' || tenant_id || '/' || id ELSE blob_key END
""")


async def get(session: TenantReader, attachment_id: UUID) -> Attachment | None:
    """Return a file's row."""
    return await session.get(Attachment, (session.tenant_id, attachment_id))


async def lock(session: TenantSession, attachment_id: UUID) -> Attachment | None:
    """Return a file's row that nobody removes before the transaction ends."""
    return await session.get(Attachment, (session.tenant_id, attachment_id), with_for_update=True)


async def remove_of(session: TenantSession, message_id: UUID) -> list[str]:
    """Remove the rows of a message's files; return the keys of what may be in the blob store."""
    values = {"tenant_id": session.tenant_id, "message_id": message_id}
    return [key for key in (await session.execute(_REMOVE, values)).scalars() if key]
