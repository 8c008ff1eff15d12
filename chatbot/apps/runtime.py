"""What a process is made of: built once in `main()`, handed to the rooms, closed in reverse."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlsplit

from chatbot.apps.core_runtime import CoreRuntime, open_core
from chatbot.core.bus import CHANNELS, Bus
from chatbot.core.safe_http import SafeHttp, open_safe_http
from chatbot.core.settings import Settings
from chatbot.db.roles import PLATFORM_ROLE, conninfo, role_url
from chatbot.identity.oidc.provider import OidcProvider
from chatbot.identity.previous_keys import until_first_seen
from chatbot.identity.tokens import TokenKeys
from chatbot.knowledge.retrieval.compose import RemoteCalls, open_retriever
from chatbot.knowledge.retrieval.service import EMBED_SECONDS, Retriever
from chatbot.llm.budgets import Prices
from chatbot.llm.embeddings import OpenAIEmbeddings
from chatbot.llm.service import ModelGateway


@dataclass(frozen=True, slots=True)
class KnowledgeRuntime(CoreRuntime):
    """The parts of a process that reads knowledge or is asked for it."""

    http: SafeHttp
    models: ModelGateway
    retriever: Retriever


@dataclass(frozen=True, slots=True)
class Runtime(KnowledgeRuntime):
    """The parts that rooms share in an orchestrator."""

    bus: Bus
    keys: TokenKeys
    oidc: OidcProvider | None


@asynccontextmanager
async def open_knowledge(settings: Settings, database_url: str) -> AsyncIterator[KnowledgeRuntime]:
    """Open every part and close them in reverse order."""
    async with AsyncExitStack() as stack:
        core = await stack.enter_async_context(open_core(settings, database_url))
        http = await stack.enter_async_context(open_safe_http(settings))
        models = ModelGateway.from_settings(settings)
        stack.push_async_callback(models.close)
        retriever = open_retriever(settings, _embeddings(settings, models))
        yield KnowledgeRuntime(**_parts(core), http=http, models=models, retriever=retriever)


@asynccontextmanager
async def open_runtime(settings: Settings, database_url: str, keys: TokenKeys) -> AsyncIterator[Runtime]:
    """Open every part and close them in reverse order."""
    async with AsyncExitStack() as stack:
        knowledge = await stack.enter_async_context(open_knowledge(settings, database_url))
        keys = await until_first_seen(knowledge.database, keys)
        bus = Bus(conninfo(role_url(database_url, PLATFORM_ROLE)), CHANNELS)
        await bus.start()
        stack.push_async_callback(bus.stop)
        yield Runtime(**_parts(knowledge), bus=bus, keys=keys, oidc=await _oidc(settings, stack))


def _parts(runtime: CoreRuntime) -> dict[str, Any]:
    return {field.name: getattr(runtime, field.name) for field in fields(runtime)}


async def _oidc(settings: Settings, stack: AsyncExitStack) -> OidcProvider | None:
    """The provider of sign-in, with a client that may go to it wherever it is: the operator has named it."""
    if not settings.oidc_issuer:
        return None
    host = urlsplit(settings.oidc_issuer).hostname or ""
    return OidcProvider(settings, await stack.enter_async_context(open_safe_http(settings, also=frozenset([host]))))


def _embeddings(settings: Settings, models: ModelGateway) -> RemoteCalls | None:
    if not settings.openai_embedding_model:
        return None
    prices = Prices(input_per_million=settings.embedding_price_per_million)
    model = settings.openai_embedding_model
    embeddings = OpenAIEmbeddings(models.client, model, breakers=models.breakers, prices=prices)
    return RemoteCalls(embeddings.patient(), embeddings.hasty(EMBED_SECONDS))
