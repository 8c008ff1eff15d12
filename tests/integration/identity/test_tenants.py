"""Tenants and brands through the API."""

import httpx
import pytest

from chatbot.apps.runtime import Runtime
from chatbot.core.ids import new_id
from chatbot.db.models import KnowledgeSource
from chatbot.db.sessions import Database
from chatbot.identity.access.service import Access
from chatbot.identity.subject import Role, Subject
from tests.conftest import TenantRows, bearer

THEME = {"primary": "#ff3366"}


async def test_a_tenant_is_made_with_a_default_brand_and_a_web_channel(
    client: httpx.AsyncClient, runtime: Runtime, database: Database
) -> None:
    admin = bearer()
    body = {"name": "Acme", "timezone": "Asia/Tehran", "metadata": {"crm": 7}, "embed_theme": THEME}
    made = await client.post("/admin/tenants", json=body, headers=admin)
    assert made.status_code == 201
    tenant = made.json()
    assert {key: tenant[key] for key in body} == body
    brands = (await client.get("/admin/brands", params={"tenant_id": tenant["id"]}, headers=admin)).json()
    assert [(row["id"], row["name"]) for row in brands["items"]] == [(tenant["default_brand_id"], "Acme")]
    assert (await client.get(f"/admin/tenants/{tenant['id']}", headers=admin)).json() == tenant


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "Acme", "timezone": "Mars/Base"}, "timezone"),
        ({"name": "Acme", "embed_theme": {"primary": "red"}}, "embed_theme.primary"),
        ({"name": "Acme", "metadata": {"a": "x" * 17_000}}, "metadata"),
        ({"name": "Acme", "metadata": {"a": "\x00"}}, "metadata.a"),
        ({"name": "Acme", "metadata": {"a": 2**70}}, "metadata.a"),
        ({"name": "Acme", "id": str(new_id())}, "id"),
        ({"name": "Acme", "tenant_id": str(new_id())}, "tenant_id"),
    ],
)
async def test_bad_tenants_are_refused_by_field(
    client: httpx.AsyncClient, runtime: Runtime, body: dict[str, object], field: str
) -> None:
    answer = await client.post("/admin/tenants", json=body, headers=bearer())
    assert answer.status_code == 422
    assert [item["field"] for item in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("raw", [b'{"name": NaN}', b'{"name": "\\ud800"}', b"\xff\xfe", b"[" * 5000, b"{"])
async def test_unreadable_bodies_are_problems(client: httpx.AsyncClient, runtime: Runtime, raw: bytes) -> None:
    headers = bearer() | {"Content-Type": "application/json"}
    answer = await client.post("/admin/tenants", content=raw, headers=headers)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_roles_decide(client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows) -> None:
    viewer = bearer(Role.VIEWER, tenant.id)
    assert (await client.get(f"/admin/tenants/{tenant.id}", headers=viewer)).status_code == 200
    assert (await client.patch(f"/admin/tenants/{tenant.id}", json={}, headers=viewer)).status_code == 403
    assert (await client.post("/admin/tenants", json={"name": "Mine"}, headers=viewer)).status_code == 403
    body = {"tenant_id": str(tenant.id), "name": "Mine"}
    assert (await client.post("/admin/brands", json=body, headers=viewer)).status_code == 403
    params = {"tenant_id": str(tenant.id)}
    assert (await client.get("/admin/api_keys", params=params, headers=viewer)).status_code == 403
    assert (await client.put(f"/admin/policies/{tenant.id}", json={}, headers=viewer)).status_code == 403
    assert (await client.post(f"/admin/tenants/{tenant.id}/embed_token", headers=viewer)).status_code == 403


async def test_a_tenant_is_listed_to_itself_only(
    client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows, other_tenant: TenantRows
) -> None:
    admin = bearer(Role.TENANT_ADMIN, tenant.id)
    listed = (await client.get("/admin/tenants", headers=admin)).json()
    assert [row["id"] for row in listed["items"]] == [str(tenant.id)]
    first = (await client.get("/admin/tenants", params={"limit": 1}, headers=bearer())).json()
    params = {"limit": 1, "cursor": first["next_cursor"]}
    second = (await client.get("/admin/tenants", params=params, headers=bearer())).json()
    assert [first["items"][0]["id"], second["items"][0]["id"]] == [str(other_tenant.id), str(tenant.id)]


async def test_a_tenant_changes_what_is_given(client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows) -> None:
    admin = bearer(Role.TENANT_ADMIN, tenant.id)
    path = f"/admin/tenants/{tenant.id}"
    changed = await client.patch(path, json={"timezone": "Europe/Madrid", "embed_theme": THEME}, headers=admin)
    assert changed.status_code == 200
    assert (changed.json()["name"], changed.json()["timezone"]) == ("Acme", "Europe/Madrid")
    unknown = await client.patch(path, json={"default_brand_id": str(new_id())}, headers=admin)
    assert unknown.status_code == 404


async def test_brands_are_made_renamed_and_deleted(
    client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows
) -> None:
    admin = bearer(Role.TENANT_ADMIN, tenant.id)
    made = await client.post("/admin/brands", json={"tenant_id": str(tenant.id), "name": "Second"}, headers=admin)
    assert made.status_code == 201
    path = f"/admin/brands/{made.json()['id']}"
    twice = await client.post("/admin/brands", json={"tenant_id": str(tenant.id), "name": "SECOND"}, headers=admin)
    assert twice.status_code == 409
    assert (await client.patch(path, json={"name": "acme"}, headers=admin)).status_code == 409
    assert (await client.patch(path, json={"name": "Third"}, headers=admin)).json()["name"] == "Third"
    assert (await client.get(path, headers=admin)).json()["name"] == "Third"
    assert (await client.delete(path, headers=admin)).status_code == 204
    assert (await client.get(path, headers=admin)).status_code == 404


async def test_a_brand_in_use_is_not_deleted(
    client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows, database: Database
) -> None:
    admin = bearer(Role.TENANT_ADMIN, tenant.id)
    default = await client.delete(f"/admin/brands/{tenant.brand_id}", headers=admin)
    assert (default.status_code, default.json()["code"]) == (409, "conflict")
    made = await client.post("/admin/brands", json={"tenant_id": str(tenant.id), "name": "Wise"}, headers=admin)
    async with database.tenant(tenant.id) as session:
        session.add(KnowledgeSource(tenant_id=tenant.id, brand_id=made.json()["id"], kind="text", title="Fact"))
    assert (await client.delete(f"/admin/brands/{made.json()['id']}", headers=admin)).status_code == 409


async def test_an_unknown_tenant_is_404_for_a_platform_admin_too(client: httpx.AsyncClient, runtime: Runtime) -> None:
    admin, unknown = bearer(), str(new_id())
    answers = [
        await client.get(f"/admin/tenants/{unknown}", headers=admin),
        await client.post("/admin/brands", json={"tenant_id": unknown, "name": "X"}, headers=admin),
        await client.get("/admin/brands", params={"tenant_id": unknown}, headers=admin),
        await client.post("/admin/api_keys", json={"tenant_id": unknown, "name": "X", "role": "viewer"}, headers=admin),
        await client.get(f"/admin/policies/{unknown}", headers=admin),
        await client.put(f"/admin/policies/{unknown}/retrieval_config", json={}, headers=admin),
        await client.post(f"/admin/tenants/{unknown}/embed_token", headers=admin),
    ]
    assert [answer.status_code for answer in answers] == [404] * len(answers)


async def test_an_embed_token_speaks_for_one_visitor(
    client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows
) -> None:
    admin = bearer(Role.AGENT, tenant.id)
    path = f"/admin/tenants/{tenant.id}/embed_token"
    body = {"user": {"id": "u-1", "name": "Sara", "plan": "gold"}, "origin": "https://shop.example"}
    made = await client.post(path, json=body, headers=admin)
    assert made.status_code == 200
    subject = await _resolve(runtime, made.json()["token"], origin="https://shop.example")
    assert (subject.name, subject.tenant_id, subject.brand_id) == ("visitor:u-1", tenant.id, tenant.brand_id)
    assert subject.visitor == {"id": "u-1", "name": "Sara", "plan": "gold"}
    programs = {"user": {"id": 42, "vip": True, "orders": 7, "rating": 4.5, "plan": None, "city": "Bath"}}
    made = await client.post(path, json=programs, headers=admin)
    assert made.status_code == 200, made.text
    subject = await _resolve(runtime, made.json()["token"], origin="https://shop.example")
    assert subject.name == "visitor:42"
    assert subject.visitor == {"id": "42", "vip": "true", "orders": "7", "rating": "4.5", "city": "Bath"}
    for refused in ({"id": True}, {"id": [1]}, {"vip": {}}, {"vip": [1]}, {"vip": "x" * 501}, {"n": 10**40}):
        answer = await client.post(path, json={"user": refused}, headers=admin)
        assert answer.status_code == 422, refused
    big = await client.post(path, json={"user": {f"k{n}": "x" * 400 for n in range(20)}}, headers=admin)
    assert (big.status_code, big.json()["errors"][0]["field"]) == (422, "user")
    assert (await client.post(path, json={"brand_id": str(new_id())}, headers=admin)).status_code == 404


async def _resolve(runtime: Runtime, token: str, *, origin: str) -> Subject:
    return await Access(runtime.database, runtime.keys).chat(token, tenant_id=None, origin=origin)
