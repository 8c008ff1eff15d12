"""A provider that hangs holds up its own tenant's deliveries, not another's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from uuid import UUID

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from chatbot.apps.channel_parts import ChannelParts, delivering, make_channel_parts, open_provider_http
from chatbot.apps.runtime import Runtime
from chatbot.channels.outbox.pace import MAX_AT_ONCE
from chatbot.channels.outgoing import Outgoing
from chatbot.channels.schemas import CreateChannel
from chatbot.core.ids import new_id
from chatbot.core.safe_http import SafeHttp
from tests.conftest import TenantRows
from tests.faults.peer import Replies

pytestmark = [pytest.mark.slow]

_HANGING_LANES = 300
_LANES, _MESSAGES = 20, 3
_HANG_SECONDS = 600
"""As long as it takes, and as long as the platform waits for it here: nothing is given up while others are served."""


@dataclass
class Host:
    """One host with two programs: one takes replies, the other takes connections and says nothing."""

    url: str = ""
    waiting: int = 0
    well: Replies = field(default_factory=Replies)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def hang(self, _request: web.Request) -> web.Response:
        self.waiting += 1
        with suppress(TimeoutError):
            async with asyncio.timeout(_HANG_SECONDS):
                await self.over.wait()
        self.waiting -= 1
        return web.Response(status=504)

    async def hangs(self, calls: int) -> None:
        """Wait until so many calls hang."""
        async with asyncio.timeout(120):
            while self.waiting < calls:  # noqa: ASYNC110 - a counter
                await asyncio.sleep(0.01)


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    found = Host()
    app = web.Application()
    app.router.add_post("/well", found.well.take)
    app.router.add_post("/ill", found.hang)
    async with TestServer(app) as server:
        found.url = str(server.make_url("/"))
        yield found


class Shop:
    """A tenant with a webhook channel, and messages of its conversations."""

    def __init__(self, parts: ChannelParts, tenant: TenantRows, channel_id: UUID) -> None:
        self._parts, self._tenant, self._channel_id = parts, tenant, channel_id

    @classmethod
    async def make(cls, parts: ChannelParts, tenant: TenantRows, url: str) -> "Shop":
        wanted = CreateChannel.model_validate(
            {
                "tenant_id": str(tenant.id),
                "channel_type": "webhook",
                "display_name": "Shop",
                "credentials": {"webhook_url": url},
            }
        )
        row, _ = await parts.channels.create(tenant.id, wanted)
        return cls(parts, tenant, row.channel.id)

    async def say(self, lanes: int, messages: int) -> None:
        channel = await self._parts.accounts.get(self._channel_id)
        for _ in range(lanes):
            conversation = new_id()
            async with self._parts.database.tenant(self._tenant.id) as session:
                for number in range(messages):
                    message = Outgoing(thread=str(conversation), text=f"Line {number}", message_id=str(new_id()))
                    await self._parts.outbox.put(
                        session, channel, message, conversation_id=conversation, message_id=new_id()
                    )


def patient(http: SafeHttp) -> SafeHttp:
    """A client that waits for a host as long as that hangs."""
    http._limits = replace(http._limits, total=_HANG_SECONDS, silence=_HANG_SECONDS)
    return http


async def test_it_does_not_hold_up_another_tenant_of_the_same_host(
    runtime: Runtime, tenant: TenantRows, other_tenant: TenantRows, host: Host
) -> None:
    async with patient(open_provider_http(runtime.settings)) as http:
        parts = make_channel_parts(
            runtime.settings, runtime.database, runtime.jobs, runtime.blobs, http, runtime.hot_sessions
        )
        well = await Shop.make(parts, tenant, f"{host.url}well")
        ill = await Shop.make(parts, other_tenant, f"{host.url}ill")
        async with delivering(parts):
            await ill.say(_HANGING_LANES, 2)
            await host.hangs(MAX_AT_ONCE)
            await well.say(_LANES, _MESSAGES)
            await host.well.received(_LANES * _MESSAGES)
            assert host.waiting == MAX_AT_ONCE, "they hang to this moment: nothing waited for them"
            host.over.set()
