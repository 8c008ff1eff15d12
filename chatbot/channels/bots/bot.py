"""One supervised bot: a task that listens, begins again after a crash, and knows how it lives."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chatbot.channels.accounts import ConnectedChannel
from chatbot.channels.bots.states import BotReport, BotState, Pace, Parts
from chatbot.channels.bots.words import words_of
from chatbot.channels.contract import Link, Listener
from chatbot.channels.errors import ProviderRefused
from chatbot.channels.events import InboundEvent
from chatbot.core import correlation
from chatbot.core.background import end
from chatbot.core.clock import utcnow
from chatbot.core.logging import get_logger
from chatbot.core.metrics import BOT_LAG, BOT_RATE_LIMITED
from chatbot.core.safe_http import OutgoingTimeout

log = get_logger(__name__)


class Gate:
    """Lets bots begin one after another, at most so many a second."""

    def __init__(self, per_second: float) -> None:
        self._gap = 1 / per_second
        self._free_at = 0.0

    async def turn(self) -> None:
        """Wait for a turn."""
        now = asyncio.get_running_loop().time()
        at = max(now, self._free_at)
        self._free_at = at + self._gap
        await asyncio.sleep(at - now)


@dataclass(slots=True)
class Tally:
    """What is counted of a bot; it outlives a change of credentials."""

    alive_at: datetime | None = None
    update_at: datetime | None = None
    lag_seconds: float | None = None
    last_error: str | None = None
    last_error_at: datetime | None = None
    errors: int = 0
    rate_limited: int = 0
    restarts: int = 0


class Bot:
    """A bot from its begin until it is stopped."""

    def __init__(
        self,
        channel: ConnectedChannel,
        parts: Parts,
        pace: Pace,
        gate: Gate,
        *,
        changed: Callable[[UUID], None],
        spread: Callable[[], float],
        tally: Tally | None = None,
    ) -> None:
        self.channel = channel
        self.tally = tally or Tally()
        self._parts = parts
        self._pace = pace
        self._gate = gate
        self._changed = changed
        self._spread = spread
        self._state: BotState = "starting"
        self._since = utcnow()
        self._ran_since: float | None = None
        self._retry_seconds: float | None = None
        self._task = asyncio.create_task(self._supervise(), name=f"bot {channel.channel_id}")

    @property
    def state(self) -> BotState:
        """The present state."""
        return self._state

    async def stop(self) -> None:
        """Stop listening; what was not stored is asked for again by whoever listens next."""
        await end(self._task)
        self._enter("stopped")

    def revive(self) -> None:
        """Begin again if dead."""
        if self._state == "dead":
            self._enter("starting")
            self.tally.restarts += 1
            self._task = asyncio.create_task(self._supervise(), name=f"bot {self.channel.channel_id}")

    def report(self) -> BotReport:
        """Tell how it lives."""
        channel, tally = self.channel, self.tally
        return BotReport(
            channel.tenant_id, channel.channel_id, channel.channel_type, self._state, self._since, tally.alive_at,
            tally.update_at, tally.lag_seconds, tally.last_error, tally.last_error_at, self._retry_seconds,
            tally.errors, tally.rate_limited, tally.restarts,
        )  # fmt: skip

    def reported(self, report: BotReport) -> None:
        """Count on from a report that was recorded."""
        self.tally.errors -= report.errors
        self.tally.rate_limited -= report.rate_limited
        self.tally.restarts -= report.restarts

    async def _supervise(self) -> None:
        pause = self._pace.first_pause
        while True:
            await self._gate.turn()
            self._enter("starting")
            try:
                await self._listen()
                self._failed("the listener ended by itself")
            except ProviderRefused as refused:
                self._failed(refused.detail)
                self._enter("dead")
                return
            except Exception as error:  # noqa: BLE001 - whatever a bot dies of stays its own
                self._failed(words_of(error))
            if self._was_stable():
                pause = self._pace.first_pause
            # Spread, so that bots that crashed together do not all come back together.
            wait = pause * (1 - self._spread() / 4)
            self._enter("backing_off", retry_seconds=wait)
            await asyncio.sleep(wait)
            pause = min(pause * 2, self._pace.longest_pause)
            self.tally.restarts += 1

    async def _listen(self) -> None:
        provider = self.channel.provider
        if not isinstance(provider, Listener):
            raise ProviderRefused(f"Channels of the type {self.channel.channel_type} cannot be listened to.")
        self._ran_since = None
        try:
            async with asyncio.timeout(self._pace.silence) as patience:
                cursor = await self._parts.cursor(self.channel)
                await provider.listen(self.channel.account, cursor, self._link(patience))
        except TimeoutError as error:
            if not patience.expired():
                raise
            raise OutgoingTimeout(f"The provider said nothing for {self._pace.silence:.0f} seconds.") from error

    def _link(self, patience: asyncio.Timeout) -> Link:
        """What the listener talks to; each sign of life gives it new patience."""
        loop = asyncio.get_running_loop()

        def wait_on(seconds: float) -> None:
            # What a listener leaves behind may still call when its time is up.
            with suppress(RuntimeError):
                patience.reschedule(loop.time() + seconds)

        def alive() -> None:
            wait_on(self._pace.silence)
            self.tally.alive_at = utcnow()
            if self._state == "starting":
                self._ran_since = loop.time()
                self._enter("running")

        def limited(seconds: float) -> None:
            wait_on(self._pace.silence + seconds)
            self.tally.rate_limited += 1
            BOT_RATE_LIMITED.labels(self.channel.channel_type).inc()

        async def take(events: Sequence[InboundEvent], cursor: Mapping[str, Any]) -> None:
            correlation.begin()
            await self._parts.take(self.channel, events, cursor)
            alive()
            self._note(events)

        return Link(take, alive, self._parts.http, limited)

    def _note(self, events: Sequence[InboundEvent]) -> None:
        now = utcnow()
        self.tally.update_at = now
        times = [event.at for event in events if event.at is not None]
        if times:
            self.tally.lag_seconds = max(round((now - max(times)).total_seconds(), 1), 0.0)
            BOT_LAG.labels(self.channel.channel_type).observe(self.tally.lag_seconds)

    def _was_stable(self) -> bool:
        now = asyncio.get_running_loop().time()
        return self._ran_since is not None and now - self._ran_since >= self._pace.stable

    def _failed(self, words: str) -> None:
        self.tally.errors += 1
        self.tally.last_error, self.tally.last_error_at = words, utcnow()
        log.warning("a bot stopped listening", channel_id=str(self.channel.channel_id), reason=words)

    def _enter(self, state: BotState, *, retry_seconds: float | None = None) -> None:
        if state != self._state:
            self._since = utcnow()
        self._state, self._retry_seconds = state, retry_seconds
        self._changed(self.channel.channel_id)
