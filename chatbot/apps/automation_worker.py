"""The automation worker: holds what happens against the rules and runs their jobs. No port but its metrics."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from functools import partial

import uvloop
from sqlalchemy.exc import SQLAlchemyError

from chatbot.apps.boot import begin, failing_in_words, ready_database
from chatbot.apps.channel_parts import ChannelParts, make_channel_parts
from chatbot.apps.core_runtime import CoreRuntime, open_core
from chatbot.apps.observing import bind_observed, observed_app
from chatbot.apps.serving import serve, stop_on_signals
from chatbot.automation.firing.dispatcher import Dispatcher
from chatbot.automation.queueing import NAMESPACE, QUEUE
from chatbot.automation.running.effects import Effects
from chatbot.automation.running.repository import depth
from chatbot.automation.running.runner import Runner
from chatbot.automation.tasks import automation_tasks
from chatbot.channels.messages import Messages
from chatbot.core.background import end, forever
from chatbot.core.logging import get_logger
from chatbot.core.metrics import AUTOMATION_DEPTH, AUTOMATION_LAG
from chatbot.core.settings import Settings
from chatbot.db.sessions import Database
from chatbot.helpdesk.agents.directory import Directory
from chatbot.helpdesk.tickets.service import TicketDesk
from chatbot.identity.keys import load_keys, load_vault
from chatbot.jobs.worker import WorkerState, worker_name, working
from chatbot.ops.health import Health, redis_check

log = get_logger(__name__)

_ROUND_SECONDS = 0.5
_SILENCE_SECONDS = 10.0
_DEPTH_SECONDS = 10.0
_POLLING_SECONDS = 1.0


def main() -> None:
    """Start an automation worker and run it until SIGTERM or SIGINT."""
    settings = begin("automation-worker")
    with failing_in_words():
        listener = bind_observed(
            settings.automation_metrics_host, settings.automation_metrics_port, variable="AUTOMATION_METRICS_PORT"
        )
        with ready_database(settings) as database_url:
            uvloop.run(_run(settings, database_url, listener))


async def _run(settings: Settings, database_url: str, listener: socket.socket | None) -> None:
    stop = stop_on_signals()
    load_keys(settings)  # refuses weak secrets; automation signs nothing
    async with open_core(settings, database_url) as runtime:
        channels = make_channel_parts(
            settings, runtime.database, runtime.jobs, runtime.blobs, runtime.provider_http, runtime.hot_sessions
        )
        state = WorkerState()
        app = observed_app("automation worker", automation_health(runtime, state))
        async with (
            automating(runtime, channels, state),
            serve(app, listener, trusted_proxies=()) if listener else nullcontext(),
        ):
            log.info("automation worker ready")
            await stop.wait()
            log.info("draining")
    log.info("automation worker stopped")


def automation_health(runtime: CoreRuntime, state: WorkerState) -> Health:
    """Return what an automation worker cannot do without."""
    return Health({"database": runtime.database.ping, "queue": state.check}, optional=redis_check(runtime.redis))


@asynccontextmanager
async def automating(
    runtime: CoreRuntime, channels: ChannelParts, state: WorkerState | None = None
) -> AsyncIterator[None]:
    """Hold what happens against the rules and run jobs while the block runs; steps under way end before it does."""
    database, settings = runtime.database, runtime.settings
    messages = Messages(channels.accounts, channels.outbox)
    effects = Effects(messages, TicketDesk(channels.mail, messages), channels.mail, Directory(database))
    runner = Runner(database, runtime.jobs, effects, runtime.provider_http, load_vault(settings))
    runtime.jobs.add_tasks_from(automation_tasks(runner), namespace=NAMESPACE)
    dispatcher = Dispatcher(database, runtime.jobs)
    watching = [
        asyncio.create_task(
            forever(dispatcher.round, _ROUND_SECONDS, passing=(SQLAlchemyError,), what="the rules"), name="dispatcher"
        ),
        asyncio.create_task(
            forever(dispatcher.silences, _SILENCE_SECONDS, passing=(SQLAlchemyError,), what="silence"), name="silence"
        ),
        asyncio.create_task(
            forever(partial(_observe, database), _DEPTH_SECONDS, passing=(SQLAlchemyError,), what="automation depth"),
            name="automation depth",
        ),
    ]
    try:
        async with working(
            runtime.jobs, queues=[QUEUE], concurrency=settings.automation_concurrency, name=worker_name("automation"),
            polling_seconds=_POLLING_SECONDS, state=state,
        ):  # fmt: skip
            yield
    finally:
        for task in watching:
            await end(task)


async def _observe(database: Database) -> None:
    async with database.platform() as session:
        waiting, oldest = await depth(session)
    AUTOMATION_DEPTH.set(waiting)
    AUTOMATION_LAG.set(oldest)


if __name__ == "__main__":
    main()
