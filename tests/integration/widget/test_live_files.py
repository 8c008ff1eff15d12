"""A visitor with two open pages sends a file: both see it over their sockets, and so does the agents' inbox."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from chatbot.core.settings import Settings
from tests.conftest import TenantRows, bearer
from tests.whole import Whole, whole_platform

pytestmark = pytest.mark.integration

PDF = b"%PDF-1.7\n%%EOF"


@pytest.fixture
async def whole(database_url: str, settings: Settings, tenant: TenantRows) -> AsyncIterator[Whole]:
    """Orchestrator and gateway, without a model."""
    async with whole_platform(settings, database_url, tenant) as running:
        yield running


@asynccontextmanager
async def page(whole: Whole, token: str, origin: str, **hello: Any) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """An open page of the visitor, let in."""
    async with whole.gateway.ws_connect("/ws", headers={"Origin": origin}) as socket:
        await socket.send_json({"type": "hello", "token": token, **hello})
        await until(socket, "ready")
        yield socket


async def until(socket: aiohttp.ClientWebSocketResponse, kind: str, **fields: Any) -> dict[str, Any]:
    """Read until a frame of a type with these fields."""
    async with asyncio.timeout(60):
        while True:
            frame: dict[str, Any] = await socket.receive_json()
            if frame["type"] == kind and fields.items() <= frame.items():
                return frame


async def test_every_page_and_the_inbox_see_a_visitors_file(whole: Whole) -> None:
    origin = "http://localhost:3000"
    body = {"tenant_id": str(whole.tenant.id)}
    async with whole.api.post("/v1/widget/sessions", json=body, headers={"Origin": origin}) as answer:
        token = (await answer.json())["token"]
    ann = {"Authorization": f"Bearer {token}", "Origin": origin}
    async with page(whole, token, origin) as first:
        await first.send_json({"type": "message", "text": "How do refunds work?", "client_message_id": "1"})
        conversation = (await until(first, "message", client_message_id="1"))["conversation_id"]
        await until(first, "done")
        async with page(whole, token, origin, conversation_id=conversation, after_seq=2) as second:
            form = aiohttp.FormData({"client_message_id": "2", "text": "This is my bill."})
            form.add_field("file", PDF, filename="bill.pdf")
            path = f"/v1/conversations/{conversation}/attachments"
            async with whole.api.post(path, data=form, headers=ann) as answer:
                assert answer.status == 201, await answer.text()
                sent = await answer.json()
            for socket in (first, second):
                frame = await until(socket, "message", client_message_id="2")
                assert frame["attachments"] == sent["attachments"]
                assert (await until(socket, "done"))["status"] == "complete"
    inbox = await whole.ask("GET", f"/admin/conversations/{conversation}/messages")
    assert inbox["items"][2]["attachments"] == sent["attachments"]
    file = sent["attachments"][0]["id"]
    async with whole.api.get(f"/admin/attachments/{file}", headers=bearer()) as answer:
        assert await answer.read() == PDF
