"""Puts jobs back into the queue, also while the same work waits there already.

Of jobs with the same queueing lock one may wait. One that runs holds its lock, so another may have begun to wait behind
it; put back as it is, the first would then be a second waiting one, which the database refuses: it would run for ever,
and everything behind it would wait for ever. So what is put back lets go of its queueing lock.
"""

from datetime import datetime

from procrastinate import App
from procrastinate.manager import JobManager

_RELEASE = "UPDATE procrastinate_jobs SET queueing_lock = NULL WHERE id = %(job_id)s"

# One statement: between finding a job and putting it back another process could do the same, and a third take it.
_PUT_BACK = """
WITH dead AS (
    SELECT id FROM procrastinate_jobs AS job
    WHERE status = 'doing' AND NOT EXISTS (
        SELECT FROM procrastinate_workers AS worker
        WHERE worker.id = job.worker_id AND worker.last_heartbeat > now() - make_interval(secs => %(silent)s))
    FOR UPDATE SKIP LOCKED
)
UPDATE procrastinate_jobs AS job
SET status = 'todo', attempts = attempts + 1, scheduled_at = now(), queueing_lock = NULL
FROM dead WHERE job.id = dead.id
RETURNING job.id, job.task_name
"""


class Jobs(JobManager):
    """The queue's own manager, with retries that never stand in their own way."""

    async def retry_job_by_id_async(
        self,
        job_id: int,
        retry_at: datetime,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        """Put a job that ran back into the queue, not to be run before `retry_at`."""
        await self.connector.execute_query_async(_RELEASE, job_id=job_id)
        await super().retry_job_by_id_async(job_id, retry_at, priority, queue, lock)


async def put_back_stalled(app: App, silent_seconds: float) -> list[tuple[int, str]]:
    """Put the jobs of workers that have been silent for so long back into the queue; return `(id, task)` of each."""
    rows = await app.connector.execute_query_all_async(_PUT_BACK, silent=silent_seconds)
    return [(row["id"], row["task_name"]) for row in rows]
