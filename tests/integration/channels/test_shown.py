"""What a customer sees while a reply is made: first that somebody writes, then the words, then the whole once."""

from typing import Any

import orjson
import pytest

from tests.integration.channels.conftest import Whole
from tests.unit.channels.telegram_peer import TOKEN, bot_api, done

CHAT = {"id": 7, "type": "private"}
SARA = {"id": 7, "first_name": "Sara", "is_bot": False}


async def tell(whole: Whole, channel: dict[str, Any], update: dict[str, Any]) -> None:
    """POST an update as Telegram and Bale do, each with the proof that it has."""
    path = f"/webhooks/{channel['channel_type']}/{channel['id']}"
    path += f"/{channel['secret']}" if channel["channel_type"] == "bale" else ""
    headers = {"X-Telegram-Bot-Api-Secret-Token": channel["secret"]}
    async with whole.gateway.post(path, data=orjson.dumps(update), headers=headers) as answer:
        assert answer.status == 200, await answer.text()


@pytest.mark.parametrize("channel_type", ["telegram", "bale"])
async def test_somebody_writes_before_there_are_words(whole: Whole, channel_type: str) -> None:
    async with bot_api() as cloud:
        cloud.answers["sendMessage"] = done({"message_id": 9})
        channel = await whole.channel(channel_type, {"bot_token": TOKEN, "api_url": cloud.url})
        message = {"message_id": 1, "chat": CHAT, "from": SARA, "date": 1, "text": "How do I get a refund?"}
        await tell(whole, channel, {"update_id": 1, "message": message})
        await whole.settled(channel, 1)
        methods = [method for method, _ in cloud.asked]
    assert methods[0] == "sendChatAction"
    texts = [body for method, body in cloud.asked if method in ("sendMessage", "editMessageText")]
    assert "14 days" in texts[-1]["text"]
    assert len({body.get("message_id", 9) for body in texts}) == 1


async def test_a_button_pressed_on_bale_stops_waiting(whole: Whole) -> None:
    async with bot_api() as cloud:
        cloud.answers["sendMessage"] = done({"message_id": 9})
        channel = await whole.channel("bale", {"bot_token": TOKEN, "api_url": cloud.url})
        pressed = {"id": "q-1", "from": SARA, "data": "refund", "message": {"message_id": 1, "chat": CHAT, "date": 1}}
        await tell(whole, channel, {"update_id": 2, "callback_query": pressed})
        await whole.settled(channel, 1)
        assert cloud.bodies("answerCallbackQuery")[0] == {"callback_query_id": "q-1"}
