"""The object store goes away behind the edge: it is told by name, and takes nothing but files along."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest
from moto.server import ThreadedMotoServer

from chatbot.core.settings import Settings
from chatbot.identity.tokens import issue_embed_token
from tests.conftest import TEST_KEYS, TenantRows
from tests.edge import caddy, running_caddy
from tests.ports import free_port
from tests.whole import Whole, signed, whole_platform

_SEEN_BY_THE_EDGE_SECONDS = 4
"""The edge looks every second; a look that nothing answers takes three more."""


@pytest.fixture
def store() -> Iterator[ThreadedMotoServer]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield server
    with suppress(Exception):
        server.stop()


@pytest.fixture
async def whole(
    database_url: str, settings: Settings, tenant: TenantRows, store: ThreadedMotoServer
) -> AsyncIterator[Whole]:
    host, port = store.get_host_and_port()
    stored = {"storage_endpoint_url": f"http://{host}:{port}", "storage_access_key": "k", "storage_secret_key": "s"}
    known = Settings(**{**settings.model_dump(), **stored})
    async with whole_platform(known, database_url, tenant) as running:
        yield running


async def test_chat_webhooks_and_pages_go_on_without_the_object_store(
    whole: Whole, store: ThreadedMotoServer, data_dir: Path
) -> None:
    caddy()
    channel = await whole.channel("webhook", {"webhook_url": "http://127.0.0.1:9/"})
    url = f"http://127.0.0.1:{(port := free_port())}"
    orchestrator, gateway = (address.removeprefix("http://") for address in (whole.api_url, whole.gateway_url))
    variables = {
        "EDGE_SITE": f"http://127.0.0.1:{port}", "EDGE_TLS": "", "EDGE_ADMIN": f"localhost:{free_port()}",
        "EDGE_INNER_PORT": str(free_port()), "EDGE_ORCHESTRATORS": orchestrator, "EDGE_GATEWAYS": gateway,
        "EDGE_FRONTENDS": orchestrator,
    }  # fmt: skip
    async with (
        running_caddy("Caddyfile", variables, data_dir, ready=f"{url}/health"),
        aiohttp.ClientSession(url) as http,
    ):
        assert await _status(http, "/health") == 200
        store.stop()
        await asyncio.sleep(_SEEN_BY_THE_EDGE_SECONDS)
        for process in (whole.api, whole.gateway):
            assert await _status(process, "/health/ready") == 200
            async with process.get("/health") as answer:
                said = await answer.json()
                assert (answer.status, said["status"]) == (503, "failing")
                assert said["dependencies"]["storage"] != "ok"
                assert said["dependencies"]["database"] == "ok"
        token, _ = issue_embed_token(
            TEST_KEYS, tenant_id=whole.tenant.id, brand_id=whole.tenant.brand_id, visitor={"id": "ann"}, origin=None
        )
        asked = {"message": "What is Xin?"}
        async with http.post("/v1/chat", json=asked, headers={"Authorization": f"Bearer {token}"}) as answer:
            assert answer.status == 200, await answer.text()
        raw = b'{"session_id": "s", "message_id": "1", "text": "What is Xin?"}'
        path = f"/webhooks/webhook/{channel['id']}"
        async with http.post(path, data=raw, headers=signed(channel["secret"], raw)) as answer:
            assert answer.status == 200, await answer.text()
        async with http.get("/embed.js") as answer:
            assert answer.headers.get("X-Request-ID"), "the page's own process answered, not the edge"


async def _status(http: aiohttp.ClientSession, path: str) -> int:
    async with http.get(path) as answer:
        return answer.status
