"""The bus: PostgreSQL NOTIFY that carries ids only. It wakes; the rows are the truth."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg import AsyncConnection, sql

from chatbot.core.background import end, forever

CHANNELS = ("xin_message", "xin_event", "xin_signal")
"""What processes tell one another: a conversation or a reply has changed, a tenant's event log has grown, and (the only
payload that is no id) what holds for a moment and is kept by nobody: that somebody is typing."""

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
        self._hearing: dict[str, list[Callable[[str], None]]] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to listen."""
        listening = forever(self._listen, _RECONNECT_SECONDS, passing=(psycopg.Error,), what="listening to the bus")
        self._task = asyncio.create_task(listening, name="bus")

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

    def hear(self, channel: str, listener: Callable[[str], None]) -> None:
        """Call `listener` with every payload of a channel while the bus lives; what is missed is not told again."""
        self._hearing.setdefault(channel, []).append(listener)

    def _wake(self, channel: str, payload: str) -> None:
        for wake in list(self._waiting.get((channel, payload), ())):
            wake()

    async def _listen(self) -> None:
        """Listen on one connection until it is lost."""
        connection: AsyncConnection[Any]
        async with await AsyncConnection.connect(self._conninfo, autocommit=True, **_KEEPALIVE) as connection:
            for channel in self._channels:
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            for key in list(self._waiting):
                self._wake(*key)
            async for notice in connection.notifies():
                self._wake(notice.channel, notice.payload)
                for listener in self._hearing.get(notice.channel, ()):
                    listener(notice.payload)
