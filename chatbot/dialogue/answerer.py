"""What answers a channel's messages, here or in another process, and the replies it gives."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from chatbot.dialogue.incoming import Incoming
from chatbot.dialogue.live import LiveReply, Place, StreamEvent
from chatbot.dialogue.ownership import Owner
from chatbot.dialogue.repository import MessageRow


class Reply(Protocol):
    """A reply that can be followed, wherever it is made."""

    @property
    def message_id(self) -> UUID:
        """The reply's id."""

    @property
    def conversation_id(self) -> UUID:
        """Its conversation's id."""

    def events(self, place: Place) -> AsyncIterator[list[StreamEvent]]:
        """Give the events from a place to the end, those at hand together."""

    async def wait(self) -> StreamEvent:
        """Wait for the last event: `done` or `error`."""


class Answerer(Protocol):
    """Takes visitors' messages: the dialogue of this process, or the orchestrator behind a gateway."""

    async def ask(self, incoming: Incoming) -> Reply:
        """Take a message and return its reply, to be followed or waited for.

        A repeat (same client or provider id) returns the stored reply, or the one that is being made.

        Raises:
            InvalidInput: the message is longer than the tenant's policy allows.
            NotFound: unknown brand, channel or conversation, or one of another visitor.
            ConversationBusy: too many messages of this conversation wait for their replies.
            Unavailable: nobody can answer now.
        """

    async def follow(self, tenant_id: UUID, message_id: UUID, owner: Owner | None) -> Reply:
        """Return a reply by its id, to resume its stream.

        Args:
            owner: who must have begun the conversation; None for staff and programs of the tenant.

        Raises:
            NotFound: no such reply, or it is another visitor's.
        """

    async def messages(
        self, tenant_id: UUID, conversation_id: UUID, owner: Owner | None, *, after_seq: int, limit: int
    ) -> list[MessageRow]:
        """Return a conversation's messages after a sequence number, in order.

        Raises:
            NotFound: no such conversation, or it is another visitor's.
        """


@dataclass(frozen=True, slots=True)
class SettledReply:
    """A reply that needs no turn: a stored one, or the empty one while a person owns the conversation."""

    message_id: UUID
    body: dict[str, Any]

    @property
    def conversation_id(self) -> UUID:
        """Its conversation's id."""
        return UUID(self.body["conversation_id"])

    async def events(self, place: Place) -> AsyncIterator[list[StreamEvent]]:
        """Give its few events."""
        live = LiveReply(self.message_id, self.conversation_id, self.body["answer"], self.body["citations"])
        live.last = await self.wait()
        async for events in live.events(place):
            yield events

    async def wait(self) -> StreamEvent:
        """Return the last event."""
        return StreamEvent("done", f"{self.message_id}:done", self.body)
