"""A Bot API on this machine: answers as it is told and keeps what it was asked."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from chatbot.channels.contract import Account, Request
from chatbot.channels.providers.telegram.credentials import BaleCredentials, TelegramCredentials

TOKEN = "123456:test-TOKEN_of-a-bot"
SECRET = "the-secret-of-the-webhook"
HOOK = "https://gateway.example.com/webhooks/telegram/0190"

Answer = dict[str, Any]
Answering = Callable[[dict[str, Any]], Answer]


def account(api_url: str = "https://api.telegram.org", *, bale: bool = False, **more: Any) -> Account[Any]:
    """An account of the bot of the tests."""
    kind = BaleCredentials if bale else TelegramCredentials
    credentials = kind(bot_token=SecretStr(more.pop("token", TOKEN)), api_url=api_url, mode=more.pop("mode", "webhook"))
    found: Account[Any] = Account(UUID(int=1), UUID(int=2), SECRET, credentials, HOOK)
    return replace(found, **more)


def posted(body: bytes, headers: dict[str, str] | None = None, token: str = "") -> Request:
    """A webhook's request."""
    return Request("POST", HOOK, headers or {}, body, token=token)


def done(result: Any = True) -> Answer:
    return {"ok": True, "result": result}


def failed(code: int, description: str, **parameters: Any) -> Answer:
    return {"ok": False, "error_code": code, "description": description, "parameters": parameters}


class Peer:
    """The Bot API of some bots.

    Attributes:
        asked: method and parameters, in order.
        answers: by method; a list is used up from its front, its last stays.
        files: by path.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, Answer | Answering | list[Answer | Answering]] = {}
        self.files: dict[str, bytes] = {}
        self.raw: web.Response | None = None
        self.url = ""
        self.moment = asyncio.Event()

    def bodies(self, method: str) -> list[dict[str, Any]]:
        """The parameters of every call of a method."""
        return [body for name, body in self.asked if name == method]

    async def until(self, method: str, times: int = 1) -> None:
        """Wait until a method was called so often."""
        while len(self.bodies(method)) < times:
            self.moment.clear()
            await asyncio.wait_for(self.moment.wait(), 60)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        method = request.match_info["method"]
        self.asked.append((method, body))
        self.moment.set()
        if self.raw is not None:
            return self.raw
        if request.match_info["token"] != TOKEN:
            return web.json_response(failed(401, "Unauthorized"), status=401)
        answer = self._answer(method)
        found = answer(body) if callable(answer) else answer
        return web.json_response(found, status=200 if found["ok"] else found["error_code"])

    def _answer(self, method: str) -> Answer | Answering:
        answer = self.answers.get(method, done())
        if not isinstance(answer, list):
            return answer
        return answer.pop(0) if len(answer) > 1 else answer[0]

    async def file(self, request: web.Request) -> web.Response:
        content = self.files.get(request.match_info["path"])
        return web.Response(body=content) if content is not None else web.Response(status=404)


@asynccontextmanager
async def bot_api() -> AsyncIterator[Peer]:
    """Serve a Bot API."""
    peer = Peer()
    app = web.Application()
    app.router.add_post("/bot{token}/{method}", peer.serve)
    app.router.add_get("/file/bot{token}/{path:.*}", peer.file)
    async with TestServer(app) as server:
        peer.url = f"http://127.0.0.1:{server.port}"
        yield peer
