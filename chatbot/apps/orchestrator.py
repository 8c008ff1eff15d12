"""The orchestrator (port 8000): admin API, chat API, pages, documentation, metrics."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import uvloop
from fastapi import FastAPI

from chatbot.apps.api import make_api
from chatbot.apps.boot import begin, failing_in_words, keep_what_is_loaded, ready_database
from chatbot.apps.channel_parts import ChannelParts, make_channel_parts, publish_channels
from chatbot.apps.cors import CorsByPath
from chatbot.apps.data_parts import data_places
from chatbot.apps.first_start import first_start
from chatbot.apps.pages.endpoints import pages_router
from chatbot.apps.runtime import Runtime, open_runtime
from chatbot.apps.serving import bind, serve, stop_on_signals
from chatbot.channels.bot_profiles.service import BotProfiles
from chatbot.channels.files.service import MessageFiles
from chatbot.channels.queueing import NAMESPACE, TURN_QUEUE
from chatbot.channels.turn_tasks import turn_tasks
from chatbot.channels.turns import Turns
from chatbot.channels.widget.service import Widget
from chatbot.core.downloads import DownloadPlaces
from chatbot.core.limits import open_limits
from chatbot.core.logging import get_logger
from chatbot.core.settings import Settings
from chatbot.core.web import RequestContext
from chatbot.dialogue.guard import ChatLimits
from chatbot.dialogue.handoff.visitors import Visitors
from chatbot.dialogue.parts import Parts
from chatbot.dialogue.service import Dialogue
from chatbot.dialogue.transcripts.guard import LetterLimits
from chatbot.helpdesk.live.signals import Signals
from chatbot.helpdesk.tickets.chat import ChatTickets
from chatbot.helpdesk.tickets.guard import TicketLimits
from chatbot.helpdesk.tickets.service import TicketDesk
from chatbot.helpdesk.tickets.sweeper import sweeping
from chatbot.helpdesk.upkeep import keeping_desk
from chatbot.identity.access.origins import Origins
from chatbot.identity.audit.denials import install_denials
from chatbot.identity.keys import load_keys, load_vault
from chatbot.identity.sign_in.service import SignInLimits
from chatbot.jobs.worker import worker_name, working
from chatbot.llm.service import available
from chatbot.ops.budgets.watch import BudgetWatch
from chatbot.ops.erasure.service import Erasing
from chatbot.ops.figures.watch import watching
from chatbot.ops.health import Health, redis_check
from chatbot.ops.retention.service import Retention

log = get_logger(__name__)
_MAX_JSON_BYTES = 1024 * 1024
_UPLOAD_PATHS = ("/admin/knowledge_assets/upload", "/v1/brands/")
_FILES_OF_MESSAGES = "/attachments"
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
        async with (
            orchestrating(runtime) as app,
            serve(
                app,
                listener,
                trusted_proxies=settings.trusted_proxies,
                drain_delay=settings.drain_delay_seconds,
            ),
        ):
            keep_what_is_loaded()
            log.info("orchestrator ready", port=listener.getsockname()[1])
            await stop.wait()
            log.info("draining")


@asynccontextmanager
async def orchestrating(runtime: Runtime) -> AsyncIterator[FastAPI]:
    """Give the application with its turns looked after; running turns end before the block does."""
    app = create_app(runtime)
    _say_smart_mode(runtime.settings)
    turns: Dialogue = app.state.dialogue
    await turns.start()
    try:
        runtime.jobs.add_tasks_from(turn_tasks(app.state.turns, turns), namespace=NAMESPACE)
        async with (
            working(
                runtime.jobs,
                queues=[TURN_QUEUE],
                concurrency=runtime.settings.turn_concurrency,
                name=worker_name("turns"),
            ),
            sweeping(runtime.database),
            keeping_desk(runtime.database, app.state.turns),
            BudgetWatch(runtime.database, app.state.mail).running(),
            watching(runtime.database, runtime.settings),
        ):
            yield app
    finally:
        await turns.stop()


def _say_smart_mode(settings: Settings) -> None:
    """Say whether a model answers, and which: what an operator who has turned it off looks for in the log."""
    on = available(settings)
    why = None if on else "SMART_MODE_ENABLED is false" if not settings.smart_mode_enabled else "no model is configured"
    log.info(
        f"SMART_MODE is {'on' if on else 'off'}",  # noqa: G004 - one of two
        smart_mode=on, model=settings.openai_model if on else None,
        fallback_model=settings.openai_fallback_model if on else None, reason=why,
    )  # fmt: skip


def channel_parts(runtime: Runtime) -> ChannelParts:
    """Put the parts of channels together from those of the process."""
    return make_channel_parts(
        runtime.settings, runtime.database, runtime.jobs, runtime.blobs, runtime.provider_http, runtime.hot_sessions
    )


def create_app(runtime: Runtime) -> FastAPI:
    """Compose the HTTP application of the orchestrator."""
    app = make_api()
    app.include_router(pages_router(runtime.settings))
    _publish_parts(app, runtime)
    install_denials(app, runtime.database)
    health: Health = app.state.health
    app.add_middleware(
        RequestContext,
        max_body_bytes=_body_limit(runtime.settings.max_upload_bytes),
        ending=lambda: health.draining,
    )
    # Outermost, so that a page may read why its file is too large.
    app.add_middleware(CorsByPath, listed=runtime.settings.allowed_origins)
    return app


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
    app.state.origins = origins = Origins(runtime.database, runtime.settings)
    app.state.widget = Widget(
        runtime.database, runtime.settings, runtime.keys, origins, open_limits(runtime.redis), channels.mail
    )
    app.state.turns = turns = Turns(runtime.database, channels.accounts, channels.outbox, runtime.provider_http)
    app.state.tickets = tickets = TicketDesk(channels.mail, turns)
    parts = Parts(
        runtime.database,
        runtime.bus,
        runtime.retriever,
        runtime.models,
        runtime.settings,
        courier=turns,
        tickets=ChatTickets(runtime.database, tickets),
        hot_sessions=runtime.hot_sessions,
    )
    app.state.dialogue = answerer = Dialogue(parts)
    app.state.message_files = MessageFiles(runtime.database, runtime.blobs, app.state.widget, answerer)
    app.state.download_places = DownloadPlaces()
    app.state.hot_sessions = runtime.hot_sessions
    app.state.visitors = Visitors(runtime.database, turns, runtime.hot_sessions)
    app.state.signals = Signals(runtime.bus)
    app.state.chat_limits = ChatLimits(runtime.settings, open_limits(runtime.redis))
    app.state.oidc = runtime.oidc
    app.state.vault = load_vault(runtime.settings)
    app.state.ticket_limits = TicketLimits(open_limits(runtime.redis))
    app.state.letter_limits = LetterLimits(open_limits(runtime.redis))
    app.state.sign_in_limits = SignInLimits.over(runtime.redis)
    app.state.erasing = Erasing(runtime.database, data_places(runtime))
    app.state.retention = Retention(runtime.database, runtime.settings, data_places(runtime))
    app.state.draining = asyncio.Event()
    app.state.health = Health(
        {"database": runtime.database.ping},
        partial={"storage": runtime.blobs.check},
        optional=redis_check(runtime.redis),
    )


def _body_limit(max_upload_bytes: int) -> Callable[[str], int]:
    """Bytes accepted on a path: files where files are taken, JSON elsewhere."""

    def limit(path: str) -> int:
        takes_files = path.startswith(_UPLOAD_PATHS) or path.endswith(_FILES_OF_MESSAGES)
        return max_upload_bytes + _FORM_OVERHEAD if takes_files else _MAX_JSON_BYTES

    return limit
