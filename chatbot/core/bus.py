"""The bus: PostgreSQL NOTIFY that carries ids only. It wakes; the rows are the truth."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg import AsyncConnection, sql

from chatbot.core.background import end, was_cancelled
from chatbot.core.logging import get_logger

log = get_logger(__name__)
_RECONNECT_SECONDS = 1.0
_KEEPALIVE: dict[str, Any] = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
"""Nothing is sent on this connection: without these a network that forgets it would be noticed after two hours."""


class Bus:
    """Listens on one connection and wakes the subscribers of `(channel, payload)`.

    A lost connection is opened again, and then everybody is woken: what was said meanwhile is not said again.
    """

    def __init__(self, conninfo: str, channels: tuple[str, ...]) -> None:
        self._conninfo = conninfo
        self._channels = channels
        self._waiting: dict[tuple[str, str], set[Callable[[], None]]] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to listen."""
        self._task = asyncio.create_task(self._listen(), name="bus")

    async def stop(self) -> None:
        """Stop listening."""
        if self._task:
            await end(self._task)

    @asynccontextmanager
    async def subscribe(self, channel: str, payload: str) -> AsyncIterator[asyncio.Event]:
        """Give an event that is set at each notification of this payload; the waiter clears it."""
        event = asyncio.Event()
        self.watch(channel, payload, event.set)
        try:
            yield event
        finally:
            self.unwatch(channel, payload, event.set)

    def watch(self, channel: str, payload: str, wake: Callable[[], None]) -> None:
        """Call `wake` at each notification of this payload, until `unwatch`: for many watchers, without a task each."""
        self._waiting.setdefault((channel, payload), set()).add(wake)

    def unwatch(self, channel: str, payload: str, wake: Callable[[], None]) -> None:
        """End a watch."""
        waiters = self._waiting[channel, payload]
        waiters.discard(wake)
        if not waiters:
            del self._waiting[channel, payload]

    def _wake(self, channel: str, payload: str) -> None:
        for wake in list(self._waiting.get((channel, payload), ())):
            wake()

    async def _listen(self) -> None:
        while not was_cancelled():
            try:
                await self._listen_once()
            except psycopg.Error as error:
                log.warning("bus connection lost; opening it again", reason=str(error).strip()[:200])
                await asyncio.sleep(_RECONNECT_SECONDS)

    async def _listen_once(self) -> None:
        connection: AsyncConnection[Any]
        async with await AsyncConnection.connect(self._conninfo, autocommit=True, **_KEEPALIVE) as connection:
            for channel in self._channels:
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            for key in list(self._waiting):
                self._wake(*key)
            async for notice in connection.notifies():
                self._wake(notice.channel, notice.payload)
