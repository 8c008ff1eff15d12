"""Everything in one process on one machine: `make run`."""

import asyncio
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import psutil
import uvloop
from fastapi import FastAPI

from chatbot.apps.automation_worker import automating, automation_health
from chatbot.apps.boot import begin, failing_in_words, keep_what_is_loaded, ready_database
from chatbot.apps.bot_manager import Keeping, keeping_bots
from chatbot.apps.first_start import demo_is_read, first_start
from chatbot.apps.gateway import GatewayParts, gatewaying
from chatbot.apps.observing import bind_observed, observed_app, observed_doors
from chatbot.apps.orchestrator import orchestrating
from chatbot.apps.pages.folders import built
from chatbot.apps.runtime import Runtime, open_runtime
from chatbot.apps.serving import bind, serve_all, stop_on_signals
from chatbot.apps.workers import ingestion_health, work_until
from chatbot.core.background import beside
from chatbot.core.logging import get_logger
from chatbot.core.settings import Settings
from chatbot.identity.bootstrap import FirstStart
from chatbot.identity.keys import load_keys
from chatbot.jobs.worker import WorkerState
from chatbot.ops.health import Health

log = get_logger(__name__)


def main() -> None:
    """Start the platform and run it until SIGTERM or SIGINT."""
    started = psutil.Process().create_time()  # imports count too: this is what whoever started it waits for
    settings = begin("xin", log_files=True)
    with failing_in_words():
        listener = bind(settings.host, settings.orchestrator_port, variable="ORCHESTRATOR_PORT")
        door = bind(settings.host, settings.gateway_port, variable="GATEWAY_PORT")
        # Port 0 is any that is free: pages and snippets must name the one that was given.
        settings = settings.model_copy(
            update={"orchestrator_port": listener.getsockname()[1], "gateway_port": door.getsockname()[1]}
        )
        ports = _Ports(listener, door, *_metrics_ports(settings))
        with ready_database(settings) as database_url:
            uvloop.run(_run(settings, database_url, ports, started))


@dataclass(frozen=True, slots=True)
class _Ports:
    """The bound ports; of metrics and health there is none where it was taken."""

    orchestrator: socket.socket
    gateway: socket.socket
    gateway_metrics: socket.socket | None
    ingestion: socket.socket | None
    automation: socket.socket | None


def _metrics_ports(settings: Settings) -> Iterator[socket.socket | None]:
    """Bind the ports on which each process, when it runs alone, shows its figures and how it is."""
    yield bind_observed(
        settings.gateway_metrics_host, settings.gateway_metrics_port, variable="GATEWAY_METRICS_PORT"
    )  # fmt: skip
    yield bind_observed(settings.ingest_metrics_host, settings.ingest_metrics_port, variable="INGEST_METRICS_PORT")
    yield bind_observed(
        settings.automation_metrics_host, settings.automation_metrics_port, variable="AUTOMATION_METRICS_PORT"
    )


async def _run(settings: Settings, database_url: str, ports: _Ports, started: float) -> None:
    stop = stop_on_signals()
    async with AsyncExitStack() as stack:
        runtime = await stack.enter_async_context(open_runtime(settings, database_url, load_keys(settings)))
        first = await first_start(runtime)
        reading, ruling = WorkerState(), WorkerState()
        async with beside(work_until(runtime, stop, reading), name="worker", ending=stop.is_set):
            ended = {asyncio.create_task(stop.wait(), name="stop")}
            async with (
                orchestrating(runtime) as app,
                gatewaying(gateway_parts(runtime, app)) as gateway,
                keeping_bots(app.state.channel_parts) as bots,
                automating(runtime, app.state.channel_parts, ruling),
                serve_all(
                    [
                        (with_bots(app, bots), ports.orchestrator),
                        (gateway, ports.gateway),
                        *observed_doors(
                            (observed_app("gateway", gateway.state.health), ports.gateway_metrics),
                            (observed_app("ingestion worker", ingestion_health(runtime, reading)), ports.ingestion),
                            (observed_app("automation worker", automation_health(runtime, ruling)), ports.automation),
                        ),
                    ],
                    trusted_proxies=settings.trusted_proxies,
                    drain_delay=settings.drain_delay_seconds,
                ),
            ):
                if first:
                    await _until_the_demo_is_read(runtime, ended)
                keep_what_is_loaded()
                _welcome(settings, ports.orchestrator.getsockname()[1], first, started)
                await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
                log.info("draining")
    log.info("stopped")


def with_bots(app: FastAPI, bots: Keeping) -> FastAPI:
    """Let the orchestrator tell how the bots of its process are: no port is theirs here."""
    health: Health = app.state.health
    health.add_partial("bot_manager", bots.check)
    return app


def gateway_parts(runtime: Runtime, orchestrator: FastAPI) -> GatewayParts:
    """Return the parts of a gateway beside an orchestrator: it asks the dialogue of this process."""
    return GatewayParts(
        runtime.settings, runtime.database, runtime.blobs, runtime.bus, runtime.redis, runtime.keys,
        orchestrator.state.dialogue, orchestrator.state.channel_parts,
    )  # fmt: skip


async def _until_the_demo_is_read(runtime: Runtime, ended: "set[asyncio.Task[Any]]") -> None:
    """Wait until the first question can be answered, or until the process is to end."""
    _say("xin: first start: reading the demo tenant's knowledge …\n")
    reading = asyncio.create_task(demo_is_read(runtime), name="demo")
    try:
        await asyncio.wait({reading, *ended}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        reading.cancel()


def _welcome(settings: Settings, port: int, first: FirstStart | None, started: float) -> None:
    """Say where to go; on the first start also who may sign in."""
    url = f"http://{settings.host}:{port}"
    _say(f"\nXin is ready at {url} ({time.time() - started:.1f} s). API: {url}/docs. Stop with Ctrl+C.\n")
    _say(f"  The widget:     {url}/demo   (in Persian: {url}/demo?lang=fa)\n" if _has_demo(settings) else "")
    _say(f"  Channels:       {settings.gateway_url}   (docs/channels/README.md)\n")
    if first:
        _say(f"  First sign-in:  {first.email}  password  {first.password}   (shown only now)\n")
    question = """'{"sessionId": "me", "message": "What is Xin?"}'"""
    _say(f"  Ask the demo tenant:\n  curl -s {url}/api/chat -H 'Content-Type: application/json' -d {question}\n\n")


def _has_demo(settings: Settings) -> bool:
    return settings.environment == "development" and (built("widget") / "embed.js").is_file()


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
