"""The console's session: the refresh token in a cookie that only the console's own pages can use."""

import asyncio
from datetime import timedelta
from http.cookies import SimpleCookie

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import update

from chatbot.core.clock import utcnow
from chatbot.core.settings import Settings
from chatbot.db.models import UserSession
from chatbot.db.sessions import Database
from tests.integration.identity.people import Person, bearer_of, make_person

CONSOLE = {"X-Xin-Console": "1", "Origin": "http://xin.test"}


@pytest.fixture
async def person(database: Database) -> Person:
    """Somebody who has a password."""
    return await make_person(database)


async def _enter(client: httpx.AsyncClient, person: Person, **more: str) -> httpx.Response:
    return await client.post("/auth/login", json=person.sign_in | {"cookie": True}, headers=CONSOLE | more)


def _cookie(answer: httpx.Response) -> str:
    return SimpleCookie(answer.headers["set-cookie"])["xin_refresh"].value


async def test_the_refresh_token_comes_as_a_cookie_that_no_script_reads(
    client: httpx.AsyncClient, person: Person
) -> None:
    answer = await _enter(client, person)
    assert answer.status_code == 200
    assert answer.json()["refresh_token"] is None
    sent = SimpleCookie(answer.headers["set-cookie"])["xin_refresh"]
    assert (sent["path"], sent["httponly"], sent["samesite"].lower()) == ("/auth", True, "strict")
    assert int(sent["max-age"]) == 30 * 24 * 3600
    assert sent.value not in answer.text
    again = await client.post("/auth/refresh", headers=CONSOLE)
    assert again.status_code == 200
    assert again.json()["user"]["email"] == person.email
    assert _cookie(again) != sent.value
    assert (await client.get("/auth/me", headers=bearer_of(again))).status_code == 200


@pytest.mark.parametrize(
    ("scheme", "environment", "secure"),
    [("http", "development", False), ("https", "development", True), ("http", "production", True)],
)
async def test_the_cookie_is_for_encrypted_connections(
    app: FastAPI, settings: Settings, person: Person, scheme: str, environment: str, secure: bool
) -> None:
    app.state.settings = settings.model_copy(update={"environment": environment})
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=f"{scheme}://xin.test") as client:
        answer = await _enter(client, person, Origin=f"{scheme}://xin.test")
    assert ("secure" in answer.headers["set-cookie"].lower()) is secure


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://xin.test"},
        {"X-Xin-Console": "1"},
        CONSOLE | {"Origin": "http://evil.example"},
        CONSOLE | {"Origin": "http://xin.test:8081"},
        CONSOLE | {"Origin": "http://xin.test:99999"},
        CONSOLE | {"Origin": "null"},
    ],
)
async def test_other_pages_cannot_use_the_cookie(
    client: httpx.AsyncClient, person: Person, headers: dict[str, str]
) -> None:
    await _enter(client, person)
    for path in ("/auth/refresh", "/auth/logout"):
        assert (await client.post(path, headers=headers)).status_code == 403
    assert (
        await client.post("/auth/login", json=person.sign_in | {"cookie": True}, headers=headers)
    ).status_code == 403
    assert (await client.post("/auth/refresh", headers=CONSOLE)).status_code == 200


async def test_behind_tls_the_page_must_be_encrypted_too(app: FastAPI, person: Person) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://xin.test") as client:
        assert (await _enter(client, person)).status_code == 403
        assert (await _enter(client, person, Origin="https://xin.test")).status_code == 200


async def test_cors_lets_no_page_send_the_header(client: httpx.AsyncClient) -> None:
    asked = {
        "Origin": "http://evil.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-xin-console",
    }
    answer = await client.options("/auth/refresh", headers=asked)
    assert answer.status_code == 400
    assert "x-xin-console" not in answer.headers.get("access-control-allow-headers", "").lower()


async def test_nobody_signed_in_is_401(client: httpx.AsyncClient) -> None:
    assert (await client.post("/auth/refresh", headers=CONSOLE)).status_code == 401
    assert (await client.post("/auth/logout", headers=CONSOLE)).status_code == 204


async def test_tabs_that_refresh_at_once_share_one_next_token(client: httpx.AsyncClient, person: Person) -> None:
    first = _cookie(await _enter(client, person))
    answers = [await _refresh_with(client, first) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert len({_cookie(answer) for answer in answers}) == 1
    at_once = await asyncio.gather(*(_refresh_with(client, _cookie(answers[0])) for _ in range(3)))
    assert [answer.status_code for answer in at_once] == [200] * 3


async def test_an_older_cookie_ends_the_session(client: httpx.AsyncClient, database: Database, person: Person) -> None:
    first = _cookie(await _enter(client, person))
    second = _cookie(await _refresh_with(client, first))
    async with database.platform() as session:
        await session.execute(
            update(UserSession)
            .where(UserSession.user_id == person.id)
            .values(rotated_at=utcnow() - timedelta(seconds=30))
        )
    assert (await _refresh_with(client, first)).status_code == 401
    assert (await _refresh_with(client, second)).status_code == 401


async def test_the_body_knows_no_overlap(client: httpx.AsyncClient, person: Person) -> None:
    first = (await client.post("/auth/login", json=person.sign_in)).json()["refresh_token"]
    for expected in (200, 401):
        assert (await client.post("/auth/refresh", json={"refresh_token": first})).status_code == expected


async def test_signing_out_takes_the_cookie_away(client: httpx.AsyncClient, person: Person) -> None:
    answer = await _enter(client, person)
    out = await client.post("/auth/logout", headers=CONSOLE)
    assert out.status_code == 204
    assert SimpleCookie(out.headers["set-cookie"])["xin_refresh"]["max-age"] == "0"
    assert (await client.get("/auth/me", headers=bearer_of(answer))).status_code == 401
    assert (await client.post("/auth/refresh", headers=CONSOLE)).status_code == 401


async def _refresh_with(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post("/auth/refresh", headers=CONSOLE | {"Cookie": f"xin_refresh={token}"})
