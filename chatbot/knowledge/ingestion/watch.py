"""What runs beside the workers: figures for the metrics, and jobs whose task was lost are queued again."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from uuid import UUID

import procrastinate

from chatbot.core.background import end, forever
from chatbot.core.clock import utcnow
from chatbot.core.logging import get_logger
from chatbot.core.metrics import INGESTION_IN_FLIGHT, INGESTION_LAG, INGESTION_QUEUE_DEPTH, tenant_label
from chatbot.db.apart import apart
from chatbot.db.sessions import DATABASE_AWAY, Database
from chatbot.knowledge import queueing
from chatbot.knowledge.ingestion.repository import jobs_without_task, open_jobs
from chatbot.knowledge.repository import OPEN_JOB, find_job, lock_job, lock_source

log = get_logger(__name__)
FIGURES_SECONDS = 5.0
LOST_SECONDS = 30.0
_YOUNG = timedelta(seconds=60)


@dataclass(slots=True)
class Watch:
    """Watches over the ingestion of every tenant; any number of processes may do so at once."""

    database: Database
    queue: procrastinate.App
    queue_name: str
    _labels: set[str] = field(default_factory=set)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch while the block runs."""
        tasks = [
            asyncio.create_task(forever(work, pause, passing=DATABASE_AWAY, what=what), name=what)
            for work, pause, what in (
                (self.refresh_figures, FIGURES_SECONDS, "counting ingestion jobs"),
                (self.queue_lost_jobs, LOST_SECONDS, "looking for lost ingestion jobs"),
            )
        ]
        try:
            yield
        finally:
            await end(*tasks)

    async def refresh_figures(self) -> None:
        """Set the gauges of ingestion from one query over the unfinished jobs."""
        async with self.database.platform() as session:
            found = await open_jobs(session)
        now = utcnow()
        lag: dict[str, float] = {}
        running: dict[str, int] = {}
        for jobs in found:
            label = tenant_label(jobs.tenant_id)
            lag[label] = max(lag.get(label, 0.0), (now - jobs.oldest).total_seconds())
            running[label] = running.get(label, 0) + jobs.running
        INGESTION_QUEUE_DEPTH.set(sum(jobs.unfinished for jobs in found))
        for label in self._labels - set(lag):
            INGESTION_LAG.remove(label)
            INGESTION_IN_FLIGHT.remove(label)
        for label, seconds in lag.items():
            INGESTION_LAG.labels(label).set(seconds)
            INGESTION_IN_FLIGHT.labels(label).set(running[label])
        self._labels = set(lag)

    async def queue_lost_jobs(self) -> int:
        """Queue unfinished jobs again that the queue knows nothing of (its rows were lost or purged).

        Returns:
            How many there were.
        """
        async with self.database.platform() as session:
            lost = await jobs_without_task(session, queueing.INGEST_TASK, older_than=_YOUNG)
        for tenant_id, job_id in lost:
            await apart(tenant_id, "its lost ingestion job", partial(self._queue_again, tenant_id, job_id))
        return len(lost)

    async def _queue_again(self, tenant_id: UUID, job_id: UUID) -> None:
        async with self.database.tenant(tenant_id) as session:
            found = await find_job(session, job_id)
            if found and await lock_source(session, found.source_id):
                job = await lock_job(session, job_id)
                if job and job.status in OPEN_JOB:
                    log.warning("ingestion job without a task queued again", job=str(job_id))
                    await queueing.next_run(self.queue, session, job, queue=self.queue_name)
