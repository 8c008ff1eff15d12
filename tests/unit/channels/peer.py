"""A provider on a real socket: it records what reached it and answers as a test says."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from aiohttp import web
from aiohttp.test_utils import TestServer

from chatbot.channels.contract import Account, Credentials, Request
from chatbot.core.safe_http import SafeHttp

TENANT = UUID(int=1)
CHANNEL = UUID(int=2)
DELIVERY = UUID(int=3)


@dataclass
class Reached:
    """A request that reached the peer."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass
class Peer:
    """Answers by path; `other` answers what no path is given for."""

    url: str = ""
    reached: list[Reached] = field(default_factory=list)
    answers: dict[str, web.Response] = field(default_factory=dict)

    def answer(self, path: str, body: Any = b"", status: int = 200, **headers: str) -> None:
        """Set the answer of a path (`POST /x`, or `/x` of any method)."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers[path] = web.Response(body=raw, status=status, headers=named)

    async def serve(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.read()
        self.reached.append(Reached(request.method, request.path, dict(request.query), headers, body))
        made = self.answers.get(f"{request.method} {request.path}") or self.answers.get(request.path)
        if made is None:
            return web.Response(status=404, text="the test gave no answer")
        return web.Response(body=made.body, status=made.status, headers=made.headers)


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[Peer, SafeHttp]]:
    """A peer, and a client that may reach it."""
    peer = Peer()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", peer.serve)
    async with TestServer(app) as server, SafeHttp(allow_private_hosts=frozenset({"127.0.0.1"})) as http:
        peer.url = f"http://127.0.0.1:{server.port}"
        yield peer, http


def account(
    credentials: Credentials, secret: str = "", webhook_url: str = "https://gw.example.com/hook"
) -> Account[Any]:
    return Account(TENANT, CHANNEL, secret, credentials, webhook_url)


def posted(body: Any, url: str = "https://gw.example.com/hook", **headers: str) -> Request:
    """A POST with a JSON body, or with raw bytes."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    return Request("POST", url, named, raw)
