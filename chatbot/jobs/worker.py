"""Run a worker of the durable queue, with heartbeats; give stalled jobs back to the living."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from socket import gethostname

import psycopg
from procrastinate import App
from procrastinate.exceptions import ConnectorException

from chatbot.core.background import beside, end, forever, was_cancelled
from chatbot.core.logging import get_logger
from chatbot.jobs.manager import put_back_stalled

log = get_logger(__name__)

HEARTBEAT_SECONDS = 5
RESTART_SECONDS = 1
_DRAIN_SECONDS = 5
_AWAY = (ConnectorException, psycopg.Error)
STALLED_AFTER_SECONDS = 20
"""A worker silent for so long is dead; its jobs run again elsewhere (at most 60 s after a kill)."""


def worker_name(work: str) -> str:
    """Return the name under which a worker of this process is known."""
    return f"{gethostname()}:{os.getpid()}:{work}"


async def run_worker(
    app: App,
    *,
    queues: Sequence[str],
    concurrency: int,
    name: str,
    drain_seconds: float = 20,
    polling_seconds: float = 5,
) -> None:
    """Work until cancelled; then finish or release what runs within `drain_seconds`.

    New jobs are noticed at once; one for later is taken up to `polling_seconds` after its time.

    When the database goes away the worker underneath ends; a new one begins as soon as there is a database again.
    """
    rescuer = asyncio.create_task(
        forever(partial(rescue_stalled, app), HEARTBEAT_SECONDS, passing=_AWAY, what="looking for stalled jobs"),
        name="rescue",
    )
    try:
        while not was_cancelled():  # one that comes while the worker starts or signs off may be lost (see `end`)
            try:
                await _run_once(app, queues, concurrency, name, drain_seconds, polling_seconds)
            except _AWAY as error:
                log.warning("the queue's database is away; trying again", reason=str(error)[:200])
            if not was_cancelled():
                await asyncio.sleep(RESTART_SECONDS)
    finally:
        await end(rescuer)


@asynccontextmanager
async def working(
    app: App, *, queues: Sequence[str], concurrency: int, name: str, polling_seconds: float = 5
) -> AsyncIterator[None]:
    """Run a worker while the block runs; what it works on is finished or given back before the block ends.

    Should the worker end first, so does the block: jobs that nobody takes are worse than a process that begins anew.

    It gets `_DRAIN_SECONDS` for that: with the requests' time before it, a process ends within its half minute.
    """
    worker = run_worker(
        app, queues=queues, concurrency=concurrency, name=name, polling_seconds=polling_seconds,
        drain_seconds=_DRAIN_SECONDS,
    )  # fmt: skip
    async with beside(worker, name=name):
        yield


async def _run_once(
    app: App, queues: Sequence[str], concurrency: int, name: str, drain_seconds: float, polling_seconds: float
) -> None:
    await app.run_worker_async(
        queues=list(queues),
        concurrency=concurrency,
        name=name,
        wait=True,
        install_signal_handlers=False,
        listen_notify=True,
        fetch_job_polling_interval=polling_seconds,
        shutdown_graceful_timeout=drain_seconds,
        update_heartbeat_interval=HEARTBEAT_SECONDS,
        stalled_worker_timeout=STALLED_AFTER_SECONDS,
        delete_jobs="successful",
    )


async def rescue_stalled(app: App) -> int:
    """Put the jobs of dead workers back into the queue.

    Returns:
        How many were put back.
    """
    stalled = await put_back_stalled(app, STALLED_AFTER_SECONDS)
    for job, task in stalled:
        log.warning("job of a dead worker put back", job=job, task=task)
    return len(stalled)
