"""A process that is to end: not ready first, yet serving; then streams end, and nothing is taken any more."""

import asyncio
from contextlib import AsyncExitStack

import aiohttp
import pytest

from chatbot.apps.orchestrator import create_app
from chatbot.apps.runtime import Runtime
from chatbot.apps.serving import bind, serve
from tests.clock import go_on


async def test_it_serves_on_while_what_stands_in_front_takes_notice(runtime: Runtime) -> None:
    app = create_app(runtime)
    listener = bind("127.0.0.1", 0, variable="ORCHESTRATOR_PORT")
    async with (
        AsyncExitStack() as stack,
        aiohttp.ClientSession(f"http://127.0.0.1:{listener.getsockname()[1]}") as http,
    ):
        await stack.enter_async_context(serve(app, listener, drain_delay=600))
        async with http.get("/health/ready") as answer:
            assert answer.status == 200
            assert "Connection" not in answer.headers
        ending = asyncio.create_task(stack.aclose())
        while not app.state.health.draining:  # noqa: ASYNC110 - an attribute
            await asyncio.sleep(0.01)
        for path, status in (("/health/ready", 503), ("/health/live", 200), ("/auth/providers", 200)):
            async with http.get(path) as answer:
                assert answer.status == status
                assert answer.headers["Connection"] == "close", "the client connects anew, elsewhere"
        assert not app.state.draining.is_set()
        go_on(600)
        await ending
        assert app.state.draining.is_set()
        with pytest.raises(aiohttp.ClientConnectorError):
            await http.get("/health/live")
