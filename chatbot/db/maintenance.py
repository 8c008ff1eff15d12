"""What a database needs from time to time, done while it serves: vacuum, statistics, indexes made anew."""

import time
from dataclasses import dataclass

import psycopg
from psycopg import sql

from chatbot.db.bootstrap import DatabaseNotUsable
from chatbot.db.roles import conninfo, owner_url

_SIZE = "SELECT pg_database_size(current_database())"


@dataclass(frozen=True, slots=True)
class Tidied:
    """How long it took, and what the database took up."""

    vacuum_seconds: float
    reindex_seconds: float
    bytes_before: int
    bytes_after: int


def tidy(database_url: str) -> Tidied:
    """Vacuum, analyse and reindex; no step takes a lock that keeps anybody from reading or writing.

    Raises:
        DatabaseNotUsable: no connection, or too few rights.
    """
    url = owner_url(database_url)
    try:
        with psycopg.connect(conninfo(url), autocommit=True, connect_timeout=10) as connection:
            before = _size(connection)
            began = time.monotonic()
            connection.execute("VACUUM (ANALYZE)")
            vacuumed = time.monotonic()
            connection.execute(sql.SQL("REINDEX DATABASE CONCURRENTLY {}").format(sql.Identifier(str(url.database))))
            return Tidied(vacuumed - began, time.monotonic() - vacuumed, before, _size(connection))
    except psycopg.Error as error:
        raise DatabaseNotUsable(f"DATABASE_URL: {str(error).strip()}") from error


def _size(connection: "psycopg.Connection[tuple[int]]") -> int:
    row = connection.execute(_SIZE).fetchone()
    assert row
    return row[0]
