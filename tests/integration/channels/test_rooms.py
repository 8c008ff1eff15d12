"""Rooms of many people: a mention is answered once, however often it comes, and talk of others is left alone."""

import asyncio
import time
from typing import Any

import aiohttp
import orjson

from chatbot.apps.bot_manager import keeping_bots
from chatbot.channels.signing import hmac_hex
from tests.integration.channels.conftest import Whole
from tests.unit.channels.discord_peer import Connection, playing
from tests.unit.channels.peer import Peer, Reached, serving

SECRET = "signing-secret-of-the-test"
BOT = "UBOT"


async def tell(whole: Whole, channel: dict[str, Any], event: dict[str, Any], event_id: str) -> aiohttp.ClientResponse:
    """POST an event as Slack does."""
    authorizations = [{"team_id": "T1", "user_id": BOT, "is_bot": True}]
    raw = orjson.dumps(
        {
            "type": "event_callback",
            "team_id": "T1",
            "event_id": event_id,
            "authorizations": authorizations,
            "event": event,
        }
    )
    stamp = str(int(time.time()))
    proof = hmac_hex(SECRET, b":".join((b"v0", stamp.encode(), raw)))
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={proof}"}
    return await whole.gateway.post(f"/webhooks/slack/{channel['id']}", data=raw, headers=headers)


def said(ts: str, text: str, **fields: Any) -> dict[str, Any]:
    return {
        "type": "message",
        "user": "U1",
        "channel": "C1",
        "channel_type": "channel",
        "ts": ts,
        "text": text,
        **fields,
    }


async def whole_answers(peer: Peer, count: int) -> list[Reached]:
    """The messages as they stand in the end, once there are so many."""
    async with asyncio.timeout(60):
        while True:
            found = [one for one in peer.reached if one.path == "/api/chat.update" and "blocks" in one.json]
            found += [one for one in peer.reached if one.path == "/api/chat.postMessage"]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.02)


async def test_only_what_is_meant_for_us_is_answered_and_once(whole: Whole) -> None:
    async with serving() as (peer, _):
        for method in ("chat.startStream", "chat.appendStream", "chat.stopStream", "chat.update", "chat.postMessage"):
            peer.answer(f"/api/{method}", {"ok": True, "ts": "9.9"})
        credentials = {"bot_token": "xoxb-1", "signing_secret": SECRET, "api_url": f"{peer.url}/api"}
        channel = await whole.channel("slack", credentials)
        question = f"<@{BOT}> How do I get a refund?"
        told = [
            await tell(whole, channel, said("1.0", "How do I get a refund, colleagues?"), "Ev1"),
            await tell(whole, channel, said("2.0", question), "Ev2"),
            await tell(whole, channel, {**said("2.0", question), "type": "app_mention"}, "Ev3"),
            await tell(whole, channel, said("2.0", question), "Ev2"),
        ]
        assert {answer.status for answer in told} == {200}
        (first,) = await whole_answers(peer, 1)
        assert "14 days" in first.json["text"]
        assert first.json["thread_ts"] == "2.0"
        await tell(whole, channel, said("3.0", "How do I get a refund?", thread_ts="2.0"), "Ev4")
        answers = await whole_answers(peer, 2)
        assert {answer.json["thread_ts"] for answer in answers} == {"2.0"}
        assert len(answers) == 2
    async with whole.runtime.database.tenant_reader(whole.tenant.id) as session:
        rows = (await session.connection()).exec_driver_sql
        texts = [row[0] for row in await rows("SELECT text FROM messages WHERE role = 'visitor' ORDER BY id")]
    assert texts == ["How do I get a refund?"] * 2


async def test_slack_is_told_apart_from_others(whole: Whole) -> None:
    channel = await whole.channel("slack", {"bot_token": "xoxb-1", "signing_secret": SECRET})
    raw = orjson.dumps({"type": "url_verification", "challenge": "abc"})
    unsigned = await whole.gateway.post(f"/webhooks/slack/{channel['id']}", data=raw)
    assert unsigned.status == 401
    stamp = str(int(time.time()))
    proof = hmac_hex(SECRET, b":".join((b"v0", stamp.encode(), raw)))
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={proof}"}
    asked = await whole.gateway.post(f"/webhooks/slack/{channel['id']}", data=raw, headers=headers)
    assert (asked.status, await asked.text()) == (200, "abc")


async def test_a_message_over_discords_socket_is_answered_in_its_place(whole: Whole) -> None:
    key = "ab" * 32

    async def play(bot: Connection) -> None:
        await bot.hello()
        await bot.ready("ws://127.0.0.1:9")
        message = {"id": "11", "type": 0, "channel_id": "5", "guild_id": "1", "channel_type": 0, "author": {"id": "7"}}
        mention = {"content": "<@900> How do I get a refund?", "mentions": [{"id": "900"}]}
        await bot.dispatch("MESSAGE_CREATE", {**message, "id": "10", "content": "How do I get a refund?"})
        await bot.dispatch("MESSAGE_CREATE", {**message, **mention})
        await bot.dispatch("MESSAGE_CREATE", {**message, **mention})
        await asyncio.Event().wait()

    async with playing() as discord:
        discord.scripts = [play]
        credentials = {
            "application_id": "900", "public_key": key, "bot_token": "token", "api_url": f"{discord.base}/v10",
        }  # fmt: skip
        await whole.channel("discord", credentials)
        async with keeping_bots(whole.state.channel_parts):
            until = time.monotonic() + 60
            while not any("14 days" in body.get("content", "") for _, _, body in discord.posted):
                assert time.monotonic() < until, discord.posted
                await asyncio.sleep(0.02)
    posts = [body for method, path, body in discord.posted if (method, path) == ("POST", "/v10/channels/5/messages")]
    assert len(posts) == 1
    assert posts[0]["message_reference"]["message_id"] == "11"
    assert all(body["allowed_mentions"] == {"parse": []} for _, path, body in discord.posted if "/channels/5/" in path)
