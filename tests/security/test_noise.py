"""Refusals of one do not hide behind those of another: the audit log has room for each, and says what it left out."""

import httpx
import pytest
from fastapi import FastAPI

from chatbot.db.sessions import Database
from chatbot.identity.audit import denials
from chatbot.identity.audit.denials import Denials
from chatbot.identity.subject import Role
from tests.conftest import TenantRows, bearer
from tests.integration.identity.people import make_person


class Clock:
    """Seconds that pass when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        """The present second."""
        return self.now


@pytest.fixture
def clock(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the app's denials."""
    clock = Clock()
    old: Denials = app.state.denials
    monkeypatch.setattr(old, "_clock", clock)
    monkeypatch.setattr(old._limits, "_clock", clock)
    return clock


async def _denied(client: httpx.AsyncClient, tenant: TenantRows) -> list[tuple[str, str, dict[str, object]]]:
    path = f"/admin/events?tenant_id={tenant.id}&outcome=denied&limit=200"
    rows = (await client.get(path, headers=bearer())).json()["items"]
    return [(row["actor"], row["action"], row["detail"]) for row in rows]


async def test_a_flood_leaves_room_for_another_and_its_number(
    client: httpx.AsyncClient, database: Database, tenant: TenantRows, clock: Clock
) -> None:
    noisy, quiet = [await make_person(database, {tenant.id: "agent"}) for _ in range(2)]
    loud, low = [await person.bearer(client) for person in (noisy, quiet)]
    asked = [f"/admin/brands/{tenant.brand_id}", f"/admin/channels/{tenant.channel_id}", "/admin/policies/x"]
    for _ in range(60):
        for path in (*asked[:2], f"/admin/api_keys?tenant_id={tenant.id}"):
            await client.request("GET" if "api_keys" in path else "DELETE", path, headers=loud)
    before = len(await _denied(client, tenant))
    assert before <= 30
    assert (await client.delete(asked[0], headers=low)).status_code == 403
    assert (await _denied(client, tenant))[0][:2] == (f"user:{quiet.id}", "delete_brand")

    clock.now += 61
    assert (await client.delete(asked[0], headers=low)).status_code == 403
    told = [row for row in await _denied(client, tenant) if row[1] == "leave_out_denials"]
    assert told == [(f"user:{noisy.id}", "leave_out_denials", {"left_out": 180 - before})]
    clock.now += 61
    await client.delete(asked[0], headers=low)
    assert len([row for row in await _denied(client, tenant) if row[1] == "leave_out_denials"]) == 1


async def test_one_network_has_one_bucket_whatever_address_of_it(
    app: FastAPI, tenant: TenantRows, database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await make_person(database, {tenant.id: "agent"})
    monkeypatch.setattr(denials, "_WHOSE", denials.Rate("denials-whose", "denials", 3, 60.0))

    async def guess(address: str) -> None:
        transport = httpx.ASGITransport(app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://xin.test") as client:
            wrong = person.sign_in | {"password": "guess"}
            assert (await client.post("/auth/login", json=wrong)).status_code in (401, 429)

    for number in range(5):
        await guess(f"2001:db8:1:2::{number}")
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://xin.test") as client:
        assert len(await _denied(client, tenant)) == 3
        await app.state.sign_in_limits.guesses.forget()
        await client.post("/auth/login", json={"email": "nobody@example.com", "password": "x"})
        assert len(await _denied(client, tenant)) == 3


async def test_the_count_of_what_was_left_out_is_bounded(
    app: FastAPI, client: httpx.AsyncClient, tenant: TenantRows, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(denials, "_MOST_COUNTED", 1)
    monkeypatch.setattr(denials, "_WHOSE", denials.Rate("denials-whose", "denials", 1, 60.0))
    for role in (Role.AGENT, Role.VIEWER):
        for address in ("203.0.113.1", "203.0.113.2", "203.0.113.3"):
            transport = httpx.ASGITransport(app, client=(address, 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://xin.test") as other:
                await other.delete(f"/admin/brands/{tenant.brand_id}", headers=bearer(role, tenant.id))
    assert len(app.state.denials._left_out) == 2
    clock.now += 61
    await client.delete(f"/admin/brands/{tenant.brand_id}", headers=bearer(Role.AGENT, tenant.id))
    own = [row[2]["left_out"] for row in await _denied(client, tenant) if row[1] == "leave_out_denials"]
    platform = (await client.get("/admin/events?action=leave_out_denials", headers=bearer())).json()["items"]
    assert own == [1]
    assert [row["detail"]["left_out"] for row in platform] == [2]
