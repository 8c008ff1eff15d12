"""Which channels this manager alone listens to: those whose lease it holds."""

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from socket import gethostname
from typing import Any
from uuid import UUID

from chatbot.channels.accounts import Accounts, ConnectedChannel
from chatbot.channels.bots import repository
from chatbot.channels.bots.repository import Lease
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

LISTENING = frozenset(name for name, provider in PROVIDERS.items() if isinstance(provider, Listener))


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

    async def channels(self) -> Sequence[ConnectedChannel]:
        """Return the channels to listen to now.

        When the leases cannot be looked at, the error is raised; once they might end before the next look, there are
        none any more.
        """
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._lease.seconds * _PATIENCE_SHARE):
                listening = await self._listening()
                held = await self._hold(listening)
        except Exception as error:
            if time.monotonic() - self._sure_at < self._lease.seconds / 3:
                raise
            log.warning("without the database the bots are let go", reason=words_of(error))
            self._held = frozenset()
            return []
        self._held, self._sure_at = held, began
        return [channel for channel in listening if channel.channel_id in held]

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

    async def _listening(self) -> list[ConnectedChannel]:
        channels = await self._accounts.enabled(LISTENING)
        return [channel for channel in channels if channel.provider.listens(channel.account)]

    async def _hold(self, listening: Sequence[ConnectedChannel]) -> frozenset[UUID]:
        asked = [(channel.tenant_id, channel.channel_id) for channel in listening]
        async with self._database.platform() as session:
            states = await repository.hold(session, self._lease, asked)
            # One that was lost is not taken back at once: its bot must end first, for another went on from its cursor.
            free = [pair for pair in asked if pair[1] not in states and pair[1] not in self._held]
            room = self._capacity - len(states)
            claimed = await repository.claim(session, self._lease, free, room) if free and room > 0 else set()
        self._tell_if_full(full=len(free) > len(claimed) and len(states) + len(claimed) >= self._capacity)
        self.cleared = frozenset(channel_id for channel_id, state in states.items() if state == "idle")
        return frozenset(states) | claimed

    def _tell_if_full(self, *, full: bool) -> None:
        if full and not self._full:
            log.warning("this manager takes no more bots; others are left to further managers", bots=self._capacity)
        self._full = full
