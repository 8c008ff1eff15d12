"""Messages that wait for a reply which no client waits beside: answered together, by a job."""

from uuid import UUID

from chatbot.core.ids import new_id
from chatbot.dialogue import repository, waiting_repository
from chatbot.dialogue.hot_sessions import HotSession
from chatbot.dialogue.intake import recent_messages, said
from chatbot.dialogue.parts import Parts, Turn
from chatbot.dialogue.policy import turn_policies
from chatbot.dialogue.smalltalk import small_talk

_MAX_TOGETHER = 20
"""Messages that one reply is made from: the newest. It answers what was said before them too, or nothing ever would."""


async def begin_waiting(parts: Parts, tenant_id: UUID, conversation_id: UUID) -> Turn | None:
    """Keep the place of one reply to everything that waits for one.

    What is longer than a message may be is cut: of a mail, or of much together, the beginning is the question.

    Only one caller at a time may run the turns of a conversation, so an open reply of a job is a dead one's; one that
    is made for a request or a socket is waited for.

    Returns:
        None when nothing waits, or when the bot does not answer (a person owns the conversation, it is closed).
    """
    async with parts.database.tenant(tenant_id) as session:
        conversation = await repository.lock_conversation(session, conversation_id)
        if conversation is None or conversation.state != "bot":
            return None
        await waiting_repository.close_streaming(session, conversation_id)
        waiting = await waiting_repository.waiting_messages(session, conversation_id, _MAX_TOGETHER)
        if not waiting:
            return None
        recent = await recent_messages(session, conversation)
        reply_id = new_id()
        await waiting_repository.reserve_reply(session, conversation_id, waiting[-1].id, reply_id)
        policy = (await turn_policies(session)).of(conversation.voice)
    earlier = [row for row in recent if row.seq < waiting[0].seq]
    language = waiting[-1].language or "en"
    hot = HotSession(
        tenant_id, conversation.channel_id, conversation_id, "bot", conversation.last_seq + 1, language, None
    )
    return Turn(
        tenant_id, conversation.brand_id, conversation.channel_id, conversation_id, conversation.epoch,
        waiting[-1].id, reply_id, _together([row.text for row in waiting if row.text])[: policy.max_message_chars],
        language, said(earlier), tuple(row.id for row in recent if row.status == "streaming"), policy, hot,
        conversation.channel_type,
    )  # fmt: skip


def _together(texts: list[str]) -> str:
    """One question of several messages: a greeting before it would only blur what is looked for."""
    asked = [text for text in texts if small_talk(text) is None]
    return "\n".join(asked or texts[-1:])
