"""The rows of messages' files: stored with a visitor's message, or uploaded by an agent who is about to send them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, update

from chatbot.core.errors import NotFound
from chatbot.db.models import Attachment, Conversation, Message
from chatbot.db.sessions import PlatformSession, TenantReader, TenantSession, fetch
from chatbot.dialogue.incoming import StoredFile
from chatbot.dialogue.ownership import Begun
from chatbot.dialogue.repository import SHOWN_COLUMNS, MessageRow

_OF_CLIENT = f"""
SELECT {SHOWN_COLUMNS} FROM messages
WHERE tenant_id = %(tenant_id)s AND conversation_id = %(conversation_id)s AND client_message_id = %(client_message_id)s
"""  # noqa: S608 - constants only


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file; `begun`: who began the conversation in whose message it is, None while it is part of none."""

    id: UUID
    name: str | None
    mime: str | None
    status: str
    blob_key: str | None
    begun: Begun | None


async def add(session: TenantSession, channel_id: UUID, message_id: UUID, files: Sequence[StoredFile]) -> None:
    """Store the files of a message that was just stored."""
    if files:
        session.add_all([_row(session, file, channel_id=channel_id, message_id=message_id) for file in files])
        await session.flush()


async def keep(session: TenantSession, conversation_id: UUID, file: StoredFile, uploaded_by: str) -> None:
    """Store a file that somebody is about to send in a conversation.

    Raises:
        NotFound: no such conversation.
    """
    conversation = await session.get(Conversation, (session.tenant_id, conversation_id))
    if conversation is None:
        raise NotFound("no such conversation")
    row = _row(session, file, channel_id=conversation.channel_id)
    row.conversation_id, row.uploaded_by = conversation_id, uploaded_by
    session.add(row)
    await session.flush()


async def attach(
    session: TenantSession, conversation_id: UUID, message_id: UUID, ids: Sequence[UUID], uploaded_by: str
) -> None:
    """Make files that somebody uploaded for a conversation part of a message of theirs; each once.

    Raises:
        NotFound: one of them is unknown, another's, of another conversation, or sent already.
    """
    unsent = (
        Attachment.id.in_(ids),
        Attachment.tenant_id == session.tenant_id,
        Attachment.conversation_id == conversation_id,
        Attachment.message_id.is_(None),
        Attachment.uploaded_by == uploaded_by,
    )
    sent = await session.scalars(
        update(Attachment).where(*unsent).values(message_id=message_id).returning(Attachment.id)
    )
    if set(sent) != set(ids):
        raise NotFound("no such attachment")


async def message_of_client(session: TenantReader, conversation_id: UUID, client_message_id: str) -> MessageRow | None:
    """Return the message that a client calls so, with its files."""
    values = {
        "tenant_id": session.tenant_id,
        "conversation_id": conversation_id,
        "client_message_id": client_message_id,
    }
    rows = await fetch(session, _OF_CLIENT, values)
    return MessageRow(*rows[0]) if rows else None


async def find(session: TenantReader, attachment_id: UUID) -> FileRow | None:
    """Return a file of the session's tenant."""
    message = (Message.tenant_id == Attachment.tenant_id) & (Message.id == Attachment.message_id)
    conversation = (Conversation.tenant_id == Message.tenant_id) & (Conversation.id == Message.conversation_id)
    query = (
        select(Attachment, Conversation.owner, Conversation.brand_id)
        .outerjoin(Message, message)
        .outerjoin(Conversation, conversation)
        .where(Attachment.tenant_id == session.tenant_id, Attachment.id == attachment_id)
    )
    found = (await session.execute(query)).one_or_none()
    if found is None:
        return None
    row, owner, brand_id = found
    begun = Begun(owner or "", brand_id) if row.message_id else None
    return FileRow(row.id, row.name, row.mime, row.status, row.blob_key, begun)


async def tenant_of(session: PlatformSession, attachment_id: UUID) -> UUID | None:
    """Return whose file it is."""
    query = select(Attachment.tenant_id).where(Attachment.id == attachment_id)
    return (await session.execute(query)).scalar_one_or_none()


def _row(session: TenantSession, file: StoredFile, *, channel_id: UUID, message_id: UUID | None = None) -> Attachment:
    return Attachment(
        tenant_id=session.tenant_id, id=file.id, message_id=message_id, channel_id=channel_id, kind=file.kind,
        provider_ref="", name=file.name, mime=file.mime, size=file.size, blob_key=file.blob_key, status="stored",
    )  # fmt: skip
