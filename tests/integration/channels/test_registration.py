"""A webhook that was entered at its provider follows the channel: its secret, its switch, its end."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from chatbot.channels import registration, service
from chatbot.core.safe_http import SafeHttp
from tests.conftest import bearer
from tests.integration.channels.bot_cloud import BotCloud, bot_cloud
from tests.integration.channels.conftest import Whole


@pytest.fixture
async def cloud() -> AsyncIterator[BotCloud]:
    async with bot_cloud() as found:
        yield found


async def call(whole: Whole, method: str, channel: dict[str, Any], path: str = "", **body: Any) -> Any:
    address = f"/admin/channels/{channel['id']}{path}"
    async with whole.api.request(method, address, json=body or None, headers=bearer()) as answer:
        assert answer.status in (200, 204), await answer.text()
        return await answer.json() if answer.status == 200 else None


async def registered(whole: Whole, cloud: BotCloud, number: int) -> dict[str, Any]:
    channel = await whole.channel("telegram", cloud.credentials(cloud.bot(number), "webhook"))
    await call(whole, "POST", channel, "/register")
    assert cloud.bot(number).hook["secret_token"] == channel["secret"]
    return channel


async def test_the_provider_is_told_a_new_secret(whole: Whole, cloud: BotCloud) -> None:
    channel = await registered(whole, cloud, 201)
    rotated = await call(whole, "POST", channel, "/rotate_secret")
    assert cloud.bot(201).hook["secret_token"] == rotated["secret"] != channel["secret"]
    assert rotated["registration"]["ok"] is True


async def test_what_the_provider_was_never_told_it_is_not_told(whole: Whole, cloud: BotCloud) -> None:
    channel = await whole.channel("telegram", cloud.credentials(cloud.bot(202), "webhook"))
    rotated = await call(whole, "POST", channel, "/rotate_secret")
    assert rotated["registration"] is None
    assert cloud.bot(202).hooks == []


async def test_a_provider_that_cannot_be_told_costs_nothing_but_a_finding(
    whole: Whole, cloud: BotCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registration, "AGAIN_SECONDS", 0)
    channel = await registered(whole, cloud, 203)
    cloud.bot(203).broken = True
    rotated = await call(whole, "POST", channel, "/rotate_secret")
    assert rotated["registration"]["ok"] is False
    assert "Bad Gateway" in rotated["registration"]["words"]
    live = (await call(whole, "GET", channel))["live"]
    assert live["findings"][0]["name"] == "register"
    assert "Bad Gateway" in live["last_error"]
    whole.state.accounts.forget(channel["id"])
    path = f"/webhooks/telegram/{channel['id']}"
    answers = [
        await whole.gateway.post(path, json={"update_id": 1}, headers={"X-Telegram-Bot-Api-Secret-Token": secret})
        for secret in (channel["secret"], rotated["secret"])
    ]
    assert [answer.status for answer in answers] == [200, 200]


async def test_new_credentials_enter_the_webhook_of_the_new_bot(whole: Whole, cloud: BotCloud) -> None:
    channel = await registered(whole, cloud, 204)
    other = cloud.bot(205)
    await call(whole, "PATCH", channel, credentials=cloud.credentials(other, "webhook"))
    assert other.hook["url"] == channel["webhook_url"]


@pytest.mark.parametrize("how", ["change", "rotate"])
async def test_a_name_that_is_looked_up_holds_no_channel(
    whole: Whole, cloud: BotCloud, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    channel = await whole.channel("telegram", cloud.credentials(cloud.bot(209), "webhook"))
    asked = []

    async def slow(_http: SafeHttp, url: str, _field: str) -> None:
        asked.append(url)
        await asyncio.wait_for(call(whole, "PATCH", channel, display_name="Meanwhile"), 30)

    monkeypatch.setattr(service, "vet", slow)
    credentials = cloud.credentials(cloud.bot(209), "polling")
    if how == "change":
        await call(whole, "PATCH", channel, credentials=credentials)
    else:
        await call(whole, "POST", channel, "/rotate_secret", credentials=credentials)
    assert asked == [cloud.url]
    now = await call(whole, "GET", channel)
    assert (now["display_name"], now["credentials"]["mode"]) == ("Meanwhile", "polling")


async def test_off_takes_the_webhook_away_and_on_brings_it_back(whole: Whole, cloud: BotCloud) -> None:
    channel = await registered(whole, cloud, 206)
    await call(whole, "PATCH", channel, enabled=False)
    assert cloud.bot(206).hook == {}
    await call(whole, "PATCH", channel, enabled=True)
    assert cloud.bot(206).hook["url"] == channel["webhook_url"]
    await call(whole, "DELETE", channel)
    assert cloud.bot(206).hook == {}


async def test_a_provider_that_is_away_keeps_nobody_from_deleting(whole: Whole, cloud: BotCloud) -> None:
    channel = await registered(whole, cloud, 207)
    cloud.bot(207).broken = True
    await call(whole, "DELETE", channel)
    async with whole.api.get(f"/admin/channels/{channel['id']}", headers=bearer()) as answer:
        assert answer.status == 404


async def test_taken_away_by_hand_it_stays_away(whole: Whole, cloud: BotCloud) -> None:
    channel = await registered(whole, cloud, 208)
    await call(whole, "POST", channel, "/unregister")
    await call(whole, "POST", channel, "/rotate_secret")
    assert cloud.bot(208).hook == {}
