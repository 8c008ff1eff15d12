"""Receive: a message that no client waits beside is stored when its provider tells of it, to be answered later."""

from dataclasses import dataclass
from uuid import UUID

from chatbot.core.ids import new_id
from chatbot.db.sessions import TenantSession
from chatbot.dialogue import repository
from chatbot.dialogue.hot_sessions import HotSession
from chatbot.dialogue.incoming import Incoming
from chatbot.dialogue.intake import (
    conversation_of,
    hot_session,
    last_language,
    question_values,
    received_events,
    reopened,
)
from chatbot.dialogue.language import question_language


@dataclass(frozen=True, slots=True)
class Received:
    """A stored message; `state` is the conversation's then: bot, waiting, human; `hot`: where it stands."""

    conversation_id: UUID
    message_id: UUID
    state: str
    hot: HotSession


async def receive(session: TenantSession, incoming: Incoming) -> Received | None:
    """Store a provider's message in the session's transaction; whoever calls sees to it that it is answered.

    Returns:
        None when the same event is stored already.

    Raises:
        NotFound: the channel is none of the tenant's, or is switched off.
    """
    conversation, recent = await conversation_of(session, incoming)
    language = question_language(incoming.text, earlier=last_language(recent), locale=incoming.locale)
    message_id = new_id()
    values = question_values(incoming, message_id, None, language)
    if not await repository.insert_question(session, conversation, values, received_events(conversation, message_id)):
        return None
    conversation = await reopened(session, conversation)
    hot = hot_session(session, conversation, incoming, last_seq=conversation.last_seq + 1, language=language)
    return Received(conversation.id, message_id, conversation.state, hot)
