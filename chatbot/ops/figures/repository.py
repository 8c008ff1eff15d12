"""What the database says of itself and of whoever waits."""

from typing import NamedTuple

from chatbot.db.sessions import PlatformSession, fetch

# Of views that any role may read: sessions of other roles are hidden from ours in pg_stat_activity.
_DATABASE = """
SELECT pg_database_size(current_database()), current_setting('max_connections')::int,
       (SELECT coalesce(sum(numbackends), 0)::int FROM pg_stat_database),
       deadlocks, xact_rollback, (blks_hit / greatest(blks_hit + blks_read, 1)::float8)::float8
FROM pg_stat_database WHERE datname = current_database()
"""
_WAITING = """
SELECT count(*), coalesce(extract(epoch FROM now() - min(waiting_since)), 0)::float8
FROM conversations WHERE state = 'waiting'
"""


class DatabaseFigures(NamedTuple):
    """The database's bytes, the server's connections and how many it takes, and what went wrong since it began.

    `cache_hits`: the part, 0 to 1, of pages that were in memory.
    """

    size: int
    most_connections: int
    connections: int
    deadlocks: int
    rollbacks: int
    cache_hits: float


class Waiting(NamedTuple):
    """Conversations that wait for a person, and how many seconds the oldest of them has."""

    conversations: int
    oldest_seconds: float


async def database_figures(session: PlatformSession) -> DatabaseFigures:
    """Return the figures of the database."""
    (row,) = await fetch(session, _DATABASE)
    return DatabaseFigures(*row)


async def waiting_for_people(session: PlatformSession) -> Waiting:
    """Return how many conversations wait for a person."""
    (row,) = await fetch(session, _WAITING)
    return Waiting(*row)
