"""How fast one process sends: within a provider's limits, and no account takes every worker."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from chatbot.channels.accounts import ConnectedChannel

MAX_AT_ONCE = 8
"""Calls of one account under way in one process: one that hangs leaves the other workers to others."""

_KEPT = 20_000
_HANGS_SECONDS = 2.0
_SPREAD_SECONDS = 30


@dataclass(slots=True)
class _Account:
    """What an account is doing now, in monotonic seconds: when it may send again, when it last began a call."""

    running: int = 0
    next_at: float = 0.0
    began_at: float = 0.0
    refused: int = 0


class Pace:
    """Waits before a call so long that neither the account's nor the thread's rate is exceeded.

    Several processes that send for one account each keep to the rate; what they do together the provider tells by 429.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._accounts: dict[UUID, _Account] = {}
        self._lanes: OrderedDict[str, float] = OrderedDict()

    @asynccontextmanager
    async def turn(self, channel: ConnectedChannel, lane: str) -> AsyncIterator[bool]:
        """Give True when the call may be made now, False when too many of the account run already."""
        account = self._accounts.setdefault(channel.channel_id, _Account())
        if account.running >= MAX_AT_ONCE:
            yield False
            return
        account.running += 1
        try:
            await asyncio.sleep(self._wait(account, channel, lane))
            account.began_at = self._clock()
            yield True
        finally:
            account.running -= 1
            if not account.running and account.next_at < self._clock():
                self._accounts.pop(channel.channel_id, None)

    def again_in(self, channel: ConnectedChannel) -> float:
        """Return in how many seconds a lane may look again that found no room.

        Soon, while the account's calls come and go. While they hang not before half a minute, and not all lanes at
        once: looking again costs the database, whose time is everybody's.
        """
        account = self._accounts.get(channel.channel_id)
        if account is None or self._clock() - account.began_at < _HANGS_SECONDS:
            return 1.0
        account.refused += 1
        return _SPREAD_SECONDS + account.refused % _SPREAD_SECONDS

    def _wait(self, account: _Account, channel: ConnectedChannel, lane: str) -> float:
        """Take the next free moment of the account and the lane; return the seconds until then."""
        limits, now = channel.provider.capabilities, self._clock()
        at = max(now, account.next_at, self._lanes.get(lane, 0.0))
        account.next_at = max(account.next_at, now) + 1 / limits.per_second
        self._lanes[lane] = at + 1 / limits.thread_per_second
        self._lanes.move_to_end(lane)
        if len(self._lanes) > _KEPT:
            self._lanes.popitem(last=False)
        return at - now
