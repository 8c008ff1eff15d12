"""Intake: what storing a visitor's message needs, whoever answers it, and whichever process stores it."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from chatbot.core import correlation
from chatbot.core.errors import NotFound
from chatbot.core.ids import new_id
from chatbot.db.sessions import TenantSession
from chatbot.dialogue import repository, waiting_repository
from chatbot.dialogue.history import Said
from chatbot.dialogue.hot_sessions import HotSession
from chatbot.dialogue.incoming import Incoming
from chatbot.dialogue.log_repository import EventRow
from chatbot.dialogue.repository import ConversationRow, MessageRow

_HISTORY = 12  # messages looked back on
_MOST_CHARS = 8_000  # of each: a mail may be a book, and what it is about stands at its beginning


async def conversation_of(session: TenantSession, incoming: Incoming) -> tuple[ConversationRow, list[MessageRow]]:
    """Find or begin the conversation of a message and lock it; its last messages come with it, in order.

    Raises:
        NotFound: unknown brand, channel or conversation, or one of another visitor.
    """
    if incoming.conversation_id is not None:
        conversation, recent = await repository.lock_with_last(session, incoming.conversation_id, _HISTORY)
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
        recent = await recent_messages(session, conversation)
    if conversation is None or not (incoming.any_owner or conversation.owner == incoming.owner):
        raise NotFound("no such conversation")
    return conversation, recent


async def recent_messages(session: TenantSession, conversation: ConversationRow) -> list[MessageRow]:
    """Return the last messages of a conversation, in order."""
    if conversation.created:
        return []
    return await repository.messages_after(session, conversation.id, conversation.last_seq - _HISTORY, _HISTORY)


async def reopened(session: TenantSession, conversation: ConversationRow) -> ConversationRow:
    """Open a closed conversation again, for the bot: its visitor has written, and that message is stored.

    A visitor's thread is one for ever, in a messenger as in a session that a program names. Others stay as they are.
    """
    if conversation.state != "closed":
        return conversation
    epoch = await waiting_repository.reopen(session, conversation.id, correlation.current())
    return replace(conversation, state="bot", epoch=epoch)


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


def hot_session(
    session: TenantSession, conversation: ConversationRow, incoming: Incoming, *, last_seq: int, language: str
) -> HotSession:
    """Where the conversation stands once the message is stored."""
    return HotSession(
        session.tenant_id, conversation.channel_id, conversation.id, conversation.state, last_seq, language,
        incoming.session_id,
    )  # fmt: skip


def received_events(conversation: ConversationRow, question_id: UUID) -> list[EventRow]:
    """The events of a stored message."""
    about = {**_about(conversation), "message_id": str(question_id), "state": conversation.state}
    received = EventRow("message.received", about)
    return [*begun_events(conversation), received] if conversation.created else [received]


def begun_events(conversation: ConversationRow) -> list[EventRow]:
    """The events of a new conversation."""
    return [EventRow("conversation.created", _about(conversation))]


def _about(conversation: ConversationRow) -> dict[str, Any]:
    return {
        "conversation_id": str(conversation.id),
        "brand_id": str(conversation.brand_id),
        "channel_id": str(conversation.channel_id),
    }


def last_language(recent: list[MessageRow]) -> str | None:
    """The language that the visitor wrote in last."""
    return next((row.language for row in reversed(recent) if row.role == "visitor" and row.language), None)


def said(recent: list[MessageRow]) -> tuple[Said, ...]:
    """The messages that a turn looks back on."""
    return tuple(_said(row) for row in recent if row.text and row.role != "system")


def _said(row: MessageRow) -> Said:
    role = row.role if row.role in ("bot", "agent") else "visitor"
    return Said(role, row.text[:_MOST_CHARS], row.language, row.handoff_offered)  # type: ignore[arg-type]
