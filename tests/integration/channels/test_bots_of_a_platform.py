"""Polling bots through the whole platform: a message in, a reply out; a crash, a revoked token, a second manager."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from chatbot.apps import bot_manager
from chatbot.apps.bot_manager import Keeping, create_bot_manager_app, keeping_bots
from chatbot.apps.serving import bind, serve
from chatbot.channels.bots.leases import Leases
from chatbot.channels.bots.manager import BotManager
from chatbot.channels.bots.states import Pace
from chatbot.channels.bots.watchdog import Rounds
from tests.conftest import bearer
from tests.integration.channels.bot_cloud import BotCloud, bot_cloud
from tests.integration.channels.conftest import Whole

PACE = Pace(first_pause=0.1, refresh=0.1, report=0.2, gather=0.02, begins_per_second=1000)
ROUNDS = Rounds(every=0.2)
QUESTION = "How do I get a refund?"


@pytest.fixture
async def cloud() -> AsyncIterator[BotCloud]:
    async with bot_cloud() as found:
        yield found


def keeping(whole: Whole) -> Any:
    return keeping_bots(whole.state.channel_parts, pace=PACE, rounds=ROUNDS, lease_seconds=30.0)


async def live(whole: Whole, channel: dict[str, Any]) -> dict[str, Any]:
    async with whole.api.get(f"/admin/channels/{channel['id']}", headers=bearer()) as answer:
        found: dict[str, Any] = (await answer.json())["live"]
        return found


async def reaches(whole: Whole, channel: dict[str, Any], state: str) -> dict[str, Any]:
    limit = time.monotonic() + 60
    while (found := await live(whole, channel))["state"] != state:
        assert time.monotonic() < limit, f"never {state}: {found}"
        await asyncio.sleep(0.03)
    return found


async def answered(cloud: BotCloud, number: int, times: int = 1) -> list[dict[str, Any]]:
    sent = cloud.bot(number).sent
    await cloud.changed()
    limit = time.monotonic() + 60
    while len(sent) < times:
        assert time.monotonic() < limit, f"bot {number} sent {len(sent)} of {times}"
        await asyncio.sleep(0.03)
    return sent


async def rows(whole: Whole, query: str) -> list[Any]:
    async with whole.runtime.database.tenant_reader(whole.tenant.id) as session:
        return list((await session.execute(text(query), {"tenant_id": whole.tenant.id})).scalars())


DEATHS = "SELECT payload FROM events WHERE tenant_id = :tenant_id AND name = 'channel.dead'"
CONVERSATIONS = "SELECT id FROM conversations WHERE tenant_id = :tenant_id"


async def test_a_bot_answers_and_a_crash_touches_no_other(whole: Whole, cloud: BotCloud) -> None:
    channels = [await whole.channel("telegram", cloud.credentials(cloud.bot(number))) for number in (101, 102, 103)]
    async with keeping(whole):
        for channel in channels:
            await reaches(whole, channel, "running")
        cloud.bot(102).broken = True
        await cloud.changed()
        for number in (101, 103):
            cloud.bot(number).write(QUESTION)
            assert "14 days" in (await answered(cloud, number))[0]["text"]
        crashed = await reaches(whole, channels[1], "dead")
        assert crashed["errors"] > 0
        cloud.bot(102).broken = False
        await reaches(whole, channels[1], "running")
        cloud.bot(102).write(QUESTION)
        assert "14 days" in (await answered(cloud, 102))[0]["text"]
        assert (await live(whole, channels[0]))["errors"] == 0
    assert (await live(whole, channels[0]))["state"] == "stopped"
    assert {bot.most_pollers for bot in cloud.bots.values()} == {1}


async def test_a_revoked_token_is_told_and_a_new_one_goes_on(whole: Whole, cloud: BotCloud) -> None:
    bot = cloud.bot(111)
    channel = await whole.channel("telegram", cloud.credentials(bot))
    async with keeping(whole):
        bot.write(QUESTION)
        await answered(cloud, 111)
        bot.token = "111:second"
        await cloud.changed()
        dead = await reaches(whole, channel, "dead")
        assert dead["last_error"] == "Telegram does not take the token any more: Unauthorized (401)"
        metrics = await (await whole.gateway.get("/metrics")).text()
        assert 'bots{channel_type="telegram",state="dead"} 1.0' in metrics
        assert [death["channel_id"] for death in await rows(whole, DEATHS)] == [channel["id"]]
        body = {"credentials": cloud.credentials(bot)}
        async with whole.api.post(
            f"/admin/channels/{channel['id']}/rotate_secret", json=body, headers=bearer()
        ) as rotated:
            assert rotated.status == 200, await rotated.text()
        await reaches(whole, channel, "running")
        bot.write("thanks")
        await answered(cloud, 111, 2)
    # Nothing was asked for twice, and the customer is still in the same conversation.
    assert [sent["chat_id"] for sent in bot.sent] == [77, 77]
    assert len(await rows(whole, CONVERSATIONS)) == 1
    assert bot.confirmed == 1002


async def test_two_managers_never_poll_one_bot(whole: Whole, cloud: BotCloud) -> None:
    numbers = range(121, 127)
    channels = [await whole.channel("telegram", cloud.credentials(cloud.bot(number))) for number in numbers]
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(keeping(whole))
        async with keeping(whole):
            for number in numbers:
                cloud.bot(number).write(QUESTION)
            for number in numbers:
                await answered(cloud, number)
            await stack.aclose()  # the first lets go of what it has
            for number in numbers:
                cloud.bot(number).write("thanks")
            for number in numbers:
                await answered(cloud, number, 2)
            for channel in channels:
                await reaches(whole, channel, "running")
    assert {cloud.bot(number).most_pollers for number in numbers} == {1}
    assert {len(cloud.bot(number).sent) for number in numbers} == {2}


async def test_a_manager_that_dies_takes_its_process_with_it(
    whole: Whole, cloud: BotCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = cloud.bot(129)
    await whole.channel("telegram", cloud.credentials(bot))

    async def dies(_manager: BotManager) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(BotManager, "_refresh", dies)
        with pytest.raises(MemoryError):
            async with keeping(whole):
                await asyncio.Event().wait()  # as a process does, until it is told to stop
    async with keeping(whole):
        bot.write(QUESTION)
        await answered(cloud, 129)


async def test_bots_of_a_killed_manager_move(whole: Whole, cloud: BotCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    bot = cloud.bot(131)
    await whole.channel("telegram", cloud.credentials(bot))

    async def killed(*_: object) -> None:
        """A killed process lets go of nothing."""

    with monkeypatch.context() as patched:
        patched.setattr(bot_manager, "_release", killed)
        async with keeping(whole):
            bot.write(QUESTION)
            await answered(cloud, 131)
    async with keeping(whole) as second:
        bot.write("thanks")
        await asyncio.sleep(1)
        assert await second.leases.channels() == []
        assert len(bot.sent) == 1, "not before the lease ended"
        async with whole.runtime.database.tenant(whole.tenant.id) as session:
            await session.execute(text("UPDATE channel_states SET lease_until = now() - interval '1 second'"))
        await answered(cloud, 131, 2)
    assert [sent["chat_id"] for sent in bot.sent] == [77, 77]


async def test_a_channel_is_switched_off_and_on(whole: Whole, cloud: BotCloud) -> None:
    bot = cloud.bot(141)
    channel = await whole.channel("telegram", cloud.credentials(bot))
    path = f"/admin/channels/{channel['id']}"
    async with keeping(whole):
        await reaches(whole, channel, "running")
        async with whole.api.patch(path, json={"enabled": False}, headers=bearer()) as answer:
            assert answer.status == 200
        await reaches(whole, channel, "stopped")
        bot.write(QUESTION)
        async with whole.api.patch(path, json={"enabled": True}, headers=bearer()) as answer:
            assert answer.status == 200
        await reaches(whole, channel, "running")
        assert "14 days" in (await answered(cloud, 141))[0]["text"]


async def test_a_webhook_channel_is_tested_too(whole: Whole, cloud: BotCloud) -> None:
    bot = cloud.bot(151)
    channel = await whole.channel("telegram", cloud.credentials(bot, "webhook"))
    async with whole.api.post(f"/admin/channels/{channel['id']}/register", headers=bearer()) as answer:
        assert answer.status == 204
    async with keeping(whole):
        bot.token = "151:revoked"
        dead = await reaches(whole, channel, "dead")
        assert dead["findings"][0]["words"] == "Telegram refuses the token: Unauthorized (401)"
        bot.token = "151:first"
        await reaches(whole, channel, "idle")
    deaths = await rows(whole, DEATHS)
    assert [(death["channel_id"], death["channel_type"]) for death in deaths] == [(channel["id"], "telegram")]


async def test_bots_that_nobody_holds_are_named_by_the_process_that_runs_everything(
    whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with keeping(whole) as kept:
        whole.orchestrator.health.add_partial("bot_manager", kept.check)
        await _health(whole, 200, "ok")

        async def broken(_self: Leases) -> None:
            raise OSError("no route")

        monkeypatch.setattr(Leases, "channels", broken)
        while True:  # a look that was under way renews them once more
            kept.leases._sure_at = time.monotonic() - 3600
            async with whole.api.get("/health") as answer:
                told = (await answer.json())["dependencies"]["bot_manager"]
            if answer.status == 503:
                break
            await asyncio.sleep(0.1)
        assert told.startswith("the leases of bots were not renewed")
        async with whole.api.get("/health/ready") as answer:
            assert answer.status == 200, "people are answered all the same"


async def _health(whole: Whole, status: int, words: str) -> None:
    async with asyncio.timeout(30):
        while True:
            async with whole.api.get("/health") as answer:
                if answer.status == status:  # a report is up to a second old
                    assert (await answer.json())["dependencies"]["bot_manager"] == words
                    return
            await asyncio.sleep(0.1)


async def test_the_manager_tells_its_health(whole: Whole, cloud: BotCloud) -> None:
    channel = await whole.channel("telegram", cloud.credentials(cloud.bot(161)))
    listener = bind("127.0.0.1", 0, variable="BOT_MANAGER_METRICS_PORT")
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    kept: Keeping
    async with keeping(whole) as kept:
        app = create_bot_manager_app(whole.runtime.database, kept.leases)
        async with serve(app, listener):
            await reaches(whole, channel, "running")
            async with whole.api.get(f"{url}/health") as answer:
                assert answer.status == 200
                assert (await answer.json())["dependencies"] == {"database": "ok", "leases": "ok"}
            async with whole.api.get(f"{url}/metrics") as answer:
                assert 'bots{channel_type="telegram",state="running"} 1.0' in await answer.text()
    assert UUID(channel["id"])
