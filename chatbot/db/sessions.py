"""Sessions: one request or one task is one transaction, and this is the only place that commits.

Three types, so that the type checker sees a mistake: `TenantReader` (one tenant, read only, refused by the database
otherwise), `TenantSession` (one tenant), `PlatformSession` (across tenants: sign-in, schedulers, platform admins).
The tenant is set inside the transaction (`SET LOCAL`): a plain SET would leak through the pool.

Statements of SQLAlchemy and of the driver (`fetch`, for what every turn asks) run in the same transaction.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Any, LiteralString, Self, TypeVar
from uuid import UUID

import psycopg
from psycopg import AsyncConnection
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from sqlalchemy.pool import PoolProxiedConnection

from chatbot.core.errors import MissingTenant
from chatbot.db.pool import Pool, database_error, driver_of
from chatbot.db.roles import APP_ROLE, PLATFORM_ROLE

_OVER = "the transaction of this session is over"
Values = Mapping[str, Any] | Sequence[Any]


class _LazySession(Session):
    """Builds SQLAlchemy's own connection, on the one that is lent, only for those who come through SQLAlchemy."""

    def __init__(self, engine: Engine, lent: PoolProxiedConnection, **options: Any) -> None:
        super().__init__(expire_on_commit=False, autoflush=False, **options)
        self._engine = engine
        self._lent: PoolProxiedConnection | None = lent
        self._built: Connection | None = None

    def get_bind(self, *_about: Any, **_more: Any) -> Connection:
        """Return the connection, whatever the statement is about."""
        if self._lent is None:
            raise InvalidRequestError(_OVER)
        if self._built is None:
            self._built = Connection(self._engine, self._lent)
        return self._built

    def end(self) -> None:
        """Serve no more statements: the connection is somebody else's now."""
        self._lent = self._built = None


class Transaction(AsyncSession):
    """A transaction on a lent connection."""

    sync_session_class = _LazySession
    sync_session: _LazySession

    def __init__(self, pool: Pool, lent: PoolProxiedConnection) -> None:
        super().__init__(engine=pool.engine.sync_engine, lent=lent)
        self._driver: AsyncConnection[Any] | None = driver_of(lent)

    @property
    def driver(self) -> AsyncConnection[Any]:
        """The psycopg connection.

        Raises:
            InvalidRequestError: the transaction is over.
        """
        if self._driver is None:
            raise InvalidRequestError(_OVER)
        return self._driver

    async def begin_with(self, statements: str) -> None:
        """Send what begins the transaction, all in one round trip."""
        try:
            await self.driver.execute(statements.encode())
        except psycopg.Error as error:
            raise database_error(error, lost=self.driver.closed) from error

    async def keep(self) -> None:
        """Commit what both SQLAlchemy and the driver wrote."""
        driver = self.driver
        try:
            if self.in_transaction():
                await self.commit()
            await driver.commit()
        except psycopg.Error as error:
            raise database_error(error, lost=driver.closed) from error
        finally:
            await self._end()

    async def undo(self) -> None:
        """Roll back; a connection that is lost has done so."""
        with suppress(psycopg.Error):
            await self.driver.rollback()
        await self._end()

    async def _end(self) -> None:
        if self.in_transaction():
            await self.close()
        self.sync_session.end()
        self._driver = None


class TenantReader(Transaction):
    """A read-only transaction of one tenant."""

    tenant_id: UUID


class TenantSession(TenantReader):
    """A transaction of one tenant."""


class PlatformSession(Transaction):
    """A transaction across tenants. Whoever opens one answers for narrowing it."""


Kind = TypeVar("Kind", bound=Transaction)


class Database:
    """The connections of one process.

    Args:
        database_url: the owner's address; the application roles' addresses derive from it.
        pool_size: tenant work has twice as many connections at most; platform work half as many, at least 4.
    """

    def __init__(self, database_url: str, *, pool_size: int = 10) -> None:
        self.url = database_url
        self._tenant_pool = Pool(database_url, APP_ROLE, 2 * pool_size)
        self._platform_pool = Pool(database_url, PLATFORM_ROLE, 2 * max(2, pool_size // 4))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every pooled connection."""
        await self._tenant_pool.engine.dispose()
        await self._platform_pool.engine.dispose()

    @asynccontextmanager
    async def tenant(self, tenant_id: UUID) -> AsyncIterator[TenantSession]:
        """Open a transaction of one tenant; commits when the block ends, rolls back when it raises."""
        begin = f"BEGIN; {_scope(tenant_id)}"
        async with _open(TenantSession, self._tenant_pool, begin) as session:
            session.tenant_id = tenant_id
            yield session

    @asynccontextmanager
    async def tenant_reader(self, tenant_id: UUID) -> AsyncIterator[TenantReader]:
        """Open a read-only transaction of one tenant."""
        begin = f"BEGIN READ ONLY; {_scope(tenant_id)}"
        async with _open(TenantReader, self._tenant_pool, begin) as session:
            session.tenant_id = tenant_id
            yield session

    @asynccontextmanager
    async def platform(self) -> AsyncIterator[PlatformSession]:
        """Open a transaction across tenants."""
        async with _open(PlatformSession, self._platform_pool, "BEGIN") as session:
            yield session

    async def ping(self) -> None:
        """Raise when the database does not answer."""
        async with self._tenant_pool.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))


async def fetch(session: Transaction, statement: LiteralString, values: Values = ()) -> list[tuple[Any, ...]]:
    """Run a statement of the driver's (`%s` or `%(name)s`) and return its rows; none of one that gives none.

    A third of what SQLAlchemy's `text()` costs, so every statement of a turn goes this way.

    Raises:
        DBAPIError: as SQLAlchemy would.
    """
    connection = await driver_connection(session)
    try:
        cursor = await connection.execute(statement, values)
        return await cursor.fetchall() if cursor.description else []
    except psycopg.Error as error:
        raise database_error(error, lost=connection.closed) from error


async def driver_connection(session: Transaction) -> AsyncConnection[Any]:
    """Return the psycopg connection that carries the session's transaction (COPY, enqueueing)."""
    if session.in_nested_transaction():
        await session.connection()  # only now SQLAlchemy sends the SAVEPOINT
    return session.driver


@asynccontextmanager
async def _open(kind: type[Kind], pool: Pool, begin: str) -> AsyncIterator[Kind]:
    lent = await pool.take()
    try:
        session = kind(pool, lent)
        await session.begin_with(begin)
        try:
            yield session
        except BaseException:
            await session.undo()
            raise
        await session.keep()
    finally:
        await pool.give_back(lent)


def _scope(tenant_id: UUID | None) -> str:
    if not isinstance(tenant_id, UUID):
        raise MissingTenant("a tenant session needs a tenant id")
    return f"SET LOCAL xin.tenant_id = '{tenant_id}'"
