"""Supervises the bots of one process: begins, renews and stops them, and reports how they live."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from chatbot.channels.accounts import ConnectedChannel
from chatbot.channels.bots.bot import Bot, Gate
from chatbot.channels.bots.states import BotReport, Pace, Parts
from chatbot.channels.bots.words import words_of
from chatbot.core.background import end, was_cancelled
from chatbot.core.logging import get_logger
from chatbot.core.metrics import BOTS

log = get_logger(__name__)
_LAST_REPORT_SECONDS = 5.0


class BotManager:
    """The bots of one process.

    Args:
        parts: what it works with.
        spread: gives numbers from 0 to 1, by which pauses are shortened (up to a quarter).
    """

    def __init__(self, parts: Parts, pace: Pace | None = None, *, spread: Callable[[], float] = random.random) -> None:
        self._parts = parts
        self._pace = pace or Pace()
        self._spread = spread
        self._gate = Gate(self._pace.begins_per_second)
        self._bots: dict[UUID, Bot] = {}
        self._stopped: list[Bot] = []
        self._changed: set[UUID] = set()
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Supervise until cancelled; then every bot is stopped, and that is recorded."""
        reporting = asyncio.create_task(self._report_forever(), name="reports of bots")
        try:
            while not was_cancelled():
                await self._refresh()
                # What the list is read with may lose a cancellation (see `end`); asleep it would not be noticed.
                await asyncio.sleep(0 if was_cancelled() else self._pace.refresh)
        finally:
            await self._stop(list(self._bots))
            await end(reporting)
            await self._report_last()

    def reports(self) -> list[BotReport]:
        """How each bot lives now."""
        return [bot.report() for bot in self._bots.values()]

    def revive(self, channel_id: UUID) -> None:
        """Begin a dead bot again: a test found nothing wrong any more. Others are left as they are."""
        if bot := self._bots.get(channel_id):
            bot.revive()

    async def _refresh(self) -> None:
        try:
            wanted = {channel.channel_id: channel for channel in await self._parts.accounts()}
        except Exception as error:  # noqa: BLE001 - without the list the present bots go on
            log.warning("the listening channels could not be read; the present bots go on", reason=words_of(error))
            return
        await self._stop([channel_id for channel_id in self._bots if channel_id not in wanted])
        renewed = [bot for channel_id, bot in self._bots.items() if wanted[channel_id].account != bot.channel.account]
        await asyncio.gather(*(bot.stop() for bot in renewed))
        for bot in renewed:
            bot.tally.restarts += 1
            self._begin(wanted[bot.channel.channel_id], bot)
        for channel_id in wanted.keys() - self._bots.keys():
            self._begin(wanted[channel_id], None)

    def _begin(self, channel: ConnectedChannel, before: Bot | None) -> None:
        self._bots[channel.channel_id] = Bot(
            channel, self._parts, self._pace, self._gate,
            changed=self._note, spread=self._spread, tally=before.tally if before else None,
        )  # fmt: skip

    async def _stop(self, channel_ids: Sequence[UUID]) -> None:
        """Stop bots; one is forgotten only once it is over, so that a cancellation in between leaves none behind."""
        await asyncio.gather(*(self._bots[channel_id].stop() for channel_id in channel_ids))
        self._stopped += [self._bots.pop(channel_id) for channel_id in channel_ids]

    def _note(self, channel_id: UUID) -> None:
        self._changed.add(channel_id)
        self._news.set()

    async def _report_forever(self) -> None:
        """Record changes of state soon after them, everything now and then."""
        loop = asyncio.get_running_loop()
        due = loop.time() + self._pace.report
        while True:
            try:
                async with asyncio.timeout_at(due):
                    await self._news.wait()
                    await asyncio.sleep(self._pace.gather)
                bots = [bot for channel_id, bot in self._bots.items() if channel_id in self._changed]
            except TimeoutError:
                due = loop.time() + self._pace.report
                bots = list(self._bots.values())
            self._news.clear()
            self._changed.clear()
            await self._record(bots)

    async def _record(self, bots: Sequence[Bot]) -> None:
        stopped = list(self._stopped)
        # Stopped ones first: one of them may be back already.
        told = [*stopped, *bots]
        reports = [bot.report() for bot in told]
        _count(self.reports())
        if not reports:
            return
        try:
            await self._parts.record(reports)
        except Exception as error:  # noqa: BLE001 - bots do not stop because nobody can be told
            log.warning("how the bots live could not be recorded", reason=words_of(error))
            return
        self._stopped = [bot for bot in self._stopped if bot not in stopped]
        for bot, report in zip(told, reports, strict=True):
            bot.reported(report)

    async def _report_last(self) -> None:
        try:
            async with asyncio.timeout(_LAST_REPORT_SECONDS):
                await self._record([])
        except TimeoutError:
            log.warning("that the bots were stopped could not be recorded in time")


def _count(reports: Iterable[BotReport]) -> None:
    BOTS.clear()
    for (channel_type, state), number in Counter((one.channel_type, one.state) for one in reports).items():
        BOTS.labels(channel_type, state).set(number)
