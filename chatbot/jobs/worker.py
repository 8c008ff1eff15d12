"""Run a worker of the durable queue, with heartbeats; give stalled jobs back to the living."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from socket import gethostname
from typing import Any

import psycopg
from procrastinate import App, JobContext
from procrastinate.exceptions import ConnectorException
from procrastinate.worker import Worker

from chatbot.core import correlation
from chatbot.core.background import beside, end, forever, was_cancelled
from chatbot.core.errors import Unavailable
from chatbot.core.logging import get_logger
from chatbot.jobs.manager import put_back_stalled

log = get_logger(__name__)

HEARTBEAT_SECONDS = 5
RESTART_SECONDS = 1
_DRAIN_SECONDS = 5
_AWAY = (ConnectorException, psycopg.Error)
STALLED_AFTER_SECONDS = 20
"""A worker silent for so long is dead; its jobs run again elsewhere (at most 60 s after a kill)."""


@dataclass(slots=True)
class WorkerState:
    """Whether a worker takes jobs, for whoever asks how its process is."""

    taking: bool = False

    async def check(self) -> None:
        """Raise `Unavailable` when no job is taken: the worker has not begun, has ended, or waits for a database."""
        if not self.taking:
            raise Unavailable("no job is taken from the queue: its worker has stopped, or is to begin again")

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Jobs are taken while the block runs."""
        self.taking = True
        try:
            yield
        finally:
            self.taking = False


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
    state: WorkerState | None = None,
) -> None:
    """Work until cancelled; then finish or release what runs within `drain_seconds`.

    New jobs are noticed at once; one for later is taken up to `polling_seconds` after its time.

    When the database goes away the worker underneath ends; a new one begins as soon as there is a database again.
    """
    rescuer = asyncio.create_task(
        forever(partial(rescue_stalled, app), HEARTBEAT_SECONDS, passing=_AWAY, what="looking for stalled jobs"),
        name="rescue",
    )
    state = state or WorkerState()
    try:
        while not was_cancelled():  # one that comes while the worker starts or signs off may be lost (see `end`)
            try:
                with state.at_work():
                    await _run_once(app, queues, concurrency, name, drain_seconds, polling_seconds)
            except _AWAY as error:
                log.warning("the queue's database is away; trying again", reason=str(error)[:200])
            if not was_cancelled():
                await asyncio.sleep(RESTART_SECONDS)
    finally:
        await end(rescuer)


@asynccontextmanager
async def working(
    app: App,
    *,
    queues: Sequence[str],
    concurrency: int,
    name: str,
    polling_seconds: float = 5,
    state: WorkerState | None = None,
) -> AsyncIterator[None]:
    """Run a worker while the block runs; what it works on is finished or given back before the block ends.

    Should the worker end first, so does the block: jobs that nobody takes are worse than a process that begins anew.

    It gets `_DRAIN_SECONDS` for that: with the requests' time before it, a process ends within its half minute.
    """
    worker = run_worker(
        app, queues=queues, concurrency=concurrency, name=name, polling_seconds=polling_seconds,
        drain_seconds=_DRAIN_SECONDS, state=state,
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
        worker_middleware=[_named_in_logs],
    )


async def _named_in_logs(go_on: Callable[[], Awaitable[Any]], context: JobContext, _worker: Worker) -> Any:
    """Let every log line of a job carry the correlation id and the tenant that it was queued with."""
    correlation_id, tenant_id = (context.job.task_kwargs.get(name) for name in ("correlation_id", "tenant_id"))
    correlation.begin(correlation_id if isinstance(correlation_id, str) else None)
    if isinstance(tenant_id, str):
        correlation.of_tenant(tenant_id)
    return await go_on()


async def rescue_stalled(app: App) -> int:
    """Put the jobs of dead workers back into the queue.

    Returns:
        How many were put back.
    """
    stalled = await put_back_stalled(app, STALLED_AFTER_SECONDS)
    for job, task in stalled:
        log.warning("job of a dead worker put back", job=job, task=task)
    return len(stalled)
