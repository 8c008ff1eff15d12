"""Nobody guesses one-time codes by way of an invitation, or waits in an account for whose address it is."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import select, text

from chatbot.apps.orchestrator import create_app
from chatbot.apps.runtime import open_runtime
from chatbot.core.clock import utcnow
from chatbot.core.ids import new_id
from chatbot.core.settings import Settings
from chatbot.db.models import User
from chatbot.db.sessions import Database
from chatbot.identity.subject import Role
from chatbot.identity.totp import code_at, step_of
from tests.conftest import TEST_KEYS, TenantRows, bearer, make_tenant
from tests.integration.identity.oidc_server import CLIENT_ID, CLIENT_SECRET, OidcServer
from tests.integration.identity.people import PASSWORD, Person, bearer_of, make_person

BASE = "http://xin.test"
CONSOLE = {"X-Xin-Console": "1", "Origin": BASE}
HIJACKERS = "a password of the hijacker"


@pytest.fixture
async def provider() -> AsyncIterator[OidcServer]:
    """A provider on a free port."""
    server = OidcServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def app(settings: Settings, database_url: str, provider: OidcServer) -> AsyncIterator[FastAPI]:
    """An orchestrator that knows the provider."""
    known = settings.model_copy(
        update={
            "public_url": BASE, "oidc_issuer": provider.issuer, "oidc_client_id": CLIENT_ID,
            "oidc_client_secret": SecretStr(CLIENT_SECRET),
        }
    )  # fmt: skip
    async with open_runtime(known, database_url, TEST_KEYS) as runtime:
        yield create_app(runtime)


async def _invited(client: httpx.AsyncClient, tenant: TenantRows, email: str, role: str = "agent") -> str:
    body = {"tenant_id": str(tenant.id), "email": email, "role": role}
    made = await client.post("/admin/invitations", json=body, headers=bearer(Role.TENANT_ADMIN, tenant.id))
    return str(made.json()["token"])


async def _accept(client: httpx.AsyncClient, token: str, password: str) -> httpx.Response:
    return await client.post("/auth/invitations/accept", json={"token": token, "password": password})


async def _protected(client: httpx.AsyncClient, headers: dict[str, str]) -> str:
    """Switch one-time codes on; return their secret."""
    secret = str((await client.post("/auth/totp/setup", headers=headers)).json()["secret"])
    code = code_at(secret, step_of(utcnow()))
    assert (await client.post("/auth/totp/enable", json={"code": code}, headers=headers)).status_code == 200
    return secret


async def _by_oidc(client: httpx.AsyncClient) -> httpx.Response:
    begun = await client.get("/auth/oidc/oidc/start")
    async with httpx.AsyncClient() as browser:
        back = await browser.get(begun.headers["location"])
    return await client.get(back.headers["location"])


@pytest.mark.usefixtures("_no_refill")
async def test_invitations_do_not_give_back_guesses_of_codes(
    client: httpx.AsyncClient, database: Database, tenant: TenantRows
) -> None:
    person = await make_person(database, {tenant.id: "agent"})
    headers = await person.bearer(client)
    await _protected(client, headers)
    statuses = []
    for number in range(6):
        guess = await client.post("/auth/login", json=person.sign_in | {"totp": f"{number:06}"})
        statuses.append(guess.status_code)
        await _accept(client, await _invited(client, await make_tenant(database), person.email), PASSWORD)
        proof = {"current_password": PASSWORD, "new_password": PASSWORD}
        await client.post("/auth/password", json=proof, headers=headers)
    assert statuses == [401] * 5 + [429]


async def test_accepting_with_the_right_password_takes_no_guess(client: httpx.AsyncClient, database: Database) -> None:
    person = await make_person(database)
    await _protected(client, await person.bearer(client))
    for _ in range(7):
        token = await _invited(client, await make_tenant(database), person.email)
        assert (await _accept(client, token, PASSWORD)).status_code == 200


@pytest.mark.parametrize("way", ["invited", "renamed"])
async def test_whose_address_it_is_gets_an_account_without_whoever_waited_in_it(
    way: str,
    client: httpx.AsyncClient,
    database: Database,
    tenant: TenantRows,
    provider: OidcServer,
) -> None:
    victim = f"victim-{new_id().hex}@example.com"
    if way == "invited":
        await _accept(client, await _invited(client, tenant, victim), HIJACKERS)
    else:
        own = f"mallory-{new_id().hex}@example.com"
        await _accept(client, await _invited(client, tenant, own), HIJACKERS)
        user = await _user(database, own)
        renamed = await client.patch(f"/admin/users/{user.id}", json={"email": victim}, headers=bearer())
        assert renamed.status_code == 200
    inside = await client.post("/auth/login", json={"email": victim, "password": HIJACKERS})
    await _protected(client, bearer_of(inside))
    link = await client.post(f"/admin/users/{(await _user(database, victim)).id}/reset_password", headers=bearer())

    provider.claims["email"] = victim
    assert (await _by_oidc(client)).headers["location"] == f"{BASE}/console/"
    entered = await client.post("/auth/refresh", headers=CONSOLE)
    assert (await client.get("/auth/me", headers=bearer_of(entered))).json()["user"]["totp_enabled"] is False
    assert (await client.get("/auth/me", headers=bearer_of(inside))).status_code == 401, "the session has ended"
    again = await client.post("/auth/refresh", json={"refresh_token": inside.json()["refresh_token"]})
    assert again.status_code == 401
    assert (await client.post("/auth/login", json={"email": victim, "password": HIJACKERS})).status_code == 401
    late = {"token": link.json()["token"], "password": HIJACKERS}
    assert (await client.post("/auth/password/reset", json=late)).status_code == 404
    told = await client.get(
        f"/admin/events?tenant_id={tenant.id}&action=drop_unproved_password", headers=bearer()
    )  # fmt: skip
    user = await _user(database, victim)
    assert [row["target"] for row in told.json()["items"]] == [f"user:{user.id}"]

    # From then on the address is proved: what is chosen now stays.
    link = await client.post(f"/admin/users/{user.id}/reset_password", headers=bearer())
    chosen = {"token": link.json()["token"], "password": "a password of the victim"}
    assert (await client.post("/auth/password/reset", json=chosen)).status_code == 204
    await _by_oidc(client)
    kept = await client.post("/auth/login", json={"email": victim, "password": "a password of the victim"})
    assert kept.status_code == 200


async def test_who_was_there_before_keeps_password_and_codes(
    client: httpx.AsyncClient, database: Database, tenant: TenantRows, provider: OidcServer
) -> None:
    person = await make_person(database, {tenant.id: "agent"})
    headers = await person.bearer(client)
    await client.patch(f"/admin/users/{person.id}", json={"name": "Vera", "email": person.email}, headers=bearer())
    provider.claims["email"] = person.email
    assert (await _by_oidc(client)).headers["location"] == f"{BASE}/console/"
    assert (await client.get("/auth/me", headers=headers)).status_code == 200
    assert (await client.post("/auth/login", json=person.sign_in)).status_code == 200


async def test_an_address_is_changed_only_by_who_administers_every_tenant_of_the_person(
    client: httpx.AsyncClient, database: Database, tenant: TenantRows, other_tenant: TenantRows
) -> None:
    """Of an address elsewhere nothing is told either: the refusal comes first."""
    person = await make_person(database, {tenant.id: "agent", other_tenant.id: "viewer"})
    stranger = await make_person(database, {other_tenant.id: "viewer"})
    admin = bearer(Role.TENANT_ADMIN, tenant.id)
    answers = [
        await client.patch(f"/admin/users/{person.id}", json={"email": email}, headers=admin)
        for email in (stranger.email, f"free-{new_id().hex}@example.com")
    ]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert answers[0].json()["detail"] == answers[1].json()["detail"]


async def test_the_column_is_there_for_who_was_there_before(database: Database) -> None:
    async with database.platform() as session:
        default = await session.scalar(
            text(
                "SELECT column_default FROM information_schema.columns "
                "WHERE table_name = 'users' AND column_name = 'address_unproved'"
            )
        )
    assert default == "false"


async def _user(database: Database, email: str) -> Person:
    async with database.platform() as session:
        user = (await session.scalars(select(User).where(User.email == email))).one()
        return Person(user.id, user.email)
