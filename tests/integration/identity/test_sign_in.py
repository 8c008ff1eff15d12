"""Signing in: limits, the same answer for unknown people, refresh tokens that rotate, sessions that end."""

import asyncio
import time
from uuid import UUID

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from sqlalchemy import update

from chatbot.apps.runtime import Runtime
from chatbot.core.clock import utcnow
from chatbot.db.models import User, UserSession
from chatbot.db.sessions import Database
from chatbot.identity.access.service import Access
from chatbot.identity.sign_in.service import REFRESHES_PER_ADDRESS
from tests.conftest import TenantRows
from tests.exhausted import exhausted
from tests.integration.identity.people import PASSWORD, Person, bearer_of, make_person


@pytest.fixture
async def person(database: Database, tenant: TenantRows) -> Person:
    """A tenant's admin who has a password."""
    return await make_person(database, {tenant.id: "tenant_admin"})


async def test_signing_in(client: httpx.AsyncClient, person: Person, tenant: TenantRows) -> None:
    answer = await client.post("/auth/login", json=person.sign_in | {"email": person.email.upper()})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["token_type"], body["expires_in"], body["user"]["name"]) == ("Bearer", 900, "Sara")
    me = (await client.get("/auth/me", headers=bearer_of(answer))).json()
    assert me["subject"] == f"user:{person.id}"
    assert me["role"] == "tenant_admin"
    assert me["memberships"] == [{"tenant_id": str(tenant.id), "tenant_name": "Acme", "role": "tenant_admin"}]
    tenants = (await client.get("/admin/tenants", headers=bearer_of(answer))).json()
    assert [row["id"] for row in tenants["items"]] == [str(tenant.id)]


async def test_a_passwords_own_spaces_count(client: httpx.AsyncClient, person: Person) -> None:
    answer = await client.post("/auth/login", json=person.sign_in | {"password": PASSWORD.strip()})
    assert answer.status_code == 401


async def test_a_password_is_not_repeated_in_errors(client: httpx.AsyncClient) -> None:
    answer = await client.post("/auth/login", json={"email": "a@b.c", "password": {"not": "hunter-two"}})
    assert answer.status_code == 422
    assert "hunter-two" not in answer.text


async def test_unknown_people_get_the_same_answer_in_the_same_time(client: httpx.AsyncClient, person: Person) -> None:
    """Measured in processor time, least of several: a busy machine adds to the clock on the wall, and to one alone."""
    wrong, unknown = [], []
    for number in range(4):
        wrong.append(await _timed(client, person.email, f"guess {number}"))
        unknown.append(await _timed(client, f"nobody{number}@example.com", f"guess {number}"))
    bodies = [{**answer.json(), "request_id": ""} for answer, _ in (*wrong, *unknown)]
    assert bodies == [bodies[0]] * 8
    assert bodies[0]["status"] == 401
    known_time, unknown_time = (min(seconds for _, seconds in each) for each in (wrong, unknown))
    assert 0.4 < known_time / unknown_time < 2.5


async def _timed(client: httpx.AsyncClient, email: str, password: str) -> tuple[httpx.Response, float]:
    started = time.process_time()
    answer = await client.post("/auth/login", json={"email": email, "password": password})
    return answer, time.process_time() - started


@pytest.mark.usefixtures("_no_refill")
async def test_guessing_is_limited_per_account(client: httpx.AsyncClient, person: Person) -> None:
    guesses = [await client.post("/auth/login", json=person.sign_in | {"password": str(n)}) for n in range(6)]
    assert [answer.status_code for answer in guesses] == [401] * 5 + [429]
    assert int(guesses[-1].headers["retry-after"]) > 0
    right = await client.post("/auth/login", json=person.sign_in | {"email": person.email.lower()})
    assert right.status_code == 429


@pytest.mark.usefixtures("_no_refill")
async def test_guessing_is_limited_per_address(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(
        *(client.post("/auth/login", json={"email": f"n{n}@example.com", "password": "x"}) for n in range(31))
    )
    assert sorted(answer.status_code for answer in answers) == [401] * 30 + [429]


async def test_a_right_password_clears_the_count(client: httpx.AsyncClient, person: Person) -> None:
    for _ in range(2):
        for number in range(4):
            await client.post("/auth/login", json=person.sign_in | {"password": str(number)})
        assert (await client.post("/auth/login", json=person.sign_in)).status_code == 200


@pytest.mark.usefixtures("_no_refill")
async def test_refused_refresh_tokens_are_limited_per_address(client: httpx.AsyncClient, person: Person) -> None:
    token = (await client.post("/auth/login", json=person.sign_in)).json()["refresh_token"]
    for _ in range(3):
        answer = await client.post("/auth/refresh", json={"refresh_token": token})
        assert answer.status_code == 200
        token = answer.json()["refresh_token"]
    guesses = [await client.post("/auth/refresh", json={"refresh_token": f"xin_rt_{n}"}) for n in range(61)]
    assert [answer.status_code for answer in guesses] == [401] * 60 + [429]
    assert int(guesses[-1].headers["retry-after"]) > 0
    assert (await client.post("/auth/refresh", json={"refresh_token": token})).status_code == 429


@pytest.mark.usefixtures("_no_refill")
async def test_an_outage_counts_against_nobody(client: httpx.AsyncClient, person: Person, runtime: Runtime) -> None:
    """All tabs of an office behind one address refresh while no connection is to be had."""
    signed_in = await client.post("/auth/login", json=person.sign_in)
    async with exhausted(runtime.database, platform=True):
        answers = [await _refresh(client, signed_in) for _ in range(REFRESHES_PER_ADDRESS + 1)]
        assert {answer.status_code for answer in answers} == {503}
    assert (await _refresh(client, signed_in)).status_code == 200


async def test_what_an_ended_session_could_do_is_forgotten_once_that_is_stored(
    client: httpx.AsyncClient, person: Person, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forgotten before, another request would be let in by the row as it still is, and be remembered."""
    first = await client.post("/auth/login", json=person.sign_in)
    await _refresh(client, first)
    stored: list[bool] = []
    forget, about = Access.forget, UUID(person.id) if isinstance(person.id, str) else person.id

    def look(access: Access) -> None:
        with psycopg.connect(runtime.database.url) as connection:
            rows = connection.execute("SELECT revoked_at FROM user_sessions WHERE user_id = %s", (about,)).fetchall()
        stored.append(any(row[0] for row in rows))
        forget(access)

    monkeypatch.setattr(Access, "forget", look)
    assert (await _refresh(client, first)).status_code == 401
    assert stored == [True]


async def test_refresh_tokens_rotate_and_an_old_one_ends_the_session(
    app: FastAPI, client: httpx.AsyncClient, person: Person
) -> None:
    first = await client.post("/auth/login", json=person.sign_in)
    second = await _refresh(client, first)
    third = await _refresh(client, second)
    assert (second.status_code, third.status_code) == (200, 200)
    assert len({answer.json()["refresh_token"] for answer in (first, second, third)}) == 3
    assert (await client.get("/auth/me", headers=bearer_of(third))).status_code == 200
    assert (await _refresh(client, first)).status_code == 401
    assert (await _refresh(client, third)).status_code == 401
    assert (await client.get("/auth/me", headers=bearer_of(third))).status_code == 401


async def test_of_two_refreshes_at_once_one_wins(client: httpx.AsyncClient, person: Person) -> None:
    first = await client.post("/auth/login", json=person.sign_in)
    answers = await asyncio.gather(_refresh(client, first), _refresh(client, first))
    assert sorted(answer.status_code for answer in answers) == [200, 401]


async def test_signing_out_ends_the_session(client: httpx.AsyncClient, person: Person) -> None:
    signed_in = await client.post("/auth/login", json=person.sign_in)
    body = {"refresh_token": signed_in.json()["refresh_token"]}
    assert (await client.get("/auth/me", headers=bearer_of(signed_in))).status_code == 200
    assert (await client.post("/auth/logout", json=body)).status_code == 204
    assert (await client.get("/auth/me", headers=bearer_of(signed_in))).status_code == 401
    assert (await _refresh(client, signed_in)).status_code == 401
    assert (await client.post("/auth/logout", json=body)).status_code == 204


@pytest.mark.parametrize("token", ["x", "xin_rt_", "xin_rt_zz_secret", f"xin_rt_{UUID(int=7).hex}_secret"])
async def test_an_unknown_refresh_token_is_401(client: httpx.AsyncClient, token: str) -> None:
    assert (await client.post("/auth/refresh", json={"refresh_token": token})).status_code == 401
    assert (await client.post("/auth/logout", json={"refresh_token": token})).status_code == 204


@pytest.mark.parametrize("change", [{"status": "suspended"}, {"deleted_at": utcnow()}], ids=["suspended", "deleted"])
async def test_a_user_who_is_stopped_is_out_within_the_cache(
    client: httpx.AsyncClient, runtime: Runtime, person: Person, change: dict[str, object]
) -> None:
    signed_in = await client.post("/auth/login", json=person.sign_in)
    token = signed_in.json()["access_token"]
    access = Access(runtime.database, runtime.keys)
    clock = [0.0]
    access._subjects._clock = lambda: clock[0]
    assert (await access.admin(token)).name == f"user:{person.id}"
    async with runtime.database.platform() as session:
        await session.execute(update(User).where(User.id == person.id).values(**change))
    clock[0] = 31.0
    with pytest.raises(Exception, match="unknown, expired or revoked"):
        await access.admin(token)
    assert (await client.post("/auth/login", json=person.sign_in)).status_code == 401
    assert (await _refresh(client, signed_in)).status_code == 401


async def test_a_session_ends_by_itself(client: httpx.AsyncClient, database: Database, person: Person) -> None:
    signed_in = await client.post("/auth/login", json=person.sign_in)
    async with database.platform() as session:
        ended = update(UserSession).where(UserSession.user_id == person.id).values(expires_at=utcnow())
        await session.execute(ended)
    assert (await _refresh(client, signed_in)).status_code == 401
    assert (await client.get("/auth/me", headers=bearer_of(signed_in))).status_code == 401


async def _refresh(client: httpx.AsyncClient, signed_in: httpx.Response) -> httpx.Response:
    return await client.post("/auth/refresh", json={"refresh_token": signed_in.json()["refresh_token"]})
