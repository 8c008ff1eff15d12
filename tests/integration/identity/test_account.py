"""A person's own account: profile and password."""

import httpx
import pytest

from chatbot.db.sessions import Database
from tests.conftest import TenantRows, bearer
from tests.integration.identity.people import PASSWORD, Person, bearer_of, make_person

NEW = " another long password "


@pytest.fixture
async def person(database: Database, tenant: TenantRows) -> Person:
    """An agent who has a password."""
    return await make_person(database, {tenant.id: "agent"})


async def test_the_profile_is_ones_own_to_change(client: httpx.AsyncClient, person: Person) -> None:
    headers = await person.bearer(client)
    given = {"name": "Sara K.", "avatar_url": "https://cdn.example.com/sara.png", "locale": "fa-IR"}
    changed = (await client.patch("/auth/me", json=given, headers=headers)).json()["user"]
    assert {key: changed[key] for key in given} == given
    cleared = (await client.patch("/auth/me", json={"avatar_url": None}, headers=headers)).json()["user"]
    assert (cleared["name"], cleared["avatar_url"], cleared["locale"]) == ("Sara K.", None, "fa-IR")


@pytest.mark.parametrize(
    "given",
    [
        {"name": None}, {"name": " "}, {"avatar_url": "http://a.example/x.png"}, {"avatar_url": "javascript:alert(1)"},
        {"locale": "../fa"}, {"email": "other@example.com"}, {"is_platform_admin": True},
    ],
)  # fmt: skip
async def test_what_cannot_be_changed_is_refused(
    client: httpx.AsyncClient, person: Person, given: dict[str, object]
) -> None:
    assert (await client.patch("/auth/me", json=given, headers=await person.bearer(client))).status_code == 422


async def test_an_api_key_has_no_account(client: httpx.AsyncClient) -> None:
    assert (await client.patch("/auth/me", json={"name": "x"}, headers=bearer())).status_code == 403
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert (await client.post("/auth/password", json=body, headers=bearer())).status_code == 403


async def test_a_new_password_ends_the_other_sessions(client: httpx.AsyncClient, person: Person) -> None:
    here = await client.post("/auth/login", json=person.sign_in)
    there = await client.post("/auth/login", json=person.sign_in)
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert (await client.post("/auth/password", json=body, headers=bearer_of(here))).status_code == 204
    assert (await client.get("/auth/me", headers=bearer_of(here))).status_code == 200
    assert (await client.get("/auth/me", headers=bearer_of(there))).status_code == 401
    assert (await client.post("/auth/login", json=person.sign_in)).status_code == 401
    assert (await client.post("/auth/login", json=person.sign_in | {"password": NEW})).status_code == 200


@pytest.mark.usefixtures("_no_refill")
async def test_guessing_the_present_password_is_limited(client: httpx.AsyncClient, person: Person) -> None:
    headers = await person.bearer(client)
    body = {"current_password": "not it", "new_password": NEW}
    answers = [await client.post("/auth/password", json=body, headers=headers) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [422] * 5 + [429]
    assert answers[0].json()["errors"] == [{"field": "current_password", "message": "is wrong"}]


async def test_a_short_password_is_refused_without_being_repeated(client: httpx.AsyncClient, person: Person) -> None:
    body = {"current_password": PASSWORD, "new_password": "hunter-two"}
    answer = await client.post("/auth/password", json=body, headers=await person.bearer(client))
    assert answer.status_code == 422
    assert "at least 12" in answer.text
    assert "hunter" not in answer.text


async def test_the_sign_in_page_knows_its_ways(client: httpx.AsyncClient) -> None:
    assert (await client.get("/auth/providers")).json() == {"password": True, "oidc": []}
