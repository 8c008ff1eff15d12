"""Replies on their way in this process: one writer, any number of readers, each from its own place.

A reader's place is how much of the text and how many citations it has. The event id carries it, so whoever
reconnects, here or in another process, goes on exactly there.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple
from uuid import UUID

from chatbot.core.errors import InvalidInput
from chatbot.core.metrics import FIRST_TOKEN_SECONDS
from chatbot.llm.budgets import Ledger

PAUSE_SECONDS = 0.012
"""A reader who was just given text is not woken for more before that: a fast model would cost a write a token."""


class StreamEvent(NamedTuple):
    """One event of a reply's stream."""

    name: Literal["message", "delta", "citation", "done", "error"]
    id: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reader is: characters of text and citations received; `begun` once it knows the message's id."""

    offset: int = 0
    citations: int = 0
    begun: bool = False

    def after(self, text: str, citations: list[dict[str, Any]]) -> "Place":
        """The place of a reader who has received all of this."""
        return Place(max(self.offset, len(text)), max(self.citations, len(citations)), begun=True)

    def event_id(self, message_id: UUID) -> str:
        """Render the place as an event id, `<message id>:<offset>.<citations>`."""
        return f"{message_id}:{self.offset}.{self.citations}"


def parse_event_id(event_id: str) -> tuple[UUID, Place | None]:
    """Read an event id that we gave; the place is None after the last event.

    Raises:
        InvalidInput: it is not one of ours.
    """
    head, _, tail = event_id.partition(":")
    try:
        message_id = UUID(head)
        if tail == "done":
            return message_id, None
        offset, _, citations = tail.partition(".")
        place = Place(int(offset), int(citations), begun=True)
    except ValueError:
        raise InvalidInput.field("Last-Event-ID", "is not an id of this stream") from None
    if place.offset < 0 or place.citations < 0:
        raise InvalidInput.field("Last-Event-ID", "is not an id of this stream")
    return message_id, place


class _Reader:
    """Wakes one reader: at once, but not again within `PAUSE_SECONDS` of the text it was given."""

    def __init__(self) -> None:
        self.woken = asyncio.Event()
        self._pausing = False
        self._missed = False

    def wake(self, *, last: bool = False) -> None:
        """Wake the reader; during a pause only for the last event."""
        if self._pausing and not last:
            self._missed = True
        else:
            self.woken.set()

    def pause(self) -> None:
        """Begin a pause."""
        self._pausing = True
        asyncio.get_running_loop().call_later(PAUSE_SECONDS, self._resume)

    def _resume(self) -> None:
        self._pausing = False
        if self._missed:
            self._missed = False
            self.woken.set()


@dataclass(slots=True)
class LiveReply:
    """A reply that this process is making.

    `on_unread` is called when its last reader has left before the end; `ledger` holds the turn's model calls. `whole`:
    it is sent by a job, whole or not at all. `ended_at`: when `last` was said, by the monotonic clock.
    """

    message_id: UUID
    conversation_id: UUID
    text: str = ""
    citations: list[dict[str, Any]] = field(default_factory=list)
    last: StreamEvent | None = None
    ended_at: float | None = None
    finished: asyncio.Event = field(default_factory=asyncio.Event)
    abandoned: bool = False
    ledger: Ledger | None = None
    whole: bool = False
    on_unread: "Callable[[LiveReply], None] | None" = None
    _begun: float = field(default_factory=time.monotonic)
    _readers: set[_Reader] = field(default_factory=set)
    _interruptible: "asyncio.Task[Any] | None" = None

    def write(self, text: str) -> None:
        """Add text."""
        if text and self.last is None:
            if not self.text:
                FIRST_TOKEN_SECONDS.observe(time.monotonic() - self._begun)
            self.text += text
            self._wake()

    def cite(self, citation: dict[str, Any]) -> None:
        """Add a citation."""
        if self.last is None:
            self.citations.append(citation)
            self._wake()

    def finish(self, name: Literal["done", "error"], data: dict[str, Any]) -> None:
        """End the stream; the first end counts."""
        if self.last is None:
            self.last = StreamEvent(name, f"{self.message_id}:done", data)
            self.ended_at = time.monotonic()
            self.finished.set()
            self._wake(last=True)

    def withdraw(self, data: dict[str, Any]) -> None:
        """End the stream with nothing: what was not read yet never is, and the model call is stopped."""
        if self.last is None:
            self.text, self.citations = "", []
            self.finish("done", data)
            self.interrupt()

    async def events(self, place: Place) -> AsyncIterator[list[StreamEvent]]:
        """Give the events from a place to the end, those at hand together; text that piled up is one delta."""
        reader = _Reader()
        self._readers.add(reader)
        try:
            if not place.begun:
                yield [message_event(self.message_id, self.conversation_id)]
            while True:
                reader.woken.clear()
                last, text, citations = self.last, self.text, self.citations[:]
                events = pending(self.message_id, text, citations, place)
                if last is not None:
                    yield [*events, last]
                    return
                if events:
                    reader.pause()
                    yield events
                place = place.after(text, citations)
                await reader.woken.wait()
        finally:
            self._leave(reader)

    async def wait(self) -> StreamEvent:
        """Wait for the last event, as one more reader."""
        reader = _Reader()
        self._readers.add(reader)
        try:
            await self.finished.wait()
        finally:
            self._leave(reader)
        assert self.last is not None
        return self.last

    @property
    def unread(self) -> bool:
        """Whether nobody in this process follows the reply, which is not finished."""
        return not self._readers and self.last is None

    def interruptible(self, task: "asyncio.Task[Any] | None") -> None:
        """Name the task that may be cancelled when nobody reads any more; None: none from now on."""
        self._interruptible = task
        if self.abandoned:
            self.interrupt()

    def interrupt(self) -> None:
        """Stop the model call, if one is under way; what it said so far is kept."""
        self.abandoned = True
        if self._interruptible:
            self._interruptible.cancel()
            self._interruptible = None

    def _leave(self, reader: _Reader) -> None:
        self._readers.discard(reader)
        if self.unread and self.on_unread:
            self.on_unread(self)

    def _wake(self, *, last: bool = False) -> None:
        for reader in self._readers:
            reader.wake(last=last)


def message_event(message_id: UUID, conversation_id: UUID) -> StreamEvent:
    """The first event of a stream."""
    data = {"conversation_id": str(conversation_id), "message_id": str(message_id)}
    return StreamEvent("message", Place().event_id(message_id), data)


def pending(message_id: UUID, text: str, citations: list[dict[str, Any]], place: Place) -> list[StreamEvent]:
    """The events that a reader at a place has not seen of a text and its citations."""
    events = []
    if len(text) > place.offset:
        here = Place(len(text), place.citations)
        events.append(StreamEvent("delta", here.event_id(message_id), {"text": text[place.offset :]}))
    for at in range(place.citations, len(citations)):
        here = Place(max(len(text), place.offset), at + 1)
        events.append(StreamEvent("citation", here.event_id(message_id), citations[at]))
    return events
