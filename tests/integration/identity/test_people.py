"""People: who sees and changes whom, who must stay, and how fast somebody is out."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text, update

from chatbot.apps.runtime import Runtime
from chatbot.core.clock import utcnow
from chatbot.core.ids import new_id
from chatbot.db.models import Tenant, User
from chatbot.db.sessions import Database
from chatbot.identity.access.service import Access
from chatbot.identity.subject import Role
from tests.conftest import TenantRows, bearer
from tests.integration.identity.people import PASSWORD, Person, bearer_of, make_person


@pytest.fixture
async def admin(database: Database, tenant: TenantRows) -> Person:
    """An administrator of the tenant."""
    return await make_person(database, {tenant.id: "tenant_admin"}, name="Ada")


@pytest.fixture
async def agent(database: Database, tenant: TenantRows) -> Person:
    """An agent of the tenant."""
    return await make_person(database, {tenant.id: "agent"}, name="Ben")


@pytest.fixture
async def both(database: Database, tenant: TenantRows, other_tenant: TenantRows) -> Person:
    """Somebody who belongs to two tenants."""
    return await make_person(database, {tenant.id: "agent", other_tenant.id: "tenant_admin"}, name="Cleo")


def _admin(tenant: TenantRows) -> dict[str, str]:
    return bearer(Role.TENANT_ADMIN, tenant.id)


async def test_an_administrator_sees_the_people_of_the_tenant(
    client: httpx.AsyncClient, tenant: TenantRows, admin: Person, agent: Person, both: Person
) -> None:
    listed = (await client.get("/admin/users", params={"tenant_id": str(tenant.id)}, headers=_admin(tenant))).json()
    assert {row["id"] for row in listed["items"]} == {str(admin.id), str(agent.id), str(both.id)}
    seen = {row["id"]: row for row in listed["items"]}[str(both.id)]
    assert seen["memberships"] == [{"tenant_id": str(tenant.id), "tenant_name": "Acme", "role": "agent"}], (
        "memberships elsewhere are nobody's business"
    )
    assert (seen["status"], seen["email"], seen["totp_enabled"]) == ("active", both.email, False)
    found = await client.get("/admin/users", params={"q": both.email.upper()}, headers=_admin(tenant))
    assert [row["id"] for row in found.json()["items"]] == [str(both.id)]
    assert (await client.get("/admin/users", params={"q": "%"}, headers=_admin(tenant))).json()["items"] == []


async def test_pages_of_people_follow_one_another(
    client: httpx.AsyncClient, tenant: TenantRows, admin: Person, agent: Person
) -> None:
    query = {"tenant_id": str(tenant.id), "limit": "1"}
    first = (await client.get("/admin/users", params=query, headers=_admin(tenant))).json()
    second = (
        await client.get("/admin/users", params=query | {"cursor": first["next_cursor"]}, headers=_admin(tenant))
    ).json()
    assert [row["id"] for page in (first, second) for row in page["items"]] == [str(agent.id), str(admin.id)]
    assert second["next_cursor"] is None


async def test_a_platform_admin_sees_everybody(client: httpx.AsyncClient, both: Person) -> None:
    row = (await client.get(f"/admin/users/{both.id}", headers=bearer())).json()
    assert {each["role"] for each in row["memberships"]} == {"agent", "tenant_admin"}


@pytest.mark.parametrize("role", [Role.AGENT, Role.VIEWER])
async def test_lower_roles_see_and_change_nobody(
    client: httpx.AsyncClient, tenant: TenantRows, agent: Person, role: Role
) -> None:
    headers = bearer(role, tenant.id)
    assert (await client.get("/admin/users", headers=headers)).status_code == 403
    assert (await client.get("/admin/users", params={"tenant_id": str(tenant.id)}, headers=headers)).status_code == 403
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/suspend"), ("POST", "/reset_password")):
        assert (await client.request(method, f"/admin/users/{agent.id}{path}", headers=headers)).status_code == 403


async def test_people_of_other_tenants_are_unknown(
    client: httpx.AsyncClient, database: Database, tenant: TenantRows, other_tenant: TenantRows
) -> None:
    stranger = await make_person(database, {other_tenant.id: "agent"})
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/suspend"), ("POST", "/reset_password")):
        answers = [
            await client.request(method, f"/admin/users/{user_id}{path}", headers=_admin(tenant))
            for user_id in (stranger.id, new_id())
        ]
        assert [answer.status_code for answer in answers] == [404, 404]
    put = await client.put(
        f"/admin/users/{stranger.id}/memberships/{tenant.id}", json={"role": "agent"}, headers=_admin(tenant)
    )
    assert put.status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("DELETE", "", None), ("POST", "/suspend", None), ("POST", "/reset_password", None),
        ("PATCH", "", {"name": "Mallory"}), ("PATCH", "", {"email": "mallory@example.com"}),
    ],
)  # fmt: skip
async def test_whoever_belongs_to_others_too_is_not_ones_own_to_change(
    client: httpx.AsyncClient, tenant: TenantRows, both: Person, method: str, path: str, body: Any
) -> None:
    answer = await client.request(method, f"/admin/users/{both.id}{path}", json=body, headers=_admin(tenant))
    assert answer.status_code == 403
    assert (await client.post("/auth/login", json=both.sign_in)).json()["user"]["name"] == "Cleo"


async def test_whoever_belongs_to_a_tenant_out_of_service_is_not_ones_own_either(
    client: httpx.AsyncClient, database: Database, tenant: TenantRows, other_tenant: TenantRows, both: Person
) -> None:
    async with database.platform() as session:
        await session.execute(update(Tenant).where(Tenant.id == other_tenant.id).values(deleted_at=utcnow()))
    path, body = f"/admin/users/{both.id}", {"email": "mallory@example.com"}
    assert (await client.patch(path, json=body, headers=_admin(tenant))).status_code == 403


async def test_a_membership_can_be_taken_away_where_the_person_cannot(
    client: httpx.AsyncClient, tenant: TenantRows, other_tenant: TenantRows, both: Person
) -> None:
    path = f"/admin/users/{both.id}/memberships"
    headers = _admin(tenant)
    assert (await client.delete(f"{path}/{other_tenant.id}", headers=headers)).status_code == 404
    assert (await client.delete(f"{path}/{tenant.id}", headers=headers)).status_code == 204
    assert (await client.get(f"/admin/users/{both.id}", headers=headers)).status_code == 404
    me = (await client.get("/auth/me", headers=await both.bearer(client))).json()
    assert [row["tenant_id"] for row in me["memberships"]] == [str(other_tenant.id)]


async def test_a_platform_admin_is_above_a_tenants(
    client: httpx.AsyncClient, database: Database, tenant: TenantRows, admin: Person
) -> None:
    above = await make_person(database, {tenant.id: "agent"}, is_platform_admin=True)
    answer = await client.post(f"/admin/users/{above.id}/suspend", headers=_admin(tenant))
    assert answer.status_code == 403
    patch = {"is_platform_admin": True}
    assert (await client.patch(f"/admin/users/{admin.id}", json=patch, headers=_admin(tenant))).status_code == 403


async def test_roles_change_at_once_here(
    client: httpx.AsyncClient, tenant: TenantRows, admin: Person, agent: Person
) -> None:
    theirs = await agent.bearer(client)
    query = {"tenant_id": str(tenant.id)}
    assert (await client.get("/admin/users", params=query, headers=theirs)).status_code == 403
    path = f"/admin/users/{agent.id}/memberships/{tenant.id}"
    raised = await client.put(path, json={"role": "tenant_admin"}, headers=_admin(tenant))
    assert raised.json()["memberships"][0]["role"] == "tenant_admin"
    assert (await client.get("/admin/users", params=query, headers=theirs)).status_code == 200
    assert (await client.put(path, json={"role": "viewer"}, headers=_admin(tenant))).status_code == 200
    assert (await client.get("/admin/users", params=query, headers=theirs)).status_code == 403
    assert (await client.put(path, json={"role": "platform_admin"}, headers=_admin(tenant))).status_code == 422


async def test_the_last_administrator_of_a_tenant_stays(
    client: httpx.AsyncClient, tenant: TenantRows, admin: Person, agent: Person
) -> None:
    membership = f"/admin/users/{admin.id}/memberships/{tenant.id}"
    for headers in (_admin(tenant), bearer()):
        answers = [
            await client.delete(membership, headers=headers),
            await client.put(membership, json={"role": "agent"}, headers=headers),
            await client.delete(f"/admin/users/{admin.id}", headers=headers),
            await client.post(f"/admin/users/{admin.id}/suspend", headers=headers),
        ]
        assert [answer.status_code for answer in answers] == [409] * 4
        assert "last administrator of Acme" in answers[0].json()["detail"]
    second = f"/admin/users/{agent.id}/memberships/{tenant.id}"
    await client.put(second, json={"role": "tenant_admin"}, headers=bearer())
    assert (await client.delete(membership, headers=_admin(tenant))).status_code == 204


async def test_of_two_last_administrators_who_go_at_once_one_stays(
    client: httpx.AsyncClient, database: Database, tenant: TenantRows
) -> None:
    pair = [await make_person(database, {tenant.id: "tenant_admin"}) for _ in range(2)]
    answers = await asyncio.gather(
        client.post(f"/admin/users/{pair[0].id}/suspend", headers=_admin(tenant)),
        client.put(
            f"/admin/users/{pair[1].id}/memberships/{tenant.id}", json={"role": "viewer"}, headers=_admin(tenant)
        ),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_the_last_platform_admin_stays(client: httpx.AsyncClient, database: Database) -> None:
    async with database.platform() as session:
        await session.execute(update(User).values(is_platform_admin=False))
    last = await make_person(database, is_platform_admin=True)
    refused = [
        await client.post(f"/admin/users/{last.id}/suspend", headers=bearer()),
        await client.delete(f"/admin/users/{last.id}", headers=bearer()),
        await client.patch(f"/admin/users/{last.id}", json={"is_platform_admin": False}, headers=bearer()),
    ]
    assert [answer.status_code for answer in refused] == [409] * 3
    another = await make_person(database)
    made = await client.patch(f"/admin/users/{another.id}", json={"is_platform_admin": True}, headers=bearer())
    assert made.json()["is_platform_admin"] is True
    headers = await another.bearer(client)
    assert (await client.post(f"/admin/users/{another.id}/suspend", headers=headers)).status_code == 409, "oneself"
    assert (await client.post(f"/admin/users/{last.id}/suspend", headers=headers)).status_code == 200


@pytest.mark.parametrize("way", ["suspend", "delete"])
async def test_whoever_is_shut_out_is_out_everywhere(
    client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows, agent: Person, way: str
) -> None:
    entered = await client.post("/auth/login", json=agent.sign_in)
    elsewhere, clock = Access(runtime.database, runtime.keys), [0.0]
    elsewhere._subjects._clock = lambda: clock[0]
    token = entered.json()["access_token"]
    await elsewhere.admin(token)
    path = f"/admin/users/{agent.id}"
    done = await (
        client.delete(path, headers=_admin(tenant))
        if way == "delete"
        else client.post(f"{path}/suspend", headers=_admin(tenant))
    )
    assert done.status_code in (200, 204)
    assert (await client.get("/auth/me", headers=bearer_of(entered))).status_code == 401, "here at once"
    refreshed = await client.post("/auth/refresh", json={"refresh_token": entered.json()["refresh_token"]})
    assert refreshed.status_code == 401
    assert (await client.post("/auth/login", json=agent.sign_in)).status_code == 401
    clock[0] = 31.0
    with pytest.raises(Exception, match="unknown, expired or revoked"):
        await elsewhere.admin(token)
    back = "restore" if way == "delete" else "activate"
    assert (await client.post(f"{path}/{back}", headers=_admin(tenant))).json()["status"] == "active"
    assert (await client.get("/auth/me", headers=bearer_of(entered))).status_code == 401, "old sessions stay ended"
    assert (await client.post("/auth/login", json=agent.sign_in)).status_code == 200


async def test_deleted_people_are_listed_on_request_and_restored_within_the_window(
    client: httpx.AsyncClient, database: Database, tenant: TenantRows, admin: Person, agent: Person
) -> None:
    path, headers = f"/admin/users/{agent.id}", _admin(tenant)
    await client.delete(path, headers=headers)
    assert (await client.post(f"{path}/suspend", headers=headers)).status_code == 409
    listed = (await client.get("/admin/users", headers=headers)).json()["items"]
    assert str(agent.id) not in {row["id"] for row in listed}
    deleted = (await client.get("/admin/users", params={"status": "deleted"}, headers=headers)).json()["items"]
    assert [(row["id"], row["status"]) for row in deleted] == [(str(agent.id), "deleted")]
    await _deleted_ago(database, agent.id, timedelta(days=31))
    late = await client.post(f"{path}/restore", headers=headers)
    assert (late.status_code, "30 days" in late.json()["detail"]) == (409, True)
    await _deleted_ago(database, agent.id, timedelta(days=29))
    restored = (await client.post(f"{path}/restore", headers=headers)).json()
    assert (restored["deleted_at"], restored["memberships"][0]["role"]) == (None, "agent")


async def _deleted_ago(database: Database, user_id: UUID, age: timedelta) -> None:
    async with database.platform() as session:
        await session.execute(update(User).where(User.id == user_id).values(deleted_at=utcnow() - age))


async def test_an_address_has_one_person(
    client: httpx.AsyncClient, tenant: TenantRows, admin: Person, agent: Person
) -> None:
    taken = await client.patch(f"/admin/users/{agent.id}", json={"email": admin.email.upper()}, headers=_admin(tenant))
    assert taken.status_code == 409
    await client.delete(f"/admin/users/{agent.id}", headers=_admin(tenant))
    await client.patch(f"/admin/users/{admin.id}", json={"email": agent.email}, headers=_admin(tenant))
    assert (await client.post(f"/admin/users/{agent.id}/restore", headers=_admin(tenant))).status_code == 409


async def test_a_new_password_by_a_link(client: httpx.AsyncClient, tenant: TenantRows, agent: Person) -> None:
    entered = await client.post("/auth/login", json=agent.sign_in)
    path = f"/admin/users/{agent.id}/reset_password"
    first = (await client.post(path, headers=_admin(tenant))).json()
    link = (await client.post(path, headers=_admin(tenant))).json()
    assert link["reset_url"].endswith(f"/console/reset#token={link['token']}")
    new = {"password": "quite another password"}
    assert (await client.post("/auth/password/reset", json={"token": first["token"], **new})).status_code == 404
    assert (await client.get("/auth/me", headers=bearer_of(entered))).status_code == 200, "until it is used"
    assert (await client.post("/auth/password/reset", json={"token": link["token"], **new})).status_code == 204
    assert (await client.get("/auth/me", headers=bearer_of(entered))).status_code == 401
    assert (await client.post("/auth/login", json=agent.sign_in)).status_code == 401
    assert (await client.post("/auth/login", json={"email": agent.email, **new})).status_code == 200
    used, unknown = [
        (await client.post("/auth/password/reset", json={"token": token, **new})).json()
        for token in (link["token"], "xin_pw_unknown")
    ]
    assert {**used, "request_id": ""} == {**unknown, "request_id": ""}
    assert used["status"] == 404


async def test_a_link_ends_after_an_hour_and_with_the_person(
    client: httpx.AsyncClient, database: Database, tenant: TenantRows, admin: Person, agent: Person
) -> None:
    for spoil in ("DELETE /admin/users/{}", "POST /admin/users/{}/suspend"):
        link = (await client.post(f"/admin/users/{agent.id}/reset_password", headers=_admin(tenant))).json()
        method, path = spoil.format(agent.id).split()
        await client.request(method, path, headers=_admin(tenant))
        body = {"token": link["token"], "password": "quite another password"}
        assert (await client.post("/auth/password/reset", json=body)).status_code == 404
        await client.post(f"/admin/users/{agent.id}/restore", headers=_admin(tenant))
    link = (await client.post(f"/admin/users/{admin.id}/reset_password", headers=_admin(tenant))).json()
    async with database.platform() as session:
        await session.execute(text("UPDATE password_resets SET expires_at = now()"))
    body = {"token": link["token"], "password": "quite another password"}
    assert (await client.post("/auth/password/reset", json=body)).status_code == 404


async def test_links_are_kept_as_hashes_only(
    client: httpx.AsyncClient, database: Database, tenant: TenantRows, agent: Person
) -> None:
    token = (await client.post(f"/admin/users/{agent.id}/reset_password", headers=_admin(tenant))).json()["token"]
    assert PASSWORD not in token
    async with database.platform() as session:
        for table in ("password_resets", "invitations", "audit_events", "users"):
            rows = (await session.execute(text(f"SELECT t::text FROM {table} t"))).scalars().all()
            assert not any(token in row for row in rows)


@pytest.mark.usefixtures("_no_refill")
async def test_trying_links_is_limited(client: httpx.AsyncClient) -> None:
    body = {"token": "xin_pw_nothing", "password": "quite another password"}
    answers = await asyncio.gather(*(client.post("/auth/password/reset", json=body) for _ in range(31)))
    assert sorted(answer.status_code for answer in answers) == [404] * 30 + [429]
