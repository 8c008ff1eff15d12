"""How fast one process sends: within a provider's limits, and no account takes every worker."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID

from chatbot.channels.accounts import ConnectedChannel
from chatbot.core.room import Room

MAX_AT_ONCE = 8
"""Calls of one account under way in one process: one that hangs leaves the other workers to others."""

_KEPT = 20_000


class Pace:
    """Waits before a call so long that neither the account's nor the thread's rate is exceeded.

    Several processes that send for one account each keep to the rate; what they do together the provider tells by 429.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._room = Room(MAX_AT_ONCE, clock)
        self._accounts: dict[UUID, float] = {}
        self._lanes: OrderedDict[str, float] = OrderedDict()

    @asynccontextmanager
    async def turn(self, channel: ConnectedChannel, lane: str) -> AsyncIterator[bool]:
        """Give True when the call may be made now, False when too many of the account run already."""
        async with self._room.turn(channel.channel_id) as free:
            if free:
                await asyncio.sleep(self._wait(channel, lane))
                self._room.begins(channel.channel_id)
            yield free
        if self._accounts.get(channel.channel_id, 0.0) < self._clock():
            self._accounts.pop(channel.channel_id, None)

    def again_in(self, channel: ConnectedChannel) -> float:
        """Return in how many seconds a lane may look again that found no room."""
        return self._room.again_in(channel.channel_id)

    def _wait(self, channel: ConnectedChannel, lane: str) -> float:
        """Take the next free moment of the account and the lane; return the seconds until then."""
        limits, now = channel.provider.capabilities, self._clock()
        free_at = self._accounts.get(channel.channel_id, 0.0)
        at = max(now, free_at, self._lanes.get(lane, 0.0))
        self._accounts[channel.channel_id] = max(free_at, now) + 1 / limits.per_second
        self._lanes[lane] = at + 1 / limits.thread_per_second
        self._lanes.move_to_end(lane)
        if len(self._lanes) > _KEPT:
            self._lanes.popitem(last=False)
        return at - now
