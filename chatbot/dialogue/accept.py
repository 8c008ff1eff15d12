"""Accept: find or begin the conversation, store the message once, keep the place of its reply."""

from dataclasses import dataclass
from uuid import UUID

from chatbot.core.errors import InvalidInput
from chatbot.core.ids import new_id
from chatbot.db.sessions import TenantSession
from chatbot.dialogue import files_repository, repository
from chatbot.dialogue.errors import AlreadyAsked, ClientIdTaken, ConversationBusy
from chatbot.dialogue.hot_sessions import HotSession
from chatbot.dialogue.incoming import Incoming
from chatbot.dialogue.intake import (
    conversation_of,
    hot_session,
    last_language,
    question_values,
    received_events,
    reopened,
    said,
)
from chatbot.dialogue.language import question_language
from chatbot.dialogue.parts import Turn
from chatbot.dialogue.policy import turn_policies
from chatbot.dialogue.repository import ConversationRow, MessageRow

_MAX_WAITING = 5  # replies of one conversation under way


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a message.

    Attributes:
        turn: the turn to run; None when the bot does not answer or the message is a repeat.
        repeated: of a repeat, the stored reply; else None.
        hot: where the conversation stands; None for a repeat.
    """

    conversation_id: UUID
    question_id: UUID
    turn: Turn | None = None
    repeated: MessageRow | None = None
    hot: HotSession | None = None


async def accept(session: TenantSession, incoming: Incoming) -> Accepted:
    """Store a visitor's message in the session's transaction.

    The conversation's row stays locked to the end of it, so messages of one conversation are numbered one by one.

    Raises:
        InvalidInput: the message is longer than the tenant's policy allows.
        NotFound: unknown brand, channel or conversation, or one of another visitor.
        ConversationBusy: too many messages of this conversation wait for their replies.
        AlreadyAsked: the channel's event is stored in another conversation.
        ClientIdTaken: the client's id belongs to a message with another text.
    """
    asked = turn_policies(session)
    conversation, recent = await conversation_of(session, incoming)
    policies = await asked
    if len(incoming.text) > policies.max_message_chars:
        raise InvalidInput.field("message", f"must be at most {policies.max_message_chars} characters long")
    language = question_language(incoming.text, earlier=last_language(recent), locale=incoming.locale)
    answers = conversation.state in ("bot", "closed")
    waits_for = tuple(row.id for row in recent if row.status == "streaming")
    if answers and len(waits_for) >= _MAX_WAITING and not _among(recent, incoming.client_message_id):
        raise ConversationBusy(f"message: at most {_MAX_WAITING} of a conversation may wait for their replies")
    question_id, reply_id = new_id(), new_id() if answers else None
    values = question_values(incoming, question_id, reply_id, language)
    events = received_events(conversation, question_id)
    if not incoming.files and conversation.state != "closed":  # what those need follows in the message's transaction
        session.commit_with_next()
    if not await repository.insert_question(session, conversation, values, events):
        return await _repeated(session, conversation, incoming)
    await files_repository.add(session, conversation.channel_id, question_id, incoming.files)
    conversation = await reopened(session, conversation)
    last_seq = conversation.last_seq + (2 if reply_id else 1)
    hot = hot_session(session, conversation, incoming, last_seq=last_seq, language=language)
    turn = None
    if reply_id:
        history = said(recent)
        turn = Turn(
            session.tenant_id, conversation.brand_id, conversation.channel_id, conversation.id, conversation.epoch,
            question_id, reply_id, incoming.text, language, history, waits_for, policies.of(conversation.voice),
            hot, conversation.channel_type,
        )  # fmt: skip
    return Accepted(conversation.id, question_id, turn, hot=hot)


async def _repeated(session: TenantSession, conversation: ConversationRow, incoming: Incoming) -> Accepted:
    question = await repository.repeated_message(
        session, conversation, incoming.client_message_id, incoming.provider_event_id
    )
    if question is None or question.conversation_id != conversation.id:
        raise AlreadyAsked("this event was received in another conversation")
    if incoming.client_message_id is not None and question.text != incoming.text:
        raise ClientIdTaken("client_message_id: was sent before with another text; give each message its own")
    reply = await repository.reply_to(session, question)
    return Accepted(conversation.id, question.id, repeated=reply)


def _among(recent: list[MessageRow], client_message_id: str | None) -> bool:
    return client_message_id is not None and any(row.client_message_id == client_message_id for row in recent)
