"""A whole platform for tests: orchestrator and gateway on real sockets, one tenant with knowledge, its clients."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from chatbot.apps.all_in_one import gateway_parts
from chatbot.apps.gateway import gatewaying
from chatbot.apps.orchestrator import orchestrating
from chatbot.apps.runtime import Runtime, open_runtime
from chatbot.apps.serving import bind, serve
from chatbot.core.settings import Settings
from tests.conftest import TEST_KEYS, TenantRows, bearer
from tests.integration.dialogue.platform import DOCUMENTS, add_knowledge


@dataclass
class Whole:
    """The platform, its tenant and clients of both processes."""

    runtime: Runtime
    tenant: TenantRows
    api: aiohttp.ClientSession
    gateway: aiohttp.ClientSession
    api_url: str
    gateway_url: str
    state: Any
    orchestrator: Any

    async def ask(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        """Call the admin API as an administrator; the answer must be of this status."""
        async with self.api.request(method, path, json=body, headers=bearer()) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json() if status != 204 else None

    async def channel(self, channel_type: str, credentials: dict[str, Any]) -> dict[str, Any]:
        """Connect a channel as an administrator does."""
        body = {
            "tenant_id": str(self.tenant.id),
            "channel_type": channel_type,
            "display_name": f"{channel_type} of the test",
            "credentials": credentials,
        }
        made: dict[str, Any] = await self.ask("POST", "/admin/channels", body, status=201)
        return made

    async def tell(self, channel: dict[str, Any], body: dict[str, Any], **changed: str) -> aiohttp.ClientResponse:
        """POST a signed body to a webhook channel."""
        raw = orjson.dumps(body)
        path = f"/webhooks/{channel['channel_type']}/{channel['id']}"
        headers = {**signed(channel["secret"], raw), **changed}
        return await self.gateway.post(path, data=raw, headers=headers)

    async def deliveries(self, channel: dict[str, Any]) -> list[dict[str, Any]]:
        """What was, or is to be, sent on a channel, oldest first."""
        path = f"/admin/deliveries?tenant_id={self.tenant.id}&channel_id={channel['id']}&limit=100"
        found: list[dict[str, Any]] = (await self.ask("GET", path))["items"]
        return found[::-1]

    async def settled(self, channel: dict[str, Any], count: int, seconds: float = 60.0) -> list[dict[str, Any]]:
        """Wait until a channel has so many deliveries and each is sent or dead."""
        until = time.monotonic() + seconds
        while True:
            found = await self.deliveries(channel)
            if len(found) >= count and all(one["status"] != "pending" for one in found):
                return found
            assert time.monotonic() < until, [(one["status"], one["last_error"]) for one in found]
            await asyncio.sleep(0.05)


def signed(secret: str, raw: bytes, at: float | None = None) -> dict[str, str]:
    """The headers of a signed body."""
    stamp = str(int(at if at is not None else time.time()))
    proof = hmac.new(secret.encode(), stamp.encode() + b"." + raw, hashlib.sha256).hexdigest()
    return {"X-Timestamp": stamp, "X-Signature": f"sha256={proof}", "Content-Type": "application/json"}


@asynccontextmanager
async def whole_platform(settings: Settings, database_url: str, tenant: TenantRows) -> AsyncIterator[Whole]:
    """Run orchestrator and gateway in one process on two ports; peers may live on the loopback address."""
    doors = [bind("127.0.0.1", 0, variable="GATEWAY_PORT") for _ in range(2)]
    urls = [f"http://127.0.0.1:{door.getsockname()[1]}" for door in doors]
    known = settings.model_copy(update={"xin_fetch_allow_hosts": ["127.0.0.1"], "gateway_public_url": urls[1]})
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        runtime = await enter(open_runtime(known, database_url, TEST_KEYS))
        await add_knowledge(runtime.database, tenant, DOCUMENTS)
        for embedder in runtime.retriever.embedders:  # loaded by the first question, which may not wait so long for it
            await embedder.embed_query("warm")
        app = await enter(orchestrating(runtime))
        gateway = await enter(gatewaying(gateway_parts(runtime, app)))
        for served, door in zip((app, gateway), doors, strict=True):
            await enter(serve(served, door))
        api, client = await enter(aiohttp.ClientSession(urls[0])), await enter(aiohttp.ClientSession(urls[1]))
        yield Whole(runtime, tenant, api, client, urls[0], urls[1], gateway.state, app.state)
