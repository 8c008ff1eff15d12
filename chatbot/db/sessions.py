"""Sessions: one request or one task is one transaction, and this is the only place that commits.

Three types, so that the type checker sees a mistake: `TenantReader` (one tenant, read only, refused by the database
otherwise), `TenantSession` (one tenant), `PlatformSession` (across tenants: sign-in, schedulers, platform admins).
The tenant is set inside the transaction (`set_config(…, true)`): a plain SET would leak through the pool.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from psycopg import AsyncConnection
from sqlalchemy import Engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from chatbot.core.errors import MissingTenant
from chatbot.db.roles import APP_ROLE, PLATFORM_ROLE, role_url

_RESTED_SECONDS = 1.0
_SCOPE = "SELECT set_config('xin.tenant_id', %s, true)"
_READ_SCOPE = "SELECT set_config('xin.tenant_id', %s, true), set_config('transaction_read_only', 'on', true)"


class TenantReader(AsyncSession):
    """A read-only transaction of one tenant."""

    tenant_id: UUID


class TenantSession(TenantReader):
    """A transaction of one tenant."""


class PlatformSession(AsyncSession):
    """A transaction across tenants. Whoever opens one answers for narrowing it."""


class Database:
    """The engines of one process.

    Args:
        database_url: the owner's address; the application roles' addresses derive from it.
        pool_size: connections for tenant work; platform work has a quarter as many, at least 2.
    """

    def __init__(self, database_url: str, *, pool_size: int = 10) -> None:
        self.url = database_url
        self._tenant_engine = _engine(database_url, APP_ROLE, pool_size)
        self._platform_engine = _engine(database_url, PLATFORM_ROLE, max(2, pool_size // 4))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every pooled connection."""
        await self._tenant_engine.dispose()
        await self._platform_engine.dispose()

    @asynccontextmanager
    async def tenant(self, tenant_id: UUID) -> AsyncIterator[TenantSession]:
        """Open a transaction of one tenant; commits when the block ends, rolls back when it raises."""
        async with TenantSession(self._tenant_engine, expire_on_commit=False, autoflush=False) as session:
            async with session.begin():
                session.tenant_id = _given(tenant_id)
                await _narrow(session, _SCOPE, tenant_id)
                yield session

    @asynccontextmanager
    async def tenant_reader(self, tenant_id: UUID) -> AsyncIterator[TenantReader]:
        """Open a read-only transaction of one tenant."""
        async with TenantReader(self._tenant_engine, expire_on_commit=False, autoflush=False) as session:
            async with session.begin():
                session.tenant_id = _given(tenant_id)
                await _narrow(session, _READ_SCOPE, tenant_id)
                yield session

    @asynccontextmanager
    async def platform(self) -> AsyncIterator[PlatformSession]:
        """Open a transaction across tenants."""
        async with PlatformSession(self._platform_engine, expire_on_commit=False, autoflush=False) as session:
            async with session.begin():
                yield session

    async def ping(self) -> None:
        """Raise when the database does not answer."""
        async with self._tenant_engine.connect() as connection:
            await connection.execute(text("SELECT 1"))


async def driver_connection(session: AsyncSession) -> AsyncConnection[Any]:
    """Return the psycopg connection that carries the session's transaction (COPY, enqueueing)."""
    connection = await session.connection()
    raw = await connection.get_raw_connection()
    driver: AsyncConnection[Any] | None = raw.driver_connection
    assert driver is not None, "a session in a transaction has a driver connection"
    return driver


async def _narrow(session: AsyncSession, statement: str, tenant_id: UUID) -> None:
    """Set the tenant by the plain driver statement: it runs in every transaction, compiling it costs more."""
    connection = await session.connection()
    await connection.exec_driver_sql(statement, (str(tenant_id),))


def _given(tenant_id: UUID | None) -> UUID:
    if not isinstance(tenant_id, UUID):
        raise MissingTenant("a tenant session needs a tenant id")
    return tenant_id


def _engine(database_url: str, role: str, pool_size: int) -> AsyncEngine:
    engine = create_async_engine(
        role_url(database_url, role),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=10,
        pool_recycle=1800,
        connect_args={"connect_timeout": 5, "application_name": role, "options": "-c statement_timeout=60000"},
    )
    _ping_rested(engine.sync_engine)
    return engine


def _ping_rested(engine: Engine) -> None:
    """Ask a connection that has rested whether it lives; a lost one is replaced.

    SQLAlchemy's own `pool_pre_ping` asks at each use: a round trip in seven of a turn. A connection used a moment ago
    lives, or its loss shows in the next statement, which empties the pool as well.
    """

    @event.listens_for(engine, "checkin")
    def _rests(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info["rests_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _wakes(connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: object) -> None:
        since = record.info.get("rests_since")
        if since is None or time.monotonic() - since < _RESTED_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error
