"""The orchestrator (port 8000): admin API, chat API, documentation, metrics."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

import uvloop
from fastapi import APIRouter, FastAPI
from fastapi.middleware.cors import CORSMiddleware

from chatbot import __version__
from chatbot.apps.boot import begin, failing_in_words, keep_what_is_loaded, ready_database
from chatbot.apps.channel_parts import ChannelParts, make_channel_parts, publish_channels
from chatbot.apps.first_start import first_start
from chatbot.apps.observing import metrics_router
from chatbot.apps.runtime import Runtime, open_runtime
from chatbot.apps.serving import bind, serve, stop_on_signals
from chatbot.channels.bot_profiles.endpoints import router as bot_profiles
from chatbot.channels.bot_profiles.service import BotProfiles
from chatbot.channels.endpoints import router as channels_admin
from chatbot.channels.outbox.endpoints import router as deliveries
from chatbot.channels.queueing import NAMESPACE, TURN_QUEUE
from chatbot.channels.turn_tasks import turn_tasks
from chatbot.channels.turns import Turns
from chatbot.core.limits import open_limits
from chatbot.core.logging import get_logger
from chatbot.core.settings import Settings
from chatbot.core.web import RequestContext, install_problem_handlers
from chatbot.dialogue.endpoints import router as dialogue
from chatbot.dialogue.guard import ChatLimits
from chatbot.dialogue.internal import router as internal
from chatbot.dialogue.parts import Parts
from chatbot.dialogue.service import Dialogue
from chatbot.identity.keys import load_keys
from chatbot.identity.router import router as identity
from chatbot.identity.sign_in.service import SignInLimits
from chatbot.jobs.worker import worker_name, working
from chatbot.knowledge.endpoints import router as knowledge
from chatbot.knowledge.retrieval.endpoints import router as diagnostics
from chatbot.ops.health import Health, health_router, redis_check

log = get_logger(__name__)
_MAX_JSON_BYTES = 1024 * 1024
_UPLOAD_PATHS = ("/admin/knowledge_assets/upload", "/v1/brands/")
_FORM_OVERHEAD = 64 * 1024


def main() -> None:
    """Start the orchestrator alone and run it until SIGTERM or SIGINT."""
    settings = begin("orchestrator")
    with failing_in_words():
        listener = bind(settings.host, settings.orchestrator_port, variable="ORCHESTRATOR_PORT")
        with ready_database(settings) as database_url:
            uvloop.run(_run(settings, database_url, listener))


async def _run(settings: Settings, database_url: str, listener: socket.socket) -> None:
    stop = stop_on_signals()
    async with open_runtime(settings, database_url, load_keys(settings)) as runtime:
        await first_start(runtime)
        async with orchestrating(runtime) as app, serve(app, listener, trusted_proxies=settings.trusted_proxies):
            keep_what_is_loaded()
            log.info("orchestrator ready", port=listener.getsockname()[1])
            await stop.wait()
            log.info("draining")


@asynccontextmanager
async def orchestrating(runtime: Runtime) -> AsyncIterator[FastAPI]:
    """Give the application with its turns looked after; running turns end before the block does."""
    app = create_app(runtime)
    turns: Dialogue = app.state.dialogue
    await turns.start()
    try:
        runtime.jobs.add_tasks_from(turn_tasks(app.state.turns, turns), namespace=NAMESPACE)
        async with working(
            runtime.jobs, queues=[TURN_QUEUE], concurrency=runtime.settings.turn_concurrency, name=worker_name("turns")
        ):
            yield app
    finally:
        await turns.stop()


def channel_parts(runtime: Runtime) -> ChannelParts:
    """Put the parts of channels together from those of the process."""
    return make_channel_parts(
        runtime.settings, runtime.database, runtime.jobs, runtime.blobs, runtime.provider_http, runtime.hot_sessions
    )


def create_app(runtime: Runtime) -> FastAPI:
    """Compose the HTTP application of the orchestrator."""
    app = FastAPI(
        title="Xin",
        version=__version__,
        description="Support chat that answers from a tenant's own knowledge, with sources.",
        redoc_url=None,
    )
    _publish_parts(app, runtime)
    install_problem_handlers(app)
    for router in _routers():
        app.include_router(router)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=runtime.settings.allowed_origins,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "If-Match", "Last-Event-ID", "X-Request-ID", "X-Tenant-Id"],
        expose_headers=["X-Request-ID", "Retry-After"],
        max_age=600,
    )
    app.add_middleware(RequestContext, max_body_bytes=_body_limit(runtime.settings.max_upload_bytes))
    return app


def _routers() -> Iterable[APIRouter]:
    """In the order in which a request's path is looked up: what is asked most comes first."""
    yield dialogue
    yield health_router("/api/health")
    yield metrics_router()
    yield identity
    yield knowledge
    yield diagnostics
    yield channels_admin
    yield bot_profiles
    yield deliveries
    yield internal


def _publish_parts(app: FastAPI, runtime: Runtime) -> None:
    """Put each part where the rooms' dependencies look for it."""
    app.state.settings = runtime.settings
    app.state.database = runtime.database
    app.state.blobs = runtime.blobs
    app.state.jobs = runtime.jobs
    app.state.bus = runtime.bus
    app.state.keys = runtime.keys
    app.state.models = runtime.models
    app.state.retriever = runtime.retriever
    channels = channel_parts(runtime)
    publish_channels(app, channels)
    app.state.bot_profiles = BotProfiles(runtime.database, channels.channels, runtime.settings)
    app.state.turns = turns = Turns(runtime.database, channels.accounts, channels.outbox, runtime.provider_http)
    parts = Parts(
        runtime.database,
        runtime.bus,
        runtime.retriever,
        runtime.models,
        runtime.settings,
        courier=turns,
        hot_sessions=runtime.hot_sessions,
    )
    app.state.dialogue = Dialogue(parts)
    app.state.chat_limits = ChatLimits(runtime.settings, open_limits(runtime.redis))
    app.state.sign_in_limits = SignInLimits.over(runtime.redis)
    app.state.draining = asyncio.Event()
    app.state.health = Health(
        {"database": runtime.database.ping, "storage": runtime.blobs.check}, redis_check(runtime.redis)
    )


def _body_limit(max_upload_bytes: int) -> Callable[[str], int]:
    """Bytes accepted on a path: files where files are taken, JSON elsewhere."""

    def limit(path: str) -> int:
        return max_upload_bytes + _FORM_OVERHEAD if path.startswith(_UPLOAD_PATHS) else _MAX_JSON_BYTES

    return limit
