"""Bodies of search."""

from uuid import UUID

from chatbot.core.schemas import ResponseBody
from chatbot.helpdesk.conversations.schemas import ConversationView


class HitView(ResponseBody):
    """A message that was found, and the part of it around the first word."""

    message_id: UUID
    seq: int
    role: str
    snippet: str


class FoundConversation(ResponseBody):
    """A conversation with its newest hits."""

    conversation: ConversationView
    hits: list[HitView]


class SearchResult(ResponseBody):
    """The conversations that were found, the newest hit first."""

    items: list[FoundConversation]
