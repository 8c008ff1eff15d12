"""A small OpenAI-compatible server whose behaviour a test sets: text, pace, failures; it sees what it was asked."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class ModelServer:
    """The server's behaviour and what it has seen."""

    url: str = ""
    words: list[str] = field(default_factory=lambda: ["The ", "answer ", "stands ", "there ", "[1]."])
    pause: float = 0.0
    status: int = 200
    cut_after: int | None = None
    finish: str = "stop"
    hold_at: int | None = None
    """The word before which answers stand still until `go` is set."""
    go: asyncio.Event = field(default_factory=asyncio.Event)
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    open_streams: int = 0
    closed_early: int = 0

    async def chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.requests.append(body)
        self.headers.append(dict(request.headers))
        if self.status != 200:
            return web.json_response({"error": {"message": "no"}}, status=self.status)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        self.open_streams += 1
        try:
            await self._stream(response, request)
        except (ConnectionResetError, asyncio.CancelledError):
            self.closed_early += 1
            raise
        finally:
            self.open_streams -= 1
        return response

    async def _stream(self, response: web.StreamResponse, request: web.Request) -> None:
        for number, word in enumerate(self.words):
            if number == self.hold_at:
                await self.go.wait()
            if self.cut_after is not None and number >= self.cut_after:
                assert request.transport
                request.transport.close()
                return
            if request.transport is None or request.transport.is_closing():
                raise ConnectionResetError
            chunk = {"choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]}
            await response.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
            await asyncio.sleep(self.pause)
        end = {
            "choices": [{"index": 0, "delta": {}, "finish_reason": self.finish}],
            "usage": {"prompt_tokens": 100, "completion_tokens": len(self.words), "total_tokens": 100},
        }
        await response.write(b"data: " + json.dumps(end).encode() + b"\n\ndata: [DONE]\n\n")


@asynccontextmanager
async def run_model_server() -> AsyncIterator[ModelServer]:
    """Run the server on a free port of this machine."""
    server = ModelServer()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", server.chat)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield server
    finally:
        await runner.cleanup()
