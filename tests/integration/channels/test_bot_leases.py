"""Leases of bots in the real database: one holder each, a fence before the cursor, no channel too many."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from chatbot.channels.accounts import ConnectedChannel
from chatbot.channels.bots import repository
from chatbot.channels.bots.leases import Leases
from chatbot.channels.bots.records import Records
from chatbot.channels.bots.states import BotReport
from chatbot.channels.bots.watchdog import CheckUp
from chatbot.channels.contract import Finding
from chatbot.channels.errors import LeaseLost
from chatbot.channels.events import InboundEvent, Message, Sender
from chatbot.core.clock import utcnow
from chatbot.core.crypto import Vault
from chatbot.core.errors import Unavailable
from chatbot.db.leader import Leader
from chatbot.db.roles import conninfo, owner_url
from tests.integration.channels.conftest import Whole
from tests.statements import sent


class Place:
    """Channels of a platform, and managers beside its own."""

    def __init__(self, whole: Whole) -> None:
        self.whole = whole
        self.database = whole.runtime.database
        self.parts = whole.state.channel_parts

    async def bots(self, count: int) -> list[UUID]:
        made = []
        for number in range(count):
            credentials = {"bot_token": f"{number + 1}:x", "api_url": "http://127.0.0.1:1", "mode": "polling"}
            made.append(UUID((await self.whole.channel("telegram", credentials))["id"]))
        return made

    def leases(self, capacity: int = 100, seconds: float = 30.0) -> Leases:
        return Leases(self.database, self.parts.accounts, capacity=capacity, seconds=seconds)

    def records(self, leases: Leases) -> Records:
        return Records(self.database, self.parts.inbox, leases.owner)

    async def set(self, values: str) -> None:
        async with self.database.tenant(self.whole.tenant.id) as session:
            await session.execute(text(f"UPDATE channel_states SET {values}"))

    async def get(self, what: str) -> list[object]:
        async with self.database.tenant_reader(self.whole.tenant.id) as session:
            return list((await session.execute(text(f"SELECT {what} FROM channel_states ORDER BY id"))).scalars())

    async def count(self, table: str) -> int:
        async with self.database.tenant_reader(self.whole.tenant.id) as session:
            found: int = (await session.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()
            return found


@pytest.fixture
async def place(whole: Whole) -> AsyncIterator[Place]:
    yield Place(whole)
    await Place(whole).set("lease_owner = NULL")
    async with whole.runtime.database.platform() as session:
        await session.execute(text("UPDATE channels SET enabled = false"))


def ids(channels: object) -> set[UUID]:
    assert isinstance(channels, list)
    return {channel.channel_id for channel in channels}


def event(number: int) -> InboundEvent:
    return InboundEvent(str(number), "77", Message(f"number {number}"), sender=Sender("77"), message_id=str(number))


def report(channel: ConnectedChannel, state: str, **more: object) -> BotReport:
    values = {"since": utcnow(), **more}
    return BotReport(channel.tenant_id, channel.channel_id, "telegram", state, **values)  # type: ignore[arg-type]


async def test_each_bot_has_one_manager(place: Place) -> None:
    made = await place.bots(6)
    managers = [place.leases() for _ in range(4)]
    found = [ids(one) for one in await asyncio.gather(*(manager.channels() for manager in managers))]
    assert sorted(one for held in found for one in held) == sorted(made)
    again = [ids(await manager.channels()) for manager in managers]
    assert again == found


async def test_what_is_too_much_is_left_to_the_next(place: Place) -> None:
    made = await place.bots(5)
    first, second = place.leases(capacity=3), place.leases(capacity=3)
    assert len(await first.channels()) == 3
    assert ids(await first.channels()) | ids(await second.channels()) == set(made)
    await first.release()
    assert len(await second.channels()) == 3


async def test_a_lease_that_nobody_renews_is_taken_and_the_loser_writes_nothing(place: Place) -> None:
    await place.bots(1)
    first, second = place.leases(), place.leases()
    (channel,) = await first.channels()
    await place.records(first).take(channel, [event(1)], {"offset": 2})
    assert await second.channels() == []
    await place.set("lease_until = now() - interval '1 second'")
    assert ids(await second.channels()) == {channel.channel_id}
    assert await second.cursor(channel) == {"offset": 2}
    await place.records(second).take(channel, [event(2)], {"offset": 3})
    messages = await place.count("messages")
    with pytest.raises(LeaseLost):
        await place.records(first).take(channel, [event(9)], {"offset": 2})
    with pytest.raises(LeaseLost):
        await first.cursor(channel)
    await place.records(first).reports([report(channel, "dead", errors=5)])
    assert await place.get("cursor") == [{"offset": 3}]
    assert await place.get("state") == ["starting"]
    assert await place.count("messages") == messages
    assert await first.channels() == []


async def test_what_was_lost_is_not_taken_back_before_its_bot_ended(place: Place) -> None:
    await place.bots(1)
    first, second = place.leases(), place.leases()
    (channel,) = await first.channels()
    await place.set("lease_until = now() - interval '1 second'")
    await second.channels()
    await second.release()
    assert await first.channels() == []
    assert ids(await first.channels()) == {channel.channel_id}


async def test_a_lease_is_prolonged_in_time_and_not_each_time(place: Place) -> None:
    await place.bots(1)
    leases = place.leases()
    await leases.channels()
    until = await place.get("lease_until")
    await leases.channels()
    assert await place.get("lease_until") == until
    await place.set("lease_until = now() + interval '19 seconds'")
    assert len(await leases.channels()) == 1
    assert (await place.get("lease_until > now() + interval '25 seconds'")) == [True]


async def test_without_a_database_bots_are_let_go_before_others_may_have_them(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    await place.bots(1)
    leases = place.leases(seconds=60)
    assert len(await leases.channels()) == 1
    now = time.monotonic()

    async def broken(*_: object) -> None:
        raise OSError("no route")

    with monkeypatch.context() as patched:
        patched.setattr(repository, "look", broken)
        with pytest.raises(OSError, match="no route"):
            await leases.channels()
        await leases.check()
        patched.setattr(time, "monotonic", lambda: now + 61)
        assert await leases.channels() == []
        with pytest.raises(Unavailable):
            await leases.check()
    assert len(await leases.channels()) == 1


async def test_a_death_is_told_once_and_a_good_test_revives(place: Place) -> None:
    await place.bots(1)
    leases = place.leases()
    (channel,) = await leases.channels()
    records = place.records(leases)
    died = utcnow()
    dead = report(channel, "dead", since=died, last_error="no token", last_error_at=died, errors=1, rate_limited=2)
    await records.reports([report(channel, "running", alive_at=died), report(channel, "stopped"), dead])
    assert await place.get("state") == ["dead"]
    await records.reports([report(channel, "dead", since=died)])
    assert await place.count("events WHERE name = 'channel.dead'") == 1
    assert [*await place.get("last_error"), *await place.get("errors + rate_limited * 10")] == ["no token", 21]
    await leases.channels()
    assert leases.cleared == frozenset()
    await records.check_up(CheckUp(channel, (Finding("token", True, "fine"),), "well"))
    await records.reports([report(channel, "dead", since=died)])  # the old death, told again
    await leases.channels()
    assert leases.cleared == {channel.channel_id}
    await records.reports([report(channel, "dead", since=utcnow() + timedelta(seconds=1))])
    assert await place.count("events WHERE name = 'channel.dead'") == 2


async def test_a_channel_whose_test_failed_stays_dead_while_its_bot_runs(place: Place) -> None:
    await place.bots(1)
    leases = place.leases()
    (channel,) = await leases.channels()
    records = place.records(leases)
    await records.check_up(CheckUp(channel, (Finding("token", False, "refused"),), "dead"))
    await records.reports([report(channel, "running")])
    assert await place.get("state") == ["dead"]
    await records.check_up(CheckUp(channel, (Finding("token", True, "fine"),), "well"))
    await records.reports([report(channel, "running")])
    assert await place.get("state") == ["running"]


async def test_one_leads_and_another_follows(database_url: str) -> None:
    address = conninfo(owner_url(database_url))
    first, second = Leader(address, 7), Leader(address, 7)
    assert [await first.leads(), await second.leads(), await first.leads()] == [True, False, True]
    await first.resign()
    assert await second.leads()
    assert not await first.leads()
    await second.resign()
    assert not await Leader("host=127.0.0.1 port=1", 7).leads()


async def test_a_channel_that_cannot_be_opened_is_left_out(place: Place) -> None:
    made = await place.bots(2)
    async with place.database.tenant(place.whole.tenant.id) as session:
        await session.execute(
            text("UPDATE channel_secrets SET sealed = 'broken' WHERE channel_id = :id"), {"id": made[0]}
        )
    assert ids(await place.leases().channels()) == {made[1]}


@pytest.fixture
def unsealed(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """The tenants' secrets that were unsealed, one entry a secret."""
    noted: list[UUID] = []
    unseal = Vault.open

    def noting(vault: Vault, tenant_id: UUID, secret_id: UUID, sealed: bytes) -> str:
        noted.append(secret_id)
        return unseal(vault, tenant_id, secret_id, sealed)

    monkeypatch.setattr(Vault, "open", noting)
    return noted


async def _webhook(place: Place) -> UUID:
    """A channel of a type that may be listened to, and is not."""
    credentials = {"bot_token": "99:x", "api_url": "http://127.0.0.1:1", "mode": "webhook"}
    return UUID((await place.whole.channel("telegram", credentials))["id"])


async def test_a_look_opens_what_is_new_and_nothing_that_another_manager_holds(
    place: Place, unsealed: list[UUID]
) -> None:
    await place.bots(3)
    await _webhook(place)
    first, second = place.leases(), place.leases()
    unsealed.clear()
    held = ids(await first.channels())
    assert len(held) == 3
    opened = len(unsealed)
    assert opened >= 4
    with sent() as statements:
        assert ids(await first.channels()) == held
    assert len(unsealed) == opened
    assert statements.saying("sealed") == []
    assert len(statements.saying("FROM channels")) == 1
    unsealed.clear()
    assert await second.channels() == []
    of_webhook = len(unsealed)
    assert 0 < of_webhook < opened  # that one is nobody's: whether it must be listened to, its credentials say
    assert await second.channels() == []
    assert len(unsealed) == of_webhook
    (new,) = await place.bots(1)
    unsealed.clear()
    assert ids(await first.channels()) == {*held, new}
    assert len(unsealed) == of_webhook


async def test_a_look_asks_and_writes_no_more_for_the_bots_of_others(place: Place) -> None:
    counted = []
    for many in (1, 12):
        await place.bots(many)
        await place.leases().channels()  # another manager has them
        mine = place.leases()
        await mine.channels()
        with sent() as statements:
            assert await mine.channels() == []
        counted.append(len(statements.saying("channel_states")))
    assert counted == [1, 1]


async def test_new_credentials_secrets_and_switches_hold_at_the_next_look(place: Place) -> None:
    (made,) = await place.bots(1)
    leases = place.leases()
    (before,) = await leases.channels()
    changes = {"bot_token": "7:new", "api_url": "http://127.0.0.1:1", "mode": "polling"}
    path = f"/admin/channels/{made}"
    await place.whole.ask("PATCH", path, {"credentials": changes})
    (after,) = await leases.channels()
    assert after.account.credentials.bot_token.get_secret_value() == "7:new"
    assert before.account.credentials.bot_token.get_secret_value() == "1:x"
    async with place.database.tenant(place.whole.tenant.id) as session:
        ended = "UPDATE channel_secrets SET expires_at = now() - interval '1 s' WHERE expires_at IS NOT NULL"
        await session.execute(text(ended))
    assert after.older
    (ended_now,) = await leases.channels()
    assert ended_now.older == ()
    await place.whole.ask("PATCH", path, {"credentials": {**changes, "mode": "webhook"}})
    assert await leases.channels() == []
    await place.whole.ask("PATCH", path, {"credentials": changes})
    assert ids(await leases.channels()) == {made}
    await place.whole.ask("PATCH", path, {"enabled": False})
    assert await leases.channels() == []
