"""The durable queue: procrastinate on our PostgreSQL, enqueued inside the caller's transaction."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException

from chatbot.core import correlation
from chatbot.db.pool import database_error
from chatbot.db.roles import PLATFORM_ROLE, conninfo, role_url
from chatbot.db.sessions import Transaction, driver_connection
from chatbot.jobs.manager import Jobs


def make_app(database_url: str, *, pool_size: int = 4) -> App:
    """Return the queue of one process; open it with `async with app.open_async()`.

    Rooms add their tasks with `app.add_tasks_from(blueprint, namespace="<room>")`.
    """
    connector = PsycopgConnector(
        conninfo=conninfo(role_url(database_url, PLATFORM_ROLE)),
        min_size=1,
        max_size=pool_size,
        kwargs={"application_name": "xin_jobs"},
    )
    app = App(connector=connector)
    app.job_manager = Jobs(connector)
    return app


async def enqueue(
    app: App,
    session: Transaction,
    task: str,
    *,
    queue: str,
    arguments: dict[str, Any],
    lock: str | None = None,
    queueing_lock: str | None = None,
    priority: int = 0,
    in_seconds: int | None = None,
    at: datetime | None = None,
) -> int | None:
    """Enqueue a task in the session's transaction: its rows and the job commit together or not at all.

    Args:
        task: the task's full name, `<room>:<name>`.
        queue: which workers take it.
        arguments: JSON values; a tenant is named here, jobs have no other.
        lock: jobs with the same lock run one after the other.
        queueing_lock: a second waiting job with the same one is not added.
        priority: higher runs first.
        in_seconds: not before then, by this process' clock.
        at: not before then, by the database's clock.

    Returns:
        The job's number, or None when the queueing lock says that it waits already.
    """

    async def defer() -> int:
        # Only now: SQLAlchemy sends the SAVEPOINT when the connection is next asked for.
        connection = await driver_connection(session)
        job = app.configure_task(
            task,
            queue=queue,
            lock=lock,
            queueing_lock=queueing_lock,
            priority=priority,
            schedule_in={"seconds": in_seconds} if in_seconds else None,
            schedule_at=at,
            connection=connection,
        )
        with _as_of_the_database():
            return await job.defer_async(correlation_id=correlation.current(), **arguments)

    if queueing_lock is None:
        return await defer()
    try:
        async with session.begin_nested():  # a duplicate must not abort the caller's transaction
            return await defer()
    except AlreadyEnqueued:
        return None


async def enqueue_many(
    app: App, session: Transaction, task: str, *, queue: str, tasks: Sequence[tuple[int, dict[str, Any]]]
) -> None:
    """Enqueue one task many times in the session's transaction, in one statement.

    Args:
        tasks: the priority and the arguments of each; see `enqueue`.
    """
    connection = await driver_connection(session)
    jobs = [
        app.configure_task(task, queue=queue, priority=priority).make_new_job(
            correlation_id=correlation.current(), **arguments
        )
        for priority, arguments in tasks
    ]
    if jobs:
        with _as_of_the_database():
            await app.job_manager.batch_defer_jobs_async(jobs=jobs, connection=connection)


@contextmanager
def _as_of_the_database() -> Iterator[None]:
    """Raise what the driver raised as all other statements do: the caller's transaction is what failed, not a queue."""
    try:
        yield
    except ConnectorException as error:
        if not isinstance(error.__cause__, psycopg.Error):
            raise
        raise database_error(error.__cause__, lost=False) from error
