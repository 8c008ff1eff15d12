"""What a visitor says of themselves before the chat, and the snippet that begins it all."""

from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from chatbot.apps.runtime import Runtime
from chatbot.core.ids import new_id
from chatbot.identity.tokens import claims_of
from tests.conftest import GATEWAY_TOKEN, TenantRows, bearer

pytestmark = pytest.mark.integration

VISITOR = "/v1/widget/visitor"
ASKED = [
    {"name": "name", "type": "text", "required": True},
    {"name": "email", "type": "email"},
    {"name": "topic", "type": "select", "options": ["Orders", "Returns"]},
]


@pytest.fixture
async def shop(client: httpx.AsyncClient, tenant: TenantRows) -> TenantRows:
    """A tenant that asks three questions before the chat."""
    body = {"widget": {"pre_chat": {"enabled": True, "fields": ASKED}}}
    assert (await client.patch(f"/admin/channels/{tenant.channel_id}", headers=bearer(), json=body)).status_code == 200
    return tenant


async def anonymous(client: httpx.AsyncClient, tenant: TenantRows) -> dict[str, Any]:
    made = await client.post(
        "/v1/widget/sessions", json={"tenant_id": str(tenant.id)}, headers={"Origin": "http://xin.test"}
    )
    session: dict[str, Any] = made.json()
    return session


def holding(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def introduce(client: httpx.AsyncClient, token: str, **fields: str) -> httpx.Response:
    return await client.put(VISITOR, json={"fields": fields}, headers=holding(token))


async def visitor_in(runtime: Runtime, tenant: TenantRows, conversation_id: str) -> dict[str, str]:
    async with runtime.database.tenant_reader(tenant.id) as session:
        found = await session.execute(
            text("SELECT visitor FROM conversations WHERE id = :id"), {"id": UUID(conversation_id)}
        )
        visitor: dict[str, str] = found.scalar_one()
    return visitor


async def test_what_a_visitor_says_stays_with_them(
    client: httpx.AsyncClient, runtime: Runtime, shop: TenantRows
) -> None:
    session = await anonymous(client, shop)
    before = await client.post("/v1/chat", json={"message": "hello"}, headers=holding(session["token"]))
    told = await introduce(client, session["token"], name="Ann", email="ann@example.com", topic="Orders")
    assert told.status_code == 200, told.text
    assert told.json()["visitor_id"] == session["visitor_id"]
    assert told.json()["expires_at"] <= session["expires_at"]
    after = await client.post("/v1/chat", json={"message": "hello"}, headers=holding(told.json()["token"]))
    again = await anonymous(client, shop)
    later = await client.post("/v1/chat", json={"message": "hello"}, headers=holding(again["token"]))
    said = {"id": session["visitor_id"], "name": "Ann", "email": "ann@example.com", "topic": "Orders"}
    for answer in (before, after, later):
        visitor = await visitor_in(runtime, shop, answer.json()["conversation_id"])
        assert {**visitor, "subject": ""} == {**said, "subject": ""}
    changed = await introduce(client, told.json()["token"], name="Anna")
    assert claims_of(changed.json()["token"])["said"]["name"] == "Anna"


async def test_what_a_host_page_vouches_for_goes_before_what_is_said(
    client: httpx.AsyncClient, runtime: Runtime, shop: TenantRows
) -> None:
    user = {"id": "7", "email": "real@example.com"}
    made = await client.post(f"/admin/tenants/{shop.id}/embed_token", headers=bearer(), json={"user": user})
    chat = await client.post("/v1/chat", json={"message": "hello"}, headers=holding(made.json()["token"]))
    told = await introduce(client, made.json()["token"], name="Ann", email="other@example.com")
    assert told.status_code == 200
    visitor = await visitor_in(runtime, shop, chat.json()["conversation_id"])
    assert visitor == {"id": "7", "subject": "visitor:7", "name": "Ann", "email": "real@example.com"}
    next_one = await client.post("/v1/chat", json={"message": "hello"}, headers=holding(told.json()["token"]))
    assert await visitor_in(runtime, shop, next_one.json()["conversation_id"]) == visitor


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "fields.name"),
        ({"name": " "}, "fields.name"),
        ({"name": "Ann", "email": "ann"}, "fields.email"),
        ({"name": "Ann", "topic": "Weather"}, "fields.topic"),
        ({"name": "Ann", "subject": "visitor:7"}, "fields.subject"),
        ({"name": "Ann", "id": "7"}, "fields.id"),
    ],
)
async def test_answers_are_checked(
    client: httpx.AsyncClient, shop: TenantRows, fields: dict[str, str], field: str
) -> None:
    answer = await introduce(client, (await anonymous(client, shop))["token"], **fields)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


async def test_only_visitors_introduce_themselves(client: httpx.AsyncClient, shop: TenantRows) -> None:
    staff = bearer() | {"X-Tenant-Id": str(shop.id)}
    gateway = holding(GATEWAY_TOKEN) | {"X-Tenant-Id": str(shop.id)}
    for headers in (staff, gateway):
        answer = await client.put(VISITOR, json={"fields": {"name": "Ann"}}, headers=headers)
        assert answer.status_code == 403


CLAIM = "/v1/widget/sessions/claim"


async def say(client: httpx.AsyncClient, token: str, conversation: str | None = None) -> httpx.Response:
    body = {"message": "hello", "conversation_id": conversation}
    return await client.post("/v1/chat", json=body, headers=holding(token))


async def vouched_for(client: httpx.AsyncClient, tenant: TenantRows) -> str:
    user = {"id": "7", "name": "Ann", "email": "ann@example.com"}
    made = await client.post(f"/admin/tenants/{tenant.id}/embed_token", headers=bearer(), json={"user": user})
    token: str = made.json()["token"]
    return token


async def test_who_signs_in_goes_on_with_what_they_began(
    client: httpx.AsyncClient, runtime: Runtime, shop: TenantRows
) -> None:
    session = await anonymous(client, shop)
    conversation = (await say(client, session["token"])).json()["conversation_id"]
    ann = await vouched_for(client, shop)
    assert (await say(client, ann, conversation)).status_code == 404
    claimed = await client.post(CLAIM, headers=holding(ann))
    assert claimed.json() == {"conversation_ids": [conversation]}
    assert "xin_visitor=; " in claimed.headers["set-cookie"]
    assert (await say(client, ann, conversation)).status_code == 200
    assert (await say(client, session["token"], conversation)).status_code == 404
    assert await visitor_in(runtime, shop, conversation) == {
        "id": "7", "subject": "visitor:7", "name": "Ann", "email": "ann@example.com",
    }  # fmt: skip
    assert (await client.post(CLAIM, headers=holding(ann))).json() == {"conversation_ids": []}
    assert (await anonymous(client, shop))["visitor_id"] != session["visitor_id"]


async def test_only_ones_own_conversations_are_claimed(
    client: httpx.AsyncClient, shop: TenantRows, other_tenant: TenantRows
) -> None:
    first = await anonymous(client, shop)
    await say(client, first["token"])
    stranger = await vouched_for(client, other_tenant)
    assert (await client.post(CLAIM, headers=holding(stranger))).json() == {"conversation_ids": []}
    client.cookies.clear()
    assert (await client.post(CLAIM, headers=holding(await vouched_for(client, shop)))).json() == {
        "conversation_ids": []
    }
    second = await anonymous(client, shop)
    refused = [
        (await client.post(CLAIM, headers=headers)).status_code
        for headers in (holding(second["token"]), bearer() | {"X-Tenant-Id": str(shop.id)}, {})
    ]
    assert refused == [403, 403, 401]


class _Script(HTMLParser):
    """The attributes of the one script of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.attributes: dict[str, str | None] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag == "script"
        self.attributes = dict(attrs)


async def test_the_snippet_stands_at_both_addresses(client: httpx.AsyncClient, shop: TenantRows) -> None:
    asked = {"locale": "fa", "brand_id": str(shop.brand_id)}
    both = [
        (await client.get(path, headers=bearer(), params=asked)).json()
        for path in (f"/admin/embed_snippet/{shop.id}", f"/admin/tenants/{shop.id}/embed_snippet")
    ]
    assert both[0] == both[1]
    assert _Script(both[0]["snippet"]).attributes == {
        "defer": None,
        "src": "http://127.0.0.1:8000/embed.js",
        "data-tenant": str(shop.id),
        "data-brand": str(shop.brand_id),
        "data-api": "http://127.0.0.1:8000",
        "data-gateway": "ws://127.0.0.1:8080",
        "data-locale": "fa",
    }
    left_open = (await client.get(f"/admin/embed_snippet/{shop.id}", headers=bearer())).json()
    assert _Script(left_open["snippet"]).attributes["data-locale"] == "auto"
    unknown = await client.get(f"/admin/embed_snippet/{shop.id}", headers=bearer(), params={"brand_id": str(new_id())})
    assert unknown.status_code == 404
