"""What handoff is made with and hands on: agents, wishes, messages for providers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol
from uuid import UUID

from chatbot.db.sessions import TenantSession

MAX_REASON = 1000
"""Characters that are kept of a reason."""

RequestedBy = Literal["visitor", "no_answer", "rule", "agent", "absence"]


@dataclass(frozen=True, slots=True)
class Agent:
    """Whoever answers in place of the bot; `id` is the user's, or that of a program's key."""

    id: UUID
    name: str
    email: str | None = None
    avatar_url: str | None = None

    def as_author(self) -> dict[str, Any]:
        """The agent as visitors see it."""
        return {"id": str(self.id), "name": self.name, "avatar_url": self.avatar_url}


@dataclass(frozen=True, slots=True)
class Wish:
    """A wish for a person: whose, and why, in the visitor's words or ours."""

    by: RequestedBy
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A conversation, locked by the transaction that read it.

    Attributes:
        language: that the visitor wrote in last, else that of the page.
        assignee: who has it, or had it when it was closed.
    """

    id: UUID
    brand_id: UUID
    channel_id: UUID
    state: str
    epoch: int
    last_seq: int
    owner: str
    visitor: Mapping[str, Any]
    language: str
    assignee: Agent | None
    waiting_since: datetime | None
    handoff_reason: str | None

    def about(self) -> dict[str, Any]:
        """What every event of the conversation names."""
        return {
            "conversation_id": str(self.id),
            "brand_id": str(self.brand_id),
            "channel_id": str(self.channel_id),
        }


@dataclass(frozen=True, slots=True)
class Spoken:
    """A message of a person, or of the platform itself, as it leaves for the visitor's provider.

    Attributes:
        files: how many it has.
        notice: that something is so, said beside what matters: where it cannot be sent, all goes on without it.
    """

    conversation_id: UUID
    channel_id: UUID
    message_id: UUID
    text: str
    language: str
    by_person: bool
    files: int = 0
    notice: bool = False


class Messenger(Protocol):
    """Takes messages that are no replies of a turn to the channels' providers."""

    async def put_message(self, session: TenantSession, message: Spoken) -> None:
        """Put a message on its way, in the transaction that stores it; nothing where only readers of rows are told.

        Raises:
            FilesNotSent: the provider takes no files from us.
            Unavailable: it cannot be sent at present, and is no notice.
        """
