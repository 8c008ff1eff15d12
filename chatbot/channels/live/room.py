"""A conversation with open sockets in this process: what all of them see, in one order, each thing once."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from chatbot.channels.live.errors import TRY_AGAIN
from chatbot.channels.live.protocol import (
    AgentJoined,
    AgentLeft,
    CitationFrame,
    CsatRequest,
    DeltaFrame,
    DoneFrame,
    ErrorFrame,
    MessageFrame,
    Read,
    StateFrame,
    Typing,
)
from chatbot.channels.live.socket import Socket
from chatbot.core.background import was_cancelled
from chatbot.core.errors import XinError
from chatbot.core.logging import get_logger
from chatbot.dialogue.answerer import Reply
from chatbot.dialogue.handoff.schemas import Standing
from chatbot.dialogue.live import Place, StreamEvent
from chatbot.dialogue.live_repository import ConversationState
from chatbot.dialogue.ownership import Owner
from chatbot.dialogue.replies import stored_body
from chatbot.dialogue.repository import MessageRow

log = get_logger(__name__)

_TYPING_SECONDS = 2.0

PAGE = 20
"""Messages of a client's history that are read and sent at once."""

_NOT_STORED = "human"
"""The mode of answers that are no messages, when they are complete: nobody answers but a person."""

_NOT_THE_BOTS = ("human", "closed")
"""States of a conversation in which no word of the bot is told."""


class Source(Protocol):
    """Where a room reads from."""

    async def follow(self, tenant_id: UUID, message_id: UUID, owner: Owner | None) -> Reply:
        """Return a reply by its id."""

    async def messages(
        self, tenant_id: UUID, conversation_id: UUID, owner: Owner | None, *, after_seq: int, limit: int
    ) -> list[MessageRow]:
        """Return messages after a sequence number, in order."""


@dataclass(frozen=True, slots=True)
class Page:
    """Messages after a number, as of one moment; `known` is the room's last number just before it."""

    state: ConversationState
    rows: list[MessageRow]
    known: int
    after_seq: int


@dataclass(slots=True)
class _Stream:
    """A reply on its way: what the room's sockets have of it; `withdrawn` when a person has taken over meanwhile."""

    message_id: UUID
    text: str
    citations: list[dict[str, Any]]
    withdrawn: bool = False
    last: BaseModel | None = None
    reply: Reply | None = None
    task: "asyncio.Task[None] | None" = None

    def frame(self, row: MessageRow) -> MessageFrame:
        """The reply's message as far as it was told."""
        frame = MessageFrame.model_validate(row)
        return frame.model_copy(update={"text": self.text, "citations": list(self.citations)})


class Room:
    """The sockets of one conversation.

    Attributes:
        wake: to be called when something may be new.
        seq: the number of the last message that the room's sockets were told of.
        leave_at: when a room without sockets is closed; its replies go on until then.
    """

    __slots__ = (
        "_joining", "_source", "_streams", "_typed_at", "agent_read_seq", "conversation_id", "leave_at", "read_seq",
        "seq", "sockets", "tenant_id", "told", "waiters", "wake",
    )  # fmt: skip

    def __init__(self, source: Source, tenant_id: UUID, state: ConversationState, wake: Callable[[], None]) -> None:
        self.wake = wake
        self._source = source
        self._streams: dict[UUID, _Stream] = {}
        self._joining = 0
        self.tenant_id = tenant_id
        self.conversation_id = state.id
        self.seq = state.last_seq
        self.read_seq = state.read_seq
        self.agent_read_seq = state.agent_read_seq
        self.told = state.told
        self._typed_at = 0.0
        self.sockets: set[Socket] = set()
        self.leave_at: float | None = None
        self.waiters: list[asyncio.Future[None]] = []

    @property
    def busy(self) -> bool:
        """Whether a reply is on its way."""
        return any(stream.last is None for stream in self._streams.values())

    @property
    def empty(self) -> bool:
        """Whether nobody is here or about to come."""
        return not self.sockets and not self._joining

    async def join(self, socket: Socket, page: Page, *, ends: bool) -> None:
        """Send a socket what it has missed, then let it see what all see; nothing is lost or doubled in between.

        Args:
            page: the first of what it has missed.
            ends: whether replies that are finished come with their ends: for whoever has just asked.
        """
        rows, known, after_seq = page.rows, page.known, page.after_seq
        with self.expecting():
            while not socket.closing:
                last = rows[-1].seq if rows else after_seq
                if len(rows) == PAGE:
                    self._send(socket, rows, ends=ends)
                    after_seq = last
                    await socket.drained()
                elif self.seq <= max(known, last):  # else the room went on while the rows were read
                    self._enter(socket, rows, ends=ends)
                    return
                known = self.seq
                rows = await self._source.messages(
                    self.tenant_id, self.conversation_id, None, after_seq=after_seq, limit=PAGE
                )

    @contextmanager
    def expecting(self) -> Iterator[None]:
        """Stay open while a socket is on its way in, though all others leave meanwhile."""
        self._joining += 1
        try:
            yield
        finally:
            self._joining -= 1
            self._forget_finished()

    def leave(self, socket: Socket) -> None:
        """Take a socket out."""
        self.sockets.discard(socket)

    def take(self, state: ConversationState, rows: Sequence[MessageRow], standing: Standing | None) -> None:
        """Tell everybody what is new; `standing` is where the conversation stands, when that has changed."""
        self._tell_new(rows)
        if state.read_seq > self.read_seq:
            self.read_seq = state.read_seq
            self._tell(Read(seq=state.read_seq))
        if state.agent_read_seq > self.agent_read_seq:
            self.agent_read_seq = state.agent_read_seq
            self._tell(Read(role="agent", seq=state.agent_read_seq))
        if standing and state.told != self.told:
            before, self.told = self.told, state.told
            self._tell_standing(before, state, standing)

    def heard(self, said: Mapping[str, Any]) -> None:
        """Tell everybody that an agent is writing, or is not any more."""
        if said["role"] == "agent":
            self._tell(Typing(role="agent", active=said["active"], name=said["name"]))

    def may_type(self, now: float, *, active: bool) -> bool:
        """Whether it is worth telling that the visitor writes: not again within some seconds."""
        if active and now - self._typed_at < _TYPING_SECONDS:
            return False
        self._typed_at = now if active else 0.0
        return True

    async def attach(self, reply: Reply, asker: Socket) -> None:
        """Follow a reply that was just asked for where it is made; the room knows of it already, if it streams."""
        stream = self._streams.get(reply.message_id)
        if stream and stream.last is None:
            if stream.reply is not reply:
                self._switch(stream, reply)
            return
        last = await reply.wait()
        if last.name == "error" or (last.data["mode"] == _NOT_STORED and last.data["status"] == "complete"):
            asker.tell(_last_frame(last, reply.message_id))

    def lose_sight(self) -> None:
        """Send everybody away who would miss something: they come back and resume."""
        for socket in list(self.sockets):
            socket.close(TRY_AGAIN, "lost_sight")

    def close(self) -> None:
        """Stop following replies."""
        for stream in self._streams.values():
            if stream.task:
                stream.task.cancel()
        self._streams.clear()

    def _enter(self, socket: Socket, rows: Sequence[MessageRow], *, ends: bool) -> None:
        """Without a pause: what the room knows, what the socket is sent, and that it is in from now on."""
        self._tell_new(rows)
        self._send(socket, rows, ends=ends)
        if self.busy:
            socket.tell(Typing(active=True))
        self.sockets.add(socket)
        self.leave_at = None

    def _send(self, socket: Socket, rows: Sequence[MessageRow], *, ends: bool) -> None:
        for row in rows:
            stream = self._begin(row) if row.status == "streaming" else None
            socket.tell(stream.frame(row) if stream else MessageFrame.model_validate(row))
            if stream and stream.last:
                socket.tell(stream.last)
            elif ends and stream is None and row.role == "bot":
                socket.tell(DoneFrame.model_validate(stored_body(row)))

    def _tell_standing(self, before: tuple[str, Any, int | None], state: ConversationState, standing: Standing) -> None:
        if state.state in _NOT_THE_BOTS:
            for stream in self._streams.values():
                stream.withdrawn = True
        was, is_now = before[1], standing.agent
        if was and (is_now is None or str(is_now.id) != was):
            self._tell(AgentLeft())
        if is_now and str(is_now.id) != was:
            self._tell(AgentJoined(agent=is_now))
        self._tell(StateFrame(conversation_id=state.id, **dict(standing)))
        if state.state == "closed" and before[0] != "closed" and state.answered:
            self._tell(CsatRequest())

    def _tell_new(self, rows: Sequence[MessageRow]) -> None:
        for row in rows:
            if row.seq <= self.seq:
                continue
            self.seq = row.seq
            if row.status != "streaming":
                self._tell(MessageFrame.model_validate(row))
                if row.role == "bot":
                    self._tell(DoneFrame.model_validate(stored_body(row)))
                continue
            silent = not self.busy
            self._tell(self._begin(row).frame(row))
            if silent:
                self._tell(Typing(active=True))

    def _begin(self, row: MessageRow) -> _Stream:
        """Return the stream of a reply; the first to ask begins it."""
        stream = self._streams.get(row.id)
        if stream is None:
            stream = self._streams[row.id] = _Stream(row.id, row.text, [])
            stream.task = asyncio.create_task(self._follow(stream))
        return stream

    def _switch(self, stream: _Stream, reply: Reply) -> None:
        if stream.task:
            stream.task.cancel()
        stream.reply = reply
        stream.task = asyncio.create_task(self._follow(stream))

    async def _follow(self, stream: _Stream) -> None:
        """Tell everybody of a reply as it grows."""
        try:
            reply = stream.reply or await self._source.follow(self.tenant_id, stream.message_id, None)
            if was_cancelled():  # a query may have swallowed it, and another task follows the reply by now
                return
            stream.reply = reply
            place = Place().after(stream.text, stream.citations)
            async with aclosing(reply.events(place)) as batches:  # type: ignore[type-var]
                async for events in batches:
                    if was_cancelled():
                        return
                    for event in events:
                        self._relay(stream, event)
        except (SQLAlchemyError, OSError, XinError) as error:
            if was_cancelled():
                return
            log.warning("a reply was lost sight of", reason=str(error)[:200])
            self.lose_sight()

    def _relay(self, stream: _Stream, event: StreamEvent) -> None:
        if stream.withdrawn and event.name in ("delta", "citation"):
            return  # where it is made may learn of the takeover later than who reads here
        if event.name == "delta":
            text = event.data["text"]
            stream.text += text
            self._tell(DeltaFrame(message_id=stream.message_id, text=text))
        elif event.name == "citation":
            stream.citations.append(event.data)
            self._tell(CitationFrame(message_id=stream.message_id, **event.data))
        elif event.name in ("done", "error"):
            stream.last = _last_frame(event, stream.message_id)
            self._tell(stream.last)
            if not self.busy:
                self._tell(Typing(active=False))
            self._forget_finished()

    def _forget_finished(self) -> None:
        """Whoever is joining may hold rows in which these replies still stream."""
        if not self._joining:
            self._streams = {key: stream for key, stream in self._streams.items() if stream.last is None}

    def _tell(self, frame: BaseModel) -> None:
        if self.sockets:
            text = frame.model_dump_json()
            for socket in self.sockets:
                socket.push(text)


def _last_frame(event: StreamEvent, message_id: UUID) -> BaseModel:
    if event.name == "done":
        return DoneFrame.model_validate(event.data)
    return ErrorFrame(problem=event.data, message_id=message_id)
