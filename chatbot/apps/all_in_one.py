"""Everything in one process on one machine: `make run`."""

import asyncio
import socket
import sys
import time
from contextlib import AsyncExitStack

import uvloop

from chatbot.apps.boot import begin, failing_in_words, ready_database
from chatbot.apps.first_start import first_start
from chatbot.apps.orchestrator import orchestrating
from chatbot.apps.runtime import open_runtime
from chatbot.apps.serving import bind, serve, stop_on_signals
from chatbot.apps.workers import work_until
from chatbot.core.logging import get_logger
from chatbot.core.settings import Settings
from chatbot.identity.bootstrap import FirstStart
from chatbot.identity.keys import load_keys

log = get_logger(__name__)


def main() -> None:
    """Start the platform and run it until SIGTERM or SIGINT."""
    started = time.monotonic()
    settings = begin("xin", log_files=True)
    with failing_in_words():
        listener = bind(settings.host, settings.orchestrator_port, variable="ORCHESTRATOR_PORT")
        with ready_database(settings) as database_url:
            uvloop.run(_run(settings, database_url, listener, started))


async def _run(settings: Settings, database_url: str, listener: socket.socket, started: float) -> None:
    stop = stop_on_signals()
    async with AsyncExitStack() as stack:
        runtime = await stack.enter_async_context(open_runtime(settings, database_url, load_keys(settings)))
        first = await first_start(runtime)
        worker = asyncio.create_task(work_until(runtime, stop), name="worker")
        async with orchestrating(runtime) as app, serve(app, listener):
            port = listener.getsockname()[1]
            sys.stdout.write(_welcome(f"http://{settings.host}:{port}", first, time.monotonic() - started))
            sys.stdout.flush()
            await asyncio.wait({worker, asyncio.create_task(stop.wait())}, return_when=asyncio.FIRST_COMPLETED)
            log.info("draining")
            stop.set()
        await worker
    log.info("stopped")


def _welcome(url: str, first: FirstStart | None, seconds: float) -> str:
    lines = [f"\nXin is ready at {url} ({seconds:.1f} s). API: {url}/docs. Stop with Ctrl+C.\n"]
    if first:
        lines.append(f"  First sign-in:  {first.email}  password  {first.password}   (shown only now)\n")
    lines.append(
        "  Ask the demo tenant:\n"
        f"  curl -s {url}/api/chat -H 'Content-Type: application/json' "
        """-d '{"sessionId": "me", "message": "What is Xin?"}'\n\n"""
    )
    return "".join(lines)
