"""What sockets are refused for, and how they end: tokens, origins, sizes, slow readers, a process that stops."""

import asyncio
import json
import socket
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from sqlalchemy import text
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from chatbot.channels.live import chat
from chatbot.channels.live.protocol import Pong
from chatbot.core.clock import utcnow
from chatbot.core.ids import new_id
from chatbot.db.sessions import Database
from chatbot.identity import tokens
from tests.conftest import TenantRows
from tests.integration.dialogue.model_server import ModelServer
from tests.integration.dialogue.platform import GATEWAY_TOKEN, Platform
from tests.integration.dialogue.test_with_model import REFUND
from tests.integration.live.gateway import Gateway, run_gateway, token_of


async def refused(gateway: Gateway, frame: Any, **options: Any) -> tuple[int | None, str]:
    """Send one frame to a new socket; return its close code and the problem's code."""
    async with gateway.raw(**options) as page:
        await page.socket.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))
        code = await page.closed()
        return code, page.frames[0]["problem"]["code"] if page.frames else ""


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ("{", (4400, "bad_request")),
        ("[]", (4422, "invalid_input")),
        (b"\x00", (4400, "bad_request")),
        ({"type": "ping"}, (4400, "bad_request")),
        ({"type": "nothing"}, (4422, "invalid_input")),
        ({"type": "hello"}, (4422, "invalid_input")),
        ({"type": "hello", "token": ""}, (4422, "invalid_input")),
        ({"type": "hello", "token": "garbage"}, (4401, "unauthenticated")),
        ({"type": "hello", "token": "a.b.c"}, (4401, "unauthenticated")),
        ({"type": "hello", "token": "x", "tenant_id": "x"}, (4422, "invalid_input")),
    ],
)
async def test_a_bad_first_frame_ends_the_socket(gateway: Gateway, frame: Any, expected: tuple[int, str]) -> None:
    assert await refused(gateway, frame) == expected


async def test_tokens_of_other_kinds_are_refused(gateway: Gateway, tenant: TenantRows) -> None:
    service = tokens.issue_service_token(gateway.parts.keys, subject="gateway", tenant_id=tenant.id)
    assert await refused(gateway, {"type": "hello", "token": service}) == (4401, "unauthenticated")


async def test_an_expired_token_is_refused(
    gateway: Gateway, tenant: TenantRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "EMBED_LIFETIME", timedelta(seconds=-1))
    frame = {"type": "hello", "token": token_of(tenant)}
    assert await refused(gateway, frame) == (4401, "unauthenticated")


async def test_anothers_conversation_is_as_unknown_as_none(
    gateway: Gateway, shop: TenantRows, other_tenant: TenantRows
) -> None:
    async with gateway.client(shop) as page:
        await page.send("message", text=REFUND)
        await page.until("done")
    theirs = page.frames[1]["conversation_id"]
    seen = []
    for token, conversation in [
        (token_of(other_tenant), theirs),
        (token_of(shop, "bob"), theirs),
        (token_of(shop), str(new_id())),
    ]:
        hello = {"type": "hello", "token": token, "conversation_id": conversation}
        async with gateway.raw() as page:
            await page.socket.send(json.dumps(hello))
            assert await page.closed() == 4404
            problem = page.frames[0]["problem"]
            seen.append({key: value for key, value in problem.items() if key != "request_id"})
    assert seen[0] == seen[1] == seen[2]
    assert seen[0]["detail"] == "no such conversation"


async def test_wrong_frames_later_are_answered_and_the_socket_stays(gateway: Gateway, shop: TenantRows) -> None:
    async with gateway.client(shop) as page:
        await page.socket.send("{")
        assert (await page.until("error"))["problem"]["code"] == "bad_request"
        await page.send("message", text="", client_message_id="x")
        problem = (await page.until("error"))["problem"]
        assert problem["errors"][0]["field"] == "text"
        await page.send("message", text="x" * 8001)
        assert "8000" in (await page.until("error"))["problem"]["detail"]
        await page.send("message", text="x", tenant_id=str(shop.id))
        assert (await page.until("error"))["problem"]["errors"][0]["field"] == "tenant_id"
        await page.send("read", seq=1)
        assert (await page.until("error"))["problem"]["code"] == "not_found"
        await page.send("hello", token=token_of(shop))
        assert (await page.until("error"))["problem"]["detail"] == "hello was said already"
        await page.send("ping")
        await page.until("pong")


async def test_an_oversized_frame_ends_the_socket(gateway: Gateway, shop: TenantRows) -> None:
    async with gateway.client(shop) as page:
        await page.send("message", text="x" * 70_000)
        assert await page.closed() == 1009


async def test_pages_of_other_origins_are_refused(
    gateway: Gateway, smart: Platform, shop: TenantRows, database_url: str
) -> None:
    evil = "https://evil.example"
    hello = {"type": "hello", "token": token_of(shop)}
    assert await refused(gateway, hello, origin=evil) == (4403, "origin_not_allowed")
    bound = {"type": "hello", "token": token_of(shop, origin="https://shop.example")}
    assert await refused(gateway, bound, origin=evil) == (4401, "unauthenticated")
    own = gateway.url.replace("ws://", "http://").removesuffix("/ws")
    async with run_gateway(database_url, smart.url, allowed_origins=["https://www.example"]) as listed:
        for at, origin, frame in [
            (gateway, own, hello),
            (gateway, "https://shop.example", bound),
            (listed, "https://www.example", hello),
        ]:
            async with at.raw(origin=origin) as page:
                await page.socket.send(json.dumps(frame))
                assert (await page.receive())["type"] == "ready"


async def test_programs_speak_by_their_own_credentials(gateway: Gateway, shop: TenantRows) -> None:
    async with gateway.raw(additional_headers={"X-Tenant-Id": str(shop.id)}) as page:
        await page.send("hello", token=GATEWAY_TOKEN)
        assert (await page.receive())["expires_at"] is None
        await page.send("message", text=REFUND)
        await page.until("done")


async def test_who_says_nothing_is_sent_away(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatbot.channels.live.endpoint.HELLO_SECONDS", 0.0)
    async with gateway.raw() as page:
        assert await page.closed() == 4408


async def test_a_fresh_token_keeps_a_socket_open(
    gateway: Gateway, shop: TenantRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = token_of(shop)
    monkeypatch.setattr(tokens, "EMBED_LIFETIME", timedelta(seconds=10))  # a busy machine is there in time
    async with gateway.client(shop) as left, gateway.client(shop) as kept:
        await kept.send("refresh", token=token_of(shop, "bob"))
        assert (await kept.until("error"))["problem"]["code"] == "not_found"
        await kept.send("refresh", token=fresh)
        expires = (await kept.until("refreshed"))["expires_at"]
        assert expires > left.frames[0]["expires_at"] > utcnow().isoformat()
        assert await left.closed() == 4401
        assert left.frames[-1]["problem"]["code"] == "unauthenticated"
        await kept.send("ping")
        await kept.until("pong")


async def test_a_tenant_that_is_deleted_loses_its_sockets(
    gateway: Gateway, database: Database, shop: TenantRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert chat.RECHECK_SECONDS + 30 < 60
    monkeypatch.setattr(chat, "RECHECK_SECONDS", 0.0)
    async with gateway.client(shop) as page:
        async with database.platform() as session:
            await session.execute(text("UPDATE tenants SET deleted_at = now() WHERE id = :id"), {"id": shop.id})
        gateway.app.state.access.forget()
        assert await page.closed() == 4401


@pytest.mark.usefixtures("_no_refill")
async def test_too_many_sockets_and_messages_are_refused(smart: Platform, shop: TenantRows, database_url: str) -> None:
    limits = {"socket_limit_address": 3, "socket_limit_tenant": 2, "chat_limit_visitor": 1}
    async with run_gateway(database_url, smart.url, **limits) as gateway:
        async with gateway.client(shop) as one, gateway.client(shop):
            hello = {"type": "hello", "token": token_of(shop)}
            assert await refused(gateway, hello) == (4429, "too_many_requests")
            async with gateway.raw():
                with pytest.raises(InvalidStatus) as answer:
                    await connect(gateway.url)
                assert answer.value.response.status_code == 429
            await one.send("message", text=REFUND, client_message_id="1")
            await one.until("done")
            await one.send("message", text=REFUND, client_message_id="2")
            error = await one.until("error")
            assert (error["client_message_id"], error["problem"]["status"]) == ("2", 429)
        async with gateway.client(shop), gateway.client(shop):
            pass


@pytest.mark.usefixtures("_no_refill")
async def test_a_flood_of_frames_ends_the_socket(
    gateway: Gateway, shop: TenantRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with gateway.client(shop) as page:
        for _ in range(chat.FRAMES_PER_MINUTE + 1):
            await page.send("ping")
        assert await page.closed() == 4429


async def test_a_slow_reader_is_dropped_and_may_resume(
    gateway: Gateway, shop: TenantRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stops reading; others are not held up, and it catches up later."""
    monkeypatch.setattr("chatbot.channels.live.socket.MAX_UNREAD", 150_000)
    monkeypatch.setattr("chatbot.channels.live.socket._CLOSE_SECONDS", 60.0)  # it reads on when the test says so
    async with gateway.client(shop) as page:
        await page.send("message", text=REFUND)
        await page.until("done")
        conversation = page.frames[1]["conversation_id"]
        [room] = gateway.live._rooms._rooms.values()
        [first] = room.sockets
        async with gateway.raw(sock=small_socket(gateway.url)) as slow:
            await slow.send("hello", token=token_of(shop), conversation_id=conversation, after_seq=2)
            await slow.receive()
            await slow.send("ping")
            await slow.until("pong")
            slow.socket.transport.pause_reading()
            [lagging] = room.sockets - {first}
            while not lagging.closing:
                lagging.push(Pong().model_dump_json() + " " * 60_000)
                await asyncio.sleep(0)
            await page.send("message", text=REFUND)
            await page.until("done")
            slow.socket.transport.resume_reading()
            assert await slow.closed() == 4413
        async with gateway.client(shop, conversation_id=conversation, after_seq=2) as again:
            assert (await again.receive())["seq"] == 3


def small_socket(url: str) -> socket.socket:
    """A connection whose system keeps little for a reader that does not read."""
    opened = socket.socket()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    parts = urlsplit(url)
    opened.connect((parts.hostname, parts.port))
    return opened


async def test_a_process_that_stops_sends_its_sockets_to_another(
    smart: Platform, shop: TenantRows, model: ModelServer, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Idle ones at once, those that wait for a reply when it is there; nobody new is taken."""
    monkeypatch.setattr(chat, "GRACE_SECONDS", 60.0)
    model.words, model.pause, model.hold_at = [f"w{n} " for n in range(40)], 0.02, 10
    running: asyncio.Future[Gateway] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()

    async def run() -> None:
        async with run_gateway(database_url, smart.url) as opened:
            running.set_result(opened)
            await stop.wait()

    serving = asyncio.create_task(run())
    leaving = await running
    async with leaving.client(shop, "idle") as idle, leaving.client(shop) as busy:
        await busy.send("message", text=REFUND)
        await busy.until("delta")
        stop.set()
        assert (await idle.receive())["type"] == "shutdown"
        assert await idle.closed() == 1012
        model.go.set()
        assert await busy.closed() == 1012
        kinds = [frame["type"] for frame in busy.frames]
        assert "shutdown" in kinds[: kinds.index("done")]
    async with asyncio.timeout(60):
        await serving


async def test_a_conversation_without_pages_is_not_watched(gateway: Gateway, shop: TenantRows) -> None:
    async with gateway.client(shop) as page:
        assert gateway.parts.bus._waiting == {}
        await page.send("message", text=REFUND)
        await page.until("done")
        conversation = UUID(page.frames[1]["conversation_id"])
        async with gateway.client(shop, conversation_id=str(conversation)):
            assert len(gateway.parts.bus._waiting["xin_message", str(conversation)]) == 1
    async with asyncio.timeout(30):
        while gateway.parts.bus._waiting:  # noqa: ASYNC110 - a plain dictionary
            await asyncio.sleep(0.01)
    assert gateway.live._sockets == set()
