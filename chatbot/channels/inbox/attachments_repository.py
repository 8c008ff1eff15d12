"""The rows of customers' files."""

from uuid import UUID

from sqlalchemy import select

from chatbot.db.models import Attachment
from chatbot.db.sessions import TenantReader


async def get(session: TenantReader, attachment_id: UUID) -> Attachment | None:
    """Return a file's row."""
    return await session.get(Attachment, (session.tenant_id, attachment_id))


async def of_messages(session: TenantReader, message_ids: list[UUID]) -> list[Attachment]:
    """Return the files of messages, in order."""
    owned = (Attachment.tenant_id == session.tenant_id, Attachment.message_id.in_(message_ids))
    return list(await session.scalars(select(Attachment).where(*owned).order_by(Attachment.id)))
