"""No token passes for another kind, at any door; none is taken from an address but LOG_TOKEN, as operators know it."""

import httpx
import pytest
from fastapi import FastAPI

from chatbot.core.ids import new_id
from chatbot.identity.subject import Role
from chatbot.identity.tokens import issue_admin_token, issue_embed_token, issue_service_token
from tests.conftest import GATEWAY_TOKEN, TEST_KEYS, TenantRows, bearer

DOORS = {
    "admin": ("GET", "/admin/tenants"),
    "console": ("GET", "/auth/me"),
    "internal": ("POST", "/internal/turns"),
    "operator": ("GET", "/api/logs?follow=false"),
    "tickets": ("GET", "/api/tickets"),
}
IN_THE_QUERY = {"GET /api/logs", "GET /api/transcript-json/{sessionId}"}
"""Contract H19 gives these a `token` in the query: `LOG_TOKEN` and nothing else."""


def _tokens(tenant: TenantRows) -> dict[str, str]:
    visitor = {"id": "42"}
    embed, _ = issue_embed_token(TEST_KEYS, tenant_id=tenant.id, brand_id=tenant.brand_id, visitor=visitor, origin=None)
    return {
        "embed": embed,
        "service": issue_service_token(TEST_KEYS, subject="gateway", tenant_id=tenant.id),
        "gateway": GATEWAY_TOKEN,
        "of a stranger's key": issue_admin_token(
            type(TEST_KEYS)(admin="z" * 40, embed="y" * 40), subject="cli", claims={"role": Role.PLATFORM_ADMIN.value}
        ),
        "nothing": "",
        "a uuid": str(new_id()),
    }


@pytest.mark.parametrize("door", DOORS)
async def test_a_token_of_another_kind_is_none(client: httpx.AsyncClient, tenant: TenantRows, door: str) -> None:
    method, path = DOORS[door]
    for kind, token in _tokens(tenant).items():
        if (door, kind) == ("internal", "service"):
            continue
        answer = await client.request(method, path, headers={"Authorization": f"Bearer {token}"}, json={})
        assert answer.status_code in (401, 422), f"{kind} at {door}: {answer.status_code}"
        assert answer.status_code == 401 or door == "internal", kind


async def test_an_admin_token_is_no_services(client: httpx.AsyncClient) -> None:
    answer = await client.post("/internal/turns", headers=bearer(), json={})
    assert answer.status_code in (401, 422)


def test_no_operation_takes_a_credential_from_its_address(app: FastAPI) -> None:
    found = {
        f"{method.upper()} {path}"
        for path, item in app.openapi()["paths"].items()
        for method, described in item.items()
        for parameter in described.get("parameters", ())
        if parameter["in"] == "query" and ("token" in parameter["name"] or "secret" in parameter["name"])
    }
    assert found == IN_THE_QUERY


async def test_a_visitors_token_in_an_address_is_not_looked_at(client: httpx.AsyncClient, tenant: TenantRows) -> None:
    token = _tokens(tenant)["embed"]
    answer = await client.post(f"/v1/chat?token={token}", json={"message": "Hello"})
    assert answer.status_code == 401
