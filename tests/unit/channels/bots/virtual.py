"""An event loop whose clock jumps to the next timer, and bots whose provider does as a test says."""

import asyncio
import selectors
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from chatbot.channels.accounts import ConnectedChannel
from chatbot.channels.base import Adapter
from chatbot.channels.bots.manager import BotManager
from chatbot.channels.bots.states import BotReport, Pace, Parts
from chatbot.channels.contract import Account, Call, Capabilities, Credentials, Finding, Link, Outcome, Request, Sent
from chatbot.channels.events import InboundEvent
from chatbot.channels.outgoing import Outgoing
from chatbot.core.safe_http import SafeHttp

T = TypeVar("T")


class _Jumping(selectors.SelectSelector):
    """Waits for nothing: what it is asked to wait is added to the clock."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready and timeout:
            self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An hour takes as long as what is done in it."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def virtually(test: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a test on a virtual clock."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(test())


class NoCredentials(Credentials):
    """As much as a test needs."""

    name: str = "bot"


Listen = Callable[[Account[NoCredentials], Mapping[str, Any], Link], Awaitable[None]]


class Scripted(Adapter[NoCredentials]):
    """A provider that does as it is told."""

    channel_type: ClassVar[str] = "scripted"
    capabilities: ClassVar[Capabilities] = Capabilities(max_length=100, listens=True)
    credentials = NoCredentials

    def __init__(self, listen: Listen | None = None) -> None:
        self._listen = listen
        self.findings: list[Finding] = [Finding("token", True, "fine")]
        self.checks = 0
        self.at_once = 0
        self.most_at_once = 0
        self.check_seconds = 0.0
        self.broken: Exception | None = None

    async def listen(self, account: Account[NoCredentials], cursor: Mapping[str, Any], link: Link) -> None:
        assert self._listen is not None
        await self._listen(account, cursor, link)

    async def check(self, account: Account[NoCredentials], http: SafeHttp) -> list[Finding]:
        self.checks += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(self.check_seconds)
        self.at_once -= 1
        if self.broken:
            raise self.broken
        return self.findings

    def verify(self, account: Account[NoCredentials], request: Request, now: float) -> None:
        """Takes all."""

    def parse(self, account: Account[NoCredentials], request: Request) -> list[InboundEvent]:
        return []

    def render(self, account: Account[NoCredentials], message: Outgoing) -> list[Call]:
        return []

    async def send(self, account: Account[NoCredentials], call: Call, http: SafeHttp, *, delivery_id: UUID) -> Outcome:
        return Sent()


def connected(number: int, provider: Any, account: Account[Any] | None = None) -> ConnectedChannel:
    """A channel of its own number."""
    tenant, channel = UUID(int=1), UUID(int=number)
    bot = account or Account(tenant, channel, "secret", NoCredentials())
    return ConnectedChannel(tenant, tenant, channel, provider.channel_type, f"Bot {number}", True, provider, bot)


class Fleet:
    """What the manager of a test is given, and what it gave away."""

    def __init__(self, *channels: ConnectedChannel, **pace: float) -> None:
        self.channels = list(channels)
        self.events: list[InboundEvent] = []
        self.cursors: dict[UUID, Mapping[str, Any]] = {}
        self.records: list[Sequence[BotReport]] = []
        self.broken: set[str] = set()
        self.pace = Pace(**pace)

    def manager(self, http: SafeHttp) -> BotManager:
        parts = Parts(self._accounts, self._cursor, self._take, self._record, http)
        return BotManager(parts, self.pace, spread=lambda: 0.0)

    def last(self, number: int = 1) -> BotReport:
        """The last report of a bot."""
        return self.history(number)[-1]

    def history(self, number: int = 1) -> list[BotReport]:
        return [report for reports in self.records for report in reports if report.channel_id == UUID(int=number)]

    def states(self, number: int = 1) -> list[str]:
        """The states of a bot in order, each once."""
        found: list[str] = []
        for report in self.history(number):
            if found[-1:] != [report.state]:
                found.append(report.state)
        return found

    async def _accounts(self) -> Sequence[ConnectedChannel]:
        self._fail("accounts")
        return list(self.channels)

    async def _cursor(self, channel: ConnectedChannel) -> Mapping[str, Any]:
        self._fail("cursor")
        return self.cursors.get(channel.channel_id, {})

    async def _take(self, channel: ConnectedChannel, events: Sequence[InboundEvent], cursor: Mapping[str, Any]) -> None:
        self._fail("take")
        self.events += events
        self.cursors[channel.channel_id] = cursor

    async def _record(self, reports: Sequence[BotReport]) -> None:
        self._fail("record")
        self.records.append(reports)

    def _fail(self, part: str) -> None:
        if part in self.broken:
            raise RuntimeError(f"{part} is down, and here is a secret")


async def manage(
    fleet: Fleet, seconds: float, *, then: Callable[[BotManager], None] | None = None, more: float = 0
) -> None:
    """Let a manager run for some seconds, do something, let it run on, and end it."""
    async with SafeHttp() as http:
        manager = fleet.manager(http)
        running = asyncio.create_task(manager.run())
        await asyncio.sleep(seconds)
        if then:
            then(manager)
            await asyncio.sleep(more)
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled()
