"""Replies that another process makes, or that are finished: read from their rows."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import UUID

from chatbot.core.bus import Bus
from chatbot.core.errors import NotFound
from chatbot.core.logging import get_logger
from chatbot.db.sessions import DATABASE_AWAY, Database
from chatbot.dialogue import repository
from chatbot.dialogue.live import Place, StreamEvent, message_event, pending
from chatbot.dialogue.replies import stored_body
from chatbot.dialogue.repository import MessageRow

log = get_logger(__name__)

_LOOK_SECONDS = 2.0
"""How often the row is looked at when the bus does not wake: a wake may be lost with the bus's connection."""

_SIGNAL_SECONDS = 0.4
"""How often the writer is told that somebody reads; it closes a reply's model call when it hears nothing for 0.6 s."""

_AWAY_SECONDS = 30.0
"""How long a reader waits for a database that is away."""


def reader_payload(message_id: UUID) -> str:
    """What the bus carries on `xin_message` while a reply is read in another process than the one that makes it."""
    return f"read:{message_id}"


def withdrawn_payload(message_id: UUID) -> str:
    """What the bus carries on `xin_message` when a reply is withdrawn while it is made."""
    return f"withdrawn:{message_id}"


class StoredReply:
    """Follows a reply's row. The bus wakes, the row is the truth; a dead writer's row is closed by the sweeper."""

    def __init__(self, database: Database, bus: Bus, tenant_id: UUID, conversation_id: UUID, message_id: UUID) -> None:
        self._database = database
        self._bus = bus
        self._tenant_id = tenant_id
        self.conversation_id = conversation_id
        self.message_id = message_id

    async def events(self, place: Place) -> AsyncIterator[list[StreamEvent]]:
        """Give the events from a place to the end, those at hand together."""
        async with self._bus.subscribe("xin_message", str(self.message_id)) as changed:
            while True:
                changed.clear()
                row = await self._row()
                ended = row.status != "streaming"
                citations = row.citations if ended else []
                events = [] if place.begun else [message_event(row.id, row.conversation_id)]
                events += pending(row.id, row.text, citations, place)
                if ended:
                    yield [*events, StreamEvent("done", f"{row.id}:done", stored_body(row))]
                    return
                if events:
                    yield events
                place = place.after(row.text, citations)
                await self._changed(changed)

    async def wait(self) -> StreamEvent:
        """Wait for the last event."""
        async with self._bus.subscribe("xin_message", str(self.message_id)) as changed:
            while True:
                changed.clear()
                row = await self._row()
                if row.status != "streaming":
                    return StreamEvent("done", f"{row.id}:done", stored_body(row))
                await self._changed(changed)

    async def _row(self) -> MessageRow:
        """Read the row; a lost connection is tried again, for the writer may go on."""
        last_try = time.monotonic() + _AWAY_SECONDS
        while True:
            try:
                return await self._read()
            except (*DATABASE_AWAY, OSError) as error:
                if time.monotonic() > last_try:
                    raise
                log.warning("reply not read yet; trying again", reason=str(error)[:200])
                await asyncio.sleep(_SIGNAL_SECONDS)

    async def _read(self) -> MessageRow:
        async with self._database.tenant_reader(self._tenant_id) as session:
            row = await repository.message(session, self.message_id)
            if row and row.status == "streaming":
                await repository.tell_reader(session, reader_payload(self.message_id))
        if row is None:
            raise NotFound("no such message")
        return row

    async def _changed(self, changed: asyncio.Event) -> None:
        """Wait until the row may have changed, and say meanwhile that it is read."""
        look_at = time.monotonic() + _LOOK_SECONDS
        while time.monotonic() < look_at:
            try:
                await asyncio.wait_for(changed.wait(), _SIGNAL_SECONDS)
            except TimeoutError:
                await self._signal()
            else:
                return

    async def _signal(self) -> None:
        with suppress(*DATABASE_AWAY, OSError):  # the next look tries again, and says so
            async with self._database.tenant_reader(self._tenant_id) as session:
                await repository.tell_reader(session, reader_payload(self.message_id))
