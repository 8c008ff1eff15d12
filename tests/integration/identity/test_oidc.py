"""Sign-in through an OpenID provider, over real HTTP: the way there and back, and every way it must fail."""

import time
from collections.abc import AsyncIterator
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI
from pydantic import SecretStr

from chatbot.apps.orchestrator import create_app
from chatbot.apps.runtime import open_runtime
from chatbot.core.ids import new_id
from chatbot.core.settings import ConfigurationError, Settings, load_settings
from chatbot.db.sessions import Database
from chatbot.identity.oidc.attempt import Attempt
from chatbot.identity.subject import Role
from tests.conftest import TEST_KEYS, TenantRows, bearer
from tests.integration.identity.oidc_server import CLIENT_ID, CLIENT_SECRET, OidcServer
from tests.integration.identity.people import Person, bearer_of, make_person

BASE = "http://xin.test"
CONSOLE = {"X-Xin-Console": "1", "Origin": BASE}


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
            "oidc_client_secret": SecretStr(CLIENT_SECRET), "oidc_name": "Acme login",
        }
    )  # fmt: skip
    async with open_runtime(known, database_url, TEST_KEYS) as runtime:
        yield create_app(runtime)


@pytest.fixture
async def person(database: Database, tenant: TenantRows, provider: OidcServer) -> Person:
    """Somebody whom the provider vouches for."""
    person = await make_person(database, {tenant.id: "agent"})
    provider.claims["email"] = person.email.lower()
    return person


async def _to_the_provider(client: httpx.AsyncClient, **query: str) -> str:
    """Begin; return where the provider sends the browser back to."""
    begun = await client.get("/auth/oidc/oidc/start", params=query)
    assert begun.status_code == 302, begun.text
    async with httpx.AsyncClient() as browser:
        answer = await browser.get(begun.headers["location"])
    assert answer.status_code == 302
    return str(answer.headers["location"])


async def _sign_in(client: httpx.AsyncClient, **query: str) -> httpx.Response:
    return await client.get(await _to_the_provider(client, **query))


def _refused(answer: httpx.Response, code: str) -> bool:
    cookies = answer.headers.get_list("set-cookie")
    at = answer.headers.get("location")
    return at == f"{BASE}/console/signin#error={code}" and not any(each.startswith("xin_refresh") for each in cookies)


async def test_there_and_back(client: httpx.AsyncClient, person: Person) -> None:
    offered = (await client.get("/auth/providers")).json()
    assert offered["oidc"] == [{"id": "oidc", "name": "Acme login"}]
    answer = await _sign_in(client, next="/console/t/7/inbox?tab=mine")
    assert answer.headers["location"] == f"{BASE}/console/t/7/inbox?tab=mine"
    kept = SimpleCookie()
    for each in answer.headers.get_list("set-cookie"):
        kept.load(each)
    assert (kept["xin_refresh"]["samesite"].lower(), kept["xin_refresh"]["httponly"]) == ("strict", True)
    assert kept["xin_oidc"]["max-age"] == "0", "an attempt ends with its answer"
    entered = await client.post("/auth/refresh", headers=CONSOLE)
    assert entered.json()["user"]["id"] == str(person.id)
    assert (await client.get("/auth/me", headers=bearer_of(entered))).status_code == 200


async def test_the_browser_keeps_nothing_that_can_be_read(client: httpx.AsyncClient, person: Person) -> None:
    begun = await client.get("/auth/oidc/oidc/start")
    kept = SimpleCookie(begun.headers["set-cookie"])["xin_oidc"]
    assert (kept["httponly"], kept["samesite"].lower(), kept["path"]) == (True, "lax", "/auth/oidc")
    assert int(kept["max-age"]) == 600
    asked = parse_qs(urlsplit(begun.headers["location"]).query)
    assert asked["state"][0] not in kept.value
    assert asked["scope"] == ["openid email profile"]
    assert asked["redirect_uri"] == [f"{BASE}/auth/oidc/oidc/callback"]


@pytest.mark.parametrize(
    "next_page",
    [
        "https://evil.example/", "//evil.example", "/\\evil.example", "/admin/users", "/console", "/console/../auth/me",
        "/console/\r\nSet-Cookie: a=b", "javascript:alert(1)", "",
    ],
)  # fmt: skip
async def test_it_ends_in_the_console_only(client: httpx.AsyncClient, next_page: str) -> None:
    assert (await client.get("/auth/oidc/oidc/start", params={"next": next_page})).status_code == 422


async def test_another_state_is_refused(client: httpx.AsyncClient, person: Person, provider: OidcServer) -> None:
    back = await _to_the_provider(client)
    code = parse_qs(urlsplit(back).query)["code"][0]
    for query in ({"code": code, "state": "another"}, {"code": code}):
        await client.get("/auth/oidc/oidc/start")
        assert _refused(await client.get("/auth/oidc/oidc/callback", params=query), "oidc_state")
    assert "/token" not in provider.requests, "nobody spends a code for it"


async def test_another_browser_is_refused(client: httpx.AsyncClient, person: Person) -> None:
    """Somebody's answer of the provider, planted on another: whoever did not begin is not signed in."""
    back = await _to_the_provider(client)
    client.cookies.clear()
    assert _refused(await client.get(back), "oidc_state")


async def test_an_attempt_ends_after_ten_minutes(
    client: httpx.AsyncClient, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = Attempt.to

    def long_ago(next_page: str) -> Attempt:
        fresh = began(next_page)
        return Attempt(fresh.state, fresh.nonce, fresh.verifier, fresh.next, fresh.ends - 601)

    monkeypatch.setattr(Attempt, "to", long_ago)
    assert _refused(await _sign_in(client), "oidc_state")


async def test_a_code_is_good_once(client: httpx.AsyncClient, person: Person) -> None:
    back = await _to_the_provider(client)
    kept = client.cookies["xin_oidc"]
    assert (await client.get(back)).headers["location"] == f"{BASE}/console/"
    assert _refused(await client.get(back), "oidc_state"), "the attempt is over"
    client.cookies.clear()
    again = await client.get(back, headers={"Cookie": f"xin_oidc={kept}"})
    assert _refused(again, "oidc_failed"), "whoever kept the cookie finds the code spent"


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"}, {"nonce": None}, {"aud": "another"}, {"aud": None}, {"iss": "http://evil.example"},
        {"exp": int(time.time()) - 120}, {"exp": None}, {"iat": None}, {"sub": None},
        {"aud": [CLIENT_ID, "another"], "azp": "another"}, {"nbf": int(time.time()) + 600},
    ],
)  # fmt: skip
async def test_a_token_that_does_not_hold_is_refused(
    client: httpx.AsyncClient, person: Person, provider: OidcServer, claims: dict[str, Any]
) -> None:
    provider.claims |= claims
    assert _refused(await _sign_in(client), "oidc_failed")


@pytest.mark.parametrize("verified", [False, None, "false", 1, "yes"])
async def test_an_address_that_is_not_verified_is_refused(
    client: httpx.AsyncClient, person: Person, provider: OidcServer, verified: object
) -> None:
    provider.claims["email_verified"] = verified
    assert _refused(await _sign_in(client), "oidc_unverified")


async def test_an_unknown_address_is_refused_unless_invited(
    client: httpx.AsyncClient, tenant: TenantRows, provider: OidcServer
) -> None:
    provider.claims["email"] = email = f"new-{new_id().hex}@example.com"
    assert _refused(await _sign_in(client), "oidc_unknown")
    body = {"tenant_id": str(tenant.id), "email": email, "role": "viewer"}
    await client.post("/admin/invitations", json=body, headers=bearer(Role.TENANT_ADMIN, tenant.id))
    assert (await _sign_in(client)).headers["location"] == f"{BASE}/console/"
    entered = await client.post("/auth/refresh", headers=CONSOLE)
    me = (await client.get("/auth/me", headers=bearer_of(entered))).json()
    assert (me["user"]["name"], me["memberships"][0]["role"]) == ("Sara K.", "viewer")
    assert (await client.post("/auth/login", json={"email": email, "password": "x"})).status_code == 401


async def test_a_suspended_person_is_refused(client: httpx.AsyncClient, person: Person) -> None:
    await client.post(f"/admin/users/{person.id}/suspend", headers=bearer())
    assert _refused(await _sign_in(client), "oidc_unknown")


async def test_elliptic_keys_and_new_ones(
    client: httpx.AsyncClient, app: FastAPI, person: Person, provider: OidcServer
) -> None:
    provider.signs_with = ("ES256", provider.elliptic, "two")
    assert (await _sign_in(client)).headers["location"] == f"{BASE}/console/"
    fresh = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    provider.published["three"], provider.signs_with = fresh, ("RS256", fresh, "three")
    assert _refused(await _sign_in(client), "oidc_failed"), "asked for its keys a moment ago"
    app.state.oidc._clock = lambda: time.monotonic() + 61
    assert (await _sign_in(client)).headers["location"] == f"{BASE}/console/"
    assert provider.requests.count("/keys") == 2
    assert provider.requests.count("/.well-known/openid-configuration") == 1


async def test_other_signatures_are_refused(client: httpx.AsyncClient, person: Person, provider: OidcServer) -> None:
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for signature in (
        ("RS256", stranger, "one"), ("RS256", stranger, "nine"), ("HS256", CLIENT_SECRET.ljust(32), "one"),
        ("RS512", provider.rsa, "one"), ("none", None, "one"), ("ES256", provider.elliptic, "one"),
    ):  # fmt: skip
        provider.signs_with = signature
        assert _refused(await _sign_in(client), "oidc_failed"), signature[0]


async def test_a_public_key_is_no_shared_secret(
    client: httpx.AsyncClient, person: Person, provider: OidcServer
) -> None:
    """The classic confusion: HS256 over the provider's public key."""
    public = jwt.algorithms.RSAAlgorithm.to_jwk(provider.rsa.public_key())
    provider.signs_with = ("HS256", public, "one")
    assert _refused(await _sign_in(client), "oidc_failed")


@pytest.mark.parametrize("methods", [["client_secret_post"], ["client_secret_basic", "client_secret_post"]])
async def test_the_client_proves_itself_as_the_provider_wants(
    client: httpx.AsyncClient, person: Person, provider: OidcServer, methods: list[str]
) -> None:
    provider.discovery["token_endpoint_auth_methods_supported"] = methods
    assert (await _sign_in(client)).headers["location"] == f"{BASE}/console/"


async def test_a_provider_that_is_another_or_away_is_told(
    client: httpx.AsyncClient, app: FastAPI, provider: OidcServer
) -> None:
    provider.discovery["issuer"] = "http://evil.example"
    answer = await client.get("/auth/oidc/oidc/start")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert (await client.get("/auth/oidc/another/start")).status_code == 404


async def test_a_token_endpoint_inside_our_network_is_not_gone_to(
    client: httpx.AsyncClient, person: Person, provider: OidcServer
) -> None:
    provider.discovery["token_endpoint"] = "http://169.254.169.254/token"
    assert _refused(await _sign_in(client), "oidc_failed")


async def test_what_the_provider_refuses_is_told(client: httpx.AsyncClient, person: Person) -> None:
    back = parse_qs(urlsplit(await _to_the_provider(client)).query)
    query = {"error": "access_denied", "state": back["state"][0]}
    assert _refused(await client.get("/auth/oidc/oidc/callback", params=query), "oidc_failed")


async def test_sign_ins_and_refusals_are_in_the_audit_log(
    client: httpx.AsyncClient, tenant: TenantRows, person: Person, provider: OidcServer
) -> None:
    await _sign_in(client)
    provider.claims["email_verified"] = False
    await _sign_in(client)
    own = (await client.get("/admin/events", params={"tenant_id": str(tenant.id)}, headers=bearer())).json()["items"]
    assert [(row["action"], row["detail"]) for row in own] == [("login", {"way": "oidc"})]
    platforms = (await client.get("/admin/events", params={"action": "finish_oidc"}, headers=bearer())).json()["items"]
    assert platforms[0]["detail"] == {"code": "oidc_unverified"}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"OIDC_ISSUER": "https://login.example.com"}, "needs OIDC_CLIENT_ID"),
        ({"OIDC_ISSUER": "login.example.com", "OIDC_CLIENT_ID": "x"}, "must begin with http"),
    ],
)
def test_half_a_provider_stops_the_start(monkeypatch: pytest.MonkeyPatch, values: dict[str, str], words: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=words):
        load_settings(None)
