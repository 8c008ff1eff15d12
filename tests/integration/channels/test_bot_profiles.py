"""Who a channel's bot is: shown, changed, in effect from the next turn on, and told to the pages that may know."""

from typing import Any

import aiohttp
import pytest

from chatbot.apps.runtime import Runtime
from chatbot.channels.bot_profiles import service
from chatbot.core.ids import new_id
from chatbot.core.settings import Settings
from chatbot.identity.subject import Role
from tests.conftest import TenantRows, bearer, make_tenant
from tests.integration.channels.conftest import Receiver, Whole

PAGE = "https://shop.example.com"


async def patch(whole: Whole, channel: dict[str, Any], status: int = 200, **body: Any) -> dict[str, Any]:
    async with whole.api.patch(f"/admin/bots/{channel['id']}", json=body, headers=bearer()) as answer:
        found: dict[str, Any] = await answer.json()
        assert answer.status == status, found
        return found


async def policy(whole: Whole, **document: Any) -> None:
    async with whole.api.put(f"/admin/policies/{whole.tenant.id}", json=document, headers=bearer()) as answer:
        assert answer.status == 200, await answer.text()


async def says(whole: Whole, receiver: Receiver, channel: dict[str, Any], text: str) -> str:
    number = len(receiver.got)
    await whole.tell(channel, {"session_id": new_id().hex, "message_id": "m1", "text": text})
    said: str = (await receiver.wait_for(number + 1))[number]["message"]["text"]
    return said


async def test_a_bot_is_its_tenants_until_it_has_something_of_its_own(whole: Whole) -> None:
    channel = await whole.channel("webhook", {"webhook_url": "https://program.example.com/"})
    path = f"/admin/bots/{channel['id']}"
    async with whole.api.get(path, headers=bearer()) as answer:
        plain = await answer.json()
    assert (plain["display_name"], plain["brand_name"], plain["own"]) == ("Acme", "Acme", [])
    await policy(
        whole, persona={"name": "Nora", "tone": "warm", "instructions": "Be brief.", "greeting": {"en": "Hi!"}}
    )
    page = "https://first.example.com"
    changed = await patch(whole, channel, display_name="Max", persona={"tone": "cool"}, allowed_origins=[page])
    assert changed["display_name"] == "Max"
    assert changed["persona"] == {"instructions": "Be brief.", "tone": "cool"}
    assert changed["greeting"] == {"en": "Hi!"}
    assert changed["own"] == ["display_name", "tone"]
    assert changed["allowed_origins"] == [page]
    assert changed["live"]["state"] == "idle"
    back = await patch(whole, channel, display_name=None, persona=None)
    assert (back["display_name"], back["persona"]["tone"], back["own"]) == ("Nora", "warm", [])
    assert back["allowed_origins"] == [page]


async def test_what_is_its_own_is_said_in_the_next_turn(whole: Whole, receiver: Receiver) -> None:
    own = await whole.channel("webhook", {"webhook_url": receiver.url})
    other = await whole.channel("webhook", {"webhook_url": receiver.url})
    await policy(whole, persona={"name": "Nora", "greeting": {"en": "Hi from Acme!"}})
    await patch(whole, own, display_name="Max", greeting={"en": "Welcome to support!"})
    assert await says(whole, receiver, own, "hello") == "Welcome to support!"
    assert (await says(whole, receiver, own, "who are you?")).startswith("My name is Max.")
    assert await says(whole, receiver, other, "hello") == "Hi from Acme!"
    assert (await says(whole, receiver, other, "who are you?")).startswith("My name is Nora.")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"display_name": ""}, "display_name"),
        ({"greeting": {"en": "x" * 1001}}, "greeting.en"),
        ({"allowed_origins": ["https://shop.example.com/path"]}, "allowed_origins.0"),
        ({"allowed_origins": ["*"]}, "allowed_origins.0"),
        ({"tenant_id": "x"}, "tenant_id"),
        ({"persona": {"name": "x"}}, "persona.name"),
    ],
)
async def test_what_is_not_taken_is_named(whole: Whole, body: dict[str, Any], field: str) -> None:
    channel = {"id": str(whole.tenant.channel_id)}
    found = await patch(whole, channel, 422, **body)
    assert field in [error["field"] for error in found["errors"]]


async def test_the_list_is_paged_and_only_ones_own(whole: Whole, other_tenant: TenantRows) -> None:
    for _ in range(2):
        await whole.channel("webhook", {"webhook_url": "https://program.example.com/"})
    seen, cursor = [], ""
    headers = bearer(Role.VIEWER, whole.tenant.id)
    while True:
        async with whole.api.get(
            "/admin/bots", params={"tenant_id": str(whole.tenant.id), "limit": 2, "cursor": cursor} if cursor
            else {"tenant_id": str(whole.tenant.id), "limit": 2}, headers=headers,
        ) as answer:  # fmt: skip
            page = await answer.json()
        seen += [bot["channel_type"] for bot in page["items"]]
        if not (cursor := page["next_cursor"]):
            break
    assert seen == ["webhook", "webhook", "web"]
    for path in (f"/admin/bots?tenant_id={other_tenant.id}", f"/admin/bots/{other_tenant.channel_id}"):
        async with whole.api.get(path, headers=headers) as answer:
            assert answer.status == 404
    async with whole.api.patch(f"/admin/bots/{whole.tenant.channel_id}", json={}, headers=headers) as answer:
        assert answer.status == 403


async def public(
    api: aiohttp.ClientSession, origin: str | None, **others: str
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    headers = {**({"Origin": origin} if origin else {}), **{name.replace("_", "-"): others[name] for name in others}}
    async with api.get("/bots.config.json", headers=headers) as answer:
        assert answer.status == 200
        return (await answer.json())["bots"], dict(answer.headers)


async def test_a_page_is_told_its_bots_and_no_more(whole: Whole) -> None:
    channel = await whole.channel("telegram", {"bot_token": "1:secret-of-the-bot", "mode": "webhook"})
    await patch(
        whole, channel, display_name="Max", greeting={"en": "Hello!"}, allowed_origins=["HTTPS://Shop.example.com"]
    )
    elsewhere = await make_tenant(whole.runtime.database, "Elsewhere")
    await patch(whole, {"id": str(elsewhere.channel_id)}, allowed_origins=["https://other.example.com"])
    wanted = ["https://new.example.com", PAGE]
    refused = await patch(whole, {"id": str(elsewhere.channel_id)}, 409, allowed_origins=wanted)
    assert "tenant" not in refused["detail"]
    bots, headers = await public(whole.api, PAGE)
    assert bots == [
        {
            "id": channel["id"],
            "brand": "Acme",
            "channel_type": "telegram",
            "display_name": "Max",
            "greeting": {"en": "Hello!"},
            "locales": ["en"],
            "theme": {
                "primary": None, "accent": None, "background": None, "text": None, "position": None, "radius": None,
            },
        }
    ]  # fmt: skip
    assert headers["Access-Control-Allow-Origin"] == PAGE
    assert headers["Cache-Control"] == "public, max-age=60"
    assert "Origin" in headers["Vary"]
    for origin in (None, "https://unknown.example.com", "null", f"{PAGE}.evil.example", "*"):
        bots, headers = await public(whole.api, origin)
        assert bots == []
        assert "Access-Control-Allow-Origin" not in headers


async def test_a_page_of_the_platforms_own_origin_is_told_its_bots_too(whole: Whole) -> None:
    """Browsers send no `Origin` with a GET to the page's own origin."""
    plain = await whole.channel("webhook", {"webhook_url": "https://plain.example.com/"})
    secure = await whole.channel("webhook", {"webhook_url": "https://secure.example.com/"})
    await patch(whole, plain, allowed_origins=["http://chat.example.com"])
    await patch(whole, secure, allowed_origins=["https://chat.example.com"])

    async def ids(origin: str | None = None, **headers: str) -> list[str]:
        return [bot["id"] for bot in (await public(whole.api, origin, **headers))[0]]

    assert await ids(Host="Chat.example.com") == [plain["id"]]
    assert await ids(Host="chat.example.com:80") == [plain["id"]]
    assert await ids(Host="chat.example.com", X_Forwarded_Proto="https") == [secure["id"]]
    assert await ids(Referer="https://chat.example.com/shop?a=b") == [secure["id"]]
    assert await ids(Host="[chat") == []
    _, headers = await public(whole.api, None, Host="chat.example.com")
    assert "Access-Control-Allow-Origin" not in headers
    assert {"Origin", "Referer"} <= {name.strip() for name in headers["Vary"].split(",")}
    # Another page's list is never told: what is said of the page goes before the address that was asked.
    for said in ("https://evil.example.com/", "about:blank", "https://chat.example.com:x/", ""):
        assert await ids(Host="chat.example.com", Referer=said) == []
    assert await ids("https://evil.example.com", Host="chat.example.com", Referer="http://chat.example.com/") == []
    assert await ids("null", Host="chat.example.com") == []


async def test_a_channel_that_is_off_is_shown_to_nobody(whole: Whole, runtime: Runtime, settings: Settings) -> None:
    channel = await whole.channel("webhook", {"webhook_url": "https://program.example.com/"})
    page = "https://off.example.com"
    await patch(whole, channel, allowed_origins=[page])
    path = f"/admin/channels/{channel['id']}"
    profiles = service.BotProfiles(runtime.database, whole.state.channels, settings)
    assert [str(bot.id) for bot in await profiles.shown_to(page)] == [channel["id"]]
    async with whole.api.patch(path, json={"enabled": False}, headers=bearer()) as answer:
        assert answer.status == 200
    again = service.BotProfiles(runtime.database, whole.state.channels, settings)
    assert await again.shown_to(page) == []
