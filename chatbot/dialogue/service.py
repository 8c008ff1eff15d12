"""The dialogue of one process: takes messages, runs turns, follows replies, closes those of dead processes."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from chatbot.core.background import end, forever
from chatbot.core.errors import Unavailable, XinError
from chatbot.core.logging import get_logger
from chatbot.core.web import problem_of
from chatbot.dialogue import repository
from chatbot.dialogue.accept import Accepted
from chatbot.dialogue.answerer import Reply, SettledReply
from chatbot.dialogue.commit import fail
from chatbot.dialogue.conversations import Conversations
from chatbot.dialogue.generate import GivenBack
from chatbot.dialogue.incoming import Incoming
from chatbot.dialogue.live import LiveReply
from chatbot.dialogue.ownership import Owner
from chatbot.dialogue.parts import Parts, Turn
from chatbot.dialogue.replies import reply_body
from chatbot.dialogue.repository import MessageRow
from chatbot.dialogue.stored import StoredReply, reader_payload, withdrawn_payload
from chatbot.dialogue.trial import Trial, Tried, try_out
from chatbot.dialogue.turn import answer, apologize, begin, timed, withdrawn_body
from chatbot.dialogue.waiting import begin_waiting

log = get_logger(__name__)

TOUCH_SECONDS = 10.0
SILENT_SECONDS = 45.0
"""A reply whose process has not said for so long that it works on it is closed: at most 55 s after a kill."""

ABANDONED_SECONDS = 0.6
"""A reply that nobody reads for so long, here or in another process, is abandoned: its model call is closed."""

_STOP_SECONDS = 3.0


class Dialogue:
    """Takes visitors' messages and answers them. One for a process, between `start` and `stop`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._conversations = Conversations(parts.database, parts.bus)
        self._live: dict[UUID, LiveReply] = {}
        self._turns: set[asyncio.Task[None]] = set()
        self._watches: set[asyncio.Task[None]] = set()
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to look after replies."""
        passing = (SQLAlchemyError, OSError)
        keeping = forever(self._keep, TOUCH_SECONDS, passing=passing, what="looking after replies")
        self._keeper = asyncio.create_task(keeping, name="dialogue")

    async def stop(self) -> None:
        """Let running turns end, close model calls that take too long; what was said so far is stored."""
        if self._turns:
            await asyncio.wait(set(self._turns), timeout=_STOP_SECONDS)
        for live in list(self._live.values()):
            live.interrupt()
        if self._turns:
            await asyncio.wait(set(self._turns), timeout=_STOP_SECONDS)
        if self._keeper:
            await end(self._keeper)

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
            known = self._live.get(accepted.repeated.id)
            return known or self._conversations.reply(incoming.tenant_id, accepted.repeated)
        return _settled(accepted)

    async def answer_waiting(self, tenant_id: UUID, conversation_id: UUID) -> tuple[Turn, LiveReply] | None:
        """Begin one reply to everything in a conversation that nobody has answered; None when nothing waits.

        Only one caller at a time for a conversation. A reply that is interrupted ends with an error and says nothing:
        what waits still does, and is to be answered anew.
        """
        turn = await begin_waiting(self._parts, tenant_id, conversation_id)
        return (turn, self._run(turn, whole=True)) if turn else None

    async def apologize(self, tenant_id: UUID, conversation_id: UUID) -> None:
        """Say that no reply can be made to what waits in a conversation, and offer a person."""
        turn = await begin_waiting(self._parts, tenant_id, conversation_id)
        if turn:
            await apologize(self._parts, turn)

    async def follow(self, tenant_id: UUID, message_id: UUID, owner: Owner | None) -> Reply:
        """As `Conversations.follow`; a reply that this process makes is followed as it is made."""
        stored = await self._conversations.follow(tenant_id, message_id, owner)
        return self._live.get(message_id) or stored

    async def resume(self, incoming: Incoming, message_id: UUID) -> Reply | None:
        """As `Conversations.resumed`; a reply that this process makes is followed as it is made."""
        stored = await self._conversations.resumed(incoming, message_id)
        return stored and (self._live.get(message_id) or stored)

    async def messages(
        self, tenant_id: UUID, conversation_id: UUID, owner: Owner | None, *, after_seq: int, limit: int
    ) -> list[MessageRow]:
        """As `Conversations.messages`."""
        return await self._conversations.messages(tenant_id, conversation_id, owner, after_seq=after_seq, limit=limit)

    async def try_out(self, tenant_id: UUID, trial: Trial) -> Tried:
        """As `trial.try_out`."""
        return await try_out(self._parts, tenant_id, trial)

    async def sweep(self) -> int:
        """Close replies of dead processes; return how many."""
        async with self._parts.database.platform() as session:
            return await repository.sweep_replies(session, SILENT_SECONDS)

    def _run(self, turn: Turn, *, whole: bool = False) -> LiveReply:
        live = LiveReply(turn.reply_id, turn.conversation_id, whole=whole, on_unread=self._unread)
        self._live[turn.reply_id] = live
        self._spawn(self._watched(turn, live), self._turns)
        return live

    async def _watched(self, turn: Turn, live: LiveReply) -> None:
        """The turn, which ends at once when its reply is withdrawn: somebody has taken the floor."""

        def look() -> None:
            self._spawn(self._look(turn, live), self._watches)

        key = withdrawn_payload(turn.reply_id)
        self._parts.bus.watch("xin_message", key, look)
        try:
            with timed(turn, live):
                await self._turn(turn, live)
        finally:
            self._parts.bus.unwatch("xin_message", key, look)

    async def _look(self, turn: Turn, live: LiveReply) -> None:
        """Look whether the reply was withdrawn; what is not seen here is seen when it is to be stored."""
        with suppress(SQLAlchemyError, OSError):
            async with self._parts.database.tenant_reader(turn.tenant_id) as session:
                row = await repository.message(session, turn.reply_id)
            if row and row.status == "interrupted" and not row.text:
                live.withdraw(withdrawn_body(turn, row.mode or "human"))

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
                await self._ended(turn, earlier)
            await answer(self._parts, turn, live)
        except SQLAlchemyError as error:
            log.warning("turn failed: database", reason=str(error)[:300])
            live.finish("error", problem_of(Unavailable("the reply could not be stored")))
            await self._fail(turn, live)
        except GivenBack:
            log.info("turn given back", conversation=str(turn.conversation_id))
            live.finish("error", problem_of(Unavailable("the process stops; the reply is begun anew")))
            await self._fail(turn, live)
        except Exception as error:
            log.exception("turn failed")
            live.finish("error", problem_of(error if isinstance(error, XinError) else XinError()))
            await self._fail(turn, live)
        finally:
            del self._live[turn.reply_id]

    async def _ended(self, turn: Turn, message_id: UUID) -> None:
        live = self._live.get(message_id)
        if live:
            await live.finished.wait()
            return
        parts = self._parts
        await StoredReply(parts.database, parts.bus, turn.tenant_id, turn.conversation_id, message_id).wait()

    async def _fail(self, turn: Turn, live: LiveReply) -> None:
        """Close the reply's row and book its model calls; while the database is away, the sweeper closes the row."""
        try:
            await fail(self._parts, turn, live.ledger)
        except (SQLAlchemyError, OSError) as error:
            log.warning("failed turn not cleared up", reason=str(error)[:200])

    async def _keep(self) -> None:
        """Say which replies are still worked on, and close those of the silent."""
        async with self._parts.database.platform() as session:
            if self._live:
                await repository.touch_replies(session, list(self._live))
            closed = await repository.sweep_replies(session, SILENT_SECONDS)
        if closed:
            log.warning("replies of a dead process closed", replies=closed)


def _settled(accepted: Accepted) -> SettledReply:
    """Where a person answers, there is no reply to wait for."""
    body = reply_body(accepted.conversation_id, accepted.question_id, "", [], "human")
    return SettledReply(accepted.question_id, body)
