"""Run a worker of the durable queue, with heartbeats; give stalled jobs back to the living."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import psycopg
from procrastinate import App
from procrastinate.exceptions import ConnectorException

from chatbot.core.logging import get_logger

log = get_logger(__name__)

HEARTBEAT_SECONDS = 5
RESTART_SECONDS = 1
STALLED_AFTER_SECONDS = 20
"""A worker silent for so long is dead; its jobs run again elsewhere (at most 60 s after a kill)."""


async def run_worker(
    app: App, *, queues: Sequence[str], concurrency: int, name: str, drain_seconds: float = 20
) -> None:
    """Work until cancelled; then finish or release what runs within `drain_seconds`.

    When the database goes away the worker underneath ends; a new one begins as soon as there is a database again.
    """
    rescuer = asyncio.create_task(_rescue_forever(app), name="rescue")
    try:
        while True:
            try:
                await _run_once(app, queues, concurrency, name, drain_seconds)
            except (ConnectorException, psycopg.Error) as error:
                log.warning("the queue's database is away; trying again", reason=str(error)[:200])
            await asyncio.sleep(RESTART_SECONDS)
    finally:
        rescuer.cancel()
        with suppress(asyncio.CancelledError):
            await rescuer


async def _run_once(app: App, queues: Sequence[str], concurrency: int, name: str, drain_seconds: float) -> None:
    await app.run_worker_async(
        queues=list(queues),
        concurrency=concurrency,
        name=name,
        wait=True,
        install_signal_handlers=False,
        listen_notify=True,
        fetch_job_polling_interval=5,
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
    stalled = list(await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_SECONDS))
    for job in stalled:
        await app.job_manager.retry_job(job)
        log.warning("job of a dead worker put back", job=job.id, task=job.task_name)
    return len(stalled)


async def _rescue_forever(app: App) -> None:
    while True:
        try:
            await rescue_stalled(app)
        except (ConnectorException, psycopg.Error) as error:  # the queue's database may be restarting: keep trying
            log.warning("looking for stalled jobs failed", reason=str(error)[:200])
        await asyncio.sleep(HEARTBEAT_SECONDS)
