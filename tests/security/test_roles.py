"""Viewers and agents change nothing that is an administrator's: every write of the admin API, in their own tenant."""

import httpx
import pytest
from fastapi import FastAPI

from chatbot.apps.runtime import Runtime
from chatbot.identity.subject import Role
from tests.conftest import TenantRows, bearer
from tests.integration.test_wrong_tenant import _own, _rows
from tests.openapi_calls import operations

VIEWERS_MAY = {
    "POST /admin/diagnostics/retrieval": "reads",
    "POST /admin/canned_replies/{reply_id}/render": "reads",
}
AGENTS_MAY_NOT = (
    "/admin/api_keys", "/admin/automation", "/admin/brands", "/admin/channels", "/admin/invitations", "/admin/policies",
    "/admin/tenants", "/admin/users", "/admin/webhooks",
)  # fmt: skip
OF_DELETED_ROWS = {
    f"POST /admin/{what}/restore": "nobody restores what is not deleted"
    for what in ("channels/{channel_id}", "automation/rules/{rule_id}", "webhooks/{webhook_id}")
}
AGENTS_MAY = {"POST /admin/tenants/{tenant_id}/embed_token": "a visitor's token, for a trial"}


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AGENT])
async def test_a_low_role_is_refused_by_the_server(
    app: FastAPI, client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows, role: Role
) -> None:
    rows, headers = await _rows(runtime.database, tenant), bearer(role, tenant.id)
    asked, wrong = 0, []
    for operation in operations(app.openapi()):
        if operation.method == "get" or not operation.path.startswith("/admin/") or str(operation) in VIEWERS_MAY:
            continue
        if role is Role.AGENT and (not operation.path.startswith(AGENTS_MAY_NOT) or str(operation) in AGENTS_MAY):
            continue
        asked += 1
        answer = await client.request(**operation.request(_own(operation, rows), headers))
        if answer.status_code != (404 if str(operation) in OF_DELETED_ROWS else 403):
            wrong.append(f"{operation}: {answer.status_code} {answer.text[:120]}")
    assert asked > 25
    assert wrong == []
