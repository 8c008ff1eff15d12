"""What a process is made of: built once in `main()`, handed to the rooms, closed in reverse."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import procrastinate

from chatbot.apps.channel_parts import open_provider_http
from chatbot.core.blobs import BlobStore, open_blobs
from chatbot.core.bus import CHANNELS, Bus
from chatbot.core.redis_link import RedisLink, open_redis
from chatbot.core.safe_http import SafeHttp, open_safe_http
from chatbot.core.settings import Settings
from chatbot.db.roles import PLATFORM_ROLE, conninfo, role_url
from chatbot.db.sessions import Database
from chatbot.dialogue.hot_sessions import HotSessions, open_hot_sessions
from chatbot.identity.oidc.provider import OidcProvider
from chatbot.identity.previous_keys import until_first_seen
from chatbot.identity.tokens import TokenKeys
from chatbot.jobs.app import make_app
from chatbot.knowledge.retrieval.compose import RemoteCalls, open_retriever
from chatbot.knowledge.retrieval.service import EMBED_SECONDS, Retriever
from chatbot.llm.budgets import Prices
from chatbot.llm.embeddings import OpenAIEmbeddings
from chatbot.llm.service import ModelGateway


@dataclass(frozen=True, slots=True)
class Runtime:
    """The parts that rooms share in one process."""

    settings: Settings
    database: Database
    blobs: BlobStore
    bus: Bus
    redis: RedisLink | None
    hot_sessions: HotSessions
    jobs: procrastinate.App
    keys: TokenKeys
    http: SafeHttp
    provider_http: SafeHttp
    models: ModelGateway
    retriever: Retriever
    oidc: OidcProvider | None


@asynccontextmanager
async def open_runtime(settings: Settings, database_url: str, keys: TokenKeys) -> AsyncIterator[Runtime]:
    """Open every part and close them in reverse order."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database(database_url, pool_size=settings.database_pool_size))
        keys = await until_first_seen(database, keys)
        blobs = await open_blobs(settings)
        jobs = make_app(database_url)
        await stack.enter_async_context(jobs.open_async())
        bus = Bus(conninfo(role_url(database_url, PLATFORM_ROLE)), CHANNELS)
        await bus.start()
        stack.push_async_callback(bus.stop)
        redis = await stack.enter_async_context(open_redis(settings))
        hot_sessions = await stack.enter_async_context(open_hot_sessions(redis))
        http = await stack.enter_async_context(open_safe_http(settings))
        provider_http = await stack.enter_async_context(open_provider_http(settings))
        models = ModelGateway.from_settings(settings)
        stack.push_async_callback(models.close)
        retriever = open_retriever(settings, _embeddings(settings, models))
        yield Runtime(
            settings, database, blobs, bus, redis, hot_sessions, jobs, keys, http, provider_http, models, retriever,
            await _oidc(settings, stack),
        )  # fmt: skip


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
