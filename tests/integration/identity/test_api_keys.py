"""API keys: shown once, masked afterwards, rotated with an overlap, dead when revoked."""

from datetime import datetime, timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from chatbot.apps.runtime import Runtime
from chatbot.core.clock import utcnow
from chatbot.core.ids import new_id
from chatbot.db.models import ApiKey
from chatbot.db.sessions import Database
from chatbot.identity.access.service import Access
from chatbot.identity.subject import Role
from tests.conftest import TenantRows, bearer


async def _make(client: httpx.AsyncClient, headers: dict[str, str], tenant: TenantRows, role: str) -> httpx.Response:
    body = {"tenant_id": str(tenant.id), "name": "CI", "role": role}
    return await client.post("/admin/api_keys", json=body, headers=headers)


def _headers(made: httpx.Response) -> dict[str, str]:
    return {"Authorization": f"Bearer {made.json()['key']}"}


async def test_a_key_is_shown_once_and_kept_as_a_hash(
    client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows, database: Database
) -> None:
    admin = bearer(Role.TENANT_ADMIN, tenant.id)
    made = await _make(client, admin, tenant, "agent")
    assert made.status_code == 201
    key = made.json()["key"]
    assert key.startswith("xin_sk_")
    listed = await client.get("/admin/api_keys", params={"tenant_id": str(tenant.id)}, headers=admin)
    assert key not in listed.text
    assert [row["hint"] for row in listed.json()["items"]] == [key[:12] + "…"]
    me = (await client.get("/auth/me", headers=_headers(made))).json()
    assert (me["subject"], me["role"], me["tenant_id"]) == (f"api_key:{made.json()['id']}", "agent", str(tenant.id))
    async with database.tenant_reader(tenant.id) as session:
        row = (await session.scalars(select(ApiKey))).one()
    assert key not in (row.key_hash, row.hint)
    assert row.last_used_at is not None


async def test_a_revoked_key_is_dead_here_at_once_and_elsewhere_within_the_cache(
    client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows
) -> None:
    admin = bearer(Role.TENANT_ADMIN, tenant.id)
    made = await _make(client, admin, tenant, "viewer")
    elsewhere, clock = Access(runtime.database, runtime.keys), [0.0]
    elsewhere._subjects._clock = lambda: clock[0]
    assert (await elsewhere.admin(made.json()["key"])).role is Role.VIEWER
    assert (await client.get("/auth/me", headers=_headers(made))).status_code == 200
    path = f"/admin/api_keys/{made.json()['id']}"
    assert (await client.delete(path, headers=admin)).status_code == 204
    assert (await client.delete(path, headers=admin)).status_code == 204
    assert (await client.get("/auth/me", headers=_headers(made))).status_code == 401
    clock[0] = 31.0
    with pytest.raises(Exception, match="unknown, expired or revoked"):
        await elsewhere.admin(made.json()["key"])


async def test_a_key_ends_when_it_says(
    client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows, database: Database
) -> None:
    admin = bearer(Role.TENANT_ADMIN, tenant.id)
    made = await _make(client, admin, tenant, "viewer")
    async with database.tenant(tenant.id) as session:
        (await session.scalars(select(ApiKey))).one().expires_at = utcnow() - timedelta(seconds=1)
    assert (await client.get("/auth/me", headers=_headers(made))).status_code == 401
    past = {"tenant_id": str(tenant.id), "name": "x", "role": "viewer", "expires_at": "2001-01-01T00:00:00Z"}
    assert (await client.post("/admin/api_keys", json=past, headers=admin)).status_code == 422


async def test_a_rotated_key_has_a_successor_and_a_quarter_of_an_hour(
    client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows, database: Database
) -> None:
    admin = bearer(Role.TENANT_ADMIN, tenant.id)
    made = await _make(client, admin, tenant, "agent")
    path = f"/admin/api_keys/{made.json()['id']}/rotate"
    rotated = await client.post(path, headers=admin)
    assert rotated.status_code == 201
    body = rotated.json()
    assert body["key"] != made.json()["key"]
    assert (body["name"], body["role"], body["expires_at"]) == ("CI", "agent", None)
    assert body["previous_id"] == made.json()["id"]
    left = datetime.fromisoformat(body["previous_until"]) - utcnow()
    assert timedelta(minutes=13) < left <= timedelta(minutes=15)
    for key in (made, rotated):
        assert (await client.get("/auth/me", headers=_headers(key))).status_code == 200

    again = await client.post(path, headers=admin)
    assert (again.status_code, again.json()["code"]) == (409, "conflict"), "its successor would end with it"
    async with database.tenant(tenant.id) as session:
        old = await session.get(ApiKey, (tenant.id, UUID(made.json()["id"])))
        assert old
        old.expires_at = utcnow() - timedelta(seconds=1)
    elsewhere = Access(runtime.database, runtime.keys)
    with pytest.raises(Exception, match="unknown, expired or revoked"):
        await elsewhere.admin(made.json()["key"])
    assert (await elsewhere.admin(body["key"])).role is Role.AGENT

    assert (await client.delete(f"/admin/api_keys/{body['id']}", headers=admin)).status_code == 204
    assert (await client.post(f"/admin/api_keys/{body['id']}/rotate", headers=admin)).status_code == 404
    events = (await client.get("/admin/events", params={"tenant_id": str(tenant.id)}, headers=admin)).json()["items"]
    (row,) = [event for event in events if event["action"] == "rotate_api_key"]
    assert (row["target"], row["outcome"]) == (f"api_key:{made.json()['id']}", "ok")
    assert row["detail"]["successor"] == body["id"]
    assert body["key"] not in str(events)


async def test_a_key_mints_none_above_its_role(
    client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows, other_tenant: TenantRows
) -> None:
    admin = bearer(Role.TENANT_ADMIN, tenant.id)
    strong = await _make(client, admin, tenant, "tenant_admin")
    weak = await _make(client, admin, tenant, "agent")
    assert (await _make(client, _headers(strong), tenant, "tenant_admin")).status_code == 201
    assert (await _make(client, _headers(strong), tenant, "platform_admin")).status_code == 422
    assert (await _make(client, _headers(strong), other_tenant, "viewer")).status_code == 404
    assert (await _make(client, _headers(weak), tenant, "viewer")).status_code == 403


async def test_an_unknown_key_and_another_tenants_are_the_same(
    client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows, other_tenant: TenantRows
) -> None:
    theirs = await _make(client, bearer(), other_tenant, "viewer")
    admin = bearer(Role.TENANT_ADMIN, tenant.id)
    answers = [
        await client.delete(f"/admin/api_keys/{key_id}", headers=admin) for key_id in (theirs.json()["id"], new_id())
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    bodies = [{**answer.json(), "request_id": ""} for answer in answers]
    assert bodies[0] == bodies[1]
    assert (await client.get("/auth/me", headers=_headers(theirs))).status_code == 200
