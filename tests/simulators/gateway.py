"""A gateway as small as can be: it verifies, reads and acknowledges what a simulated provider posts."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from chatbot.channels.contract import Account, Provider, Refused, Request
from chatbot.channels.events import InboundEvent


@dataclass
class Gateway:
    """One channel's webhook on a real socket.

    Attributes:
        refused: why requests were refused.
    """

    provider: Provider[Any]
    url: str = ""
    account: Account[Any] | None = None
    events: "asyncio.Queue[InboundEvent]" = field(default_factory=asyncio.Queue)
    refused: list[str] = field(default_factory=list)

    async def serve(self, told: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in told.headers.items()}
        request = Request(told.method, self.url, headers, await told.read())
        assert self.account is not None
        try:
            self.provider.verify(self.account, request, time.time())
        except Refused as error:
            self.refused.append(error.reason)
            return web.Response(status=401)
        events = self.provider.parse(self.account, request)
        for event in events:
            self.events.put_nowait(event)
        answer = self.provider.acknowledge(self.account, events)
        return web.Response(body=answer.body, status=answer.status, headers={"Content-Type": answer.content_type})

    async def next(self) -> InboundEvent:
        """Return the next event; fails after a minute without one."""
        async with asyncio.timeout(60):
            return await self.events.get()


@asynccontextmanager
async def gateway(provider: Provider[Any]) -> AsyncIterator[Gateway]:
    """A webhook for one channel, whose account the test sets."""
    made = Gateway(provider)
    app = web.Application()
    app.router.add_post("/hook", made.serve)
    async with TestServer(app) as server:
        made.url = f"http://127.0.0.1:{server.port}/hook"
        yield made
