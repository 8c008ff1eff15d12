"""Supervision of bots on a virtual clock: crashes, pauses, states, rotation, silence, reports."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from chatbot.channels.bots.manager import BotManager
from chatbot.channels.contract import Account, Link
from chatbot.channels.errors import ProviderRefused
from chatbot.channels.events import Followed, InboundEvent
from chatbot.core.clock import utcnow
from chatbot.core.safe_http import OutgoingFailed
from tests.unit.channels.bots.virtual import Fleet, NoCredentials, Scripted, connected, manage, virtually

Bot = Account[NoCredentials]


async def sound(account: Bot, cursor: Mapping[str, Any], link: Link) -> None:
    """Is answered every minute."""
    while True:
        link.alive()
        await asyncio.sleep(60)


def now() -> float:
    return asyncio.get_running_loop().time()


def test_a_crash_pauses_longer_each_time_and_never_ends_it() -> None:
    begun: list[float] = []

    async def crash(account: Bot, cursor: Mapping[str, Any], link: Link) -> None:
        begun.append(now())
        raise OutgoingFailed("The host could not be reached.")

    fleet = Fleet(connected(1, Scripted(crash)))
    virtually(lambda: manage(fleet, 2000))
    pauses = [round(later - earlier, 3) for earlier, later in pairwise(begun)]
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300]
    assert (
        fleet.states()[:4] == ["starting", "backing_off", "starting", "backing_off"] or "backing_off" in fleet.states()
    )
    assert fleet.last().last_error == "The host could not be reached."
    assert sum(report.errors for report in fleet.history()) == len(begun)
    assert sum(report.restarts for report in fleet.history()) == len(begun) - 1


def test_a_stable_bot_begins_again_with_the_first_pause() -> None:
    begun: list[float] = []

    async def crash(account: Bot, cursor: Mapping[str, Any], link: Link) -> None:
        begun.append(now())
        if len(begun) == 5:
            link.alive()
            await asyncio.sleep(301)
        raise RuntimeError

    virtually(lambda: manage(Fleet(connected(1, Scripted(crash))), 400))
    pauses = [round(later - earlier, 3) for earlier, later in pairwise(begun)]
    assert pauses[:7] == [1, 2, 4, 8, 302, 2, 4]


def test_one_that_crashes_touches_no_other() -> None:
    async def crash(account: Bot, cursor: Mapping[str, Any], link: Link) -> None:
        raise MemoryError

    fleet = Fleet(connected(1, Scripted(crash)), *(connected(number, Scripted(sound)) for number in range(2, 30)))
    virtually(lambda: manage(fleet, 600))
    assert fleet.states(1)[-2:] == ["backing_off", "stopped"]
    for number in range(2, 30):
        assert fleet.states(number)[-2:] == ["running", "stopped"]
        assert sum(report.restarts + report.errors for report in fleet.history(number)) == 0


def test_words_of_strange_errors_hold_no_text_of_theirs() -> None:
    async def crash(account: Bot, cursor: Mapping[str, Any], link: Link) -> None:
        raise ValueError("https://a.example/bot123:secret")

    fleet = Fleet(connected(1, Scripted(crash)))
    virtually(lambda: manage(fleet, 1))
    assert fleet.last().last_error
    assert fleet.last().last_error.startswith("unexpected ValueError in test_manager.py:")


def test_a_refused_bot_is_dead_until_it_is_revived() -> None:
    begun: list[float] = []

    async def refuse_once(account: Bot, cursor: Mapping[str, Any], link: Link) -> None:
        begun.append(now())
        if len(begun) == 1:
            raise ProviderRefused("The token was revoked.")
        await sound(account, cursor, link)

    fleet = Fleet(connected(1, Scripted(refuse_once)))

    def revive(manager: BotManager) -> None:
        assert [report.state for report in manager.reports()] == ["dead"]
        manager.revive(UUID(int=1))
        manager.revive(UUID(int=2))

    virtually(lambda: manage(fleet, 4000, then=revive, more=20))
    assert [round(at) for at in begun] == [0, 4000]
    assert fleet.states() == ["dead", "running", "stopped"]
    assert fleet.last().last_error == "The token was revoked."


def renamed(provider: Any, name: str) -> Any:
    channel = connected(1, provider)
    return replace(channel, account=replace(channel.account, credentials=NoCredentials(name=name)))


def test_new_credentials_begin_the_bot_anew_with_its_cursor() -> None:
    begun: list[tuple[str, Mapping[str, Any]]] = []

    async def listen(account: Bot, cursor: Mapping[str, Any], link: Link) -> None:
        begun.append((account.credentials.name, cursor))
        await link.take([InboundEvent("1", "t", Followed())], {"offset": 8})
        await sound(account, cursor, link)

    provider = Scripted(listen)
    fleet = Fleet(connected(1, provider))

    def rotate(_: BotManager) -> None:
        fleet.channels = [renamed(provider, "new token")]

    virtually(lambda: manage(fleet, 100, then=rotate, more=20))
    assert begun == [("bot", {}), ("new token", {"offset": 8})]
    assert sum(report.restarts for report in fleet.history()) == 1
    assert "stopped" not in fleet.states()[:-1]


def test_a_dead_bot_with_new_credentials_lives() -> None:
    async def listen(account: Bot, cursor: Mapping[str, Any], link: Link) -> None:
        if account.credentials.name == "bot":
            raise ProviderRefused("no")
        await sound(account, cursor, link)

    provider = Scripted(listen)
    fleet = Fleet(connected(1, provider))

    def rotate(_: BotManager) -> None:
        fleet.channels = [renamed(provider, "new token")]

    virtually(lambda: manage(fleet, 100, then=rotate, more=20))
    assert fleet.states() == ["dead", "running", "stopped"]


def test_a_removed_bot_is_stopped_and_a_new_one_begun() -> None:
    fleet = Fleet(connected(1, Scripted(sound)))

    def swap(_: BotManager) -> None:
        fleet.channels = [connected(2, Scripted(sound))]

    virtually(lambda: manage(fleet, 50, then=swap, more=10))
    assert fleet.states(1) == ["running", "stopped"]
    assert fleet.states(2) == ["running", "stopped"]


def test_hundreds_begin_one_after_another_also_after_a_crash_of_all() -> None:
    begun: list[float] = []

    async def down_once(account: Bot, cursor: Mapping[str, Any], link: Link) -> None:
        begun.append(now())
        link.alive()
        if now() < 100:
            await asyncio.sleep(100 - now())
            raise OutgoingFailed("down")
        await sound(account, cursor, link)

    fleet = Fleet(*(connected(number, Scripted(down_once)) for number in range(1, 301)))
    virtually(lambda: manage(fleet, 130))
    assert len(begun) == 600
    for times, first in ((begun[:300], 0), (begun[300:], 101)):
        assert [round(at - first, 2) for at in times] == [round(place / 20, 2) for place in range(300)]


def test_silence_is_a_crash_but_not_a_pause_that_the_provider_asked_for() -> None:
    begun: list[float] = []

    async def hang(account: Bot, cursor: Mapping[str, Any], link: Link) -> None:
        begun.append(now())
        link.alive()
        if len(begun) == 2:
            link.limited(1000)
        await asyncio.Event().wait()

    fleet = Fleet(connected(1, Scripted(hang)), silence=100)
    virtually(lambda: manage(fleet, 1300))
    assert [round(at) for at in begun] == [0, 101, 1202]
    assert fleet.last().last_error == "The provider said nothing for 100 seconds."
    assert sum(report.rate_limited for report in fleet.history()) == 1


def test_a_listener_that_just_returns_or_cannot_listen() -> None:
    async def leave(account: Bot, cursor: Mapping[str, Any], link: Link) -> None:
        link.alive()

    class Deaf(Scripted):
        listen = None  # type: ignore[assignment]

    fleet = Fleet(connected(1, Scripted(leave)), connected(2, Deaf()))
    virtually(lambda: manage(fleet, 10))
    assert fleet.last(1).last_error == "the listener ended by itself"
    assert fleet.states(2)[0] == "dead"


def test_what_cannot_be_stored_is_a_crash() -> None:
    async def listen(account: Bot, cursor: Mapping[str, Any], link: Link) -> None:
        await link.take([InboundEvent("1", "t", Followed())], {"offset": 1})
        await sound(account, cursor, link)

    fleet = Fleet(connected(1, Scripted(listen)))
    fleet.broken = {"take"}

    def mend(_: BotManager) -> None:
        fleet.broken = set()

    virtually(lambda: manage(fleet, 3, then=mend, more=30))
    assert [event.id for event in fleet.events] == ["1"]
    assert fleet.states()[-2:] == ["running", "stopped"]
    assert "secret" not in str(fleet.records)


@pytest.mark.parametrize("part", ["accounts", "record", "cursor"])
def test_a_part_that_is_down_stops_no_bot(part: str) -> None:
    begun: list[float] = []

    async def listen(account: Bot, cursor: Mapping[str, Any], link: Link) -> None:
        begun.append(now())
        await sound(account, cursor, link)

    fleet = Fleet(connected(1, Scripted(listen)))

    def break_down(_: BotManager) -> None:
        fleet.broken = {part}

    virtually(lambda: manage(fleet, 100, then=break_down, more=100))
    assert len(begun) == 1


def test_counts_that_could_not_be_recorded_are_told_later() -> None:
    async def listen(account: Bot, cursor: Mapping[str, Any], link: Link) -> None:
        link.alive()
        link.limited(1)
        await sound(account, cursor, link)

    fleet = Fleet(connected(1, Scripted(listen)))
    fleet.broken = {"record"}

    def mend(_: BotManager) -> None:
        fleet.broken = set()

    virtually(lambda: manage(fleet, 40, then=mend, more=40))
    assert [report.rate_limited for report in fleet.history()] == [1, *[0] * (len(fleet.history()) - 1)]


def test_what_a_report_tells() -> None:
    at = utcnow() - timedelta(seconds=30)

    async def listen(account: Bot, cursor: Mapping[str, Any], link: Link) -> None:
        await link.take([InboundEvent("1", "t", Followed(), at=at), InboundEvent("2", "t", Followed())], {"offset": 2})
        await asyncio.sleep(10)
        raise OutgoingFailed("Bad Gateway")

    fleet = Fleet(connected(1, Scripted(listen)))
    virtually(lambda: manage(fleet, 10.8))
    report = fleet.history()[-2]
    assert (report.state, report.retry_seconds, report.channel_type) == ("backing_off", 1, "scripted")
    assert report.lag_seconds == pytest.approx(30, abs=5)
    assert report.update_at
    assert report.alive_at
    assert report.last_error_at
    assert fleet.last().state == "stopped"


def test_a_quiet_fleet_is_reported_now_and_then_only() -> None:
    fleet = Fleet(*(connected(number, Scripted(sound)) for number in range(1, 41)))
    virtually(lambda: manage(fleet, 300))
    assert 20 <= len(fleet.history(7)) <= 26
    assert len(fleet.records) < 40
