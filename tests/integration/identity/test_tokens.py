"""Attacks on tokens: each is a 401, and none tells more than that."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
from fastapi import FastAPI

from chatbot.apps.runtime import Runtime
from chatbot.core.clock import utcnow
from chatbot.core.ids import new_id
from chatbot.identity.access.service import Access
from chatbot.identity.subject import Role
from chatbot.identity.tokens import TokenKeys, issue_admin_token, issue_embed_token
from tests.conftest import TenantRows, bearer

PREVIOUS = "the-admin-secret-before-the-rotation-0123456789"


def _claims(**changes: Any) -> dict[str, Any]:
    now = utcnow()
    claims = {
        "iss": "xin", "aud": "xin-admin", "type": "access", "sub": "cli", "role": "platform_admin",
        "iat": now, "exp": now + timedelta(minutes=5), "jti": "1",
    }  # fmt: skip
    return {name: value for name, value in (claims | changes).items() if value is not None}


def _signed(keys: TokenKeys, **changes: Any) -> str:
    return jwt.encode(_claims(**changes), keys.admin, algorithm="HS256")


ATTACKS: dict[str, Callable[[TokenKeys], str]] = {
    "no exp": lambda keys: _signed(keys, exp=None),
    "no aud": lambda keys: _signed(keys, aud=None),
    "no iss": lambda keys: _signed(keys, iss=None),
    "no type": lambda keys: _signed(keys, type=None),
    "no jti": lambda keys: _signed(keys, jti=None),
    "no sub": lambda keys: _signed(keys, sub=None),
    "no iat": lambda keys: _signed(keys, iat=None),
    "expired": lambda keys: _signed(keys, exp=utcnow() - timedelta(seconds=1)),
    "issued in the future": lambda keys: _signed(keys, iat=utcnow() + timedelta(hours=1)),
    "other audience": lambda keys: _signed(keys, aud="xin-embed"),
    "other issuer": lambda keys: _signed(keys, iss="somebody"),
    "other type": lambda keys: _signed(keys, type="embed"),
    "other key": lambda keys: jwt.encode(_claims(), "k" * 40, algorithm="HS256"),
    "the embed key": lambda keys: jwt.encode(_claims(), keys.embed, algorithm="HS256"),
    "other algorithm": lambda keys: jwt.encode(_claims(), keys.admin * 2, algorithm="HS512"),
    "no algorithm": lambda keys: jwt.encode(_claims(), None, algorithm="none"),
    "a visitor's role": lambda keys: _signed(keys, role="visitor"),
    "an unknown role": lambda keys: _signed(keys, role="root"),
    "no role": lambda keys: _signed(keys, role=None),
    "a role without its tenant": lambda keys: _signed(keys, role="tenant_admin"),
    "a role in an unknown tenant": lambda keys: _signed(keys, role="tenant_admin", tenant_id=str(new_id())),
    "a user without a session": lambda keys: _signed(keys, sub=f"user:{new_id()}"),
    "a user and a session unknown": lambda keys: _signed(keys, sub=f"user:{new_id()}", sid=str(new_id())),
    "a subject of another kind": lambda keys: _signed(keys, sub="api_key:1", sid=str(new_id())),
    "cut short": lambda keys: _signed(keys)[:-4],
    "not a token": lambda keys: "hello",
    "an unknown API key": lambda keys: "xin_sk_" + "a" * 43,
    "very long": lambda keys: "a" * 10_000,
    "not ASCII": lambda keys: "pässword".encode().decode("latin-1"),
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_a_forged_admin_token_is_401(client: httpx.AsyncClient, runtime: Runtime, attack: str) -> None:
    credential = ATTACKS[attack](runtime.keys).encode("latin-1")
    answer = await client.get("/admin/tenants", headers=[(b"authorization", b"Bearer " + credential)])
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert credential.decode("latin-1")[:12] not in answer.text


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic YTpi", "bearer"])
async def test_no_credential_is_401(client: httpx.AsyncClient, header: str | None) -> None:
    answer = await client.get("/admin/tenants", headers={"Authorization": header} if header is not None else {})
    assert answer.status_code == 401


async def test_a_token_in_the_address_is_not_a_credential(client: httpx.AsyncClient, runtime: Runtime) -> None:
    token = issue_admin_token(runtime.keys, subject="cli", claims={"role": "platform_admin"})
    answer = await client.get("/admin/tenants", params={"token": token, "access_token": token})
    assert answer.status_code == 401


async def test_an_embed_token_is_no_admin_token(
    client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows
) -> None:
    token, _ = issue_embed_token(runtime.keys, tenant_id=tenant.id, brand_id=tenant.brand_id, visitor={}, origin=None)
    assert (await client.get("/admin/tenants", headers={"Authorization": f"Bearer {token}"})).status_code == 401


async def test_an_admin_token_is_no_embed_token(runtime: Runtime, tenant: TenantRows) -> None:
    claims = _claims(aud="xin-embed", type="embed", tenant_id=str(tenant.id), brand_id=str(tenant.brand_id))
    access = Access(runtime.database, runtime.keys)
    by_the_admin_key = jwt.encode(claims, runtime.keys.admin, algorithm="HS256")
    by_the_embed_key = jwt.encode(claims, runtime.keys.embed, algorithm="HS256")
    assert (await access.chat(by_the_embed_key, tenant_id=None, origin=None)).role is Role.VISITOR
    with pytest.raises(Exception, match="Signature verification failed"):
        await access.chat(by_the_admin_key, tenant_id=None, origin=None)


@pytest.mark.parametrize(
    ("started_ago", "issued_ago", "status"),
    [(0, 1, 200), (0, 16, 401), (14, 1, 200), (16, 1, 401)],
    ids=["fresh", "token too old", "within the quarter", "a quarter after the start"],
)
async def test_the_previous_key_holds_for_a_quarter_of_an_hour(
    app: FastAPI, client: httpx.AsyncClient, runtime: Runtime, started_ago: int, issued_ago: int, status: int
) -> None:
    until = utcnow() + timedelta(minutes=15 - started_ago)
    app.state.keys = replace(runtime.keys, admin_previous=PREVIOUS, previous_until=until)
    token = jwt.encode(_claims(iat=utcnow() - timedelta(minutes=issued_ago)), PREVIOUS, algorithm="HS256")
    answer = await client.get("/admin/tenants", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == status


async def test_a_good_token_is_good(client: httpx.AsyncClient, runtime: Runtime) -> None:
    me = await client.get("/auth/me", headers=bearer())
    assert me.json() == {
        "subject": "cli", "role": "platform_admin", "tenant_id": None, "memberships": [], "user": None,
    }  # fmt: skip
