"""Webhooks: the events that an address chose, signed by its own secret; a log, a test, a replay."""

import base64
import hashlib
import hmac
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import text

from tests.integration.automation.conftest import Automation, Caller, Receiver


async def _webhook(automation: Automation, receiver: Receiver, *events: str, **fields: Any) -> Any:
    body = {"tenant_id": str(automation.whole.tenant.id), "url": receiver.url, "events": events, **fields}
    return await automation.whole.ask("POST", "/admin/webhooks", body, status=201)


async def _deliveries(automation: Automation, webhook: Any, count: int, status: str) -> list[Any]:
    jobs = await automation.until(
        lambda found: sum(job["status"] == status for job in found) >= count, rule_id=webhook["id"]
    )
    path = f"/admin/webhooks/{webhook['id']}/deliveries?status={status}"
    listed: list[Any] = (await automation.whole.ask("GET", path))["items"]
    assert len(jobs) >= len(listed)
    return listed


def _signed_by(secret: str, headers: dict[str, str], raw: bytes) -> bool:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + raw
    proof = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return headers["webhook-signature"] == f"v1,{proof}"


async def test_an_address_is_told_of_what_it_chose(automation: Automation, receiver: Receiver) -> None:
    webhook = await _webhook(automation, receiver, "conversation.created", "message.sent")
    assert webhook["secret"].startswith("whsec_")
    conversation = (await Caller(automation.whole).ask("How long do refunds take?"))["conversation_id"]
    told = await receiver.wait_for(2)
    assert sorted(one["type"] for one in told) == ["conversation.created", "message.sent"]
    assert {one["data"]["conversation_id"] for one in told} == {conversation}
    assert all("rule" not in one for one in told)
    (answer,) = [one for one in told if one["type"] == "message.sent"]
    assert (answer["about"]["message.role"], answer["version"]) == ("bot", 1)
    listed = await _deliveries(automation, webhook, 2, "succeeded")
    assert {one["webhook_id"] for one in listed} == {headers["webhook-id"] for headers in receiver.headers}
    assert await automation.jobs() == [], "deliveries of webhooks are no jobs of rules"
    shown = await automation.whole.ask("GET", f"/admin/webhooks/{webhook['id']}")
    assert "secret" not in shown
    assert (shown["events"], shown["waiting"], shown["failed"]) == (["conversation.created", "message.sent"], 0, 0)


async def test_more_events_of_one_request_than_a_rule_may_fire(automation: Automation, receiver: Receiver) -> None:
    await _webhook(automation, receiver, "message.received", "message.sent")
    visitor = Caller(automation.whole)
    headers = {**visitor.headers, "X-Request-ID": "one-and-the-same"}
    body: dict[str, Any] = {"message": "Refunds?"}
    for _ in range(4):
        async with automation.whole.api.post("/v1/chat", json=body, headers=headers) as answer:
            body["conversation_id"] = (await answer.json())["conversation_id"]
    assert len(await receiver.wait_for(8)) == 8


async def test_a_delivery_is_replayed_at_the_address_of_now(automation: Automation, receiver: Receiver) -> None:
    receiver.answers = [web.Response(status=410)]
    webhook = await _webhook(automation, receiver, "conversation.created", url=f"{receiver.url}?old")
    await Caller(automation.whole).ask("Refunds?")
    (dead,) = await _deliveries(automation, webhook, 1, "failed")
    assert "410" in dead["reason"]
    assert [(one["outcome"], "410" in one["words"]) for one in dead["tries"]] == [("failed", True)]
    assert dead["payload"]["channel_id"]
    path = f"/admin/webhooks/{webhook['id']}"
    assert (await automation.whole.ask("PATCH", path, {"url": receiver.url}))["failed"] == 1
    for _ in range(2):  # also what arrived is told again, with the same id
        replayed = await automation.whole.ask("POST", f"{path}/deliveries/{dead['id']}/replay")
        assert replayed["status"] == "pending"
        await _deliveries(automation, webhook, 1, "succeeded")
    await receiver.wait_for(3)
    assert {headers["webhook-id"] for headers in receiver.headers} == {dead["webhook_id"]}


async def test_a_test_says_how_the_address_answered(automation: Automation, receiver: Receiver) -> None:
    webhook = await _webhook(automation, receiver, "conversation.created")
    path = f"/admin/webhooks/{webhook['id']}/test"
    assert (await automation.whole.ask("POST", path))["ok"]
    assert receiver.got == [{"type": "ping"}]
    assert _signed_by(webhook["secret"], receiver.headers[0], b'{"type":"ping"}')
    receiver.answers = [web.Response(status=404)]
    assert await automation.whole.ask("POST", path) == {
        "ok": False, "words": "The address answered a signed POST with 404."
    }  # fmt: skip
    secret = (await automation.whole.ask("POST", f"/admin/webhooks/{webhook['id']}/rotate_secret"))["secret"]
    assert secret != webhook["secret"]
    await automation.whole.ask("POST", path)
    assert _signed_by(secret, receiver.headers[-1], b'{"type":"ping"}')


async def test_paused_and_removed_ones_are_told_nothing(automation: Automation, receiver: Receiver) -> None:
    webhook = await _webhook(automation, receiver, "message.received")
    path = f"/admin/webhooks/{webhook['id']}"
    await automation.whole.ask("PATCH", path, {"state": "paused"})
    visitor = Caller(automation.whole)
    conversation = (await visitor.ask("Refunds?"))["conversation_id"]
    await automation.whole.ask("PATCH", path, {"state": "active"})
    receiver.answers = [web.Response(status=503)]
    await visitor.ask("And now?", conversation)
    await receiver.wait_for(1)
    assert len(receiver.got) == 1
    await automation.until(lambda jobs: jobs and jobs[0]["status"] == "pending", rule_id=webhook["id"])
    await automation.whole.ask("DELETE", path, status=204)
    await automation.whole.ask("GET", path, status=404)
    await automation.run_what_waits()
    (job,) = await automation.until(lambda jobs: jobs[0]["status"] == "cancelled", rule_id=webhook["id"])
    assert len(receiver.got) == 1
    assert job["attempts"] == 1


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"events": []}, "events"), ({"events": ["message.recieved"]}, "events"), ({"url": "gopher://x"}, "url")],
)
async def test_what_is_wrong_is_named(idle: Automation, changed: dict[str, Any], field: str) -> None:
    body = {"tenant_id": str(idle.whole.tenant.id), "url": "https://example.com", "events": ["note.created"], **changed}
    refused = await idle.whole.ask("POST", "/admin/webhooks", body, status=422)
    assert refused["errors"][0]["field"].startswith(field)


@pytest.mark.parametrize("url", ["http://10.0.0.5:9000/in", "http://localhost:9000/in"])
async def test_an_address_inside_our_network_is_refused_where_it_is_entered(
    automation: Automation, receiver: Receiver, url: str
) -> None:
    async def refused(method: str, path: str, **body: Any) -> Any:
        return (await automation.whole.ask(method, path, body, status=422))["errors"][0]

    tenant_id = str(automation.whole.tenant.id)
    told = await refused("POST", "/admin/webhooks", tenant_id=tenant_id, url=url, events=["note.created"])
    assert told["field"] == "url"
    assert "XIN_FETCH_ALLOW_HOSTS" in told["message"]
    webhook = await _webhook(automation, receiver, "note.created")
    assert await refused("PATCH", f"/admin/webhooks/{webhook['id']}", url=url) == told
    acting = {"trigger": {"type": "event", "name": "note.created"}, "actions": [{"type": "webhook", "url": url}]}
    in_rule = await refused("POST", "/admin/automation/rules", tenant_id=tenant_id, name="Call", **acting)
    assert in_rule == {"field": "actions.0.url", "message": told["message"]}
    channel = {"channel_type": "webhook", "display_name": "Program", "credentials": {"webhook_url": url}}
    in_channel = await refused("POST", "/admin/channels", tenant_id=tenant_id, **channel)
    assert in_channel == {"field": "credentials.webhook_url", "message": told["message"]}


async def test_an_address_inside_our_network_is_not_called(automation: Automation, receiver: Receiver) -> None:
    webhook = await _webhook(automation, receiver, "conversation.created")
    async with automation.whole.runtime.database.tenant(automation.whole.tenant.id) as session:
        inside = text("UPDATE automation_rules SET actions = jsonb_set(actions, '{0,url}', CAST(:url AS jsonb))")
        await session.execute(inside, {"url": '"http://169.254.169.254/latest"'})
    result = await automation.whole.ask("POST", f"/admin/webhooks/{webhook['id']}/test")
    assert not result["ok"]
    await Caller(automation.whole).ask("Refunds?")
    (dead,) = await _deliveries(automation, webhook, 1, "failed")
    assert dead["reason"].startswith("The address leads into a private or reserved network")
