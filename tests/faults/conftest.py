"""A provider on a real socket, and settings that the test shares with the processes that it starts."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from chatbot.core.settings import Settings
from tests.faults.fleet import fleet_settings
from tests.faults.peer import Replies


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Secrets of the fleet's, and peers on the loopback address."""
    return fleet_settings(settings)


@pytest.fixture
async def replies() -> AsyncIterator[Replies]:
    """A program that takes replies."""
    found = Replies()
    app = web.Application()
    app.router.add_post("/", found.take)
    async with TestServer(app) as server:
        found.url = str(server.make_url("/"))
        yield found
