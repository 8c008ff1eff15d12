"""The watchdog on a virtual clock: rounds, verdicts, tests that hang or break."""

import asyncio
from collections.abc import Sequence

from chatbot.channels.accounts import ConnectedChannel
from chatbot.channels.bots.watchdog import CheckUp, Rounds, Watchdog
from chatbot.channels.contract import Finding
from chatbot.core.safe_http import SafeHttp
from tests.unit.channels.bots.virtual import Scripted, connected, virtually

BAD = Finding("token", False, "The token was revoked.")
WELL = Finding("token", True, "fine")


class Book:
    """What the watchdog of a test is given and tells."""

    def __init__(self, *providers: Scripted) -> None:
        self.channels = [connected(number, provider) for number, provider in enumerate(providers, 1)]
        self.told: list[CheckUp] = []
        self.broken = False

    async def every(self) -> Sequence[ConnectedChannel]:
        if self.broken:
            raise OSError("the database is away")
        return self.channels

    async def record(self, check_up: CheckUp) -> None:
        self.told.append(check_up)
        if self.broken:
            raise OSError("the database is away")

    def verdicts(self, number: int = 1) -> list[str]:
        return [told.verdict for told in self.told if told.channel is self.channels[number - 1]]


def watch(book: Book, seconds: float, **rounds: float) -> None:
    async def test() -> None:
        async with SafeHttp() as http:
            watching = asyncio.create_task(Watchdog(book.every, book.record, http, Rounds(**rounds)).run())  # type: ignore[arg-type]
            await asyncio.sleep(seconds)
            watching.cancel()
            await asyncio.wait([watching])

    virtually(test)


def test_every_channel_is_tested_every_few_minutes() -> None:
    book = Book(Scripted(), Scripted())
    watch(book, 1000)
    assert (book.verdicts(1), book.verdicts(2)) == (["well"] * 4, ["well"] * 4)


def test_twice_bad_is_dead_and_once_good_is_well() -> None:
    sick, provider = [[BAD], [BAD], [BAD], [WELL], [BAD], [WELL]], Scripted()

    class Sick(Scripted):
        async def check(self, account: object, http: object) -> list[Finding]:
            return sick.pop(0)

    book = Book(Sick(), provider)
    watch(book, 1600)
    assert book.verdicts(1) == ["failing", "dead", "dead", "well", "failing", "well"]
    assert (BAD,) in [told.findings for told in book.told[:2]]
    assert set(book.verdicts(2)) == {"well"}


def test_only_so_many_at_once() -> None:
    provider = Scripted()
    provider.check_seconds = 10
    book = Book(*[provider] * 20)
    watch(book, 31, at_once=8)
    assert (provider.most_at_once, len(book.told)) == (8, 20)


def test_a_test_that_hangs_or_breaks_is_a_finding() -> None:
    hanging, broken = Scripted(), Scripted()
    hanging.check_seconds, broken.broken = 1000, ValueError("bot123:secret")
    book = Book(hanging, broken)
    watch(book, 40)
    words = {told.channel.channel_id.int: told.findings[0].words for told in book.told}
    assert words[1] == "The test gave no result within 30 seconds."
    assert words[2].startswith("The test broke: unexpected ValueError in virtual.py")
    assert "secret" not in words[2]


def test_nothing_that_is_down_ends_it() -> None:
    book = Book(Scripted(), Scripted())
    book.broken = True

    async def test() -> None:
        async with SafeHttp() as http:
            watching = asyncio.create_task(Watchdog(book.every, book.record, http).run())
            await asyncio.sleep(400)
            assert not book.told
            book.broken = False
            await asyncio.sleep(300)
            watching.cancel()
            await asyncio.wait([watching])

    virtually(test)
    assert len(book.told) == 2
