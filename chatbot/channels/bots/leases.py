"""Which channels this manager alone listens to: those whose lease it holds."""

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from socket import gethostname
from typing import Any
from uuid import UUID

from chatbot.channels.accounts import Accounts, ConnectedChannel
from chatbot.channels.bots import repository
from chatbot.channels.bots.repository import Lease, Seen
from chatbot.channels.bots.words import words_of
from chatbot.channels.contract import Listener
from chatbot.channels.errors import LeaseLost
from chatbot.channels.registry import PROVIDERS
from chatbot.core.crypto import random_secret
from chatbot.core.errors import Unavailable
from chatbot.core.logging import get_logger
from chatbot.db.sessions import Database

log = get_logger(__name__)

LEASE_SECONDS = 30.0
_PATIENCE_SHARE = 4 / 30
"""A look at the leases that takes longer has failed."""

_OPENED_AT_ONCE = 200

LISTENING = frozenset(name for name, provider in PROVIDERS.items() if isinstance(provider, Listener))


@dataclass(frozen=True, slots=True)
class _Known:
    """A version of a channel; None where that cannot be opened or is not to be listened to."""

    version: str
    channel: ConnectedChannel | None


class Leases:
    """The leases of one manager.

    `channels` is to be asked every sixth of `seconds`, or oftener: it also prolongs them.

    Args:
        capacity: so many channels at most.
        seconds: how long a lease holds without being prolonged: so soon another manager takes over from a killed one.

    Attributes:
        owner: the name of this manager in the leases.
        cleared: held channels that are called dead no more, as of the last look.
    """

    def __init__(
        self,
        database: Database,
        accounts: Accounts,
        *,
        capacity: int,
        seconds: float = LEASE_SECONDS,
    ) -> None:
        # Never the same twice: a manager that begins anew must not be taken for the one before.
        self.owner = f"{gethostname()}:{os.getpid()}:{random_secret(size=6)}"
        self.cleared: frozenset[UUID] = frozenset()
        self._database = database
        self._accounts = accounts
        self._capacity = capacity
        self._lease = Lease(self.owner, seconds, enough=seconds * 2 / 3)
        self._held: frozenset[UUID] = frozenset()
        self._sure_at = time.monotonic()
        self._full = False
        self._known: dict[UUID, _Known] = {}

    async def channels(self) -> Sequence[ConnectedChannel]:
        """Return the channels to listen to now.

        When the leases cannot be looked at, the error is raised; once they might end before the next look, there are
        none any more.
        """
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._lease.seconds * _PATIENCE_SHARE):
                seen = await self._look()
                held = await self._hold(seen)
        except Exception as error:
            if time.monotonic() - self._sure_at < self._lease.seconds / 3:
                raise
            log.warning("without the database the bots are let go", reason=words_of(error))
            self._held = frozenset()
            return []
        self._held, self._sure_at = held, began
        opened = [self._known[one.channel_id].channel for one in seen if one.channel_id in held]
        return [channel for channel in opened if channel is not None]

    async def cursor(self, channel: ConnectedChannel) -> Mapping[str, Any]:
        """Return how far a held channel has come; raises `LeaseLost`."""
        async with self._database.tenant_reader(channel.tenant_id) as session:
            cursor = await repository.leased_cursor(session, channel.channel_id, self.owner)
        if cursor is None:
            raise LeaseLost
        return cursor

    async def release(self) -> None:
        """Let others have the channels at once."""
        async with self._database.platform() as session:
            await repository.release(session, self.owner)
        self._held = frozenset()

    async def check(self) -> None:
        """Raise `Unavailable` when the leases were not looked at for as long as they hold."""
        silent = time.monotonic() - self._sure_at
        if silent > self._lease.seconds:
            raise Unavailable(f"the leases of bots were not renewed for {silent:.0f} seconds")

    async def _look(self) -> list[Seen]:
        """Return what is ours or free and to be listened to; opened is only what is new or has changed."""
        async with self._database.platform() as session:
            seen = await repository.look(session, self.owner, LISTENING)
        now = {one.channel_id: one.version for one in seen}
        self._known = {channel_id: known for channel_id, known in self._known.items() if channel_id in now}
        fresh = [one.channel_id for one in seen if self._version(one.channel_id) != one.version]
        for start in range(0, len(fresh), _OPENED_AT_ONCE):  # what is open by the time that is given up stays so
            part = fresh[start : start + _OPENED_AT_ONCE]
            opened = {channel.channel_id: channel for channel in await self._accounts.enabled(LISTENING, only=part)}
            self._known |= {channel_id: _known(now[channel_id], opened.get(channel_id)) for channel_id in part}
        return [one for one in seen if self._known[one.channel_id].channel]

    def _version(self, channel_id: UUID) -> str | None:
        known = self._known.get(channel_id)
        return known.version if known else None

    async def _hold(self, listening: Sequence[Seen]) -> frozenset[UUID]:
        async with self._database.platform() as session:
            ours = [(one.tenant_id, one.channel_id) for one in listening if one.ours]
            states = await repository.hold(session, self._lease, ours) if ours else {}
            # One that was lost is not taken back at once: its bot must end first, for another went on from its cursor.
            free = [
                (one.tenant_id, one.channel_id)
                for one in listening
                if one.channel_id not in states and one.channel_id not in self._held
            ]
            room = self._capacity - len(states)
            claimed = await repository.claim(session, self._lease, free, room) if free and room > 0 else set()
        self._tell_if_full(full=len(free) > len(claimed) and len(states) + len(claimed) >= self._capacity)
        self.cleared = frozenset(channel_id for channel_id, state in states.items() if state == "idle")
        return frozenset(states) | claimed

    def _tell_if_full(self, *, full: bool) -> None:
        if full and not self._full:
            log.warning("this manager takes no more bots; others are left to further managers", bots=self._capacity)
        self._full = full


def _known(version: str, channel: ConnectedChannel | None) -> _Known:
    return _Known(version, channel if channel and channel.provider.listens(channel.account) else None)
