"""The channel gateway (port 8080): webhooks, sockets, deliveries. It holds no retriever and no model client."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import uvloop
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from chatbot import __version__
from chatbot.apps.boot import begin, failing_in_words, ready_database
from chatbot.apps.channel_parts import (
    ChannelParts,
    delivering,
    make_channel_parts,
    open_provider_http,
    publish_channels,
)
from chatbot.apps.observing import bind_observed, metrics_router, observed_app, observed_doors
from chatbot.apps.serving import bind, serve_all, stop_on_signals
from chatbot.channels.inbox.endpoints import MAX_MAIL_BYTES
from chatbot.channels.inbox.endpoints import router as provider_webhooks
from chatbot.channels.live.chat import LiveChat, LiveParts
from chatbot.channels.live.endpoint import PATH, LiveEndpoint
from chatbot.channels.messages import Messages
from chatbot.channels.webchat.endpoints import router as web_chat
from chatbot.core.blobs import BlobStore, open_blobs
from chatbot.core.bus import CHANNELS, Bus
from chatbot.core.limits import open_limits
from chatbot.core.logging import get_logger
from chatbot.core.redis_link import RedisLink, open_redis
from chatbot.core.settings import Settings
from chatbot.core.web import RequestContext, install_problem_handlers
from chatbot.db.roles import PLATFORM_ROLE, conninfo, role_url
from chatbot.db.sessions import Database
from chatbot.dialogue.answerer import Answerer
from chatbot.dialogue.conversations import Conversations
from chatbot.dialogue.guard import ChatLimits
from chatbot.dialogue.handoff.visitors import Visitors
from chatbot.dialogue.hot_sessions import open_hot_sessions
from chatbot.dialogue.remote import RemoteDialogue
from chatbot.identity.access.origins import Origins
from chatbot.identity.dependencies import make_access
from chatbot.identity.keys import load_keys
from chatbot.identity.previous_keys import until_first_seen
from chatbot.identity.tokens import TokenKeys
from chatbot.jobs.app import make_app
from chatbot.ops.health import Health, health_router, redis_check

log = get_logger(__name__)
_MAX_BODY_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class GatewayParts:
    """What a gateway is made of; `answerer` is the dialogue of this process or an orchestrator's."""

    settings: Settings
    database: Database
    blobs: BlobStore
    bus: Bus
    redis: RedisLink | None
    keys: TokenKeys
    answerer: Answerer
    channels: ChannelParts


class Gateway(FastAPI):
    """The application of the gateway. Sockets pass by the layers that requests go through: each would cost every
    idle socket a coroutine, and none of them does anything for sockets."""

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:  # type: ignore[override]
        """Serve `/ws` or a request."""
        if scope["type"] == "websocket" and scope["path"] == PATH:
            sockets: LiveEndpoint = self.state.sockets
            return sockets(scope, receive, send)
        return super().__call__(scope, receive, send)


def main() -> None:
    """Start a gateway alone and run it until SIGTERM or SIGINT."""
    settings = begin("gateway")
    with failing_in_words():
        listener = bind(settings.host, settings.gateway_port, variable="GATEWAY_PORT")
        metrics = bind_observed(
            settings.gateway_metrics_host, settings.gateway_metrics_port, variable="GATEWAY_METRICS_PORT"
        )
        with ready_database(settings) as database_url:
            uvloop.run(_run(settings, database_url, listener, metrics))


async def _run(settings: Settings, database_url: str, listener: socket.socket, metrics: socket.socket | None) -> None:
    stop = stop_on_signals()
    async with (
        open_gateway(settings, database_url, load_keys(settings)) as parts,
        gatewaying(parts) as app,
        serve_all(
            [(app, listener), *observed_doors((observed_app("gateway", app.state.health), metrics))],
            trusted_proxies=settings.trusted_proxies,
            drain_delay=settings.drain_delay_seconds,
        ),
    ):
        log.info("gateway ready", port=listener.getsockname()[1])
        await stop.wait()
        log.info("draining")


@asynccontextmanager
async def open_gateway(settings: Settings, database_url: str, keys: TokenKeys) -> AsyncIterator[GatewayParts]:
    """Open the parts of a gateway that runs alone and close them in reverse order."""
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
        http = await stack.enter_async_context(open_provider_http(settings))
        url = settings.orchestrator_url or f"http://{settings.host}:{settings.orchestrator_port}"
        answerer = await stack.enter_async_context(RemoteDialogue(url, keys, Conversations(database, bus)))
        channels = make_channel_parts(settings, database, jobs, blobs, http, hot_sessions)
        yield GatewayParts(settings, database, blobs, bus, redis, keys, answerer, channels)


@asynccontextmanager
async def gatewaying(parts: GatewayParts) -> AsyncIterator[FastAPI]:
    """Give the application with its sockets looked after, and send what the outbox holds while the block runs."""
    app = create_gateway_app(parts)
    live: LiveChat = app.state.live
    async with delivering(parts.channels), live.running():
        yield app


def create_gateway_app(parts: GatewayParts) -> FastAPI:
    """Compose the application of the gateway."""
    app = Gateway(title="Xin gateway", version=__version__, openapi_url=None)
    state = app.state
    state.settings, state.database, state.bus, state.keys = parts.settings, parts.database, parts.bus, parts.keys
    state.answerer = parts.answerer
    state.chat_limits = ChatLimits(parts.settings, open_limits(parts.redis))
    state.draining = asyncio.Event()
    state.access = make_access(parts.database, parts.keys, parts.settings)
    conversations = Conversations(parts.database, parts.bus)
    messages = Messages(parts.channels.accounts, parts.channels.outbox)
    visitors = Visitors(parts.database, messages, parts.channels.hot_sessions)
    live_parts = LiveParts(
        parts.settings, parts.answerer, conversations, parts.bus, state.access,
        Origins(parts.database, parts.settings), state.chat_limits, visitors, state.draining,
    )  # fmt: skip
    state.live = LiveChat(live_parts)
    state.sockets = LiveEndpoint(state.live)
    state.health = health = Health(
        {"database": parts.database.ping},
        partial={"storage": parts.blobs.check},
        optional=redis_check(parts.redis),
    )
    publish_channels(app, parts.channels)
    install_problem_handlers(app)
    for router in (health_router("/webhooks/health"), metrics_router(), web_chat, provider_webhooks):
        app.include_router(router)
    app.add_middleware(RequestContext, max_body_bytes=_body_limit, ending=lambda: health.draining)
    return app


def _body_limit(path: str) -> int:
    """Bytes accepted on a path; the providers' own limits are told, and counted, behind it."""
    return MAX_MAIL_BYTES if path.startswith("/webhooks/") else _MAX_BODY_BYTES


if __name__ == "__main__":
    main()
