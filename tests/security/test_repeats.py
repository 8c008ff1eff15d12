"""Whoever has seen a provider's request, or kept it, has no second effect by it, whatever they change of it."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import text

from chatbot.core.ids import new_id
from chatbot.core.settings import Settings
from tests.conftest import TenantRows
from tests.integration.data.test_retention import make_old
from tests.whole import Whole, signed, whole_platform

_KEY = "mailgun-signing-key"
_URL = "http://127.0.0.1:9/"  # nobody takes the answers; what came in counts


@pytest.fixture
async def whole(database_url: str, settings: Settings, tenant: TenantRows) -> AsyncIterator[Whole]:
    """Orchestrator and gateway in one process."""
    async with whole_platform(settings, database_url, tenant) as running:
        yield running


@pytest.fixture
async def receiver() -> AsyncIterator[str]:
    """The address of a program that takes whatever is posted."""

    async def take(_: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_post("/", take)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


async def _said(whole: Whole) -> list[str]:
    async with whole.runtime.database.tenant_reader(whole.tenant.id) as session:
        rows = await session.execute(text("SELECT text FROM messages WHERE role = 'visitor' ORDER BY created_at, id"))
        return [row[0] for row in rows]


async def _post(whole: Whole, channel: dict[str, Any], body: bytes, headers: dict[str, str]) -> int:
    path = f"/webhooks/{channel['channel_type']}/{channel['id']}"
    async with whole.gateway.post(path, data=body, headers=headers) as answer:
        return answer.status


def _triple(token: str) -> dict[str, str]:
    stamp = str(int(time.time()))
    proof = hmac.new(_KEY.encode(), (stamp + token).encode(), hashlib.sha256).hexdigest()
    return {"timestamp": stamp, "token": token, "signature": proof}


async def _mail(whole: Whole, channel: dict[str, Any], proof: dict[str, str], number: int) -> int:
    fields = {
        "from": f"Ann <ann{number}@customer.test>", "sender": f"ann{number}@customer.test", "subject": "Hi",
        "recipient": "care@acme.test", "body-plain": f"mail {number}", "Message-Id": f"<m{number}@customer.test>",
    }  # fmt: skip
    path = f"/webhooks/email/{channel['id']}"
    async with whole.gateway.post(path, data={**fields, **proof}) as answer:
        return answer.status


async def test_one_signature_of_mailgun_brings_one_mail(whole: Whole) -> None:
    credentials = {
        "address": "care@acme.test", "inbound": "mailgun", "signing_key": _KEY, "smtp_host": "127.0.0.1", "smtp_port": 9
    }  # fmt: skip
    channel = await whole.channel("email", credentials)
    stolen = _triple("t" * 50)
    statuses = await asyncio.gather(*(_mail(whole, channel, stolen, number) for number in range(4)))
    assert statuses == [200] * 4, "what is repeated was taken before: the service must not try again"
    assert len(await _said(whole)) == 1
    event = {"signature": stolen, "event-data": {"id": "e1", "event": "delivered"}}
    assert await _post(whole, channel, orjson.dumps(event), {"Content-Type": "application/json"}) == 200
    assert await _events(whole, channel, "unsupported", "receipt") == 0
    assert await _mail(whole, channel, _triple("u" * 50), 9) == 200
    assert (await _said(whole))[1:] == ["mail 9"]
    sibling = await whole.channel("email", {**credentials, "address": "sales@acme.test"})
    assert await _mail(whole, sibling, _triple("v" * 50), 10) == 200
    assert len(await _said(whole)) == 3


@pytest.mark.parametrize("channel_type", ["webhook", "web"])
async def test_an_id_beside_the_signature_makes_no_new_event(channel_type: str, whole: Whole) -> None:
    channel = await whole.channel(channel_type, {"webhook_url": _URL})
    raw = orjson.dumps({"channel_id": channel["id"], "session_id": "s1", "text": "a bargain", "async": True})
    proof = signed(channel["secret"], raw)
    path = "/webchat/webhook" if channel_type == "web" else f"/webhooks/webhook/{channel['id']}"
    for number in range(3):
        for more in ({"webhook-id": f"other-{number}"}, {"webhook-id": "x", "webhook-timestamp": str(number)}):
            async with whole.gateway.post(path, data=raw, headers={**proof, **more}) as answer:
                assert answer.status in (200, 202), await answer.text()
    assert await _said(whole) == ["a bargain"]


async def test_headers_that_githubs_proof_does_not_cover_make_no_new_event(whole: Whole) -> None:
    channel = await whole.channel("webhook", {"webhook_url": _URL})
    raw = orjson.dumps({"type": "followed", "session_id": "s1"})
    digest = hmac.new(channel["secret"].encode(), raw, hashlib.sha256).hexdigest()
    proof = {"X-Hub-Signature-256": f"sha256={digest}", "Content-Type": "application/json"}
    for number in range(3):
        assert await _post(whole, channel, raw, {**proof, "X-Timestamp": str(number)}) == 200
        assert await _post(whole, channel, raw, {**proof, "webhook-id": str(number)}) == 200
    assert await _events(whole, channel, "followed") == 1


@pytest.mark.parametrize("gone_by", ["retention", "erasure"])
async def test_what_was_forgotten_does_not_come_back_by_an_old_request(
    gone_by: str, whole: Whole, receiver: str, database_url: str
) -> None:
    """GitHub's proof, as those of several providers, signs no time."""
    channel = await whole.channel("webhook", {"webhook_url": receiver})
    captured = []
    for kind, name in (("message", "message_id"), ("followed", "event_id")):
        raw = orjson.dumps({"type": kind, "session_id": "s1", name: "1", "text": "bring me back"})
        digest = hmac.new(channel["secret"].encode(), raw, hashlib.sha256).hexdigest()
        captured.append((raw, {"X-Hub-Signature-256": f"sha256={digest}", "Content-Type": "application/json"}))
        assert await _post(whole, channel, *captured[-1]) == 200
    await whole.settled(channel, 1)
    tenant = whole.tenant.id
    if gone_by == "retention":
        make_old(database_url, tenant, 100)
        for _ in range(2):
            await whole.ask("POST", f"/admin/tenants/{tenant}/retention/runs", {})
    else:
        body = {"visitor": "webhook:s1"}
        await whole.ask("POST", f"/admin/tenants/{tenant}/erasures", body, status=201)
    assert await _said(whole) == []
    async with whole.runtime.database.tenant_reader(tenant) as session:
        rows = (await session.execute(text("SELECT to_jsonb(i) - 'received_at' FROM inbound_events i"))).scalars().all()
    left = [{key: value for key, value in row.items() if key not in ("id", "tenant_id", "channel_id")} for row in rows]
    assert len(left) == 2
    for row in left:
        assert row.pop("provider_event_id").startswith("past:")
        assert row == {
            "kind": "past", "thread": "", "context": {}, "payload": {}, "conversation_id": None, "message_id": None,
            "occurred_at": None,
        }  # fmt: skip
    for raw, headers in captured:
        assert await _post(whole, channel, raw, headers) == 200
    assert await _said(whole) == []
    assert await _events(whole, channel, "message", "followed") == 0


async def test_the_ids_of_past_events_go_after_half_a_year(whole: Whole, database_url: str) -> None:
    channel = await whole.channel("webhook", {"webhook_url": _URL})
    async with whole.runtime.database.tenant(whole.tenant.id) as session:
        await session.execute(
            text(
                "INSERT INTO inbound_events (tenant_id, id, channel_id, provider_event_id, kind, thread) "
                "VALUES (:tenant_id, :id, :channel_id, 'past:1', 'past', '')"
            ),
            {"tenant_id": whole.tenant.id, "id": new_id(), "channel_id": UUID(channel["id"])},
        )
    path = f"/admin/tenants/{whole.tenant.id}/retention/runs"
    for more_days, left in ((186, 1), (2, 0)):
        make_old(database_url, whole.tenant.id, more_days)
        await whole.ask("POST", path, {})
        assert await _events(whole, channel, "past") == left


async def _events(whole: Whole, channel: dict[str, Any], *kinds: str) -> int:
    async with whole.runtime.database.tenant_reader(whole.tenant.id) as session:
        found = await session.scalar(
            text("SELECT count(*) FROM inbound_events WHERE channel_id = :channel_id AND kind = ANY(:kinds)"),
            {"channel_id": UUID(channel["id"]), "kinds": list(kinds)},
        )
    return int(found or 0)
