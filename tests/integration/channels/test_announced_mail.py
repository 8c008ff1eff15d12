"""A mail that a provider only announces: a service that hangs does not hold up its own webhook for long."""

import asyncio
import base64
import hmac
import time
from collections.abc import AsyncIterator

import aiohttp
import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from chatbot.channels.inbox import endpoints
from tests.integration.channels.conftest import Whole

KEY = b"0123456789abcdef0123456789abcdef"
ANNOUNCED = {"type": "email.received", "data": {
    "email_id": "4ef9a417", "from": "Ann <ann@customer.test>", "to": ["support@acme.test"], "subject": "Order 7",
    "message_id": "<m1@customer.test>", "attachments": []}}  # fmt: skip


class Service:
    """A mail service that says nothing until it may."""

    def __init__(self) -> None:
        self.url = ""
        self.may = asyncio.Event()

    async def give(self, _request: web.Request) -> web.Response:
        """Give the mail."""
        await self.may.wait()
        return web.json_response({"from": "ann@customer.test", "text": "Where is my order?", "raw": None})


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    """A mail service on a real socket."""
    found = Service()
    app = web.Application()
    app.router.add_get("/emails/receiving/4ef9a417", found.give)
    async with TestServer(app) as server:
        found.url = str(server.make_url("/"))
        yield found
        found.may.set()


async def announce(whole: Whole, channel_id: str) -> aiohttp.ClientResponse:
    """Tell of the mail as Resend does."""
    raw, stamp = orjson.dumps(ANNOUNCED), str(int(time.time()))
    proof = base64.b64encode(hmac.digest(KEY, f"msg_1.{stamp}.".encode() + raw, "sha256")).decode()
    headers = {"svix-id": "msg_1", "svix-timestamp": stamp, "svix-signature": f"v1,{proof}"}
    return await whole.gateway.post(f"/webhooks/email/{channel_id}", data=raw, headers=headers)


async def test_what_is_announced_is_asked_for_in_time_or_told_again(
    whole: Whole, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = await whole.channel("email", {
        "address": "support@acme.test", "display_name": "Acme Support", "inbound": "resend", "api_key": "re_1",
        "signing_secret": f"whsec_{base64.b64encode(KEY).decode()}", "api_url": service.url,
        "smtp_host": "127.0.0.1", "smtp_port": 25, "smtp_security": "none",
    })  # fmt: skip
    monkeypatch.setattr(endpoints, "COMPLETE_SECONDS", 0.5)
    late = await announce(whole, channel["id"])
    assert late.status == 504
    assert "call again" in (await late.json())["detail"]
    async with whole.runtime.database.tenant_reader(whole.tenant.id) as session:
        rows = (await session.connection()).exec_driver_sql
        assert (await rows("SELECT count(*) FROM inbound_events")).scalar_one() == 0
    monkeypatch.setattr(endpoints, "COMPLETE_SECONDS", 60.0)
    service.may.set()
    assert (await announce(whole, channel["id"])).status == 200
    async with whole.runtime.database.tenant_reader(whole.tenant.id) as session:
        rows = (await session.connection()).exec_driver_sql
        assert (await rows("SELECT text FROM messages WHERE role = 'visitor'")).scalar_one() == "Where is my order?"
