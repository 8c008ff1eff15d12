"""The chat API on a real port over the real database, with knowledge of three languages."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from chatbot.core.bus import Bus
from chatbot.core.ids import new_id
from chatbot.core.limits import LocalLimits
from chatbot.core.settings import Settings
from chatbot.core.web import RequestContext, install_problem_handlers
from chatbot.db.models import KnowledgeSource
from chatbot.db.roles import PLATFORM_ROLE, conninfo, role_url
from chatbot.db.sessions import Database
from chatbot.dialogue.endpoints import router
from chatbot.dialogue.guard import ChatLimits
from chatbot.dialogue.internal import router as internal
from chatbot.dialogue.parts import Parts
from chatbot.dialogue.service import Dialogue
from chatbot.dialogue.trial_endpoints import router as trial
from chatbot.identity.tokens import TokenKeys, issue_embed_token
from chatbot.knowledge.index.drafts import PassageDraft, SourceVersion
from chatbot.knowledge.index.passages import index_passages
from chatbot.knowledge.retrieval.service import Retriever
from chatbot.llm.service import ModelGateway
from tests.conftest import TenantRows

KEYS = TokenKeys(admin="a" * 40, embed="e" * 40)
GATEWAY_TOKEN = "gateway-token-of-the-tests"

IPHONE = """To reset your password on iPhone:

1. Open Settings.
2. Tap Account.
3. Tap Reset password and follow the link in the email.

The link works for 30 minutes."""
ANDROID = """To reset your password on Android, open the menu, choose Profile and press Forgot password.
A code comes by SMS."""
PRICES = """| Plan | Price per month | Seats |
|---|---|---|
| Basic | 5 € | 1 |
| Pro | 20 € | 10 |"""
REFUNDS = """You may cancel within 14 days and get the whole amount back. Refunds reach your card in five working days.
Gift cards are not refunded."""
DELIVERY = """سفارش‌ها در تهران ظرف دو روز کاری ارسال می‌شوند. ارسال به شهرستان‌ها سه تا پنج روز کاری طول می‌کشد.
هزینه ارسال برای خریدهای بالای پانصد هزار تومان رایگان است."""
RETURNS = """Puede devolver el producto en un plazo de treinta días.
El reembolso se abona en la misma tarjeta en una semana.
Los gastos de envío de la devolución corren por nuestra cuenta."""
DOCUMENTS = [
    ("en", "Reset your password on iPhone", IPHONE),
    ("en", "Reset your password on Android", ANDROID),
    ("en", "Plans and prices", PRICES),
    ("en", "Refunds", REFUNDS),
    ("fa", "زمان ارسال سفارش", DELIVERY),
    ("es", "Devoluciones", RETURNS),
]


async def add_knowledge(database: Database, tenant: TenantRows, documents: Iterable[tuple[str, str, str]]) -> None:
    """Index documents of one passage each."""
    async with database.tenant(tenant.id) as session:
        for language, title, text in documents:
            source = KnowledgeSource(
                tenant_id=tenant.id, id=new_id(), brand_id=tenant.brand_id, kind="text", title=title, tags=[],
                status="ready", version=1, live_version=1, visibility="public",
            )  # fmt: skip
            session.add(source)
            await session.flush()
            version = SourceVersion(tenant.brand_id, source.id, 1, title)
            await index_passages(session, version, [PassageDraft(0, text, language)])


@dataclass
class Platform:
    """A running chat API and a client of it."""

    url: str
    database: Database
    dialogue: Dialogue
    http: aiohttp.ClientSession
    app: FastAPI

    def visitor(self, tenant: TenantRows, name: str = "ann") -> dict[str, str]:
        """Headers of a visitor of a tenant."""
        token, _ = issue_embed_token(
            KEYS, tenant_id=tenant.id, brand_id=tenant.brand_id, visitor={"id": name}, origin=None
        )
        return {"Authorization": f"Bearer {token}"}

    async def ask(self, tenant: TenantRows, message: str, **fields: Any) -> dict[str, Any]:
        """One question as JSON; returns the body."""
        body = {"message": message, **fields}
        async with self.http.post(f"{self.url}/v1/chat", json=body, headers=self.visitor(tenant)) as answer:
            assert answer.status == 200, await answer.text()
            read: dict[str, Any] = await answer.json()
            return read

    async def stream(
        self, tenant: TenantRows, message: str, headers: dict[str, str] | None = None, **fields: Any
    ) -> list[dict[str, Any]]:
        """One question as events, read to the end."""
        sent = {**self.visitor(tenant), **(headers or {})}
        url = f"{self.url}/v1/chat/stream"
        async with self.http.post(url, json={"message": message, **fields}, headers=sent) as answer:
            assert answer.status == 200, await answer.text()
            return [event async for event in read_events(answer)]


async def read_events(answer: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    """The events of a response as `{id, event, data}`."""
    event: dict[str, Any] = {}
    async for raw in answer.content:
        line = raw.decode().rstrip("\n")
        if not line:
            if event:
                yield event
            event = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            event[name] = json.loads(value) if name == "data" else value


def text_of(events: Iterable[dict[str, Any]]) -> str:
    """The whole text of some events."""
    return "".join(event["data"]["text"] for event in events if event["event"] == "delta")


@asynccontextmanager
async def run_platform(database_url: str, model_url: str | None = None, **settings: Any) -> AsyncIterator[Platform]:
    """Serve the chat API on a free port; with a model server's address, with a model."""
    values: dict[str, Any] = {"gateway_token": SecretStr(GATEWAY_TOKEN), "chat_limit_visitor": 10_000, **settings}
    if model_url:
        values |= {"openai_api_key": SecretStr("k"), "openai_base_url": model_url}
    configured = Settings(**values)
    async with Database(database_url, pool_size=8) as database, aiohttp.ClientSession() as http:
        bus = Bus(conninfo(role_url(database_url, PLATFORM_ROLE)), ("xin_message", "xin_policy"))
        await bus.start()
        models = ModelGateway.from_settings(configured)
        dialogue = Dialogue(Parts(database, bus, Retriever(), models, configured))
        app = _app(configured, database, dialogue)
        await dialogue.start()
        server = uvicorn.Server(
            uvicorn.Config(app, port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
        )
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn tells by an attribute only
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield Platform(f"http://127.0.0.1:{port}", database, dialogue, http, app)
        finally:
            server.should_exit = True
            await serving
            await dialogue.stop()
            await models.close()
            await bus.stop()


def _app(settings: Settings, database: Database, dialogue: Dialogue) -> FastAPI:
    app = FastAPI()
    app.state.settings, app.state.database, app.state.keys = settings, database, KEYS
    app.state.dialogue, app.state.chat_limits = dialogue, ChatLimits(settings, LocalLimits())
    app.state.draining = asyncio.Event()
    install_problem_handlers(app)
    app.include_router(router)
    app.include_router(internal)
    app.include_router(trial)
    app.add_middleware(RequestContext, max_body_bytes=lambda _path: 64 * 1024)
    return app
