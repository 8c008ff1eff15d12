"""Drafts an answer from the tenant's knowledge to what a visitor asked last; nothing of it is stored but its cost."""

from uuid import UUID

from chatbot.db.sessions import Database
from chatbot.dialogue import repository as messages
from chatbot.dialogue.handoff.wish import wants_person
from chatbot.dialogue.intake import said
from chatbot.dialogue.repository import MessageRow
from chatbot.dialogue.service import Dialogue
from chatbot.dialogue.smalltalk import small_talk
from chatbot.dialogue.trial import Trial
from chatbot.helpdesk.conversations import service as conversations
from chatbot.helpdesk.drafts.schemas import DraftView

_LOOKED_AT = 30
_HISTORY = 12
_NOTHING = DraftView(text="", citations=[], mode="no_answer")


async def draft(database: Database, dialogue: Dialogue, tenant_id: UUID, conversation_id: UUID) -> DraftView:
    """Return what the bot would answer to the visitor's last question; empty when there is none, or no answer.

    Raises:
        NotFound: no such conversation.
    """
    async with database.tenant_reader(tenant_id) as session:
        conversation = await conversations.one(session, conversation_id)
        recent = await messages.messages_after(session, conversation_id, conversation.last_seq - _LOOKED_AT, _LOOKED_AT)
    asked = next((row for row in reversed(recent) if row.role == "visitor" and _is_question(row)), None)
    if asked is None:
        return _NOTHING
    earlier = [row for row in recent if row.seq < asked.seq]
    trial = Trial(asked.text, conversation.brand_id, history=said(earlier)[-_HISTORY:], language=asked.language)
    body = (await dialogue.try_out(tenant_id, trial)).body
    if body["mode"] not in ("model", "extractive"):
        return _NOTHING
    return DraftView(text=body["answer"], citations=body["citations"], mode=body["mode"])


def _is_question(row: MessageRow) -> bool:
    return bool(row.text) and small_talk(row.text) is None and not wants_person(row.text)
