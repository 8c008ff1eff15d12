"""Answers of the web chat webhook."""

from typing import Any
from uuid import UUID

from chatbot.core.schemas import ResponseBody


class WebChatAnswer(ResponseBody):
    """The reply to a message; `mode` is model, extractive, no_answer, human or closed."""

    conversation_id: UUID
    message_id: UUID
    reply: str
    citations: list[dict[str, Any]]
    mode: str
    handoff_offered: bool


class WebChatAccepted(ResponseBody):
    """An event that was stored; its reply, if there is one, is posted to the channel's `webhook_url`.

    `conversation_id`: where it can be read all the same; null where the session has none yet.
    """

    status: str
    repeated: bool
    conversation_id: UUID | None
