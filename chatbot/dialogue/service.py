"""The dialogue of one process: takes messages, runs turns, follows replies, closes those of dead processes."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import orjson
from sqlalchemy.exc import SQLAlchemyError

from chatbot.core.errors import NotFound, Unavailable, XinError
from chatbot.core.logging import get_logger
from chatbot.core.web import problem_body
from chatbot.dialogue import repository
from chatbot.dialogue.accept import Accepted
from chatbot.dialogue.commit import fail
from chatbot.dialogue.live import LiveReply, Place, StreamEvent
from chatbot.dialogue.parts import Incoming, Parts, Turn
from chatbot.dialogue.prompts.phrases import phrase
from chatbot.dialogue.replies import reply_body, stored_body
from chatbot.dialogue.repository import MessageRow
from chatbot.dialogue.stored import StoredReply, reader_payload
from chatbot.dialogue.turn import answer, apologize, begin
from chatbot.dialogue.waiting import begin_waiting

log = get_logger(__name__)

TOUCH_SECONDS = 10.0
SILENT_SECONDS = 45.0
"""A reply whose process has not said for so long that it works on it is closed: at most 55 s after a kill."""

ABANDONED_SECONDS = 0.6
"""A reply that nobody reads for so long, here or in another process, is abandoned: its model call is closed."""

_STOP_SECONDS = 8.0


class Reply(Protocol):
    """A reply that can be followed, wherever it is made."""

    @property
    def message_id(self) -> UUID:
        """The reply's id."""

    def events(self, place: Place) -> AsyncIterator[list[StreamEvent]]:
        """Give the events from a place to the end, those at hand together."""

    async def wait(self) -> StreamEvent:
        """Wait for the last event: `done` or `error`."""


@dataclass(frozen=True, slots=True)
class SettledReply:
    """A reply that needs no turn: a stored one, or the empty one while a person owns the conversation."""

    message_id: UUID
    body: dict[str, Any]

    async def events(self, place: Place) -> AsyncIterator[list[StreamEvent]]:
        """Give its few events."""
        conversation_id, body = UUID(self.body["conversation_id"]), self.body
        live = LiveReply(self.message_id, conversation_id, body["answer"], body["citations"])
        live.last = await self.wait()
        async for events in live.events(place):
            yield events

    async def wait(self) -> StreamEvent:
        """Return the last event."""
        return StreamEvent("done", f"{self.message_id}:done", self.body)


class Dialogue:
    """Takes visitors' messages and answers them. One for a process, between `start` and `stop`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._live: dict[UUID, LiveReply] = {}
        self._turns: set[asyncio.Task[None]] = set()
        self._watches: set[asyncio.Task[None]] = set()
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to look after replies."""
        self._keeper = asyncio.create_task(self._keep(), name="dialogue")

    async def stop(self) -> None:
        """Let running turns end, close model calls that take too long; what was said so far is stored."""
        if self._turns:
            await asyncio.wait(set(self._turns), timeout=_STOP_SECONDS)
        for live in list(self._live.values()):
            live.interrupt()
        if self._turns:
            await asyncio.wait(set(self._turns), timeout=_STOP_SECONDS)
        if self._keeper:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper

    async def ask(self, incoming: Incoming) -> Reply:
        """Take a message and return its reply, to be followed or waited for.

        A repeat (same client or provider id) returns the stored reply, or the one that is being made.

        Raises:
            InvalidInput: the message is longer than the tenant's policy allows.
            NotFound: unknown brand, channel or conversation, or one of another visitor.
            ConversationBusy: too many messages of this conversation wait for their replies.
        """
        accepted = await begin(self._parts, incoming)
        if accepted.turn:
            return self._run(accepted.turn)
        if accepted.repeated:
            return self._follow(incoming.tenant_id, accepted.repeated)
        return _settled(accepted)

    async def answer_waiting(self, tenant_id: UUID, conversation_id: UUID) -> tuple[Turn, LiveReply] | None:
        """Begin one reply to everything in a conversation that nobody has answered; None when nothing waits.

        Only one caller at a time for a conversation.
        """
        turn = await begin_waiting(self._parts, tenant_id, conversation_id)
        return (turn, self._run(turn)) if turn else None

    async def apologize(self, tenant_id: UUID, conversation_id: UUID) -> None:
        """Say that no reply can be made to what waits in a conversation, and offer a person."""
        turn = await begin_waiting(self._parts, tenant_id, conversation_id)
        if turn:
            await apologize(self._parts, turn)

    async def follow(self, tenant_id: UUID, message_id: UUID, owner: str | None) -> Reply:
        """Return a reply by its id, to resume its stream.

        Args:
            owner: who must have begun the conversation; None for staff and programs of the tenant.

        Raises:
            NotFound: no such reply, or it is another visitor's.
        """
        live = self._live.get(message_id)
        async with self._parts.database.tenant_reader(tenant_id) as session:
            row = await repository.message(session, message_id)
            found = await repository.conversation_owner(session, row.conversation_id) if row else None
        if row is None or row.role != "bot" or (owner is not None and found != owner):
            raise NotFound("no such message")
        return live or self._follow(tenant_id, row)

    async def messages(
        self, tenant_id: UUID, conversation_id: UUID, owner: str | None, *, after_seq: int, limit: int
    ) -> list[MessageRow]:
        """Return a conversation's messages after a sequence number, in order.

        Raises:
            NotFound: no such conversation, or it is another visitor's.
        """
        async with self._parts.database.tenant_reader(tenant_id) as session:
            found = await repository.conversation_owner(session, conversation_id)
            if found is None or (owner is not None and found != owner):
                raise NotFound("no such conversation")
            return await repository.messages_after(session, conversation_id, after_seq, limit)

    async def sweep(self) -> int:
        """Close replies of dead processes; return how many."""
        async with self._parts.database.platform() as session:
            return await repository.sweep_replies(session, SILENT_SECONDS)

    def _follow(self, tenant_id: UUID, row: MessageRow) -> Reply:
        live = self._live.get(row.id)
        if live:
            return live
        if row.status != "streaming":
            return SettledReply(row.id, stored_body(row))
        return StoredReply(self._parts.database, self._parts.bus, tenant_id, row.id)

    def _run(self, turn: Turn) -> LiveReply:
        live = LiveReply(turn.reply_id, turn.conversation_id, on_unread=self._unread)
        self._live[turn.reply_id] = live
        self._spawn(self._turn(turn, live), self._turns)
        return live

    def _unread(self, live: LiveReply) -> None:
        self._spawn(self._abandon(live), self._watches)

    def _spawn(self, work: Coroutine[Any, Any, None], tasks: "set[asyncio.Task[None]]") -> None:
        task = asyncio.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def _abandon(self, live: LiveReply) -> None:
        """Wait for a reader, here or in another process; without one close the reply's model call."""
        async with self._parts.bus.subscribe("xin_message", reader_payload(live.message_id)) as read_elsewhere:
            while live.unread:
                read_elsewhere.clear()
                try:
                    await asyncio.wait_for(read_elsewhere.wait(), ABANDONED_SECONDS)
                except TimeoutError:
                    if live.unread:
                        live.interrupt()
                    return

    async def _turn(self, turn: Turn, live: LiveReply) -> None:
        """One turn at a time per conversation, then the turn; whatever happens, the stream ends once."""
        try:
            for earlier in turn.waits_for:
                await self._ended(turn.tenant_id, earlier)
            await answer(self._parts, turn, live)
        except SQLAlchemyError as error:
            log.warning("turn failed: database", reason=str(error)[:300])
            live.finish("error", _problem(Unavailable("the reply could not be stored")))
            await self._fail(turn, live)
        except Exception as error:
            log.exception("turn failed")
            live.finish("error", _problem(error if isinstance(error, XinError) else XinError()))
            await self._fail(turn, live)
        finally:
            del self._live[turn.reply_id]

    async def _ended(self, tenant_id: UUID, message_id: UUID) -> None:
        live = self._live.get(message_id)
        if live:
            await live.finished.wait()
        else:
            await StoredReply(self._parts.database, self._parts.bus, tenant_id, message_id).wait()

    async def _fail(self, turn: Turn, live: LiveReply) -> None:
        """Close the reply's row and book its model calls; while the database is away, the sweeper closes the row."""
        try:
            await fail(self._parts, turn, live.ledger)
        except (SQLAlchemyError, OSError) as error:
            log.warning("failed turn not cleared up", reason=str(error)[:200])

    async def _keep(self) -> None:
        """Say which replies are still worked on, and close those of the silent."""
        while True:
            await asyncio.sleep(TOUCH_SECONDS)
            try:
                async with self._parts.database.platform() as session:
                    if self._live:
                        await repository.touch_replies(session, list(self._live))
                    closed = await repository.sweep_replies(session, SILENT_SECONDS)
                if closed:
                    log.warning("replies of a dead process closed", replies=closed)
            except (SQLAlchemyError, OSError) as error:
                log.warning("looking after replies failed", reason=str(error)[:200])


def _problem(error: XinError) -> dict[str, Any]:
    problem: dict[str, Any] = orjson.loads(problem_body(error))
    return problem


def _settled(accepted: Accepted) -> SettledReply:
    closed = accepted.state == "closed"
    said = phrase("closed", accepted.language) if closed else ""
    mode = "closed" if closed else "human"
    return SettledReply(
        accepted.question_id, reply_body(accepted.conversation_id, accepted.question_id, said, [], mode)
    )
