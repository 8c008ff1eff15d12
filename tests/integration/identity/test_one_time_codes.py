"""One-time codes: switched on, asked for, good once; recovery codes; what a thief of the password cannot do."""

import asyncio

import httpx
import pytest
from sqlalchemy import text, update

from chatbot.core.clock import utcnow
from chatbot.db.models import User
from chatbot.db.sessions import Database
from chatbot.identity.subject import Role
from chatbot.identity.totp import code_at, step_of
from tests.conftest import TenantRows, bearer
from tests.integration.identity.people import PASSWORD, Person, bearer_of, make_person


class Protected(Person):
    """Somebody with one-time codes switched on."""

    secret = ""
    recovery: list[str]
    headers: dict[str, str]

    def code(self, drift: int = 0) -> str:
        """The code that the app shows."""
        return code_at(self.secret, step_of(utcnow()) + drift)

    def with_code(self, code: str) -> dict[str, str]:
        """The body of a sign-in."""
        return self.sign_in | {"totp": code}


@pytest.fixture
async def person(client: httpx.AsyncClient, database: Database, tenant: TenantRows) -> Protected:
    """Somebody with one-time codes switched on, the present one not used yet."""
    plain = await make_person(database, {tenant.id: "agent"})
    made = Protected(plain.id, plain.email)
    made.headers = await made.bearer(client)
    set_up = (await client.post("/auth/totp/setup", headers=made.headers)).json()
    made.secret = set_up["secret"]
    assert set_up["otpauth_url"].startswith("otpauth://totp/Xin%3A")
    enabled = await client.post("/auth/totp/enable", json={"code": made.code()}, headers=made.headers)
    assert enabled.status_code == 200
    made.recovery = enabled.json()["recovery_codes"]
    await _unused(database, made)
    return made


async def _unused(database: Database, person: Person) -> None:
    async with database.platform() as session:
        await session.execute(update(User).where(User.id == person.id).values(totp_last_step=0))


async def test_the_password_alone_is_not_enough(client: httpx.AsyncClient, person: Protected) -> None:
    answer = await client.post("/auth/login", json=person.sign_in)
    assert (answer.status_code, answer.json()["code"]) == (401, "totp_required")
    wrong = await client.post("/auth/login", json=person.with_code("000000"))
    assert (wrong.status_code, wrong.json()["code"]) == (401, "totp_required")
    right = await client.post("/auth/login", json=person.with_code(person.code()))
    assert right.status_code == 200
    assert right.json()["user"]["totp_enabled"] is True


async def test_without_the_password_nobody_learns_of_the_codes(client: httpx.AsyncClient, person: Protected) -> None:
    body = person.with_code(person.code()) | {"password": "not it"}
    known = (await client.post("/auth/login", json=body)).json()
    unknown = (await client.post("/auth/login", json=body | {"email": "nobody@example.com"})).json()
    assert {**known, "request_id": ""} == {**unknown, "request_id": ""}
    assert known["code"] == "unauthenticated"


async def test_a_code_is_good_once(client: httpx.AsyncClient, person: Protected) -> None:
    code = person.code()
    at_once = await asyncio.gather(*(client.post("/auth/login", json=person.with_code(code)) for _ in range(3)))
    assert sorted(answer.status_code for answer in at_once) == [200, 401, 401]
    assert (await client.post("/auth/login", json=person.with_code(code))).status_code == 401


async def test_a_recovery_code_is_good_once(client: httpx.AsyncClient, person: Protected) -> None:
    assert len(set(person.recovery)) == 10
    first = person.recovery[0]
    assert (await client.post("/auth/login", json=person.with_code(first.upper()))).status_code == 200
    assert (await client.post("/auth/login", json=person.with_code(first))).status_code == 401
    spaced = person.recovery[1].replace("-", " ")
    assert (await client.post("/auth/login", json=person.with_code(spaced))).status_code == 200


@pytest.mark.usefixtures("_no_refill")
async def test_guessing_codes_is_limited_whatever_lies_between(client: httpx.AsyncClient, person: Protected) -> None:
    """Asking without a code must not clear the count: then six digits could be tried through."""
    statuses = []
    for number in range(6):
        guess = await client.post("/auth/login", json=person.with_code(f"{number:06}"))
        statuses.append(guess.status_code)
        await client.post("/auth/login", json=person.sign_in)
    assert statuses == [401] * 5 + [429]
    assert (await client.post("/auth/login", json=person.with_code(person.code()))).status_code == 429


async def test_asking_without_a_code_is_no_guess(client: httpx.AsyncClient, person: Protected) -> None:
    for _ in range(8):
        assert (await client.post("/auth/login", json=person.sign_in)).json()["code"] == "totp_required"
    assert (await client.post("/auth/login", json=person.with_code(person.code()))).status_code == 200


async def test_switching_on_needs_a_code_and_ends_other_sessions(client: httpx.AsyncClient, database: Database) -> None:
    person = await make_person(database)
    here, there = [await client.post("/auth/login", json=person.sign_in) for _ in range(2)]
    early = await client.post("/auth/totp/enable", json={"code": "123456"}, headers=bearer_of(here))
    assert early.status_code == 409
    secret = (await client.post("/auth/totp/setup", headers=bearer_of(here))).json()["secret"]
    assert (await client.post("/auth/login", json=person.sign_in)).status_code == 200, "nothing counts yet"
    wrong = await client.post("/auth/totp/enable", json={"code": "000000"}, headers=bearer_of(here))
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "code")
    code = {"code": code_at(secret, step_of(utcnow()))}
    assert (await client.post("/auth/totp/enable", json=code, headers=bearer_of(here))).status_code == 200
    assert (await client.get("/auth/me", headers=bearer_of(here))).status_code == 200
    assert (await client.get("/auth/me", headers=bearer_of(there))).status_code == 401
    for path in ("setup", "enable"):
        again = await client.post(
            f"/auth/totp/{path}", json=code if path == "enable" else None, headers=bearer_of(here)
        )
        assert again.status_code == 409, "somebody at an open screen must not put another app in its place"


async def test_switching_off_needs_the_password(client: httpx.AsyncClient, person: Protected) -> None:
    for password, expected in (("not it", 422), (PASSWORD, 204)):
        answer = await client.post("/auth/totp/disable", json={"password": password}, headers=person.headers)
        assert answer.status_code == expected
    assert (await client.post("/auth/login", json=person.sign_in)).status_code == 200


async def test_an_administrator_helps_who_has_lost_everything(
    client: httpx.AsyncClient, tenant: TenantRows, person: Protected
) -> None:
    path = f"/admin/users/{person.id}/reset_totp"
    assert (await client.post(path, headers=bearer(Role.AGENT, tenant.id))).status_code == 403
    answer = await client.post(path, headers=bearer(Role.TENANT_ADMIN, tenant.id))
    assert answer.json()["totp_enabled"] is False
    assert (await client.post("/auth/login", json=person.sign_in)).status_code == 200


async def test_secrets_and_codes_are_not_readable_in_the_database(database: Database, person: Protected) -> None:
    async with database.platform() as session:
        rows = (await session.execute(text("SELECT u::text || encode(totp_sealed, 'escape') FROM users u"))).scalars()
        stored = " ".join(filter(None, rows))
    assert person.secret not in stored
    assert not any(code in stored or code.replace("-", "") in stored for code in person.recovery)


async def test_an_api_key_has_no_codes(client: httpx.AsyncClient) -> None:
    assert (await client.post("/auth/totp/setup", headers=bearer())).status_code == 403
