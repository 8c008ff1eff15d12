"""Whole conversations through clouds that others wrote, answered by a model server that others wrote.

Xin runs as in production: the admin API connects the channel, the provider's own webhook (or our polling) brings the
customer's words, and the answer is what the customer sees there.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import orjson
import pytest
from pydantic import SecretStr

from chatbot.apps.bot_manager import keeping_bots
from chatbot.channels.signing import hmac_base64, hmac_hex
from chatbot.core.ids import new_id
from chatbot.core.settings import Settings
from tests.conftest import TenantRows
from tests.integration.channels.mail_servers import NAME, imap_server, smtp_server
from tests.integration.channels.mail_servers import PASSWORD as MAIL_PASSWORD
from tests.simulators.conftest import BOT_TOKEN, PERSON_TOKEN, Prism
from tests.whole import Whole, whole_platform

REFUND = "How do I get a refund?"
REFUND_SAID = "You may cancel within **14 days** and get the whole amount back [1]."
PASSWORD = "And how do I reset my password on Android?"
PASSWORD_SAID = "Open the menu, choose Profile and press Forgot password [1]. A code comes by SMS [1]."

SIGNING_SECRET = "signing-secret-of-the-tests"
TWILIO = {"account_sid": "AC" + "0" * 32, "auth_token": "twilio_test_auth_token"}
NUMBER, CUSTOMER = "+15551234567", "+15550002222"

Look = Callable[[], Awaitable[list[str]]]


@pytest.fixture
async def model(model_server: str) -> AsyncIterator[str]:
    """The model server, which gives the two answers of the tests, in order."""
    replies = [{"type": "reply", "text": said} for said in (REFUND_SAID, PASSWORD_SAID)]
    async with aiohttp.ClientSession(model_server) as client:
        await client.post("/_llmock/reset")
        async with client.post("/_llmock/scenario", json={"behaviors": replies}) as answer:
            assert answer.status == 201
        yield f"{model_server}/v1"
        async with client.get("/_llmock/requests") as answer:
            assert (await answer.json())["count"] == 2, "one call of the model a turn"


@pytest.fixture
async def whole(database_url: str, settings: Settings, tenant: TenantRows, model: str) -> AsyncIterator[Whole]:
    """The platform with a model."""
    model_settings = {"openai_api_key": SecretStr("k"), "openai_base_url": model, "embedder": "none"}
    known = settings.model_copy(update=model_settings)
    async with whole_platform(known, database_url, tenant) as running:
        yield running


async def seen(look: Look, count: int, words: str, seconds: float = 60.0) -> list[str]:
    """Wait until the customer sees so many messages, the last with these words."""
    until = time.monotonic() + seconds
    while True:
        found = await look()
        if len(found) >= count and words in found[-1]:
            assert len(found) == count, found
            return found
        assert time.monotonic() < until, found
        await asyncio.sleep(0.05)


async def talk(
    whole: Whole, channel: dict[str, Any], say: Callable[[str], Awaitable[None]], look: Look
) -> list[dict[str, Any]]:
    """Two turns, each answered once with its source; return the deliveries."""
    await say(REFUND)
    first = (await seen(look, 1, "Refunds"))[0]
    assert "14 days" in first
    await say(PASSWORD)
    second = (await seen(look, 2, "Reset your password on Android"))[1]
    assert "choose Profile and press Forgot password" in second
    sent = await whole.settled(channel, 2)
    assert {one["status"] for one in sent} == {"sent"}, sent
    assert len({one["conversation_id"] for one in sent}) == 1
    assert len(await look()) == 2
    return sent


async def findings(whole: Whole, channel: dict[str, Any]) -> dict[str, tuple[bool, str]]:
    """What the test of a channel says."""
    report = await whole.ask("POST", f"/admin/channels/{channel['id']}/test")
    assert report["ok"] == all(one["ok"] for one in report["findings"])
    secrets = [channel["secret"], BOT_TOKEN, TWILIO["auth_token"], SIGNING_SECRET]
    assert not any(secret in json.dumps(report) for secret in secrets)
    return {one["name"]: (one["ok"], one["words"]) for one in report["findings"]}


async def register(whole: Whole, channel: dict[str, Any]) -> None:
    await whole.ask("POST", f"/admin/channels/{channel['id']}/register", status=204)


class TelegramCustomer:
    """Somebody in the simulator's own client, with a bot of the test's own."""

    def __init__(self, url: str, client: aiohttp.ClientSession, number: int) -> None:
        self.token = f"{number}:test-TOKEN_of-a-bot"
        self._url, self._client = url, client

    async def say(self, text: str) -> None:
        who = {"id": 7, "first_name": "Sara", "is_bot": False}
        body = {"botToken": self.token, "from": who, "chat": {"id": 7, "type": "private"}, "date": 1, "text": text}
        async with self._client.post(f"{self._url}/sendMessage", json=body) as answer:
            assert (await answer.json())["ok"]

    async def look(self) -> list[str]:
        async with self._client.post(f"{self._url}/getUpdatesHistory", json={"token": self.token}) as answer:
            told = (await answer.json())["result"]
        return [one["message"]["text"] for one in told if str(one["message"].get("chat_id")) == "7"]


@pytest.mark.parametrize(("channel_type", "bot"), [("telegram", 31), ("bale", 32)])
async def test_telegram_and_bale_by_webhook(whole: Whole, telegram_cloud: str, channel_type: str, bot: int) -> None:
    customer = TelegramCustomer(telegram_cloud, whole.api, bot)
    channel = await whole.channel(channel_type, {"bot_token": customer.token, "api_url": telegram_cloud})
    await register(whole, channel)
    await talk(whole, channel, customer.say, customer.look)
    found = await findings(whole, channel)
    assert found["token"] == (True, "The token belongs to @TestNameBot.")
    assert not found["webhook"][0]
    await whole.ask("POST", f"/admin/channels/{channel['id']}/unregister", status=204)


async def test_telegram_by_polling(whole: Whole, telegram_cloud: str) -> None:
    customer = TelegramCustomer(telegram_cloud, whole.api, 33)
    channel = await whole.channel(
        "telegram", {"bot_token": customer.token, "api_url": telegram_cloud, "mode": "polling"}
    )
    await register(whole, channel)
    async with keeping_bots(whole.state.channel_parts):
        await talk(whole, channel, customer.say, customer.look)


async def test_mail(whole: Whole) -> None:
    """Somebody writes to a mailbox (pymap), and reads the answers where mail goes out (aiosmtpd)."""
    async with imap_server() as mailbox, smtp_server() as outgoing:
        credentials = {
            "address": NAME, "display_name": "Acme", "imap_host": "127.0.0.1", "imap_port": mailbox.port,
            "imap_security": "none", "imap_password": MAIL_PASSWORD, "smtp_host": "127.0.0.1",
            "smtp_port": outgoing.port, "smtp_security": "none",
        }  # fmt: skip
        channel = await whole.channel("email", credentials)

        async def say(text: str) -> None:
            answered = {"In-Reply-To": outgoing.mails[-1]["Message-ID"]} if outgoing.mails else {}
            await mailbox.deliver(_mail(text, answered))

        async def look() -> list[str]:
            return [str(one.get_body(("plain",)).get_content()) for one in outgoing.mails]

        async with keeping_bots(whole.state.channel_parts):
            await talk(whole, channel, say, look)
        assert {one["To"] for one in outgoing.mails} == {"Ann <ann@customer.test>"}
        assert {one["Auto-Submitted"] for one in outgoing.mails} == {"auto-replied"}
        found = await findings(whole, channel)
        assert all(ok for ok, _ in found.values()), found


def _mail(text: str, headers: dict[str, str]) -> bytes:
    mail = EmailMessage()
    told = {
        "From": "Ann <ann@customer.test>",
        "To": NAME,
        "Subject": "Money",
        "Message-ID": f"<{new_id()}@customer.test>",
    }
    for name, value in (told | headers).items():
        mail[name] = value
    mail.set_content(text)
    return mail.as_bytes()


class SlackPerson:
    """Somebody in the workspace; what they write is told to the channel as Slack tells it, which `emulate` does not."""

    def __init__(self, url: str, whole: Whole, channel: dict[str, Any]) -> None:
        self._url, self._whole, self._channel = url, whole, channel
        self.room = self.thread = ""

    async def call(self, method: str, **body: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {PERSON_TOKEN}"}
        async with self._whole.api.post(f"{self._url}/api/{method}", json=body, headers=headers) as response:
            answer: dict[str, Any] = await response.json()
        assert answer["ok"], answer
        return answer

    async def bot(self) -> str:
        headers = {"Authorization": f"Bearer {BOT_TOKEN}"}
        async with self._whole.api.post(f"{self._url}/api/auth.test", headers=headers) as response:
            return str((await response.json())["user_id"])

    async def say(self, text: str) -> None:
        bot = await self.bot()
        in_room = not self.room.startswith("D")
        text = f"<@{bot}> {text}" if in_room and not self.thread else text
        thread = {"thread_ts": self.thread} if self.thread else {}
        asked = await self.call("chat.postMessage", channel=self.room, text=text, **thread)
        if in_room and not self.thread:
            self.thread = asked["ts"]
        kind = {"channel_type": "channel" if in_room else "im"}
        event = {**asked["message"], **thread, **kind, "channel": self.room, "event_ts": asked["ts"]}
        told = [{**event, "type": "message"}]
        if text.startswith("<@"):
            told.append({**event, "type": "app_mention"})
        for number, one in enumerate(told):
            await self._tell({"event": one, "event_id": f"Ev{asked['ts']}{number}"}, bot)

    async def _tell(self, body: dict[str, Any], bot: str) -> None:
        mine = [{"team_id": "T1", "user_id": bot, "is_bot": True}]
        raw = orjson.dumps({"type": "event_callback", "team_id": "T1", "authorizations": mine, **body})
        stamp = str(int(time.time()))
        signature = f"v0={hmac_hex(SIGNING_SECRET, f'v0:{stamp}:'.encode() + raw)}"
        headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature}
        async with self._whole.gateway.post(self._channel["webhook_url"], data=raw, headers=headers) as answer:
            assert answer.status == 200, await answer.text()

    async def look(self) -> list[str]:
        bot = await self.bot()
        if self.room.startswith("D"):
            listed = (await self.call("conversations.history", channel=self.room))["messages"]
        elif self.thread:
            listed = (await self.call("conversations.replies", channel=self.room, ts=self.thread))["messages"]
        else:
            listed = []
        return [one["text"] for one in sorted(listed, key=lambda one: float(one["ts"])) if one["user"] == bot]


@pytest.mark.parametrize("place", ["a direct message", "a thread in a channel"])
async def test_slack(whole: Whole, slack_cloud: str, place: str) -> None:
    credentials = {"bot_token": BOT_TOKEN, "signing_secret": SIGNING_SECRET, "api_url": f"{slack_cloud}/api"}
    channel = await whole.channel("slack", credentials)
    person = SlackPerson(slack_cloud, whole, channel)
    if place == "a direct message":
        person.room = (await person.call("conversations.open", users=await person.bot()))["channel"]["id"]
    else:
        listed = await person.call("conversations.list")
        person.room = next(one["id"] for one in listed["channels"] if one["name"] == "help")
    await talk(whole, channel, person.say, person.look)
    found = await findings(whole, channel)
    assert found["token"][0]
    assert channel["webhook_url"] in found["webhook"][1]


async def test_sms(whole: Whole, twilio_cloud: str) -> None:
    channel = await whole.channel("sms", {**TWILIO, "phone_number": NUMBER, "api_url": twilio_cloud})
    login = aiohttp.BasicAuth(TWILIO["account_sid"], TWILIO["auth_token"])
    account = f"{twilio_cloud}/2010-04-01/Accounts/{TWILIO['account_sid']}"

    async def say(text: str) -> None:
        body = urlencode({"To": NUMBER, "From": CUSTOMER, "Body": text})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        url = f"{twilio_cloud}/_twilio/simulate/inbound-message"
        async with whole.api.post(url, data=body, headers=headers, auth=login) as answer:
            assert answer.status in (200, 201), await answer.text()

    async def look() -> list[str]:
        async with whole.api.get(f"{account}/Messages.json", params={"PageSize": "100"}, auth=login) as answer:
            listed = (await answer.json())["messages"]
        return [one["body"] for one in reversed(listed) if one["to"] == CUSTOMER]

    await register(whole, channel)
    sent = await talk(whole, channel, say, look)
    assert all(one["receipt"] is None or one["receipt"] == "sent" for one in sent)
    assert await findings(whole, channel) == {
        "account": (True, "The login belongs to the account “Local Twilio Account”, which is active."),
        "webhook": (True, "The number tells its messages to this channel."),
    }


async def _post(whole: Whole, channel: dict[str, Any], raw: bytes, **headers: str) -> None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with whole.gateway.post(channel["webhook_url"], data=raw, headers=named) as answer:
        assert answer.status == 200, await answer.text()


async def _sent(whole: Whole, channel: dict[str, Any]) -> list[dict[str, Any]]:
    """The bodies that the provider took: Prism keeps nothing itself."""
    rows = [one for one in await whole.deliveries(channel) if one["status"] == "sent"]
    return [(await whole.ask("GET", f"/admin/deliveries/{one['id']}"))["body"] for one in rows]


async def test_whatsapp(whole: Whole, shared_dir: Path, prism: Prism) -> None:
    recorded = (shared_dir / "channels/vectors/whatsapp/inbound/vercel_dm_whatsapp__first_message.json").read_bytes()
    number = json.loads(recorded)["entry"][0]["changes"][0]["value"]["metadata"]["phone_number_id"]
    url = prism(shared_dir / "channels" / "openapi" / "meta_business-messaging-api_v23.0.yaml")
    credentials = {"app_secret": "app-secret", "access_token": "EAA1234567890", "phone_number_id": number}
    channel = await whole.channel("whatsapp", {**credentials, "api_url": url})
    # Prism takes the call that registers for another one of the same path, so the webhook is entered by hand at Meta.
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": channel["secret"]}
    async with whole.gateway.get(channel["webhook_url"], params=asked) as echoed:
        assert await echoed.text() == "1158201444"

    async def say(text: str) -> None:
        payload = json.loads(recorded)
        message = payload["entry"][0]["changes"][0]["value"]["messages"][0]
        message["text"]["body"], message["id"] = text, f"wamid.{len(text)}"
        raw = json.dumps(payload).encode()
        await _post(whole, channel, raw, X_Hub_Signature_256=f"sha256={hmac_hex('app-secret', raw)}")

    async def look() -> list[str]:
        return [body["text"]["body"] for body in await _sent(whole, channel)]

    sent = await talk(whole, channel, say, look)
    assert all(one["provider_message_id"].startswith("wamid.") for one in sent)
    found = await findings(whole, channel)
    assert found["token"][0]


async def test_line(whole: Whole, shared_dir: Path, prism: Prism) -> None:
    recorded = (shared_dir / "channels/vectors/line/inbound/line_sdk_25_message_text_user.json").read_bytes()
    url = prism(shared_dir / "channels" / "openapi" / "line_messaging-api.yml")
    credentials = {"channel_secret": "channel-secret", "channel_access_token": "t", "api_url": url, "data_url": url}
    channel = await whole.channel("line", credentials)
    await register(whole, channel)

    async def say(text: str) -> None:
        payload = json.loads(recorded)
        event = payload["events"][0]
        event |= {"timestamp": int(time.time() * 1000), "webhookEventId": f"event-{len(text)}"}
        event["message"] |= {"id": str(len(text)), "text": text}
        raw = json.dumps(payload).encode()
        await _post(whole, channel, raw, X_Line_Signature=hmac_base64("channel-secret", raw))

    async def look() -> list[str]:
        return ["\n".join(one["text"] for one in body["messages"]) for body in await _sent(whole, channel)]

    await talk(whole, channel, say, look)
    found = await findings(whole, channel)
    assert found["token"][0]
    assert found["webhook_test"][0]
