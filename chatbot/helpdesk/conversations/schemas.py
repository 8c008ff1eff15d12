"""Bodies of conversations as agents see them."""

from typing import Any, Literal
from uuid import UUID

from chatbot.core.schemas import ResponseBody, Timestamp
from chatbot.dialogue.schemas import Author, StoredMessage

Queue = Literal["mine", "unassigned", "waiting", "human", "bot", "closed", "all"]
State = Literal["bot", "waiting", "human", "closed"]


class LastMessage(ResponseBody):
    """The beginning of a conversation's last message."""

    seq: int
    role: str
    text: str
    created_at: Timestamp


class CsatView(ResponseBody):
    """What the visitor thought of it."""

    score: int
    comment: str | None


class ConversationView(ResponseBody):
    """A conversation in a list: `subject` is the visitor's first words, `unread` the visitor's messages not seen yet.

    `assignee` is who has it, or had it when it was closed. `visitor` is what the channel or the host page told of them.
    """

    id: UUID
    tenant_id: UUID
    brand_id: UUID
    brand_name: str
    channel_id: UUID
    channel_type: str
    state: State
    epoch: int
    subject: str | None
    visitor: dict[str, Any]
    locale: str | None
    assignee: Author | None
    tags: list[str]
    last_message: LastMessage | None
    last_seq: int
    visitor_read_seq: int
    agent_read_seq: int
    unread: int
    waiting_since: Timestamp | None
    handoff_reason: str | None
    csat: CsatView | None
    created_at: Timestamp
    updated_at: Timestamp
    closed_at: Timestamp | None


class Counts(ResponseBody):
    """How many conversations are in each queue."""

    mine: int
    unassigned: int
    waiting: int
    human: int
    bot: int
    closed: int
    all: int


class DeliveryState(ResponseBody):
    """How far a message came at the visitor's provider: pending, sent, delivered, read or failed, and its words."""

    status: Literal["pending", "sent", "delivered", "read", "failed"]
    words: str | None


class AgentMessage(StoredMessage):
    """A message as agents see it; `content` is what of it is not text: places, contacts, reactions."""

    usage: dict[str, Any]
    content: dict[str, Any]
    edited_at: Timestamp | None
    deleted_at: Timestamp | None
    delivery: DeliveryState | None


class AgentMessageList(ResponseBody):
    """Messages in order; `next_cursor` is the `after_seq` (or, going back, the `before_seq`) of the next page."""

    items: list[AgentMessage]
    next_cursor: str | None = None
