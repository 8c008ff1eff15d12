"""The queue's depths and the database's size."""

from datetime import datetime
from typing import NamedTuple

from chatbot.db.sessions import PlatformSession, fetch

# Jobs that are done are gone, so few rows are looked at; the age is looked up of the oldest one of each queue alone.
_QUEUES = """
SELECT q.name, q.waiting, q.running, q.failed, extract(epoch FROM now() - (
    SELECT min(e.at) FROM procrastinate_events e WHERE e.job_id = q.oldest AND e.type = 'deferred'))::float8
FROM (
    SELECT queue_name AS name,
           count(*) FILTER (WHERE status = 'todo' AND coalesce(scheduled_at, now()) <= now()) AS waiting,
           count(*) FILTER (WHERE status = 'doing') AS running,
           count(*) FILTER (WHERE status = 'failed') AS failed,
           min(id) FILTER (WHERE status = 'todo' AND coalesce(scheduled_at, now()) <= now()) AS oldest
    FROM procrastinate_jobs WHERE status IN ('todo', 'doing', 'failed') GROUP BY queue_name
) q ORDER BY q.name
"""

_SIZE = "SELECT pg_database_size(current_database())"


class QueueDepth(NamedTuple):
    """A queue: jobs that are due, that run, that were given up, and the age of the oldest one that is due."""

    name: str
    waiting: int = 0
    running: int = 0
    failed: int = 0
    oldest_seconds: float | None = None


async def queue_depths(session: PlatformSession) -> list[QueueDepth]:
    """Return the queues that hold jobs."""
    return [QueueDepth(*row) for row in await fetch(session, _QUEUES)]


async def database_bytes(session: PlatformSession) -> int:
    """Return how much room the database takes."""
    return int((await fetch(session, _SIZE))[0][0])


async def server_time(session: PlatformSession) -> datetime:
    """Return the time of the database's clock."""
    found: datetime = (await fetch(session, "SELECT clock_timestamp()"))[0][0]
    return found
