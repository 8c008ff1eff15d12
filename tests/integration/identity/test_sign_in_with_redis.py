"""Guesses counted by all processes together, and sign-in while Redis is gone."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from chatbot.apps.orchestrator import create_app
from chatbot.apps.runtime import open_runtime
from chatbot.core.ids import new_id
from chatbot.core.settings import Settings
from chatbot.db.models import User
from chatbot.db.sessions import Database
from chatbot.identity.passwords import Passwords
from chatbot.identity.sign_in import guesses
from tests.conftest import TEST_KEYS
from tests.redis_server import RedisServer

PASSWORD = "correct horse battery staple"


@pytest.fixture
async def email(database: Database) -> str:
    """The address of somebody who has a password."""
    user_id = new_id()
    address = f"sara-{user_id.hex}@example.com"
    stored = await Passwords().hash(PASSWORD)
    async with database.platform() as session:
        session.add(User(id=user_id, email=address, name="Sara", password_hash=stored))
    return address


@pytest.fixture
async def processes(
    settings: Settings, redis: RedisServer, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """Clients of two orchestrators that share a Redis. A guess is forgotten after hours: not while others are made."""
    monkeypatch.setattr(guesses, "_ACCOUNT", replace(guesses._ACCOUNT, seconds=36_000.0))
    known = settings.model_copy(update={"redis_url": SecretStr(redis.url)})
    async with AsyncExitStack() as stack:
        clients = []
        for _ in range(2):
            runtime = await stack.enter_async_context(open_runtime(known, database_url, TEST_KEYS))
            transport = httpx.ASGITransport(create_app(runtime), raise_app_exceptions=False)
            clients.append(
                await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://xin.test"))
            )
        yield clients[0], clients[1]


async def _sign_in(client: httpx.AsyncClient, email: str, password: str = PASSWORD) -> httpx.Response:
    return await client.post("/auth/login", json={"email": email, "password": password})


async def test_guesses_are_counted_together(
    processes: tuple[httpx.AsyncClient, httpx.AsyncClient], email: str, redis: RedisServer
) -> None:
    here, there = processes
    guesses = [await _sign_in((here, there)[n % 2], email, f"guess {n}") for n in range(6)]
    assert [answer.status_code for answer in guesses] == [401] * 5 + [429]
    assert int(guesses[-1].headers["retry-after"]) > 0
    assert (await _sign_in(there, email)).status_code == 429
    assert "sara" not in str(redis.run("KEYS", "*"))


async def test_a_right_password_clears_the_count_everywhere(
    processes: tuple[httpx.AsyncClient, httpx.AsyncClient], email: str
) -> None:
    here, there = processes
    for number in range(2):
        guesses = [await _sign_in(here, email, f"guess {n}") for n in range(2 + number)]
        assert {answer.status_code for answer in guesses} == {401}
        assert (await _sign_in(here, email)).status_code == 200
    assert (await _sign_in(there, email, "wrong")).status_code == 401


async def test_sign_in_is_closed_while_redis_is_gone_and_open_again_with_it(
    processes: tuple[httpx.AsyncClient, httpx.AsyncClient], email: str, redis: RedisServer
) -> None:
    here, _ = processes
    token = (await _sign_in(here, email)).json()["refresh_token"]
    redis.stop()
    refused = [await _sign_in(here, email, password) for password in (PASSWORD, "wrong", *["x"] * 10)]
    assert {answer.status_code for answer in refused} == {503}
    assert 1 <= int(refused[0].headers["retry-after"]) <= 10
    assert {answer.json()["code"] for answer in refused} == {"unavailable"}
    assert (await _sign_in(here, "nobody@example.com")).status_code == 503
    refreshed = await here.post("/auth/refresh", json={"refresh_token": token})
    assert refreshed.status_code == 200, "whoever is signed in stays so"
    me = await here.get("/auth/me", headers=_bearer(refreshed.json()))
    assert me.status_code == 200
    redis.start()
    assert (await _sign_in(here, email)).status_code == 200, "what was refused for Redis's sake was not counted"


async def test_a_flush_does_not_give_guesses_back(
    processes: tuple[httpx.AsyncClient, httpx.AsyncClient], email: str, redis: RedisServer
) -> None:
    here, _ = processes
    for number in range(5):
        await _sign_in(here, email, f"guess {number}")
    redis.run("FLUSHALL")
    assert (await _sign_in(here, email)).status_code == 429


def _bearer(signed_in: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {signed_in['access_token']}"}
