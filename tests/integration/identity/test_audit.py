"""The audit log: written with each change and each denial, by nobody to be changed, a changed row found."""

import asyncio
import json
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from chatbot.cli.audit import verify as verify_from_the_command_line
from chatbot.db.roles import APP_ROLE, PLATFORM_ROLE, conninfo, role_url
from chatbot.db.sessions import Database
from chatbot.identity.audit.chain import PLATFORM
from chatbot.identity.audit.reading import AuditReader
from chatbot.identity.audit.service import Entry, record
from chatbot.identity.dependencies import Caller, Db, Unaudited
from chatbot.identity.subject import Role
from tests.conftest import TenantRows, bearer
from tests.integration.identity.people import PASSWORD, Person, make_person


@pytest.fixture
async def admin(database: Database, tenant: TenantRows) -> Person:
    """An administrator of the tenant."""
    return await make_person(database, {tenant.id: "tenant_admin"}, name="Ada")


async def _events(client: httpx.AsyncClient, tenant: TenantRows | None = None, **query: str) -> list[dict[str, Any]]:
    params = query | ({"tenant_id": str(tenant.id)} if tenant else {})
    answer = await client.get("/admin/events", params=params, headers=bearer())
    assert answer.status_code == 200
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def _tamper(database_url: str, statement: str, *values: object) -> None:
    """What only the owner of the database can do."""
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute(statement.encode(), values or None)


async def test_a_change_leaves_a_row_with_who_what_and_where_from(
    client: httpx.AsyncClient, tenant: TenantRows, admin: Person
) -> None:
    headers = await admin.bearer(client) | {"X-Request-ID": "change-1"}
    body = {"tenant_id": str(tenant.id), "name": "CRM", "role": "agent"}
    made = (await client.post("/admin/api_keys", json=body, headers=headers)).json()
    row, entered = (await _events(client, tenant))[:2]
    assert (row["actor"], row["actor_name"]) == (f"user:{admin.id}", "Ada")
    assert (row["action"], row["target"], row["outcome"]) == ("create_key", f"api_key:{made['id']}", "ok")
    assert row["detail"] == {"fields": ["name", "role", "tenant_id"], "role": "agent"}
    assert (row["ip"], row["correlation_id"]) == ("127.0.0.1", "change-1")
    assert (entered["action"], entered["detail"], entered["id"]) == ("login", {"way": "password"}, row["id"] - 1)
    assert row["previous_hash"] == entered["hash"]
    assert made["key"] not in json.dumps(row)


async def test_what_is_undone_leaves_no_row(client: httpx.AsyncClient, tenant: TenantRows) -> None:
    headers = bearer(Role.TENANT_ADMIN, tenant.id)
    named = {"tenant_id": str(tenant.id), "name": "Second"}
    assert (await client.post("/admin/brands", json=named, headers=headers)).status_code == 201
    before = await _events(client, tenant)
    assert (await client.post("/admin/brands", json=named, headers=headers)).status_code == 409
    assert (await client.delete(f"/admin/brands/{tenant.brand_id}", headers=headers)).status_code == 409
    assert (await client.get("/admin/brands", params={"tenant_id": str(tenant.id)}, headers=headers)).status_code == 200
    assert await _events(client, tenant) == before
    assert [row["action"] for row in before] == ["create_brand"]


async def test_secrets_are_named_and_never_told(client: httpx.AsyncClient, tenant: TenantRows) -> None:
    headers = bearer(Role.TENANT_ADMIN, tenant.id)
    credentials = {"bot_token": "123456:canary-of-a-bot-token-0123456789abcd"}
    body = {"tenant_id": str(tenant.id), "channel_type": "telegram", "display_name": "T", "credentials": credentials}
    made = await client.post("/admin/channels", json=body, headers=headers)
    assert made.status_code == 201, made.text
    await client.post(f"/admin/channels/{made.json()['id']}/rotate_secret", headers=headers)
    rows = await _events(client, tenant)
    assert [row["action"] for row in rows] == ["rotate_secret", "create_channel"]
    assert {row["target"] for row in rows} == {f"channel:{made.json()['id']}"}
    assert "credentials" in rows[1]["detail"]["fields"]
    assert "canary" not in json.dumps(rows)


async def test_what_a_call_makes_is_its_target(client: httpx.AsyncClient, tenant: TenantRows) -> None:
    headers, of_tenant = bearer(Role.TENANT_ADMIN, tenant.id), {"tenant_id": str(tenant.id)}
    event = {"type": "event", "name": "note.created"}
    acting = {"trigger": event, "actions": [{"type": "note", "text": "Seen"}]}
    made = {
        "rule": ("/admin/automation/rules", {"name": "Note", **acting}),
        "webhook": ("/admin/webhooks", {"url": "https://example.com/in", "events": ["note.created"]}),
        "channel": ("/admin/channels", {"channel_type": "web", "display_name": "Shop"}),
        "canned_reply": ("/admin/canned_replies", {"shortcut": "hi", "title": "Hi", "text": "Hello"}),
        "invitation": ("/admin/invitations", {"email": "ann@example.com", "role": "agent"}),
        "brand": ("/admin/brands", {"name": "Second"}),
    }
    for kind, (path, body) in made.items():
        answer = await client.post(path, json=of_tenant | body, headers=headers)
        assert answer.status_code == 201, answer.text
        assert (await _events(client, tenant))[0]["target"] == f"{kind}:{answer.json()['id']}"
    for path in ("pause", "resume", "webhook_secret"):
        answer = await client.post(f"/admin/automation/{path}", json=of_tenant, headers=headers)
        assert answer.status_code == 200, answer.text
        assert (await _events(client, tenant))[0]["target"] == "automation"


async def test_what_concerns_a_person_is_told_in_their_tenants(
    client: httpx.AsyncClient, database: Database, tenant: TenantRows, other_tenant: TenantRows
) -> None:
    person = await make_person(database, {tenant.id: "agent", other_tenant.id: "agent"})
    await client.post(f"/admin/users/{person.id}/suspend", headers=bearer())
    for place in (tenant, other_tenant):
        (row,) = await _events(client, place)
        assert (row["action"], row["target"], row["actor"]) == ("suspend_user", f"user:{person.id}", "cli")


async def test_a_new_tenant_is_told_in_its_own_chain_and_the_platforms(client: httpx.AsyncClient) -> None:
    made = (await client.post("/admin/tenants", json={"name": "New"}, headers=bearer())).json()
    target = f"tenant:{made['id']}"
    (own,) = await _events(client, None, tenant_id=made["id"])
    (platforms,) = await _events(client, target=target)
    assert own["action"] == platforms["action"] == "create_tenant"


async def test_denials_are_told_too(client: httpx.AsyncClient, tenant: TenantRows, admin: Person) -> None:
    agent = bearer(Role.AGENT, tenant.id)
    assert (await client.delete(f"/admin/brands/{tenant.brand_id}", headers=agent)).status_code == 403
    assert (await client.post("/auth/login", json=admin.sign_in | {"password": "guess"})).status_code == 401
    key = {"tenant_id": str(tenant.id), "name": "Old", "role": "agent"}
    made = (await client.post("/admin/api_keys", json=key, headers=bearer())).json()
    await client.delete(f"/admin/api_keys/{made['id']}", headers=bearer())
    revoked = {"Authorization": f"Bearer {made['key']}"}
    assert (await client.get("/admin/tenants", headers=revoked)).status_code == 401
    rows = await _events(client, tenant, outcome="denied")
    told = [(row["action"], row["actor"], row["target"]) for row in rows]
    assert told == [
        ("list_tenants", "unknown", f"api_key:{made['id']}"),
        ("login", "unknown", f"user:{admin.id}"),
        ("delete_brand", "cli", f"brand:{tenant.brand_id}"),
    ]
    assert rows[2]["detail"] == {"reason": "this needs the role tenant_admin"}


async def test_a_guess_at_nobodys_account_names_no_address(client: httpx.AsyncClient) -> None:
    await client.post("/auth/login", json={"email": "nobody@canary.example", "password": "guess"})
    (row, *_) = await _events(client, action="login", outcome="denied")
    assert (row["actor"], row["target"]) == ("unknown", "")
    assert "canary" not in json.dumps(row)


@pytest.mark.usefixtures("_no_refill")
async def test_a_flood_of_denials_leaves_few_rows(client: httpx.AsyncClient, tenant: TenantRows) -> None:
    agent = bearer(Role.AGENT, tenant.id)
    for _ in range(40):
        await client.delete(f"/admin/brands/{tenant.brand_id}", headers=agent)
    assert len(await _events(client, tenant, outcome="denied")) == 10


async def test_only_administrators_read_their_chain(
    client: httpx.AsyncClient, tenant: TenantRows, other_tenant: TenantRows
) -> None:
    for path in ("/admin/events", "/admin/events/verify", "/admin/events/export"):
        for query, headers, expected in (
            ({"tenant_id": str(tenant.id)}, bearer(Role.TENANT_ADMIN, tenant.id), 200),
            ({"tenant_id": str(tenant.id)}, bearer(Role.AGENT, tenant.id), 403),
            ({"tenant_id": str(tenant.id)}, bearer(Role.TENANT_ADMIN, other_tenant.id), 404),
            ({}, bearer(Role.TENANT_ADMIN, tenant.id), 403),
            ({}, bearer(), 200),
        ):
            assert (await client.get(path, params=query, headers=headers)).status_code == expected


async def test_rows_are_looked_for_and_paged(client: httpx.AsyncClient, tenant: TenantRows) -> None:
    headers = bearer(Role.TENANT_ADMIN, tenant.id)
    for number in range(5):
        await client.post("/admin/brands", json={"tenant_id": str(tenant.id), "name": f"B{number}"}, headers=headers)
    query: dict[str, Any] = {"tenant_id": str(tenant.id), "action": "create_brand", "limit": 2}
    seen, cursor = [], None
    while True:
        page = (
            await client.get("/admin/events", params=query | ({"cursor": cursor} if cursor else {}), headers=headers)
        ).json()
        seen += [row["id"] for row in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [5, 4, 3, 2, 1]
    moment = (await _events(client, tenant))[2]["occurred_at"]
    later = await _events(client, tenant, since=moment)
    earlier = await _events(client, tenant, until=moment)
    assert sorted(row["id"] for row in [*later, *earlier]) == [1, 2, 3, 4, 5]
    assert await _events(client, tenant, actor="user:nobody") == []
    assert (await client.get("/admin/events", params=query | {"cursor": "x"}, headers=headers)).status_code == 422


async def test_exports_are_whole_and_safe_in_a_spreadsheet(
    client: httpx.AsyncClient, database: Database, tenant: TenantRows
) -> None:
    async with database.tenant(tenant.id) as session:
        for number in range(1100):
            await record(session, Entry("cli", "import", f"=cmd|{number}", {"n": number}))
    query = {"tenant_id": str(tenant.id)}
    answer = await client.get("/admin/events/export", params=query | {"format": "jsonl"}, headers=bearer())
    assert answer.headers["content-type"] == "application/x-ndjson"
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert [row["id"] for row in rows] == list(range(1100, 0, -1))
    answer = await client.get("/admin/events/export", params=query | {"format": "csv"}, headers=bearer())
    assert answer.headers["content-disposition"] == f'attachment; filename="audit-{tenant.id}.csv"'
    lines = answer.text.splitlines()
    assert len(lines) == 1101
    assert ",'=cmd|1099," in lines[1]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ("UPDATE audit_events SET target = 'other' WHERE tenant_id = %s AND seq = 3", "row 3 was changed"),
        ("UPDATE audit_events SET detail = '{}' WHERE tenant_id = %s AND seq = 3", "row 3 was changed"),
        ("UPDATE audit_events SET occurred_at = now() WHERE tenant_id = %s AND seq = 3", "row 3 was changed"),
        ("DELETE FROM audit_events WHERE tenant_id = %s AND seq = 3", "row 3 is missing"),
        ("DELETE FROM audit_events WHERE tenant_id = %s AND seq > 4", "the chain ends here, and its head says row 5"),
        ("UPDATE audit_heads SET seq = 4 WHERE tenant_id = %s", "the chain ends here, and its head says row 4"),
        ("DELETE FROM audit_heads WHERE tenant_id = %s", "row 1 stands behind the chain's head"),
    ],
)  # fmt: skip
async def test_a_row_that_was_changed_is_found(
    client: httpx.AsyncClient, database: Database, database_url: str, tenant: TenantRows, spoil: str, words: str
) -> None:
    async with database.tenant(tenant.id) as session:
        for number in range(5):
            await record(session, Entry("cli", "count", f"number:{number}", {"n": number, "name": "سارا"}))
    query = {"tenant_id": str(tenant.id)}
    whole = (await client.get("/admin/events/verify", params=query, headers=bearer())).json()
    assert (whole["ok"], whole["rows"], whole["broken_at"]) == (True, 5, None)
    assert await verify_from_the_command_line(database_url, tenant.id)
    _tamper(database_url, spoil, tenant.id)
    verdict = (await client.get("/admin/events/verify", params=query, headers=bearer())).json()
    assert (verdict["ok"], verdict["words"]) == (False, words)
    assert not await verify_from_the_command_line(database_url, tenant.id)


async def test_one_chain_has_one_writer_at_a_time(database: Database, tenant: TenantRows) -> None:
    async def write(number: int) -> None:
        async with database.tenant(tenant.id) as session:
            await record(session, Entry("cli", "race", f"number:{number}"))

    await asyncio.gather(*(write(number) for number in range(40)))
    verdict = await AuditReader(database).verify(tenant.id)
    assert (verdict.rows, verdict.broken_at) == (40, None)


async def test_a_chain_that_is_written_meanwhile_still_holds(database: Database, tenant: TenantRows) -> None:
    async def write() -> None:
        for number in range(60):
            async with database.tenant(tenant.id) as session:
                await record(session, Entry("cli", "race", f"number:{number}"))

    writing = asyncio.create_task(write())
    while not writing.done():
        assert (await AuditReader(database).verify(tenant.id)).broken_at is None
    await writing


@pytest.mark.parametrize("role", [APP_ROLE, PLATFORM_ROLE])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET actor = 'x'",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events",
        "DELETE FROM audit_heads",
    ],
)
def test_the_applications_roles_add_rows_and_change_none(database_url: str, role: str, statement: str) -> None:
    with psycopg.connect(conninfo(role_url(database_url, role)), autocommit=True) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode())


async def test_a_tenant_writes_into_its_own_chain_only(
    database_url: str, tenant: TenantRows, other_tenant: TenantRows
) -> None:
    with psycopg.connect(conninfo(role_url(database_url, APP_ROLE)), autocommit=True) as connection:
        connection.execute("SELECT set_config('xin.tenant_id', %s, false)", (str(tenant.id),))
        for chain in (other_tenant.id, PLATFORM):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("INSERT INTO audit_heads (tenant_id, hash) VALUES (%s, 'x')", (chain,))


async def test_a_password_is_in_no_row(client: httpx.AsyncClient, database_url: str, admin: Person) -> None:
    headers = await admin.bearer(client)
    body = {"current_password": PASSWORD, "new_password": "a canary of a password"}
    assert (await client.post("/auth/password", json=body, headers=headers)).status_code == 204
    with psycopg.connect(database_url) as owner:
        text = str(owner.execute("SELECT audit_events::text FROM audit_events").fetchall())
    assert "change_password" in text
    assert "canary" not in text
    assert PASSWORD.strip() not in text


async def test_daily_work_can_be_left_out(app: FastAPI, client: httpx.AsyncClient, tenant: TenantRows) -> None:
    async def talk(tenant_id: UUID, caller: Caller, db: Db) -> None:
        async with db.tenant(caller.reach(tenant_id, Role.AGENT)) as session:
            await record(session, Entry("cli", "only_this", ""))

    app.post("/admin/talk/{tenant_id}", dependencies=[Unaudited])(talk)
    app.post("/admin/loud/{tenant_id}")(talk)
    for path in ("talk", "loud"):
        assert (await client.post(f"/admin/{path}/{tenant.id}", headers=bearer())).status_code == 200
    assert [row["action"] for row in await _events(client, tenant)] == ["talk", "only_this", "only_this"]


async def test_what_outlives_the_request_is_not_the_administrators_doing(
    app: FastAPI, client: httpx.AsyncClient, tenant: TenantRows
) -> None:
    over, tasks = asyncio.Event(), []

    async def later(db: Database) -> None:
        await over.wait()
        async with db.tenant(tenant.id) as session:
            await record(session, Entry("system", "upkeep", ""))

    async def begin(caller: Caller, db: Db) -> None:
        tasks.append(asyncio.create_task(later(db)))

    app.post("/admin/begin")(begin)
    assert (await client.post("/admin/begin", headers=bearer())).status_code == 200
    over.set()
    await asyncio.gather(*tasks)
    assert [row["action"] for row in await _events(client, tenant)] == ["upkeep"]
