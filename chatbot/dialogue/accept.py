"""Accept: find or begin the conversation, store the message once, keep the place of its reply."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chatbot.core import correlation
from chatbot.core.errors import InvalidInput, NotFound
from chatbot.core.ids import new_id
from chatbot.db.sessions import TenantSession
from chatbot.dialogue import repository
from chatbot.dialogue.errors import AlreadyAsked, ConversationBusy
from chatbot.dialogue.history import Said
from chatbot.dialogue.incoming import Incoming
from chatbot.dialogue.language import question_language
from chatbot.dialogue.parts import Turn
from chatbot.dialogue.policy import turn_policy
from chatbot.dialogue.repository import ConversationRow, EventRow, MessageRow

_HISTORY = 12  # messages looked back on
_MAX_WAITING = 5  # replies of one conversation under way


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a message.

    Attributes:
        state: of the conversation: bot, waiting, human, closed.
        turn: the turn to run; None when the bot does not answer or the message is a repeat.
        repeated: of a repeat, the stored reply; else None.
    """

    conversation_id: UUID
    question_id: UUID
    state: str
    language: str
    turn: Turn | None = None
    repeated: MessageRow | None = None


async def accept(session: TenantSession, incoming: Incoming) -> Accepted:
    """Store a visitor's message in the session's transaction.

    The conversation's row stays locked to the end of it, so messages of one conversation are numbered one by one.

    Raises:
        InvalidInput: the message is longer than the tenant's policy allows.
        NotFound: unknown brand, channel or conversation, or one of another visitor.
        ConversationBusy: too many messages of this conversation wait for their replies.
    """
    limit = (await turn_policy(session)).max_message_chars
    if len(incoming.text) > limit:
        raise InvalidInput.field("message", f"must be at most {limit} characters long")
    conversation = await conversation_of(session, incoming)
    recent = await recent_messages(session, conversation)
    language = question_language(incoming.text, earlier=last_language(recent), locale=incoming.locale)
    answers = conversation.state == "bot"
    waits_for = tuple(row.id for row in recent if row.status == "streaming")
    if answers and len(waits_for) >= _MAX_WAITING and not _among(recent, incoming.client_message_id):
        raise ConversationBusy(f"message: at most {_MAX_WAITING} of a conversation may wait for their replies")
    question_id, reply_id = new_id(), new_id() if answers else None
    values = question_values(incoming, question_id, reply_id, language)
    events = received_events(conversation, question_id)
    if not await repository.insert_question(session, conversation, values, events):
        return await _repeated(session, conversation, incoming)
    turn = None
    if reply_id:
        history = said(recent)
        turn = Turn(
            session.tenant_id, conversation.brand_id, conversation.channel_id, conversation.id, conversation.epoch,
            question_id, reply_id, incoming.text, language, history, waits_for,
        )  # fmt: skip
    return Accepted(conversation.id, question_id, conversation.state, language, turn)


async def conversation_of(session: TenantSession, incoming: Incoming) -> ConversationRow:
    """Find or begin the conversation of a message and lock it.

    Raises:
        NotFound: unknown brand, channel or conversation, or one of another visitor.
    """
    if incoming.conversation_id is not None:
        conversation = await repository.lock_conversation(session, incoming.conversation_id)
        if conversation and incoming.brand_id not in (None, conversation.brand_id):
            conversation = None
    else:
        conversation = await repository.open_conversation(
            session,
            new_id=new_id(),
            brand_id=incoming.brand_id,
            channel_id=incoming.channel_id,
            session_key=incoming.session_key,
            visitor={**incoming.visitor, "subject": incoming.owner},
            locale=incoming.locale,
        )
        if conversation is None:
            raise NotFound("no such brand, or it has no such channel")
    if conversation is None or not (incoming.any_owner or conversation.owner == incoming.owner):
        raise NotFound("no such conversation")
    return conversation


async def recent_messages(session: TenantSession, conversation: ConversationRow) -> list[MessageRow]:
    """Return the last messages of a conversation, in order."""
    if conversation.created:
        return []
    return await repository.messages_after(session, conversation.id, conversation.last_seq - _HISTORY, _HISTORY)


async def _repeated(session: TenantSession, conversation: ConversationRow, incoming: Incoming) -> Accepted:
    question = await repository.repeated_message(
        session, conversation, incoming.client_message_id, incoming.provider_event_id
    )
    if question is None or question.conversation_id != conversation.id:
        raise AlreadyAsked("this event was received in another conversation")
    reply = await repository.reply_to(session, question)
    return Accepted(conversation.id, question.id, conversation.state, question.language or "en", repeated=reply)


def question_values(incoming: Incoming, question_id: UUID, reply_id: UUID | None, language: str) -> dict[str, Any]:
    """What is stored of a message."""
    return {
        "question_id": question_id,
        "reply_id": reply_id,
        "text": incoming.text,
        "language": language,
        "client_message_id": incoming.client_message_id,
        "provider_event_id": incoming.provider_event_id,
        "provider_message_id": incoming.provider_message_id,
        "content": dict(incoming.content),
        "correlation_id": correlation.current(),
    }


def received_events(conversation: ConversationRow, question_id: UUID) -> list[EventRow]:
    """The events of a stored message."""
    about = {
        "conversation_id": str(conversation.id),
        "brand_id": str(conversation.brand_id),
        "channel_id": str(conversation.channel_id),
    }
    received = EventRow("message.received", {**about, "message_id": str(question_id), "state": conversation.state})
    return [EventRow("conversation.created", about), received] if conversation.created else [received]


def last_language(recent: list[MessageRow]) -> str | None:
    """The language that the visitor wrote in last."""
    return next((row.language for row in reversed(recent) if row.role == "visitor" and row.language), None)


def _among(recent: list[MessageRow], client_message_id: str | None) -> bool:
    return client_message_id is not None and any(row.client_message_id == client_message_id for row in recent)


def said(recent: list[MessageRow]) -> tuple[Said, ...]:
    """The messages that a turn looks back on."""
    return tuple(_said(row) for row in recent if row.text and row.role != "system")


def _said(row: MessageRow) -> Said:
    role = row.role if row.role in ("bot", "agent") else "visitor"
    return Said(role, row.text, row.language)  # type: ignore[arg-type]
