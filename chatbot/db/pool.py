"""A role's pooled connections, each lent for one transaction, in the driver's own terms.

SQLAlchemy pools; BEGIN, COMMIT and ROLLBACK go straight to the driver. Through SQLAlchemy an empty transaction costs
four times as much, and a turn has several.
"""

import asyncio
import time

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from sqlalchemy.util.concurrency import greenlet_spawn

from chatbot.db.driver import Driver
from chatbot.db.roles import role_url

_RESTED_SECONDS = 1.0


class Pool:
    """The connections of one role.

    Args:
        database_url: the owner's address; the role's derives from it.
        size: connections at most. The one used last is lent first: it has its statements prepared.
    """

    def __init__(self, database_url: str, role: str, size: int) -> None:
        self.engine: AsyncEngine = create_async_engine(
            role_url(database_url, role),
            pool_size=size,
            max_overflow=0,
            pool_use_lifo=True,
            pool_timeout=10,
            pool_recycle=1800,
            pool_reset_on_return=None,  # `give_back` sees to it
            connect_args={
                "async_creator_fn": Driver.connect,
                "autocommit": True,  # whoever lends says BEGIN
                "connect_timeout": 5,
                "application_name": role,
                "options": "-c statement_timeout=60000",
            },
        )
        self._lost_at = 0.0
        self._ping_rested(self.engine.sync_engine)

    async def take(self) -> PoolProxiedConnection:
        """Lend a connection; to be given back in any case.

        Raises:
            DBAPIError: the database does not answer.
        """
        try:
            return await self.engine.raw_connection()
        except psycopg.Error as error:
            raise database_error(error, lost=True) from error

    async def give_back(self, lent: PoolProxiedConnection) -> None:
        """Take a connection back; one that is lost, or still in a transaction, is closed and replaced."""
        if lent.is_valid and driver_of(lent).pgconn.transaction_status == TransactionStatus.IDLE:
            lent.close()  # waits for nothing, so it needs no greenlet
            return
        if not lent.is_valid or driver_of(lent).closed:
            self._lost_at = time.monotonic()
        await asyncio.shield(greenlet_spawn(_end, lent))

    def _ping_rested(self, engine: Engine) -> None:
        """Ask a connection that has rested whether it lives, likewise after another was lost; a dead one is replaced.

        SQLAlchemy's own `pool_pre_ping` asks at each use: a round trip in seven of a turn.
        """

        @event.listens_for(engine, "checkin")
        def _rests(_connection: object, record: ConnectionPoolEntry) -> None:
            record.info["rests_since"] = time.monotonic()

        @event.listens_for(engine, "checkout")
        def _wakes(connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: object) -> None:
            since = record.info.get("rests_since")
            if since is None or (time.monotonic() - since < _RESTED_SECONDS and since > self._lost_at):
                return
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error as error:
                raise DisconnectionError from error


def _end(lent: PoolProxiedConnection) -> None:
    if lent.is_valid:  # SQLAlchemy has seen to one whose query was cancelled
        lent.invalidate()
    lent.close()


def driver_of(lent: PoolProxiedConnection) -> Driver:
    """Return the psycopg connection behind a pooled one."""
    driver: Driver | None = lent.driver_connection
    assert driver is not None, "a lent connection has a driver connection"
    return driver


def database_error(error: psycopg.Error, *, lost: bool) -> Exception:
    """Return a driver's error as SQLAlchemy's twin of it, without the values: rooms know these only.

    Args:
        lost: whether the connection is gone with it.
    """
    twin: Exception = DBAPIError.instance(
        None, None, error, psycopg.Error, hide_parameters=True, connection_invalidated=lost
    )
    return twin
