"""A running gateway, and a client of its sockets."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from chatbot.apps.gateway import GatewayParts, gatewaying, open_gateway
from chatbot.apps.serving import bind, serve
from chatbot.channels.live.chat import LiveChat
from chatbot.core.settings import Settings
from chatbot.identity.tokens import issue_embed_token
from tests.conftest import TenantRows
from tests.integration.dialogue.platform import GATEWAY_TOKEN, KEYS

Frame = dict[str, Any]


def token_of(tenant: TenantRows, name: str = "ann", origin: str | None = None) -> str:
    """A visitor's token."""
    token, _ = issue_embed_token(
        KEYS, tenant_id=tenant.id, brand_id=tenant.brand_id, visitor={"id": name}, origin=origin
    )
    return token


@dataclass
class Client:
    """A page with an open socket, which keeps what it was told."""

    socket: ClientConnection
    frames: list[Frame] = field(default_factory=list)

    async def send(self, kind: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def receive(self) -> Frame:
        async with asyncio.timeout(60):
            frame: Frame = json.loads(await self.socket.recv())
        self.frames.append(frame)
        return frame

    async def until(self, kind: str, **fields: Any) -> Frame:
        """Read until a frame of a type with these fields."""
        while True:
            frame = await self.receive()
            if frame["type"] == kind and fields.items() <= frame.items():
                return frame

    async def closed(self) -> int | None:
        """Read until the socket is closed; return the code."""
        with suppress(ConnectionClosed):
            while True:
                await self.receive()
        return self.socket.close_code

    def drop(self) -> None:
        """Lose the connection without a word."""
        self.socket.transport.abort()

    def transcript(self) -> dict[int, str]:
        """What a page shows: each message's text by its number, made of messages, deltas and ends."""
        return transcript(self.frames)


def transcript(frames: list[Frame]) -> dict[int, str]:
    """Put frames together as a page does; a delta goes behind what is there, and an end must agree with it."""
    numbers: dict[str, int] = {}
    shown: dict[int, str] = {}
    for frame in frames:
        if frame["type"] == "message":
            numbers[frame["id"]] = frame["seq"]
            shown[frame["seq"]] = frame["text"]
        elif frame["type"] == "delta":
            shown[numbers[frame["message_id"]]] += frame["text"]
        elif frame["type"] == "done":
            assert shown[numbers[frame["message_id"]]] == frame["answer"]
    return shown


@dataclass
class Gateway:
    """A gateway on a port of this machine."""

    url: str
    parts: GatewayParts
    app: FastAPI

    @property
    def live(self) -> LiveChat:
        live: LiveChat = self.app.state.live
        return live

    @asynccontextmanager
    async def raw(self, **options: Any) -> AsyncIterator[Client]:
        """A socket that has said nothing yet."""
        async with connect(self.url, compression=None, **options) as socket:
            yield Client(socket)

    @asynccontextmanager
    async def client(self, tenant: TenantRows, name: str = "ann", **hello: Any) -> AsyncIterator[Client]:
        """A visitor's page that was let in."""
        async with self.raw() as client:
            await client.send("hello", token=token_of(tenant, name), **hello)
            ready = await client.receive()
            assert ready["type"] == "ready"
            if ready["conversation_id"]:
                assert (await client.receive())["type"] == "state"
            yield client


@asynccontextmanager
async def run_gateway(database_url: str, orchestrator_url: str, **settings: Any) -> AsyncIterator[Gateway]:
    """Serve a gateway on a free port."""
    values = {"gateway_token": SecretStr(GATEWAY_TOKEN), "chat_limit_visitor": 10_000, "database_pool_size": 4}
    configured = Settings(**{**values, "orchestrator_url": orchestrator_url, **settings})
    listener = bind("127.0.0.1", 0, variable="GATEWAY_PORT")
    url = f"ws://127.0.0.1:{listener.getsockname()[1]}/ws"
    async with (
        open_gateway(configured, database_url, KEYS) as parts,
        gatewaying(parts) as app,
        serve(app, listener),
    ):
        yield Gateway(url, parts, app)
