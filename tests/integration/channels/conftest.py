"""A whole platform, and a program that it talks to."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from chatbot.core.settings import Settings
from tests.conftest import TenantRows
from tests.whole import Whole, signed, whole_platform


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

    async def wait_for(self, count: int, seconds: float = 60.0) -> list[dict[str, Any]]:
        """Wait until so many POSTs were taken."""
        until = time.monotonic() + seconds
        while len(self.got) < count:
            assert time.monotonic() < until, f"{len(self.got)} of {count} POSTs came"
            await asyncio.sleep(0.02)
        return self.got


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
    async with whole_platform(settings, database_url, tenant) as running:
        yield running


__all__ = ["Receiver", "Whole", "signed"]
