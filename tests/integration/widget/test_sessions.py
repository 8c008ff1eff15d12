"""The widget's sessions and configuration: which page may, who the visitor is, what a page is told."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from chatbot.apps.orchestrator import create_app
from chatbot.apps.runtime import Runtime
from chatbot.core.clock import utcnow
from chatbot.core.ids import new_id
from chatbot.core.settings import Settings
from chatbot.db.models import Channel, Tenant
from chatbot.identity.subject import Role
from tests.conftest import TenantRows, bearer

EVIL = "https://evil.example"
SESSIONS, CONFIG = "/v1/widget/sessions", "/v1/widget/config"

pytestmark = pytest.mark.integration


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A platform that is in use: pages of this machine are no different from others."""
    return settings.model_copy(update={"environment": "staging", "session_limit_address": 40})


def page(tenant: TenantRows) -> str:
    """The origin of a tenant's own pages: each has another, for no two tenants may name the same."""
    return f"https://{tenant.id}.example"


@pytest.fixture
async def shop(client: httpx.AsyncClient, tenant: TenantRows) -> TenantRows:
    """A tenant whose web channel names its shop's pages."""
    changed = await client.patch(
        f"/admin/bots/{tenant.channel_id}", headers=bearer(), json={"allowed_origins": [page(tenant)]}
    )
    assert changed.status_code == 200, changed.text
    return tenant


def asked(tenant: TenantRows, **more: Any) -> dict[str, Any]:
    return {"tenant_id": str(tenant.id), **more}


async def session(client: httpx.AsyncClient, tenant: TenantRows, origin: str | None = "") -> httpx.Response:
    """Ask for a session as the tenant's own page does, or another one; None sends no origin."""
    sent = {"Origin": origin or page(tenant)} if origin is not None else {}
    return await client.post(SESSIONS, json=asked(tenant), headers=sent)


async def test_a_page_of_the_channels_list_gets_a_session(client: httpx.AsyncClient, shop: TenantRows) -> None:
    answer = await session(client, shop)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body.keys() == {"token", "expires_at", "visitor_id"}
    assert answer.headers["access-control-allow-origin"] == page(shop)
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["cache-control"] == "no-store"
    chat = {"Authorization": f"Bearer {body['token']}"}
    profile = f"/admin/bots/{shop.channel_id}"
    assert (await client.get(profile, headers=bearer())).json()["live"]["last_event_at"] is None
    said = await client.post("/v1/chat", json={"message": "hello"}, headers=chat | {"Origin": page(shop)})
    assert said.status_code == 200, said.text
    assert (await client.get(profile, headers=bearer())).json()["live"]["last_event_at"] is not None
    assert said.headers["access-control-allow-origin"] == "*"
    elsewhere = await client.post("/v1/chat", json={"message": "hello"}, headers=chat | {"Origin": EVIL})
    assert elsewhere.status_code == 401


@pytest.mark.parametrize("origin", [EVIL, "null", "http://localhost:3000", None])
async def test_other_pages_get_none(client: httpx.AsyncClient, shop: TenantRows, origin: str | None) -> None:
    answer = await session(client, shop, origin)
    assert (answer.status_code, answer.json()["code"]) == (403, "origin_not_allowed")
    assert "set-cookie" not in answer.headers
    if origin:
        assert "allowed_origins" in answer.json()["detail"]
        config = await client.get(CONFIG, params=asked(shop), headers={"Origin": origin})
        assert config.status_code == 403


async def test_pages_of_the_platform_and_of_the_operators_list_may(
    runtime: Runtime, shop: TenantRows, settings: Settings
) -> None:
    runtime.settings.allowed_origins = ["https://portal.example"]
    transport = httpx.ASGITransport(create_app(runtime))
    async with httpx.AsyncClient(transport=transport, base_url="http://xin.test") as client:
        for origin in ("https://portal.example", "http://xin.test"):
            assert (await session(client, shop, origin)).status_code == 200


async def test_in_development_pages_of_this_machine_may(runtime: Runtime, tenant: TenantRows) -> None:
    runtime.settings.environment = "development"
    transport = httpx.ASGITransport(create_app(runtime))
    async with httpx.AsyncClient(transport=transport, base_url="http://xin.test") as client:
        for origin in ("http://localhost:3000", "http://127.0.0.1:5173", "http://[::1]:80"):
            assert (await session(client, tenant, origin)).status_code == 200
        assert (await session(client, tenant, EVIL)).status_code == 403


async def test_the_cookie_keeps_a_visitor_the_same(client: httpx.AsyncClient, shop: TenantRows) -> None:
    first, again = await session(client, shop), await session(client, shop)
    assert first.json()["visitor_id"] == again.json()["visitor_id"]
    assert first.json()["token"] != again.json()["token"]
    client.cookies.clear()
    assert (await session(client, shop)).json()["visitor_id"] != first.json()["visitor_id"]


@pytest.mark.parametrize(
    ("scheme", "reach"), [("http", {"SameSite=Lax"}), ("https", {"SameSite=None", "Secure", "Partitioned"})]
)
async def test_the_cookie_is_out_of_scripts_reach(app: FastAPI, shop: TenantRows, scheme: str, reach: set[str]) -> None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=f"{scheme}://xin.test") as client:
        header = (await session(client, shop)).headers["set-cookie"]
    value, *attributes = header.split("; ")
    assert value.startswith("xin_visitor=")
    assert set(attributes) == {"Path=/v1/widget", "Max-Age=15552000", "HttpOnly"} | reach


async def test_another_tenants_cookie_is_no_visitor_here(
    client: httpx.AsyncClient, shop: TenantRows, other_tenant: TenantRows
) -> None:
    mine = (await session(client, shop)).json()["visitor_id"]
    await client.patch(
        f"/admin/bots/{other_tenant.channel_id}", headers=bearer(), json={"allowed_origins": [page(other_tenant)]}
    )
    theirs = await session(client, other_tenant)
    assert theirs.status_code == 200
    assert theirs.json()["visitor_id"] != mine
    token = theirs.json()["token"]
    crossed = await client.get(
        f"/v1/conversations/{new_id()}/messages",
        headers={"Authorization": f"Bearer {token}", "X-Tenant-Id": str(shop.id)},
    )
    assert crossed.status_code == 404


@pytest.mark.parametrize("cookie", ["", "x", "AAAA", "A" * 64, "é", "A" * 4000])
async def test_a_forged_cookie_is_a_new_visitor(client: httpx.AsyncClient, shop: TenantRows, cookie: str) -> None:
    headers = [(b"origin", page(shop).encode()), (b"cookie", f"xin_visitor={cookie}".encode())]
    answer = await client.post(SESSIONS, json=asked(shop), headers=headers)
    assert answer.status_code == 200


@pytest.mark.usefixtures("_no_refill")
async def test_sessions_are_counted_by_address(client: httpx.AsyncClient, shop: TenantRows) -> None:
    statuses = [(await session(client, shop)).status_code for _ in range(41)]
    assert statuses == [200] * 40 + [429]


@pytest.mark.parametrize("end", ["tenant", "channel", "switched off"])
async def test_what_is_gone_is_unknown(client: httpx.AsyncClient, runtime: Runtime, shop: TenantRows, end: str) -> None:
    async with runtime.database.platform() as opened:
        if end == "tenant":
            (await opened.get_one(Tenant, shop.id)).deleted_at = utcnow()
        else:
            channel = await opened.get_one(Channel, (shop.id, shop.channel_id))
            channel.enabled = False
            channel.deleted_at = utcnow() if end == "channel" else None
        await opened.flush()
    client._transport.app.state.widget.forget()  # type: ignore[attr-defined]
    for answer in (await session(client, shop), await client.get(CONFIG, params=asked(shop))):
        unknown = await client.get(CONFIG, params={"tenant_id": str(new_id())})
        assert answer.status_code == unknown.status_code == 404
        assert answer.json()["detail"] == unknown.json()["detail"]


async def test_a_brand_of_another_tenant_is_unknown(
    client: httpx.AsyncClient, shop: TenantRows, other_tenant: TenantRows
) -> None:
    body = asked(shop, brand_id=str(other_tenant.brand_id))
    assert (await client.post(SESSIONS, json=body, headers={"Origin": page(shop)})).status_code == 404
    assert (await client.get(CONFIG, params=body, headers={"Origin": page(shop)})).status_code == 404


async def test_config_is_the_channels_the_tenants_and_the_policys(client: httpx.AsyncClient, shop: TenantRows) -> None:
    admin = bearer(Role.TENANT_ADMIN, shop.id)
    await client.patch(f"/admin/tenants/{shop.id}", headers=admin, json={"embed_theme": {"primary": "#ff3366"}})
    policy = {
        "persona": {"name": "Mina", "greeting": {"en": "Hi", "fa": "سلام"}},
        "languages": ["fa", "en"],
        "default_language": "fa",
        "hours": {"timezone": "UTC", "open": [{"day": "mon", "opens": "09:00", "closes": "09:01"}]},
    }
    assert (await client.put(f"/admin/policies/{shop.id}", headers=admin, json=policy)).status_code == 200
    widget = {
        "scheme": "dark",
        "launcher_label": {"fa": "گفتگو"},
        "features": {"sound": False},
        "uploads": {"types": [".PDF", ".png"], "max_bytes": 2048},
        "pre_chat": {"enabled": True, "fields": [{"name": "email", "type": "email", "required": True}]},
        "quick_replies": {"en": ["Where is my order?"]},
    }
    changed = await client.patch(f"/admin/channels/{shop.channel_id}", headers=admin, json={"widget": widget})
    assert changed.status_code == 200, changed.text
    assert changed.json()["widget"]["scheme"] == "dark"
    answer = await client.get(CONFIG, params=asked(shop), headers={"Origin": page(shop)})
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert "Origin" in answer.headers["vary"]
    body = answer.json()
    assert body["bot"] == {"display_name": "Mina", "avatar_url": None, "greeting": {"en": "Hi", "fa": "سلام"}}
    assert body["theme"]["primary"] == "#ff3366"
    assert (body["theme"]["scheme"], body["theme"]["launcher_label"]) == ("dark", {"fa": "گفتگو"})
    assert (body["locales"], body["default_locale"]) == (["fa", "en"], "fa")
    assert body["features"] == {"uploads": True, "handoff": True, "csat": True, "transcript": True, "sound": False}
    assert body["uploads"] == {"max_bytes": 2048, "types": [".pdf", ".png"]}
    assert body["pre_chat"]["fields"][0]["name"] == "email"
    assert body["hours"]["open_now"] is (body["hours"]["next_open_at"] is None)
    assert (body["tenant_id"], body["channel_id"]) == (str(shop.id), str(shop.channel_id))


async def test_no_person_is_offered_where_the_policy_offers_none(client: httpx.AsyncClient, shop: TenantRows) -> None:
    policy = {"handoff": {"offer": False}}
    stored = await client.put(f"/admin/policies/{shop.id}", headers=bearer(Role.TENANT_ADMIN, shop.id), json=policy)
    assert stored.status_code == 200, stored.text
    features = (await client.get(CONFIG, params=asked(shop), headers={"Origin": page(shop)})).json()["features"]
    assert features["handoff"] is False
    assert features["csat"] is True


async def test_mail_is_promised_only_where_the_brand_has_a_channel_for_it(
    client: httpx.AsyncClient, app: FastAPI, shop: TenantRows
) -> None:
    async def promised() -> bool:
        app.state.widget.forget()
        answer = await client.get(CONFIG, params=asked(shop), headers={"Origin": page(shop)})
        return bool(answer.json()["mail"])

    assert not await promised()
    credentials = {"address": "help@acme.test", "inbound": "postmark", "smtp_host": "smtp.acme.test"}
    body = {"tenant_id": str(shop.id), "channel_type": "email", "display_name": "Mail", "credentials": credentials}
    made = await client.post("/admin/channels", headers=bearer(), json=body)
    assert made.status_code == 201, made.text
    assert await promised()
    await client.patch(f"/admin/channels/{made.json()['id']}", headers=bearer(), json={"enabled": False})
    assert not await promised()


async def test_an_option_that_is_left_out_stays(client: httpx.AsyncClient, shop: TenantRows) -> None:
    path, admin = f"/admin/channels/{shop.channel_id}", bearer()
    await client.patch(path, headers=admin, json={"widget": {"scheme": "dark", "locales": ["fa"]}})
    await client.patch(path, headers=admin, json={"widget": {"locales": []}})
    widget = (await client.get(path, headers=admin)).json()["widget"]
    assert (widget["scheme"], widget["locales"]) == ("dark", [])
    assert (await client.get(f"/admin/bots/{shop.channel_id}", headers=admin)).json()["allowed_origins"] == [page(shop)]


@pytest.mark.parametrize(
    "widget",
    [
        {"nonsense": 1},
        {"uploads": {"types": [".svg"]}},
        {"uploads": {"types": [".html"]}},
        {"avatar_url": "javascript:alert(1)"},
        {"pre_chat": {"fields": [{"name": "subject"}]}},
        {"pre_chat": {"fields": [{"name": "a"}, {"name": "a"}]}},
        {"pre_chat": {"fields": [{"name": "a", "type": "select"}]}},
    ],
)
async def test_options_are_checked(client: httpx.AsyncClient, shop: TenantRows, widget: dict[str, Any]) -> None:
    answer = await client.patch(f"/admin/channels/{shop.channel_id}", headers=bearer(), json={"widget": widget})
    assert answer.status_code == 422, answer.text


async def test_only_web_channels_have_a_widget(client: httpx.AsyncClient, shop: TenantRows) -> None:
    made = await client.post(
        "/admin/channels", headers=bearer(),
        json={"tenant_id": str(shop.id), "channel_type": "webhook", "display_name": "Hook",
              "credentials": {"webhook_url": "https://hooks.example/x"}},
    )  # fmt: skip
    assert made.status_code == 201, made.text
    assert made.json()["widget"] is None
    answer = await client.patch(f"/admin/channels/{made.json()['id']}", headers=bearer(), json={"widget": {}})
    assert answer.status_code == 422


async def test_any_page_may_ask_first_and_only_sessions_take_cookies(client: httpx.AsyncClient) -> None:
    headers = {
        "Origin": EVIL,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    for path, origin, credentials in [
        (SESSIONS, EVIL, "true"),
        (f"{SESSIONS}/claim", EVIL, "true"),
        (CONFIG, "*", None),
        ("/v1/chat", "*", None),
        (f"/v1/conversations/{new_id()}/attachments", "*", None),
        (f"/v1/attachments/{new_id()}", "*", None),
        ("/v1/tickets", "*", None),
    ]:
        answer = await client.options(path, headers=headers)
        assert answer.status_code == 200, path
        assert answer.headers["access-control-allow-origin"] == origin
        assert answer.headers.get("access-control-allow-credentials") == credentials
        assert "authorization" in answer.headers["access-control-allow-headers"].lower()
    for path in ("/admin/tenants", "/auth/login", f"/v1/brands/{new_id()}/knowledge", "/api/chat"):
        answer = await client.options(path, headers=headers)
        assert "access-control-allow-origin" not in answer.headers, path


async def test_a_token_without_an_origin_is_good_on_the_tenants_pages(
    client: httpx.AsyncClient, shop: TenantRows
) -> None:
    made = await client.post(f"/admin/tenants/{shop.id}/embed_token", headers=bearer(), json={"user": {"id": "7"}})
    chat = {"Authorization": f"Bearer {made.json()['token']}"}
    path = f"/v1/conversations/{new_id()}/messages"
    statuses = {}
    for origin in (page(shop), EVIL, None):
        headers = chat | ({"Origin": origin} if origin else {})
        statuses[origin] = (await client.get(path, headers=headers)).status_code
    assert statuses == {page(shop): 404, EVIL: 403, None: 404}
