"""Telegram's adapter against `telegram-test-api`, a Bot API that other people wrote."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from chatbot.channels.contract import Link, Request, Sent
from chatbot.channels.events import Choice, InboundEvent, Message
from chatbot.channels.outgoing import Button, Outgoing
from chatbot.channels.providers.telegram import TELEGRAM
from chatbot.core.safe_http import SafeHttp
from tests.unit.channels.telegram_peer import TOKEN, account

SARA = {"id": 1, "first_name": "Sara", "username": "sara", "is_bot": False}
CHAT = {"id": 1, "type": "private", "first_name": "Sara"}


@pytest.fixture
async def http() -> AsyncIterator[SafeHttp]:
    async with SafeHttp(allow_private_hosts=frozenset({"127.0.0.1"})) as client:
        yield client


async def customer(telegram_cloud: str, path: str, **content: Any) -> Any:
    """What a customer does in the simulator's own client."""
    body = {"botToken": TOKEN, "from": SARA, "chat": CHAT, "date": 1_767_224_888, **content}
    async with aiohttp.ClientSession() as client, client.post(f"{telegram_cloud}/{path}", json=body) as answer:
        return await answer.json()


async def shown(telegram_cloud: str) -> list[dict[str, Any]]:
    """The messages that the customer sees, each once."""
    async with aiohttp.ClientSession() as client:
        async with client.post(f"{telegram_cloud}/getUpdates", json={"token": TOKEN, "chatId": 1}) as answer:
            return [found["message"] for found in (await answer.json())["result"]]


async def test_polled_messages_are_taken_and_answered(telegram_cloud: str, http: SafeHttp) -> None:
    bot = account(telegram_cloud, mode="polling")
    await TELEGRAM.register(bot, http)
    came: asyncio.Queue[InboundEvent] = asyncio.Queue()

    async def take(events: Sequence[InboundEvent], cursor: Mapping[str, Any]) -> None:
        for event in events:
            came.put_nowait(event)

    listening = asyncio.create_task(TELEGRAM.listen(bot, {}, Link(take, lambda: None, http)))
    try:
        await customer(telegram_cloud, "sendMessage", text="Where is my order?")
        await customer(
            telegram_cloud, "sendCommand", text="/start", entities=[{"type": "bot_command", "offset": 0, "length": 6}]
        )
        await customer(telegram_cloud, "sendCallback", data="yes", message={"chat": CHAT, "from": SARA})
        events = [await asyncio.wait_for(came.get(), 60) for _ in range(3)]
    finally:
        listening.cancel()
        await asyncio.wait([listening])
    assert [event.content for event in events] == [
        Message(text="Where is my order?"),
        Message(text="/start", command="start"),
        Message(choice=Choice("yes")),
    ]
    assert {event.thread for event in events} == {"1"}
    message = Outgoing("1", "It is **on its way**.", buttons=(Button("Thanks", "thanks"),), context=events[0].context)
    (call,) = TELEGRAM.render(bot, message)
    sent = await TELEGRAM.send(bot, call, http, delivery_id=UUID(int=1))
    assert isinstance(sent, Sent)
    assert sent.message_id
    (seen,) = await shown(telegram_cloud)
    assert seen["text"] == "It is <b>on its way</b>."
    assert seen["reply_markup"]["inline_keyboard"] == [[{"text": "Thanks", "callback_data": "thanks"}]]


async def test_a_webhook_is_called_until_it_is_taken_away(telegram_cloud: str, http: SafeHttp) -> None:
    came: list[InboundEvent] = []

    async def hook(request: web.Request) -> web.Response:
        raw = Request("POST", str(request.url), dict(request.headers), await request.read())
        came.extend(TELEGRAM.parse(bot, raw))
        return web.Response()

    app = web.Application()
    app.router.add_post("/webhooks/telegram/1", hook)
    async with TestServer(app) as gateway:
        bot = account(telegram_cloud, webhook_url=f"http://127.0.0.1:{gateway.port}/webhooks/telegram/1")
        await TELEGRAM.register(bot, http)
        await customer(telegram_cloud, "sendMessage", text="first")
        await TELEGRAM.unregister(bot, http)
        await customer(telegram_cloud, "sendMessage", text="second")
    assert [event.content for event in came] == [Message(text="first")]


async def test_what_the_simulator_does_not_know_is_a_finding(telegram_cloud: str, http: SafeHttp) -> None:
    token, webhook = await TELEGRAM.check(account(telegram_cloud), http)
    assert (token.ok, token.words) == (True, "The token belongs to @TestNameBot.")
    assert not webhook.ok
