"""The relay between gateway and orchestrator: who may use it, errors, streams that break, clients that are gone."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import TypeAdapter

from chatbot.core.errors import InvalidInput, NotFound, Unavailable
from chatbot.core.ids import new_id
from chatbot.dialogue import service
from chatbot.dialogue.answerer import Reply
from chatbot.dialogue.errors import ConversationBusy
from chatbot.dialogue.incoming import Incoming
from chatbot.dialogue.live import Place
from chatbot.dialogue.ownership import Owner
from chatbot.dialogue.remote import TURNS_PATH
from chatbot.identity.tokens import issue_admin_token, issue_service_token
from tests.conftest import TenantRows
from tests.integration.dialogue.model_server import ModelServer
from tests.integration.dialogue.platform import GATEWAY_TOKEN, KEYS, Platform
from tests.integration.dialogue.test_with_model import REFUND
from tests.integration.live.gateway import Gateway, token_of

BODY: TypeAdapter[Incoming] = TypeAdapter(Incoming)


def incoming(tenant: TenantRows, text: str = REFUND, **fields: object) -> Incoming:
    return Incoming(tenant.id, text, "visitor:ann", "first:1", **fields)  # type: ignore[arg-type]


async def text_of(reply: Reply) -> str:
    """Read a reply to its end."""
    text = ""
    async with asyncio.timeout(60):
        async for events in reply.events(Place()):
            text += "".join(event.data["text"] for event in events if event.name == "delta")
            if events[-1].name == "done":
                assert text == events[-1].data["answer"]
    return text


async def test_a_reply_comes_through_with_its_ids(gateway: Gateway, shop: TenantRows, model: ModelServer) -> None:
    answerer = gateway.parts.answerer
    reply = await answerer.ask(incoming(shop))
    text, last = await asyncio.gather(text_of(reply), reply.wait())
    assert last.data["message_id"] == str(reply.message_id)
    rows = await answerer.messages(
        shop.id, reply.conversation_id, Owner(frozenset({"visitor:ann"})), after_seq=0, limit=9
    )
    assert [row.text for row in rows] == [REFUND, text]
    again = await answerer.follow(shop.id, reply.message_id, None)
    assert await text_of(again) == text


async def test_errors_come_out_as_they_went_in(
    gateway: Gateway, shop: TenantRows, other_tenant: TenantRows, model: ModelServer
) -> None:
    ask = gateway.parts.answerer.ask
    with pytest.raises(InvalidInput) as long:
        await ask(incoming(shop, "x" * 9000))
    assert long.value.errors[0].field == "message"
    mine = await ask(incoming(shop))
    with pytest.raises(NotFound, match="no such conversation"):
        await ask(incoming(other_tenant, conversation_id=mine.conversation_id))
    await mine.wait()
    model.words, model.hold_at = ["a "] * 100, 5
    waiting = [await ask(incoming(shop, f"Refund of gift cards {n}?")) for n in range(5)]
    with pytest.raises(ConversationBusy) as busy:
        await ask(incoming(shop, "Refund of gift cards 6?"))
    assert "Retry-After" in busy.value.headers
    assert len({reply.message_id for reply in waiting}) == 5
    model.go.set()


@pytest.mark.parametrize("kind", ["none", "visitor", "admin", "gateway", "other tenant"])
async def test_nobody_else_may_use_it(smart: Platform, shop: TenantRows, other_tenant: TenantRows, kind: str) -> None:
    token = {
        "none": "",
        "visitor": token_of(shop),
        "admin": issue_admin_token(KEYS, subject="cli", claims={"role": "platform_admin"}),
        "gateway": GATEWAY_TOKEN,
        "other tenant": issue_service_token(KEYS, subject="gateway", tenant_id=other_tenant.id),
    }[kind]
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    body = BODY.dump_json(incoming(shop))
    async with smart.http.post(smart.url + TURNS_PATH, data=body, headers=headers) as answer:
        assert answer.status == 401
    assert TURNS_PATH not in smart.app.openapi()["paths"]
    service = {"Authorization": f"Bearer {issue_service_token(KEYS, subject='gateway', tenant_id=shop.id)}"}
    for path in ("/v1/conversations/" + str(new_id()) + "/messages", "/v1/chat/stream/" + str(new_id())):
        async with smart.http.get(smart.url + path, headers=service) as answer:
            assert answer.status == 401


@asynccontextmanager
async def wire(url: str) -> AsyncIterator[tuple[str, list[asyncio.StreamWriter]]]:
    """A way to a server that can be cut: its own address, and the connections that go through it."""
    there, open_ends = urlsplit(url), []

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
        writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_connection(there.hostname, there.port)
        open_ends.extend([writer, to_writer])
        await asyncio.gather(carry(reader, to_writer), carry(to_reader, writer))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", open_ends
        for end in open_ends:
            end.close()


async def test_a_stream_that_breaks_is_followed_from_its_row(
    gateway: Gateway, smart: Platform, shop: TenantRows, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way to the orchestrator is cut in the middle; the turn itself goes on."""
    monkeypatch.setattr(service, "ABANDONED_SECONDS", 30.0)  # a busy machine may be long in coming back
    model.words, model.pause = [f"w{n} " for n in range(60)], 0.02
    async with wire(smart.url) as (url, open_ends), gateway.client(shop) as page:
        monkeypatch.setattr(gateway.parts.answerer, "_url", url + TURNS_PATH)
        await page.send("message", text=REFUND)
        for _ in range(5):
            await page.until("delta")
        assert len(open_ends) == 2
        for end in open_ends:
            end.transport.abort()
        done = await page.until("done")
    assert done["answer"].startswith(" ".join(f"w{n}" for n in range(60)))
    assert done["status"] == "complete"
    assert page.transcript()[2] == done["answer"]


async def test_a_stream_that_cannot_be_read_ends(
    gateway: Gateway, shop: TenantRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for ever for a reply whose stream makes no sense and whose row is not there."""
    ids = f'{{"message_id": "{new_id()}", "conversation_id": "{new_id()}"}}'
    stream = f"event: message\ndata: {ids}\n\nevent: delta\ndata: {{\n\n"

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=stream, content_type="text/event-stream")

    app = web.Application()
    app.router.add_post(TURNS_PATH, answer)
    async with TestServer(app) as server:
        monkeypatch.setattr(gateway.parts.answerer, "_url", str(server.make_url(TURNS_PATH)))
        reply = await gateway.parts.answerer.ask(incoming(shop))
        last = await asyncio.wait_for(reply.wait(), 60)
    assert (last.name, last.data["status"]) == ("error", 503)


async def test_without_an_orchestrator_a_message_is_refused_in_words(
    gateway: Gateway, shop: TenantRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatbot.dialogue.remote._WAITS", (0.01,))
    monkeypatch.setattr(gateway.parts.answerer, "_url", "http://127.0.0.1:9/internal/turns")
    with pytest.raises(Unavailable):
        await gateway.parts.answerer.ask(incoming(shop))
    async with gateway.client(shop) as page:
        await page.send("message", text=REFUND, client_message_id="1")
        error = await page.until("error")
        assert (error["client_message_id"], error["problem"]["status"]) == ("1", 503)


async def test_a_reader_that_is_gone_closes_the_model_call(
    gateway: Gateway, shop: TenantRows, model: ModelServer
) -> None:
    model.words, model.pause = ["word "] * 500, 0.1
    reply = await gateway.parts.answerer.ask(incoming(shop))
    async with aclosing(reply.events(Place())) as batches:  # type: ignore[type-var]
        async for events in batches:
            if events[-1].name == "delta":
                break
    async with asyncio.timeout(30):  # the answer would go on for 50 s
        while model.open_streams:  # noqa: ASYNC110 - a plain counter
            await asyncio.sleep(0.01)


async def test_a_gateway_holds_no_retriever_and_no_model(gateway: Gateway) -> None:
    heavy = ("onnx", "onnxruntime", "kreuzberg", "tokenizers", "numpy", "qdrant_client")
    own = ("chatbot.dialogue.service", "chatbot.knowledge.retrieval.service", "chatbot.llm.service")
    script = f"import sys, chatbot.apps.gateway; print([m for m in {(*heavy, *own)!r} if m in sys.modules])"
    done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
    http = gateway.url.replace("ws://", "http://").removesuffix("/ws")
    async with aiohttp.ClientSession() as client:
        for path in ("/health", "/webhooks/health", "/health/live", "/health/ready", "/metrics"):
            async with client.get(http + path) as answer:
                assert answer.status == 200, path
