"""Replies that another process makes, or that are finished: read from their rows."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

from chatbot.core.bus import Bus
from chatbot.core.errors import NotFound
from chatbot.db.sessions import Database
from chatbot.dialogue import repository
from chatbot.dialogue.live import Place, StreamEvent, message_event, pending
from chatbot.dialogue.replies import stored_body
from chatbot.dialogue.repository import MessageRow

_LOOK_SECONDS = 0.25
"""How often the row is looked at, whether the bus wakes or not; each look tells the writer that somebody reads."""


def reader_payload(message_id: UUID) -> str:
    """What the bus carries on `xin_message` while a reply is read in another process than the one that makes it."""
    return f"read:{message_id}"


class StoredReply:
    """Follows a reply's row. The bus wakes, the row is the truth; a dead writer's row is closed by the sweeper."""

    def __init__(self, database: Database, bus: Bus, tenant_id: UUID, message_id: UUID) -> None:
        self._database = database
        self._bus = bus
        self._tenant_id = tenant_id
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
                await _wait(changed)

    async def wait(self) -> StreamEvent:
        """Wait for the last event."""
        async with self._bus.subscribe("xin_message", str(self.message_id)) as changed:
            while True:
                changed.clear()
                row = await self._row()
                if row.status != "streaming":
                    return StreamEvent("done", f"{row.id}:done", stored_body(row))
                await _wait(changed)

    async def _row(self) -> MessageRow:
        async with self._database.tenant_reader(self._tenant_id) as session:
            row = await repository.message(session, self.message_id)
            if row and row.status == "streaming":
                await repository.tell_reader(session, reader_payload(self.message_id))
        if row is None:
            raise NotFound("no such message")
        return row


async def _wait(changed: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(changed.wait(), _LOOK_SECONDS)
    except TimeoutError:
        return
