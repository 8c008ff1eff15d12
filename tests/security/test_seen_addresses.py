"""Addresses of rules and webhooks hold secrets in their paths: who may not change them sees scheme and host."""

from typing import Any

import httpx
import pytest

from chatbot.automation.addresses import address_seen_by
from chatbot.core.clock import utcnow
from chatbot.core.ids import new_id
from chatbot.db.models import AutomationJob
from chatbot.db.sessions import Database
from chatbot.identity.subject import Role, Subject
from tests.conftest import TenantRows, bearer

HOOK = "https://hooks.slack.example/services/T000/B000/canary-of-a-hook?key=canary"
SEEN = "https://hooks.slack.example/…"


async def _planted(client: httpx.AsyncClient, database: Database, tenant: TenantRows) -> list[str]:
    """Make a webhook, a rule and a job that call the hook; return their addresses in the API."""
    own: dict[str, Any] = {"tenant_id": str(tenant.id)}
    webhook = await client.post(
        "/admin/webhooks", json={**own, "url": HOOK, "events": ["conversation.closed"]}, headers=bearer()
    )
    assert webhook.status_code == 201, webhook.text
    rule = {
        **own, "name": "Tell", "trigger": {"type": "event", "name": "conversation.closed"},
        "actions": [{"type": "webhook", "url": HOOK}],
    }  # fmt: skip
    made = await client.post("/admin/automation/rules", json=rule, headers=bearer())
    assert made.status_code == 201, made.text
    job = new_id()
    async with database.tenant(tenant.id) as session:
        session.add(
            AutomationJob(
                tenant_id=tenant.id, id=job, rule_id=made.json()["id"], rule_version=1, firing=f"event:{new_id()}",
                event={"name": "conversation.closed", "payload": {}}, actions=made.json()["actions"], due_at=utcnow(),
            )
        )  # fmt: skip
    asked = f"tenant_id={tenant.id}"
    return [
        f"/admin/webhooks?{asked}", f"/admin/webhooks/{webhook.json()['id']}",
        f"/admin/automation/rules?{asked}", f"/admin/automation/rules/{made.json()['id']}",
        f"/admin/automation/jobs?{asked}", f"/admin/automation/jobs/{job}",
    ]  # fmt: skip


async def test_who_may_not_change_an_address_sees_its_host(
    client: httpx.AsyncClient, database: Database, tenant: TenantRows
) -> None:
    for path in await _planted(client, database, tenant):
        for role in (Role.VIEWER, Role.AGENT):
            seen = await client.get(path, headers=bearer(role, tenant.id))
            assert seen.status_code == 200, seen.text
            assert SEEN in seen.text, path
            assert "canary" not in seen.text, path
        assert HOOK in (await client.get(path, headers=bearer(Role.TENANT_ADMIN, tenant.id))).text, path


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("https://user:secret@a.example:8443/x", "https://a.example:8443/…"),
        ("https://a.example", "https://a.example"),
        ("https://a.example/", "https://a.example"),
        ("https://a.example?key=1", "https://a.example/…"),
        ("https://[2001:db8::1]:8443/x#y", "https://[2001:db8::1]:8443/…"),
    ],
)
def test_scheme_and_host(url: str, seen: str) -> None:
    tenant_id = new_id()
    viewer = Subject("user:1", Role.VIEWER, tenant_id)
    assert address_seen_by(viewer, tenant_id, url) == seen
