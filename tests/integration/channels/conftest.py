"""A whole platform for channels: orchestrator and gateway on real sockets, and a program that they talk to."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from chatbot.apps.all_in_one import gateway_parts
from chatbot.apps.gateway import gatewaying
from chatbot.apps.orchestrator import orchestrating
from chatbot.apps.runtime import Runtime, open_runtime
from chatbot.apps.serving import bind, serve
from chatbot.core.settings import Settings
from tests.conftest import TEST_KEYS, TenantRows, bearer
from tests.integration.dialogue.platform import DOCUMENTS, add_knowledge


@dataclass
class Receiver:
    """A program that takes signed POSTs; `answers` are given one after the other, then 200."""

    url: str = ""
    got: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answers: list[web.Response | float] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        """Record a POST and answer it; a number is a silence of so many seconds."""
        body = orjson.loads(await request.read())
        answer = self.answers.pop(0) if self.answers else web.Response()
        self.got.append(body)
        self.headers.append(dict(request.headers))
        if isinstance(answer, float):
            await asyncio.sleep(answer)
            return web.Response(status=504)
        return answer

    async def wait_for(self, count: int, seconds: float = 20.0) -> list[dict[str, Any]]:
        """Wait until so many POSTs were taken."""
        until = time.monotonic() + seconds
        while len(self.got) < count:
            assert time.monotonic() < until, f"{len(self.got)} of {count} POSTs came"
            await asyncio.sleep(0.02)
        return self.got


@dataclass
class Whole:
    """The platform, its tenant and clients of both processes."""

    runtime: Runtime
    tenant: TenantRows
    api: aiohttp.ClientSession
    gateway: aiohttp.ClientSession
    state: Any

    async def channel(self, channel_type: str, credentials: dict[str, Any]) -> dict[str, Any]:
        """Connect a channel as an administrator does."""
        body = {
            "tenant_id": str(self.tenant.id),
            "channel_type": channel_type,
            "display_name": f"{channel_type} of the test",
            "credentials": credentials,
        }
        async with self.api.post("/admin/channels", json=body, headers=bearer()) as answer:
            made: dict[str, Any] = await answer.json()
            assert answer.status == 201, made
            return made

    async def tell(self, channel: dict[str, Any], body: dict[str, Any], **changed: str) -> aiohttp.ClientResponse:
        """POST a signed body to a webhook channel."""
        raw = orjson.dumps(body)
        path = f"/webhooks/{channel['channel_type']}/{channel['id']}"
        headers = {**signed(channel["secret"], raw), **changed}
        return await self.gateway.post(path, data=raw, headers=headers)


def signed(secret: str, raw: bytes, at: float | None = None) -> dict[str, str]:
    """The headers of a signed body."""
    stamp = str(int(at if at is not None else time.time()))
    proof = hmac.new(secret.encode(), stamp.encode() + b"." + raw, hashlib.sha256).hexdigest()
    return {"X-Timestamp": stamp, "X-Signature": f"sha256={proof}", "Content-Type": "application/json"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Peers of the tests live on the loopback address."""
    return settings.model_copy(update={"xin_fetch_allow_hosts": ["127.0.0.1"]})


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A program on a real socket."""
    found = Receiver()
    app = web.Application()
    app.router.add_post("/", found.take)
    async with TestServer(app) as server:
        found.url = str(server.make_url("/"))
        yield found


@pytest.fixture
async def whole(database_url: str, settings: Settings, tenant: TenantRows) -> AsyncIterator[Whole]:
    """Orchestrator and gateway in one process, on two ports."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        runtime = await enter(open_runtime(settings, database_url, TEST_KEYS))
        await add_knowledge(runtime.database, tenant, DOCUMENTS)
        urls = []
        app = await enter(orchestrating(runtime))
        gateway = await enter(gatewaying(gateway_parts(runtime, app)))
        for served in (app, gateway):
            listener = bind("127.0.0.1", 0, variable="GATEWAY_PORT")
            urls.append(f"http://127.0.0.1:{listener.getsockname()[1]}")
            await enter(serve(served, listener))
        api, door = await enter(aiohttp.ClientSession(urls[0])), await enter(aiohttp.ClientSession(urls[1]))
        yield Whole(runtime, tenant, api, door, gateway.state)
