"""The rows of ratings."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from chatbot.db.models import Conversation, CsatRating
from chatbot.db.sessions import TenantReader, TenantSession


@dataclass(frozen=True, slots=True)
class Rated:
    """A conversation to be rated; `closed_at` is None while it goes on."""

    id: UUID
    brand_id: UUID
    channel_id: UUID
    owner: str | None
    closed_at: datetime | None


async def lock_conversation(session: TenantSession, conversation_id: UUID) -> Rated | None:
    """Return a conversation that nobody else rates, closes or reopens until the transaction ends."""
    owned = (Conversation.tenant_id == session.tenant_id, Conversation.id == conversation_id)
    row = (await session.scalars(select(Conversation).where(*owned).with_for_update())).one_or_none()
    if row is None:
        return None
    closed_at = (row.closed_at or row.updated_at) if row.state == "closed" else None
    return Rated(row.id, row.brand_id, row.channel_id, row.visitor.get("subject"), closed_at)


async def rating_of(session: TenantReader, conversation_id: UUID, closed_at: datetime | None) -> CsatRating | None:
    """Return the rating of a closing, the newest one of any closing when none is named."""
    owned = (CsatRating.tenant_id == session.tenant_id, CsatRating.conversation_id == conversation_id)
    query = select(CsatRating).where(*owned).order_by(CsatRating.closed_at.desc()).limit(1)
    if closed_at is not None:
        query = query.where(CsatRating.closed_at == closed_at)
    return (await session.scalars(query)).one_or_none()
