"""Which of several processes does a thing that only one should do: whoever holds an advisory lock."""

import asyncio

import psycopg
from psycopg import AsyncConnection

from chatbot.core.logging import get_logger

log = get_logger(__name__)
_PATIENCE = 5.0


class Leader:
    """A candidate on a connection of its own, whose end, however it comes, gives the lock to others.

    Args:
        conninfo: the database's address.
        lock: the number that all candidates for the same thing share.
    """

    def __init__(self, conninfo: str, lock: int) -> None:
        self._conninfo = conninfo
        self._lock = lock
        self._connection: AsyncConnection[tuple[bool]] | None = None

    async def leads(self) -> bool:
        """Whether it is this process now; it becomes so when nobody is. Without a database nobody is."""
        try:
            async with asyncio.timeout(_PATIENCE):
                return await self._ask()
        except (psycopg.Error, TimeoutError) as error:
            log.warning("nobody can be chosen without the database", reason=str(error).strip()[:200])
            await self.resign()
            return False

    async def resign(self) -> None:
        """Let others lead."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()

    async def _ask(self) -> bool:
        if self._connection is not None:
            await self._connection.execute("SELECT 1")
            return True
        connection: AsyncConnection[tuple[bool]] = await AsyncConnection.connect(self._conninfo, autocommit=True)
        try:
            cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", (self._lock,))
            row = await cursor.fetchone()
            if row is not None and row[0]:
                self._connection = connection
        finally:
            if self._connection is not connection:
                await connection.close()
        return self._connection is connection
