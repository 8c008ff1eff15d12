"""Room for calls to somebody else's server: one that hangs must not take every worker of a process."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

_SOONEST_SECONDS = 1.0
_SPREAD_SECONDS = 30.0


@dataclass(slots=True)
class _Guest:
    """What one guest's calls are doing.

    Attributes:
        began_at: when the last one began, in monotonic seconds.
        took: how long the last one that ended took.
        refused: how many wait for room.
    """

    running: int = 0
    began_at: float = 0.0
    took: float = 0.0
    refused: int = 0


class Room:
    """Lets each guest (an account, a tenant) have so many calls under way in this process."""

    def __init__(self, at_once: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._at_once = at_once
        self._clock = clock
        self._guests: dict[UUID, _Guest] = {}

    @asynccontextmanager
    async def turn(self, guest: UUID) -> AsyncIterator[bool]:
        """Give True when a call may be made now, False when too many of the guest run already."""
        found = self._guests.setdefault(guest, _Guest())
        if found.running >= self._at_once:
            yield False
            return
        found.running += 1
        found.refused = max(0, found.refused - 1)
        began = found.began_at = self._clock()
        try:
            yield True
        finally:
            found.running -= 1
            found.took = self._clock() - began
            if not found.running:
                self._guests.pop(guest, None)

    def begins(self, guest: UUID) -> None:
        """Note that a call begins only now: its turn had to wait."""
        self._guests[guest].began_at = self._clock()

    def again_in(self, guest: UUID) -> float:
        """Return in how many seconds somebody may look again who found no room.

        As those before it will take, by how long calls take or have hung by now: looking again costs the database,
        whose time is everybody's.
        """
        found = self._guests.get(guest)
        if found is None:
            return _SOONEST_SECONDS
        found.refused += 1
        each = max(found.took, self._clock() - found.began_at) / self._at_once
        if found.refused * each < _SPREAD_SECONDS:
            return max(_SOONEST_SECONDS, found.refused * each)
        return _SPREAD_SECONDS + found.refused % _SPREAD_SECONDS  # late, but not all at once
