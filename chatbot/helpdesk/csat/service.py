"""Takes ratings: once for each closing, by the visitor alone, changeable for a day."""

from datetime import datetime, timedelta
from uuid import UUID

from chatbot.core.errors import NotFound
from chatbot.core.ids import new_id
from chatbot.db.models import CsatRating
from chatbot.db.sessions import TenantSession
from chatbot.dialogue.log_repository import EventRow, append
from chatbot.dialogue.ownership import Begun, Owner, may_see
from chatbot.helpdesk.csat import repository
from chatbot.helpdesk.csat.errors import NotClosed, RatingIsFinal
from chatbot.helpdesk.csat.repository import Rated
from chatbot.helpdesk.csat.schemas import Rate

CHANGEABLE = timedelta(hours=24)


async def rate(session: TenantSession, conversation_id: UUID, owner: Owner, wanted: Rate, now: datetime) -> CsatRating:
    """Rate the last closing of a conversation, or change what was said of it within a day, also after it went on.

    Raises:
        NotFound: no such conversation, or it is another visitor's.
        NotClosed: it goes on, and was not rated before.
        RatingIsFinal: the rating is older than a day.
    """
    conversation = await repository.lock_conversation(session, conversation_id)
    if conversation is None or not may_see(owner, Begun(conversation.owner or "", conversation.brand_id)):
        raise NotFound("no such conversation")
    rating = await repository.rating_of(session, conversation_id, conversation.closed_at)
    changed = rating is not None
    if rating is None:
        rating = _first(session, conversation)
    elif now - rating.created_at > CHANGEABLE:
        raise RatingIsFinal("a rating can be changed within 24 hours")
    rating.score, rating.comment = wanted.score, wanted.comment or None
    session.add(rating)
    await session.flush()
    await session.refresh(rating)
    about = {
        "conversation_id": conversation.id, "brand_id": conversation.brand_id, "channel_id": conversation.channel_id,
        "score": rating.score, "commented": rating.comment is not None, "changed": changed,
    }  # fmt: skip
    await append(session, [EventRow("csat.received", about)])
    return rating


async def require(session: TenantSession, conversation_id: UUID) -> None:
    """Raise `NotFound` when there is no such conversation."""
    if await repository.lock_conversation(session, conversation_id) is None:
        raise NotFound("no such conversation")


def _first(session: TenantSession, conversation: Rated) -> CsatRating:
    if conversation.closed_at is None:
        raise NotClosed("this conversation goes on")
    return CsatRating(
        tenant_id=session.tenant_id,
        id=new_id(),
        conversation_id=conversation.id,
        channel_id=conversation.channel_id,
        closed_at=conversation.closed_at,
    )
