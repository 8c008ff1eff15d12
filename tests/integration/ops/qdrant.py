"""A stand-in for Qdrant: the calls of its HTTP API that snapshots need."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from pydantic import SecretStr

from tests.ports import free_port


async def _at_once() -> None:
    pass


class QdrantStandIn:
    """Two collections in memory; `puts_back` is what happens before a snapshot is taken for one of them."""

    def __init__(self) -> None:
        self.collections = {"xin_minilm": b"points" * 100, "of_somebody_else": b"x"}
        self.snapshots: dict[str, bytes] = {}
        self.settings: dict[str, Any] = {}
        self.asked_to_put_back = asyncio.Event()
        self.puts_back: Callable[[], Awaitable[None]] = _at_once

    @asynccontextmanager
    async def served(self) -> AsyncIterator["QdrantStandIn"]:
        """Answer while the block runs; `settings` lead there."""
        runner = web.AppRunner(self._app(), shutdown_timeout=0.1)
        await runner.setup()
        port = free_port()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        self.settings = {"qdrant_url": f"http://127.0.0.1:{port}", "qdrant_api_key": SecretStr("key")}
        try:
            yield self
        finally:
            await runner.cleanup()

    def _app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/collections", self._list)
        app.router.add_post("/collections/{name}/snapshots", self._make)
        app.router.add_get("/collections/{name}/snapshots/{snapshot}", self._get)
        app.router.add_delete("/collections/{name}/snapshots/{snapshot}", self._delete)
        app.router.add_post("/collections/{name}/snapshots/upload", self._upload)
        return app

    async def _list(self, request: web.Request) -> web.Response:
        assert request.headers["api-key"] == "key"
        return web.json_response({"result": {"collections": [{"name": name} for name in self.collections]}})

    async def _make(self, request: web.Request) -> web.Response:
        self.snapshots["one.snapshot"] = self.collections[request.match_info["name"]]
        return web.json_response({"result": {"name": "one.snapshot"}})

    async def _get(self, request: web.Request) -> web.Response:
        return web.Response(body=self.snapshots[request.match_info["snapshot"]])

    async def _delete(self, request: web.Request) -> web.Response:
        del self.snapshots[request.match_info["snapshot"]]
        return web.json_response({"result": True})

    async def _upload(self, request: web.Request) -> web.Response:
        assert request.query["priority"] == "snapshot"
        self.asked_to_put_back.set()
        await self.puts_back()
        form = await request.post()
        self.collections[request.match_info["name"]] = form["snapshot"].file.read()  # type: ignore[union-attr]
        return web.json_response({"result": True})
