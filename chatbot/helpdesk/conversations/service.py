"""Reads of the inbox: pages of a queue, one conversation, its messages, why the bot said what it said."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from chatbot.core.errors import InvalidInput, NotFound
from chatbot.db.sessions import TenantReader
from chatbot.dialogue.schemas import TraceView
from chatbot.dialogue.traces import trace_view
from chatbot.helpdesk.conversations import repository
from chatbot.helpdesk.conversations.repository import Listed, Wanted
from chatbot.helpdesk.conversations.schemas import AgentMessage, AgentMessageList, ConversationView

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEWEST = 2**62


def read_place(cursor: str | None) -> tuple[datetime, UUID] | None:
    """Read a cursor of a list of conversations: the place of the last row, in microseconds, and its id.

    Raises:
        InvalidInput: it is not one that we gave.
    """
    if cursor is None:
        return None
    place, _, last = cursor.partition(".")
    try:
        return _EPOCH + timedelta(microseconds=int(place)), UUID(last)
    except (ValueError, OverflowError):
        raise InvalidInput.field("cursor", "is not a cursor of this list") from None


def write_place(row: Listed) -> str:
    """Return the cursor behind a row."""
    return f"{(row.place - _EPOCH) // timedelta(microseconds=1)}.{row.fields['id']}"


def view(row: Listed) -> ConversationView:
    """Return a row as agents see it."""
    return ConversationView.model_validate(row.fields)


async def one(session: TenantReader, conversation_id: UUID) -> ConversationView:
    """Return one conversation.

    Raises:
        NotFound: there is none.
    """
    rows = await repository.page(session, Wanted("all", me=conversation_id, ids=[conversation_id]), 1)
    if not rows:
        raise NotFound("no such conversation")
    return view(rows[0])


async def message_page(
    session: TenantReader, conversation_id: UUID, *, after_seq: int | None, before_seq: int | None, limit: int
) -> AgentMessageList:
    """Return messages in order: those after a number, else the newest, or the newest before a number."""
    rows = await repository.messages(
        session, conversation_id, after=after_seq, before=_NEWEST if before_seq is None else before_seq, limit=limit + 1
    )
    more = len(rows) > limit
    shown = rows[:limit] if after_seq is not None else rows[-limit:]
    last = shown[-1 if after_seq is not None else 0]["seq"] if more else None
    items = [AgentMessage.model_validate(row) for row in shown]
    return AgentMessageList(items=items, next_cursor=None if last is None else str(last))


async def one_message(session: TenantReader, conversation_id: UUID, message_id: UUID) -> AgentMessage:
    """Return one message of a conversation.

    Raises:
        NotFound: there is none.
    """
    rows = await repository.some_messages(session, conversation_id, [message_id])
    if not rows:
        raise NotFound("no such message")
    return AgentMessage.model_validate(rows[0])


async def trace_of(session: TenantReader, conversation_id: UUID, message_id: UUID) -> TraceView:
    """Return why the bot said that.

    Raises:
        NotFound: no such reply of the bot in this conversation.
    """
    found = await repository.trace(session, conversation_id, message_id)
    if found is None:
        raise NotFound("no such message")
    trace, question, usage = found
    return await trace_view(session, trace, question=question, usage=usage)
