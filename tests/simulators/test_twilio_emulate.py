"""The SMS adapter against `emulate`, a stateful Twilio that others wrote: REST calls, signed webhooks, receipts."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest

from chatbot.channels.contract import Permanent, Sent
from chatbot.channels.errors import ProviderRefused
from chatbot.channels.events import Message, Receipt, Unsupported
from chatbot.channels.outgoing import Button, Outgoing
from chatbot.channels.providers.twilio import SMS, TwilioCredentials
from chatbot.channels.providers.twilio.api import authorization
from chatbot.core.ids import new_id
from chatbot.core.safe_http import SafeHttp
from tests.simulators.gateway import Gateway, gateway
from tests.unit.channels.peer import account

FORM = "application/x-www-form-urlencoded"
NUMBER, CUSTOMER = "+15551234567", "+15550002222"


@pytest.fixture
async def http() -> AsyncIterator[SafeHttp]:
    async with SafeHttp(allow_private_hosts=frozenset({"127.0.0.1"})) as opened:
        yield opened


def credentials(twilio_cloud: str, **changes: str) -> TwilioCredentials:
    given = {
        "account_sid": "AC" + "0" * 32, "auth_token": "twilio_test_auth_token", "phone_number": NUMBER,
        "api_url": twilio_cloud, **changes,
    }  # fmt: skip
    return TwilioCredentials.model_validate(given)


@pytest.fixture
async def channel(twilio_cloud: str, http: SafeHttp) -> AsyncIterator[Gateway]:
    """A channel whose webhook the number was told."""
    async with gateway(SMS) as made:
        made.account = account(credentials(twilio_cloud), webhook_url=made.url)
        await SMS.register(made.account, http)
        yield made


async def simulate(http: SafeHttp, channel: Gateway, what: str, **fields: str) -> Any:
    assert channel.account is not None
    given = channel.account.credentials
    headers = {**authorization(given), "Content-Type": FORM}
    url = f"{given.api_url}/_twilio/simulate/{what}"
    answer = await http.request("POST", url, headers=headers, body=urlencode(fields).encode())
    assert answer.status in (200, 201), answer.body


async def test_a_conversation(channel: Gateway, http: SafeHttp) -> None:
    await simulate(http, channel, "inbound-message", To=NUMBER, From=CUSTOMER, Body="سلام، ساعت کاری؟ + & =")
    asked = await channel.next()
    assert asked.content == Message(text="سلام، ساعت کاری؟ + & =")
    assert (asked.thread, asked.context) == (CUSTOMER, {"to": NUMBER})
    assert channel.account is not None
    reply = Outgoing(asked.thread, "**۹ تا ۱۷**", (Button("باشه", "ok"),), context=asked.context)
    [call] = SMS.render(channel.account, reply)
    sent = await SMS.send(channel.account, call, http, delivery_id=new_id())
    assert isinstance(sent, Sent)
    assert sent.message_id is not None
    assert (await channel.next()).content == Unsupported("message queued")
    for status, expected in (("sent", "sent"), ("delivered", "delivered"), ("undelivered", "failed")):
        await simulate(http, channel, "message-status", MessageSid=sent.message_id, Status=status)
        receipt = await channel.next()
        assert receipt.content == Receipt(expected, (sent.message_id,))
        assert receipt.thread == CUSTOMER
    assert channel.refused == []


async def test_a_request_signed_with_another_token_is_refused(
    channel: Gateway, http: SafeHttp, twilio_cloud: str
) -> None:
    ours = channel.account
    assert ours is not None
    channel.account = account(credentials(twilio_cloud, auth_token="another"), webhook_url=channel.url)
    forged = {"MessageSid": "SM1", "From": CUSTOMER, "Body": "x"}
    await http.request(
        "POST",
        channel.url,
        headers={"Content-Type": FORM},
        body=urlencode(forged).encode(),
    )
    given = {**authorization(ours.credentials), "Content-Type": FORM}
    body = urlencode({"To": NUMBER, "From": CUSTOMER, "Body": "x"}).encode()
    await http.request("POST", f"{twilio_cloud}/_twilio/simulate/inbound-message", headers=given, body=body)
    assert channel.refused == ["missing", "wrong"]
    assert channel.events.empty()


async def test_checks_and_refusals(channel: Gateway, http: SafeHttp, twilio_cloud: str) -> None:
    assert channel.account is not None
    assert [found.ok for found in await SMS.check(channel.account, http)] == [True, True]
    elsewhere = account(credentials(twilio_cloud), webhook_url="https://gw.example.com/other")
    assert [found.ok for found in await SMS.check(elsewhere, http)] == [True, False]
    wrong = account(credentials(twilio_cloud, auth_token="wrong"))
    assert [found.ok for found in await SMS.check(wrong, http)] == [False]
    [call] = SMS.render(wrong, Outgoing(CUSTOMER, "x"))
    assert await SMS.send(wrong, call, http, delivery_id=new_id()) == Permanent("Authenticate (20003)")
    foreign = account(credentials(twilio_cloud, phone_number="+15559999999"))
    [call] = SMS.render(foreign, Outgoing(CUSTOMER, "x"))
    refused = await SMS.send(foreign, call, http, delivery_id=new_id())
    assert isinstance(refused, Permanent)
    assert "21606" in refused.words
    with pytest.raises(ProviderRefused, match="none of this account's numbers"):
        await SMS.register(foreign, http)
    await SMS.unregister(channel.account, http)
    assert [found.ok for found in await SMS.check(channel.account, http)] == [True, False]
