"""Three hundred bots in one process, polling a Bot API on this machine over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import psutil
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from chatbot.channels.accounts import ConnectedChannel
from chatbot.channels.bots.watchdog import CheckUp, Watchdog
from chatbot.channels.contract import Account
from chatbot.channels.events import Message
from chatbot.channels.providers.telegram import TELEGRAM
from chatbot.channels.providers.telegram.credentials import TelegramCredentials
from chatbot.core.safe_http import OutgoingLimits, SafeHttp
from tests.unit.channels.bots.virtual import Fleet, connected

BOTS = 300
CRASHES, REVOKED, STOLEN, LIMITED = 7, 8, 9, 10
MEGABYTE = 1_000_000


class Cloud:
    """A Bot API that holds polls open, and in which some bots are unwell."""

    def __init__(self) -> None:
        self.updates: dict[int, list[dict[str, Any]]] = {}
        self.polling: set[int] = set()
        self.polls: list[tuple[int, int]] = []
        self.secret = "old"
        self.url = ""
        self._news = asyncio.Condition()

    async def write(self, bot: int, number: int) -> None:
        """Let a customer write to a bot."""
        chat = {"id": 900_077, "type": "private"}
        message = {"message_id": number, "chat": chat, "from": {"id": 900_077}, "text": f"to {bot}", "date": 1}
        async with self._news:
            self.updates.setdefault(bot, []).append({"update_id": number, "message": message})
            self._news.notify_all()

    async def serve(self, request: web.Request) -> web.Response:
        number, _, secret = request.match_info["token"].partition(":")
        bot, method, body = int(number), request.match_info["method"], await request.json()
        if secret != self.secret or bot == REVOKED:
            return _refused(401, "Unauthorized")
        if method != "getUpdates":
            url = "https://other.example/hook" if bot == STOLEN else ""
            return web.json_response({"ok": True, "result": {"url": url, "username": f"bot{bot}"}})
        self.polls.append((bot, body.get("offset", 0)))
        if bot == CRASHES:
            return _refused(502, "Bad Gateway")
        if bot == STOLEN:
            return _refused(409, "Conflict: can't use getUpdates method while webhook is active")
        if bot == LIMITED and len([one for one, _ in self.polls if one == LIMITED]) == 1:
            return _refused(429, "Too Many Requests", retry_after=0.05)
        return web.json_response({"ok": True, "result": await self._wait(bot, body.get("offset", 0))})

    async def _wait(self, bot: int, offset: int) -> list[dict[str, Any]]:
        def waiting() -> list[dict[str, Any]]:
            return [update for update in self.updates.get(bot, []) if update["update_id"] >= offset]

        self.polling.add(bot)
        async with self._news:
            await self._news.wait_for(waiting)
        return waiting()


def _refused(code: int, description: str, **parameters: Any) -> web.Response:
    body = {"ok": False, "error_code": code, "description": description, "parameters": parameters}
    return web.json_response(body, status=code)


@pytest.fixture
async def cloud() -> AsyncIterator[Cloud]:
    found = Cloud()
    app = web.Application()
    app.router.add_post("/bot{token}/{method}", found.serve)
    async with TestServer(app) as server:
        found.url = f"http://127.0.0.1:{server.port}"
        yield found


def channel(cloud: Cloud, number: int, secret: str = "old") -> ConnectedChannel:
    token = SecretStr(f"{number}:{secret}")
    credentials = TelegramCredentials(bot_token=token, api_url=cloud.url, mode="polling")
    return connected(number, TELEGRAM, Account(UUID(int=1), UUID(int=number), "", credentials, "https://a.example/w"))


@asynccontextmanager
async def managed(fleet: Fleet) -> AsyncIterator[SafeHttp]:
    limits = OutgoingLimits(connections=BOTS + 50, per_host=BOTS + 50)
    async with SafeHttp(allow_private_hosts=frozenset({"127.0.0.1"}), limits=limits) as http:
        running = asyncio.create_task(fleet.manager(http).run())
        try:
            yield http
        finally:
            running.cancel()
            await asyncio.wait([running])


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not done():  # noqa: ASYNC110 - many things are waited for, in other tasks and in the server
            await asyncio.sleep(0.02)


async def test_three_hundred_bots_in_one_process(cloud: Cloud) -> None:
    fleet = Fleet(
        *(channel(cloud, number) for number in range(1, BOTS + 1)), begins_per_second=400, report=0.5, gather=0.05
    )
    well = set(range(1, BOTS + 1)) - {CRASHES, REVOKED, STOLEN}
    before = psutil.Process().memory_info().rss
    async with managed(fleet):
        await until(lambda: cloud.polling == well)
        each = (psutil.Process().memory_info().rss - before) / BOTS
        for bot in range(1, BOTS + 1):
            await cloud.write(bot, 1000 + bot)
        await until(lambda: len(fleet.events) >= len(well))
        # The poll after the first confirms what was stored.
        await until(lambda: {(bot, 1001 + bot) for bot in well} <= set(cloud.polls))
        await until(lambda: all(fleet.history(bot) and fleet.last(bot).state == "running" for bot in well))
        states = {bot: fleet.last(bot).state for bot in (CRASHES, REVOKED, STOLEN)}
    # Both ends of every connection are in this process.
    assert each < MEGABYTE, f"{each:,.0f} bytes a bot"
    said = {event.content.text for event in fleet.events if isinstance(event.content, Message)}
    assert said == {f"to {bot}" for bot in well}
    assert len(fleet.events) == len(well)
    assert states[REVOKED] == states[STOLEN] == "dead"
    assert states[CRASHES] in ("backing_off", "starting")
    assert "Bad Gateway" in str(fleet.last(CRASHES).last_error)
    assert "webhook of another system" in str(fleet.last(STOLEN).last_error)
    assert sum(report.rate_limited for report in fleet.history(LIMITED)) == 1
    assert {fleet.last(bot).state for bot in range(1, BOTS + 1)} == {"stopped"}
    assert sum(report.errors for bot in well for report in fleet.history(bot)) == 0


async def test_a_new_token_goes_on_where_the_old_one_was(cloud: Cloud) -> None:
    fleet = Fleet(channel(cloud, 1), refresh=0.05, report=0.2, gather=0.01)
    async with managed(fleet):
        await cloud.write(1, 5)
        await until(lambda: (1, 6) in cloud.polls)
        cloud.secret, cloud.polls = "new", []
        fleet.channels = [channel(cloud, 1, "new")]
        await until(lambda: (1, 6) in cloud.polls)
        await cloud.write(1, 6)
        await until(lambda: len(fleet.events) == 2)
    assert [event.id for event in fleet.events] == ["5", "6"]


async def test_the_watchdog_finds_the_dead_before_anybody_writes(cloud: Cloud) -> None:
    fleet = Fleet(*(channel(cloud, number) for number in range(1, 31)))
    told: dict[int, CheckUp] = {}

    async def every() -> list[ConnectedChannel]:
        return fleet.channels

    async def record(check_up: CheckUp) -> None:
        told[check_up.channel.channel_id.int] = check_up

    async with SafeHttp(allow_private_hosts=frozenset({"127.0.0.1"})) as http:
        watchdog = Watchdog(every, record, http)
        await watchdog.go_round()
        assert told[REVOKED].verdict == "failing"
        await watchdog.go_round()
        cloud.secret = "changed"
        await watchdog.go_round()
    assert told[REVOKED].verdict == "dead"
    assert told[1].verdict == "failing"
    assert told[1].findings[0].words == "Telegram refuses the token: Unauthorized (401)"
