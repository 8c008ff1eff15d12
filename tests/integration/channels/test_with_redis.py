"""Channels of a platform with a Redis: sessions of messengers and of the web chat webhook, limits of two processes."""

import asyncio
import time
from typing import Any

import aiohttp
import orjson
import pytest
from pydantic import SecretStr

from chatbot.core.settings import Settings
from chatbot.dialogue import guard
from tests.conftest import GATEWAY_TOKEN
from tests.integration.channels.conftest import Receiver, Whole, signed
from tests.redis_server import RedisServer

REFUND = "How do I get a refund?"


@pytest.fixture
def settings(settings: Settings, redis: RedisServer) -> Settings:
    return settings.model_copy(update={"redis_url": SecretStr(redis.url), "embedder": "none", "chat_limit_tenant": 5})


async def _sessions(redis: RedisServer, last_seq: int) -> dict[str, dict[str, Any]]:
    """Every `session:` key, once there is one and all have come to a number."""
    until = time.monotonic() + 60
    while True:
        found = {key: orjson.loads(redis.run("GET", key)) for key in redis.run("KEYS", "session:*")}
        if found and all(one["last_seq"] == last_seq for one in found.values()):
            return found
        assert time.monotonic() < until, found
        await asyncio.sleep(0.02)


async def _web(whole: Whole, channel: dict[str, Any], **body: Any) -> aiohttp.ClientResponse:
    raw = orjson.dumps({"channel_id": channel["id"], "session_id": "web-9", "text": REFUND, **body})
    return await whole.gateway.post("/webchat/webhook", data=raw, headers=signed(channel["secret"], raw))


async def test_a_messengers_session_goes_by_its_conversation_and_tells_nothing_of_the_visitor(
    whole: Whole, receiver: Receiver, redis: RedisServer
) -> None:
    channel = await whole.channel("webhook", {"webhook_url": receiver.url})
    body = {"session_id": "+4915112345", "message_id": "m1", "text": REFUND, "user": {"name": "Ada", "id": "ada-1"}}
    assert (await whole.tell(channel, body)).status == 200
    await receiver.wait_for(1)
    (key, kept), *more = (await _sessions(redis, 2)).items()
    assert not more
    assert key == f"session:{kept['conversation_id']}"
    assert kept["channel_id"] == channel["id"]
    everything = str([(key, redis.run("GET", key)) for key in redis.run("KEYS", "[sc]*")])
    assert not [one for one in ("+4915112345", "Ada", "ada-1", "refund") if one in everything]


async def test_a_session_of_the_web_chat_webhook_has_one_key_however_it_is_answered(
    whole: Whole, receiver: Receiver, redis: RedisServer
) -> None:
    channel = await whole.channel("web", {"webhook_url": receiver.url})
    assert (await _web(whole, channel, message_id="m1")).status == 200
    assert (await _web(whole, channel, message_id="m2", **{"async": True})).status == 202
    await receiver.wait_for(1)
    assert list(await _sessions(redis, 4)) == ["session:web-9"]


@pytest.fixture
def _by_the_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute's bucket fills again while a busy machine empties it."""
    monkeypatch.setattr(guard, "_MINUTE", 3600.0)


@pytest.mark.usefixtures("_by_the_hour")
async def test_messages_are_counted_by_gateway_and_orchestrator_together(whole: Whole) -> None:
    channel = await whole.channel("web", {})
    headers = {"Authorization": f"Bearer {GATEWAY_TOKEN}", "X-Tenant-Id": str(whole.tenant.id)}
    for number in range(3):
        assert (await _web(whole, channel, message_id=f"m{number}")).status == 200
    statuses = []
    for number in range(3):
        body = {"sessionId": f"s{number}", "message": REFUND}
        async with whole.api.post("/api/chat", json=body, headers=headers) as answer:
            statuses.append(answer.status)
    assert statuses == [200, 200, 429]
