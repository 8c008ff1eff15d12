"""What every process that works for tenants is made of, and nothing of models, retrieval or sign-in."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import procrastinate

from chatbot.apps.channel_parts import open_provider_http
from chatbot.core.blobs import BlobStore, open_blobs
from chatbot.core.redis_link import RedisLink, open_redis
from chatbot.core.safe_http import SafeHttp
from chatbot.core.settings import Settings
from chatbot.db.sessions import Database
from chatbot.dialogue.hot_sessions import HotSessions, open_hot_sessions
from chatbot.jobs.app import make_app


@dataclass(frozen=True, slots=True)
class CoreRuntime:
    """The parts that rooms share in any process."""

    settings: Settings
    database: Database
    blobs: BlobStore
    redis: RedisLink | None
    hot_sessions: HotSessions
    jobs: procrastinate.App
    provider_http: SafeHttp


@asynccontextmanager
async def open_core(settings: Settings, database_url: str) -> AsyncIterator[CoreRuntime]:
    """Open every part and close them in reverse order."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database(database_url, pool_size=settings.database_pool_size))
        blobs = await open_blobs(settings)
        jobs = make_app(database_url)
        await stack.enter_async_context(jobs.open_async())
        redis = await stack.enter_async_context(open_redis(settings))
        hot_sessions = await stack.enter_async_context(open_hot_sessions(redis))
        provider_http = await stack.enter_async_context(open_provider_http(settings))
        yield CoreRuntime(settings, database, blobs, redis, hot_sessions, jobs, provider_http)
