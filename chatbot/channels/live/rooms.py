"""All conversations with open sockets in this process: woken by the bus, told what is new in batches."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import islice
from uuid import UUID

import orjson
from sqlalchemy.exc import SQLAlchemyError

from chatbot.channels.live.room import PAGE, Page, Room
from chatbot.channels.live.socket import Socket
from chatbot.core.background import end
from chatbot.core.bus import Bus
from chatbot.core.logging import get_logger
from chatbot.dialogue.answerer import Answerer
from chatbot.dialogue.conversations import Conversations
from chatbot.dialogue.live_repository import ConversationState
from chatbot.dialogue.ownership import Owner

log = get_logger(__name__)

RESUME_SECONDS = 10.0
"""How long a reply goes on for a client whose connection was lost; one that said goodbye is not waited for."""

_BATCH = 200
"""Conversations of a tenant that are looked at in one transaction; also the most messages of one that are read."""

_WORKERS = 4
_PAUSE_SECONDS = 1.0


class Rooms:
    """Finds and makes rooms, and keeps them up to date."""

    def __init__(self, answerer: Answerer, conversations: Conversations, bus: Bus) -> None:
        self._answerer = answerer
        self._conversations = conversations
        self._bus = bus
        self._rooms: dict[UUID, Room] = {}
        self._behind: dict[UUID, dict[Room, None]] = {}
        self._tenants: asyncio.Queue[UUID] = asyncio.Queue()
        bus.hear("xin_signal", self._heard)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the rooms up to date while the block runs."""
        workers = [asyncio.create_task(self._work(), name="live-rooms") for _ in range(_WORKERS)]
        try:
            yield
        finally:
            await end(*workers)
            for room in list(self._rooms.values()):
                self._close(room)

    async def find(
        self, socket: Socket, tenant_id: UUID, conversation_id: UUID, owner: Owner | None, after_seq: int
    ) -> tuple[Room, Page]:
        """Return a conversation's room, and the first page of what a socket has missed; it must join at once.

        Raises:
            NotFound: no such conversation, or it is another visitor's.
        """
        async with self._bus.subscribe("xin_message", str(conversation_id)) as changed:
            room = self._rooms.get(conversation_id)
            known = room.seq if room else 0
            state, rows = await self._conversations.page(
                tenant_id, conversation_id, owner, after_seq=after_seq, limit=PAGE
            )
            room = self._rooms.get(conversation_id) or self._open(tenant_id, state)
            if changed.is_set():
                self._wake(room)
        socket.room = room
        return room, Page(state, rows, known, after_seq)

    def leave(self, socket: Socket, *, said_goodbye: bool) -> None:
        """Take a socket out of its room; the last one closes it, at once or when its client has not come back."""
        room, socket.room = socket.room, None
        if room is None:
            return
        room.leave(socket)
        if not room.empty:
            return
        if room.busy and not said_goodbye:
            room.leave_at = time.monotonic() + RESUME_SECONDS
        else:
            self._close(room)

    def close_left(self, now: float) -> None:
        """Close rooms whose clients have not come back."""
        for room in [room for room in self._rooms.values() if room.leave_at is not None and room.leave_at <= now]:
            if room.empty:
                self._close(room)

    async def up_to_date(self, room: Room) -> None:
        """Wait until a room knows what was stored before this call."""
        waiter = asyncio.get_running_loop().create_future()
        room.waiters.append(waiter)
        self._wake(room)
        await waiter

    def _open(self, tenant_id: UUID, state: ConversationState) -> Room:
        room = self._rooms[state.id] = Room(self._answerer, tenant_id, state, lambda: self._wake(room))
        self._bus.watch("xin_message", str(state.id), room.wake)
        return room

    def _close(self, room: Room) -> None:
        if self._rooms.pop(room.conversation_id, None):
            self._bus.unwatch("xin_message", str(room.conversation_id), room.wake)
            room.close()
            for waiter in room.waiters:
                waiter.cancel()

    def _heard(self, payload: str) -> None:
        said = orjson.loads(payload)
        if said["kind"] == "typing" and (room := self._rooms.get(UUID(said["conversation_id"]))):
            room.heard(said)

    def _wake(self, room: Room) -> None:
        """Put a room on the list; a tenant is in the queue, or being worked on, while it has a list."""
        if room.tenant_id not in self._behind:
            self._behind[room.tenant_id] = {}
            self._tenants.put_nowait(room.tenant_id)
        self._behind[room.tenant_id][room] = None

    async def _work(self) -> None:
        """Look at one tenant's rooms after the other; two workers never look at the same room at once."""
        while True:
            tenant_id = await self._tenants.get()
            waiting = self._behind[tenant_id]
            rooms = list(islice(waiting, _BATCH))
            for room in rooms:
                del waiting[room]
            try:
                await self._look(tenant_id, rooms)
            except (SQLAlchemyError, OSError) as error:
                log.warning("live conversations not read; trying again", reason=str(error)[:200])
                waiting.update(dict.fromkeys(rooms))
                await asyncio.sleep(_PAUSE_SECONDS)
            except Exception:  # a worker that ends here would leave every room of the process in the dark
                log.exception("live conversations cannot be told of")
                for room in rooms:
                    room.lose_sight()
                    _release(room, len(room.waiters))
            if waiting:
                self._tenants.put_nowait(tenant_id)
            else:
                del self._behind[tenant_id]

    async def _look(self, tenant_id: UUID, rooms: list[Room]) -> None:
        waiters = {room: len(room.waiters) for room in rooms}
        seen = {room.conversation_id: room.seq for room in rooms}
        changes = await self._conversations.changes(tenant_id, seen, limit=_BATCH)
        moved = [state for state, _ in changes if (room := self._rooms.get(state.id)) and room.told != state.told]
        standings = dict(
            zip([state.id for state in moved], await self._conversations.standings(tenant_id, moved), strict=True)
        )
        for state, rows in changes:
            room = self._rooms.get(state.id)
            if room is None:
                continue
            room.take(state, rows, standings.get(state.id))
            if len(rows) == _BATCH:
                self._behind[tenant_id][room] = None
        for room, count in waiters.items():
            _release(room, count)


def _release(room: Room, count: int) -> None:
    """Let the first of those go on who wait until a room knows what was stored."""
    done, room.waiters = room.waiters[:count], room.waiters[count:]
    for waiter in done:
        if not waiter.done():
            waiter.set_result(None)
