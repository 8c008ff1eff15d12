"""Tests every channel now and then, so that a dead one is known before a customer finds it."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from chatbot.channels.accounts import ConnectedChannel
from chatbot.channels.bots.words import words_of
from chatbot.channels.contract import Finding
from chatbot.core.logging import get_logger
from chatbot.core.metrics import CHANNELS_TESTED
from chatbot.core.safe_http import SafeHttp

log = get_logger(__name__)

Verdict = Literal["well", "failing", "dead"]
"""`failing`: something was wrong once, which may pass; `dead`: again and again."""


@dataclass(frozen=True, slots=True)
class CheckUp:
    """What a test of a channel found."""

    channel: ConnectedChannel
    findings: tuple[Finding, ...]
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Rounds:
    """How the watchdog goes about.

    Attributes:
        every: seconds between two rounds.
        at_once: tests at the same time.
        patience: seconds for one test.
        strikes: so many bad tests in a row mean dead.
    """

    every: float = 300.0
    at_once: int = 8
    patience: float = 30.0
    strikes: int = 2


class Watchdog:
    """The tests of all channels by one process.

    Args:
        channels: every enabled channel, by webhook or listening.
        record: is told of each test as it ends; `BotManager.revive` is for a `well` one. A failure is logged.
    """

    def __init__(
        self,
        channels: Callable[[], Awaitable[Sequence[ConnectedChannel]]],
        record: Callable[[CheckUp], Awaitable[None]],
        http: SafeHttp,
        rounds: Rounds | None = None,
    ) -> None:
        self._channels = channels
        self._record = record
        self._http = http
        self._rounds = rounds or Rounds()
        self._strikes: dict[UUID, int] = {}

    async def run(self) -> None:
        """Go round until cancelled."""
        while True:
            try:
                await self.go_round()
            except Exception as error:  # noqa: BLE001 - the next round may find the list again
                log.warning("the channels could not be tested; trying again", reason=words_of(error))
            await asyncio.sleep(self._rounds.every)

    async def go_round(self) -> None:
        """Test every channel once."""
        channels = await self._channels()
        known = {channel.channel_id for channel in channels}
        self._strikes = {channel_id: count for channel_id, count in self._strikes.items() if channel_id in known}
        places = asyncio.Semaphore(self._rounds.at_once)
        async with asyncio.TaskGroup() as tests:
            found = [tests.create_task(self._one(channel, places)) for channel in channels]
        _count(test.result() for test in found)

    async def _one(self, channel: ConnectedChannel, places: asyncio.Semaphore) -> CheckUp:
        async with places:
            findings = await self._look(channel)
            check_up = CheckUp(channel, findings, self._judge(channel.channel_id, findings))
            if check_up.verdict == "dead":
                words = "; ".join(finding.words for finding in findings if not finding.ok)[:300]
                log.warning("a channel is dead", channel_id=str(channel.channel_id), reason=words)
            try:
                await self._record(check_up)
            except Exception as error:  # noqa: BLE001 - one record that fails keeps no other channel from its test
                log.warning("a channel's test could not be recorded", reason=words_of(error))
            return check_up

    async def _look(self, channel: ConnectedChannel) -> tuple[Finding, ...]:
        try:
            async with asyncio.timeout(self._rounds.patience):
                return tuple(await channel.provider.check(channel.account, self._http))
        except TimeoutError:
            words = f"The test gave no result within {self._rounds.patience:.0f} seconds."
        except Exception as error:  # noqa: BLE001 - a test that breaks is a finding
            words = f"The test broke: {words_of(error)}."
        return (Finding("check", False, words),)

    def _judge(self, channel_id: UUID, findings: Sequence[Finding]) -> Verdict:
        if all(finding.ok for finding in findings):
            self._strikes.pop(channel_id, None)
            return "well"
        strikes = self._strikes[channel_id] = self._strikes.get(channel_id, 0) + 1
        return "dead" if strikes >= self._rounds.strikes else "failing"


def _count(check_ups: Iterable[CheckUp]) -> None:
    CHANNELS_TESTED.clear()
    for (channel_type, verdict), number in Counter(
        (one.channel.channel_type, one.verdict) for one in check_ups
    ).items():
        CHANNELS_TESTED.labels(channel_type, verdict).set(number)
