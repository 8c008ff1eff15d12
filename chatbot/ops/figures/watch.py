"""Keeps the gauges of the whole platform up to date, a look every few seconds; several processes may do so at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from chatbot.core.background import end, forever
from chatbot.core.metrics import (
    DATABASE_BYTES,
    DATABASE_CACHE_HITS,
    DATABASE_CONNECTIONS,
    DATABASE_DEADLOCKS,
    DATABASE_MOST_CONNECTIONS,
    DATABASE_ROLLBACKS,
    DATABASE_UP,
    HANDOFF_OLDEST,
    HANDOFF_WAITING,
    QUEUE_JOBS,
    QUEUE_OLDEST,
)
from chatbot.core.settings import Settings
from chatbot.db.sessions import Database, PlatformSession
from chatbot.ops.figures.repository import database_figures, waiting_for_people
from chatbot.ops.system.queues import all_queues
from chatbot.ops.system.repository import queue_depths

LOOK_SECONDS = 10.0


@asynccontextmanager
async def watching(database: Database, settings: Settings) -> AsyncIterator[None]:
    """Look while the block runs."""
    look = asyncio.create_task(
        forever(
            partial(look_at_database, database, settings),
            LOOK_SECONDS,
            passing=(SQLAlchemyError, OSError),
            what="looking at the database",
        ),
        name="looking at the database",
    )
    try:
        yield
    finally:
        await end(look)


async def look_at_database(database: Database, settings: Settings) -> None:
    """Set the gauges that the database answers; one that does not answer is down."""
    try:
        async with database.platform() as session:
            await _look(session, settings)
    except (SQLAlchemyError, OSError):
        DATABASE_UP.set(0)
        raise
    DATABASE_UP.set(1)


async def _look(session: PlatformSession, settings: Settings) -> None:
    figures = await database_figures(session)
    DATABASE_BYTES.set(figures.size)
    DATABASE_MOST_CONNECTIONS.set(figures.most_connections)
    DATABASE_CONNECTIONS.set(figures.connections)
    DATABASE_DEADLOCKS.set(figures.deadlocks)
    DATABASE_ROLLBACKS.set(figures.rollbacks)
    DATABASE_CACHE_HITS.set(figures.cache_hits)
    waiting = await waiting_for_people(session)
    HANDOFF_WAITING.set(waiting.conversations)
    HANDOFF_OLDEST.set(waiting.oldest_seconds)
    for queue in all_queues(await queue_depths(session), settings):
        for status, jobs in (("waiting", queue.waiting), ("running", queue.running), ("failed", queue.failed)):
            QUEUE_JOBS.labels(queue.name, status).set(jobs)
        QUEUE_OLDEST.labels(queue.name).set(queue.oldest_seconds or 0)
