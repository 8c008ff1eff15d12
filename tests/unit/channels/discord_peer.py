"""Discord's Gateway and a little of its HTTP API, played on a real socket by scripts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from chatbot.core.background import end

BOT = "900"
SECONDS = 60.0


class Connection:
    """One bot at the server's end."""

    def __init__(
        self, socket: web.WebSocketResponse, got: "asyncio.Queue[dict[str, Any]]", wire: asyncio.Transport
    ) -> None:
        self._socket = socket
        self._got = got
        self.wire = wire
        self._seq = 0

    async def hello(self, interval: float = 60_000) -> dict[str, Any]:
        """Say hello and return what the bot says of itself."""
        await self.tell(10, {"heartbeat_interval": interval})
        return await self.next(2, 6)

    async def tell(self, op: int, data: Any = None) -> None:
        await self._socket.send_json({"op": op, "d": data})

    async def dispatch(self, name: str, data: dict[str, Any]) -> None:
        self._seq += 1
        await self._socket.send_json({"op": 0, "t": name, "s": self._seq, "d": data})

    async def ready(self, resume_url: str) -> None:
        await self.dispatch("READY", {"session_id": "s1", "resume_gateway_url": resume_url, "user": {"id": BOT}})

    async def next(self, *ops: int) -> dict[str, Any]:
        """The bot's next frame of some kinds."""
        async with asyncio.timeout(SECONDS):
            while (frame := await self._got.get())["op"] not in ops:
                pass
        return frame

    async def close(self, code: int) -> None:
        await self._socket.close(code=code)


Script = Callable[[Connection], Awaitable[None]]


@dataclass
class Discord:
    """The server: each connection plays the next script; `callbacks` and `posted` are what the bot told it."""

    base: str = ""
    scripts: list[Script] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    closed_with: list[int | None] = field(default_factory=list)
    callbacks: list[tuple[str, Any]] = field(default_factory=list)
    posted: list[tuple[str, str, Any]] = field(default_factory=list)
    bot_status: int = 200
    remaining: int = 900

    @property
    def resume_url(self) -> str:
        return self.base.replace("http", "ws") + "/resume"

    async def address(self, request: web.Request) -> web.Response:
        limit = {"total": 1000, "remaining": self.remaining, "reset_after": 60_000}
        url = self.base.replace("http", "ws") + "/gateway"
        return web.json_response({"url": url, "session_start_limit": limit}, status=self.bot_status)

    async def callback(self, request: web.Request) -> web.Response:
        self.callbacks.append((request.path, await request.json()))
        return web.Response(status=204)

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.paths.append(request.path)
        got: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        playing = asyncio.create_task(self.scripts.pop(0)(Connection(socket, got, request.transport)))
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await got.put(message.json())
        self.closed_with.append(socket.close_code)
        await end(playing)
        return socket

    async def post(self, request: web.Request) -> web.Response:
        """A message in a channel, posted or changed."""
        self.posted.append((request.method, request.path, await request.json()))
        return web.json_response({"id": "77"})


@asynccontextmanager
async def playing() -> AsyncIterator[Discord]:
    """The server while the block runs."""
    played = Discord()
    app = web.Application()
    app.router.add_get("/v10/gateway/bot", played.address)
    app.router.add_get("/gateway/", played.socket)
    app.router.add_get("/resume/", played.socket)
    app.router.add_post("/v10/interactions/{tail:.*}", played.callback)
    app.router.add_route("*", "/v10/channels/{tail:.*}", played.post)
    app.router.add_patch("/v10/applications/@me", played.post)
    async with TestServer(app) as server:
        played.base = f"http://127.0.0.1:{server.port}"
        yield played
