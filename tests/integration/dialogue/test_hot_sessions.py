"""Sessions in a real Redis: what operators find there, and that nothing depends on it."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import orjson
import pytest
from pydantic import SecretStr

from chatbot.apps.orchestrator import orchestrating
from chatbot.apps.runtime import Runtime, open_runtime
from chatbot.apps.serving import bind, serve
from chatbot.core.ids import new_id
from chatbot.core.redis_link import RedisLink
from chatbot.core.settings import Settings
from chatbot.dialogue import hot_sessions
from chatbot.dialogue.hot_sessions import HotSession, HotSessions, open_hot_sessions
from chatbot.identity.tokens import issue_embed_token
from tests.conftest import GATEWAY_TOKEN, TEST_KEYS, TenantRows
from tests.integration.dialogue.platform import DOCUMENTS, add_knowledge
from tests.redis_server import RedisServer

REFUND = "How do I get a refund?"


@pytest.fixture
def settings(settings: Settings, redis: RedisServer) -> Settings:
    return settings.model_copy(update={"redis_url": SecretStr(redis.url), "embedder": "none"})


@pytest.fixture
async def link(redis: RedisServer) -> AsyncIterator[RedisLink]:
    opened = RedisLink(redis.url)
    yield opened
    await opened.close()


@pytest.fixture
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hot_sessions, "_AGAIN_SECONDS", 0.05)


def _headers(tenant: TenantRows) -> dict[str, str]:
    return {"Authorization": f"Bearer {GATEWAY_TOKEN}", "X-Tenant-Id": str(tenant.id)}


async def _say(api: aiohttp.ClientSession, tenant: TenantRows, session: str, message: str = REFUND) -> dict[str, Any]:
    body = {"sessionId": session, "message": message}
    async with api.post("/api/chat", json=body, headers=_headers(tenant)) as answer:
        assert answer.status == 200, await answer.text()
        read: dict[str, Any] = await answer.json()
        return read


async def _found(redis: RedisServer, key: str, **fields: Any) -> dict[str, Any]:
    """What stands under a key, once it has these fields."""
    until = time.monotonic() + 60
    while True:
        text = redis.run("GET", key)
        read: dict[str, Any] = orjson.loads(text) if text else {}
        if read and fields.items() <= read.items():
            return read
        assert time.monotonic() < until, (key, read, redis.run("KEYS", "*"))
        await asyncio.sleep(0.02)


async def _messages(api: aiohttp.ClientSession, tenant: TenantRows, conversation_id: str) -> list[dict[str, Any]]:
    path = f"/v1/conversations/{conversation_id}/messages"
    async with api.get(path, headers=_headers(tenant)) as answer:
        assert answer.status == 200, await answer.text()
        items: list[dict[str, Any]] = (await answer.json())["items"]
        return items


async def test_operators_find_a_session_by_the_name_that_its_client_gave(
    api: aiohttp.ClientSession, tenant: TenantRows, redis: RedisServer
) -> None:
    await _say(api, tenant, "web-1")
    await _say(api, tenant, "web-1", "¿Cuál es el plazo de devolución?")
    kept = await _found(redis, "session:web-1", last_seq=4)
    assert set(kept) == {
        "tenant_id", "channel_id", "conversation_id", "session_id", "state", "last_seq", "language", "updated_at",
    }  # fmt: skip
    assert (kept["tenant_id"], kept["channel_id"]) == (str(tenant.id), str(tenant.channel_id))
    assert (kept["state"], kept["language"], kept["session_id"]) == ("bot", "es", "web-1")
    beside = await _found(redis, f"conversation:{kept['conversation_id']}", last_seq=4)
    assert beside | {"updated_at": ""} == kept | {"updated_at": ""}
    assert redis.run("KEYS", "session:*") == ["session:web-1"]
    assert 47 * 3600 < redis.run("TTL", "session:web-1") <= 48 * 3600
    assert len(await _messages(api, tenant, kept["conversation_id"])) == 4
    assert "refund" not in str([redis.run("GET", key) for key in redis.run("KEYS", "[sc]*")])


async def test_tenants_that_name_a_session_alike_are_told_apart(
    api: aiohttp.ClientSession, tenant: TenantRows, other_tenant: TenantRows, redis: RedisServer
) -> None:
    await _say(api, tenant, "same")
    first = await _found(redis, "session:same", tenant_id=str(tenant.id), last_seq=2)
    await _say(api, other_tenant, "same")
    second = await _found(redis, "session:same", tenant_id=str(other_tenant.id), last_seq=2)
    assert second["conversation_id"] != first["conversation_id"]
    assert second["others"] == [{"tenant_id": str(tenant.id), "conversation_id": first["conversation_id"]}]
    beside = await _found(redis, f"conversation:{first['conversation_id']}", tenant_id=str(tenant.id))
    assert "others" not in beside
    await _say(api, tenant, "same")
    again = await _found(redis, "session:same", tenant_id=str(tenant.id), last_seq=4)
    assert [other["tenant_id"] for other in again["others"]] == [str(other_tenant.id)]


async def test_a_visitors_session_goes_by_its_name_too(
    api: aiohttp.ClientSession, tenant: TenantRows, redis: RedisServer
) -> None:
    token, _ = issue_embed_token(
        TEST_KEYS, tenant_id=tenant.id, brand_id=tenant.brand_id, visitor={"id": "ann", "name": "Ann Lee"}, origin=None
    )
    headers = {"Authorization": f"Bearer {token}"}
    async with api.post("/api/chat", json={"sessionId": "own", "message": REFUND}, headers=headers) as answer:
        assert answer.status == 200
    kept = await _found(redis, "session:own", last_seq=2)
    assert "Ann" not in str(kept)
    async with api.post("/v1/chat", json={"message": REFUND}, headers=headers) as answer:
        conversation_id = (await answer.json())["conversation_id"]
    unnamed = await _found(redis, f"session:{conversation_id}", last_seq=2)
    assert "session_id" not in unnamed
    assert len(redis.run("KEYS", "session:*")) == 2


async def test_a_flush_in_the_middle_loses_nothing(
    api: aiohttp.ClientSession, runtime: Runtime, tenant: TenantRows, redis: RedisServer
) -> None:
    await add_knowledge(runtime.database, tenant, DOCUMENTS)
    await _say(api, tenant, "s")
    before = await _found(redis, "session:s", last_seq=2)
    redis.run("FLUSHALL")
    assert "20 €" in (await _say(api, tenant, "s", "What does the Pro plan cost per month?"))["reply"]
    after = await _found(redis, "session:s", last_seq=4)
    assert after["conversation_id"] == before["conversation_id"]
    said = await _messages(api, tenant, after["conversation_id"])
    assert [message["seq"] for message in said] == [1, 2, 3, 4]


@pytest.mark.usefixtures("_soon")
async def test_chat_works_without_redis_and_it_comes_back_by_itself(
    api: aiohttp.ClientSession, tenant: TenantRows, redis: RedisServer
) -> None:
    redis.stop()
    message = {"message": REFUND, "client_message_id": "once"}
    answers = []
    for _ in range(3):
        async with api.post("/v1/chat", json=message, headers=_headers(tenant)) as answer:
            assert answer.status == 200
            answers.append(await answer.json())
    assert len({answer["message_id"] for answer in answers}) == 1, "the rows tell a repeat, not Redis"
    await _say(api, tenant, "meanwhile")
    async with api.get("/health") as answer:
        health = await answer.json()
        assert (answer.status, health["status"]) == (200, "ok")
        assert health["dependencies"]["redis"] == "Redis does not answer"
    redis.start()
    assert (await _found(redis, "session:meanwhile", last_seq=2))["tenant_id"] == str(tenant.id)
    assert await _found(redis, f"session:{answers[0]['conversation_id']}", last_seq=2)
    assert len(await _messages(api, tenant, answers[0]["conversation_id"])) == 2


async def test_health_shows_redis(api: aiohttp.ClientSession) -> None:
    async with api.get("/health") as answer:
        assert (await answer.json())["dependencies"] == {"database": "ok", "storage": "ok", "redis": "ok"}


async def test_a_conversation_goes_on_after_its_process_is_replaced(
    database_url: str, settings: Settings, tenant: TenantRows, redis: RedisServer
) -> None:
    kept = []
    for seq in (2, 4, 6):
        listener = bind("127.0.0.1", 0, variable="ORCHESTRATOR_PORT")
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with (
            open_runtime(settings, database_url, TEST_KEYS) as runtime,
            orchestrating(runtime) as app,
            serve(app, listener),
            aiohttp.ClientSession(url) as client,
        ):
            await _say(client, tenant, "long")
            kept.append(await _found(redis, "session:long", last_seq=seq))
            assert len(await _messages(client, tenant, kept[0]["conversation_id"])) == seq
        if seq == 4:
            redis.run("FLUSHALL")
    assert len({one["conversation_id"] for one in kept}) == 1


def _hot(session_id: str | None = None, last_seq: int = 1) -> HotSession:
    return HotSession(new_id(), new_id(), new_id(), "bot", last_seq, "en", session_id)


async def test_an_older_state_never_replaces_a_newer_one(redis: RedisServer, link: RedisLink) -> None:
    newer = _hot("s", 4)
    older = HotSession(newer.tenant_id, newer.channel_id, newer.conversation_id, "bot", 2, "fa", None)
    for _ in range(2):
        async with open_hot_sessions(link) as sessions:
            sessions.note(newer)
            sessions.note(older)
        async with open_hot_sessions(link) as sessions:
            sessions.note(older)
        kept = await _found(redis, "session:s")
        assert (kept["last_seq"], kept["language"]) == (4, "en")
        assert redis.run("KEYS", "session:*") == ["session:s"]


async def test_a_name_is_remembered_by_the_conversation(redis: RedisServer, link: RedisLink) -> None:
    named = _hot("s", 1)
    async with open_hot_sessions(link) as sessions:
        sessions.note(named)
    async with open_hot_sessions(link) as sessions:
        sessions.note(HotSession(named.tenant_id, named.channel_id, named.conversation_id, "bot", 2, "en", None))
    assert (await _found(redis, "session:s"))["last_seq"] == 2
    assert redis.run("KEYS", "session:*") == ["session:s"]


async def test_a_key_of_another_program_is_left_alone(redis: RedisServer, link: RedisLink) -> None:
    redis.run("SET", "session:theirs", "{}")
    redis.run("HSET", "session:hash", "a", "b")
    async with open_hot_sessions(link) as sessions:
        for name in ("theirs", "hash", "ours"):
            sessions.note(_hot(name))
    assert redis.run("GET", "session:theirs") == "{}"
    assert redis.run("HGETALL", "session:hash") == {"a": "b"}
    assert await _found(redis, "session:ours")
    assert link.gone_for == 0


async def test_what_waits_for_redis_is_bounded(
    redis: RedisServer, link: RedisLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hot_sessions, "_MAX_PENDING", 300)
    redis.stop()
    sessions = HotSessions(link)
    async with sessions.writing():
        for number in range(1_000):
            sessions.note(_hot(f"s{number}"))
        redis.start()
    assert len(redis.run("KEYS", "session:*")) == 300
    assert redis.run("GET", "session:s999")
