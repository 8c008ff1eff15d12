"""Sessions: one request or one task is one transaction, and this is the only place that commits.

Three types, so that the type checker sees a mistake: `TenantReader` (one tenant, read only, refused by the database
otherwise), `TenantSession` (one tenant), `PlatformSession` (across tenants: sign-in, schedulers, platform admins).
The tenant is set inside the transaction (`SET LOCAL`): a plain SET would leak through the pool.

Statements of SQLAlchemy and of the driver (`fetch`, for what every turn asks) run in the same transaction. What begins
it is sent with its first statement.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Sequence
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Generic, LiteralString, Self, TypeVar
from uuid import UUID

import psycopg
from psycopg import AsyncConnection
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, InterfaceError, InvalidRequestError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.util import await_only

from chatbot.core.errors import MissingTenant
from chatbot.db.driver import Command, Driver, Rows, Values
from chatbot.db.pool import Pool, database_error, driver_of
from chatbot.db.roles import APP_ROLE, PLATFORM_ROLE

DATABASE_AWAY = (OperationalError, InterfaceError, PoolTimeout, psycopg.OperationalError, psycopg.InterfaceError)
"""What work in a session raises while the database restarts, is full or too busy, or all connections of the process
are lent: trying again later helps. Who writes through the driver itself (COPY) meets the driver's own errors."""

_OF_ONE = (psycopg.errors.QueryCanceled, psycopg.errors.DeadlockDetected)
"""Too slow or in each other's way: trouble of this work, though the driver counts it among that of the database."""

_OVER = "the transaction of this session is over"
_SCOPE = "SELECT set_config('xin.tenant_id', %s, true)"
_COMMIT = Command("COMMIT")


def is_away(error: BaseException) -> bool:
    """Whether an error is everybody's, because the database is away, and not of the work that met it."""
    return isinstance(error, DATABASE_AWAY) and not isinstance(getattr(error, "orig", error), _OF_ONE)


def is_unconnected(error: BaseException) -> bool:
    """Whether the connection was lost, or none was to be had: the work itself was not refused."""
    return isinstance(error, PoolTimeout) or (isinstance(error, DBAPIError) and error.connection_invalidated)


class _LazySession(Session):
    """Builds SQLAlchemy's own connection, on the one that is lent, only for those who come through SQLAlchemy."""

    def __init__(
        self, engine: Engine, lent: PoolProxiedConnection, begin: Callable[[], Awaitable[None]], **options: Any
    ) -> None:
        super().__init__(expire_on_commit=False, autoflush=False, **options)
        self._engine = engine
        self._lent: PoolProxiedConnection | None = lent
        self._begin = begin
        self._built: Connection | None = None

    def get_bind(self, *_about: Any, **_more: Any) -> Connection:
        """Return the connection, whatever the statement is about; what was deferred before it has run."""
        if self._lent is None:
            raise InvalidRequestError(_OVER)
        await_only(self._begin())
        if self._built is None:
            self._built = Connection(self._engine, self._lent)
        return self._built

    def end(self) -> None:
        """Serve no more statements: the connection is somebody else's now."""
        self._lent = self._built = None


Read = TypeVar("Read")


class Later(Generic[Read]):
    """What a deferred statement gives. Awaited before the statement has run, it sends it off."""

    def __init__(self, run: Callable[[], Coroutine[Any, Any, None]], read: Callable[[Rows], Read]) -> None:
        self._run = run
        self._read = read
        self.rows: Rows | None = None

    def __await__(self) -> Generator[Any, Any, Read]:
        if self.rows is None:
            yield from self._run().__await__()
        assert self.rows is not None, "the statement has run"
        return self._read(self.rows)


class Transaction(AsyncSession):
    """A transaction on a lent connection; `opening` begins it, with the first statement or `begun`.

    What is deferred goes with the next statement, at the latest with COMMIT; its errors are that statement's.
    """

    sync_session_class = _LazySession
    sync_session: _LazySession

    def __init__(self, pool: Pool, lent: PoolProxiedConnection, opening: Sequence[Command]) -> None:
        super().__init__(engine=pool.engine.sync_engine, lent=lent, begin=self.begun)
        self._driver: Driver | None = driver_of(lent)
        self._opening = opening
        self._waiting = [*opening]
        self._later: dict[int, Later[Any]] = {}
        self._commits_next = False

    @property
    def driver(self) -> Driver:
        """The psycopg connection.

        Raises:
            InvalidRequestError: the transaction is over.
        """
        if self._driver is None:
            raise InvalidRequestError(_OVER)
        return self._driver

    async def begun(self) -> None:
        """Begin now, and run what is deferred: for those who do not come through `run`."""
        if self._waiting:
            await self.run([])

    def defer(self, statement: LiteralString, values: Values, read: Callable[[Rows], Read]) -> Later[Read]:
        """Run a statement of the driver's with the next one; `read` makes of its rows what awaiting it gives."""
        later = self._later[len(self._waiting)] = Later(self.begun, read)
        self._waiting.append(Command(statement, values))
        return later

    def commit_with_next(self) -> None:
        """Commit with the driver's next statement, in its round trip; one after it would begin another transaction.

        Not where something is to be done last (`before_commit`): then the transaction ends with the block, as ever.
        """
        self._commits_next = before_commit.get() is None

    async def run(self, commands: Sequence[Command]) -> list[Rows]:
        """Run commands of the driver's in one round trip; each gives its rows, none where it has none.

        Raises:
            DBAPIError: as SQLAlchemy would.
        """
        driver, waiting, later, commits = self.driver, self._waiting, self._later, self._commits_next
        self._waiting, self._later, self._commits_next = [*self._opening] if commits else [], {}, False
        last = [_COMMIT] if commits else []
        try:
            rows = await driver.run([*waiting, *commands, *last])
        except psycopg.Error as error:
            raise database_error(error, lost=driver.closed) from error
        for place, one in later.items():
            one.rows = rows[place]
        return rows[len(waiting) : len(waiting) + len(commands)]

    async def keep(self) -> None:
        """Commit what both SQLAlchemy and the driver wrote."""
        driver, self._commits_next = self.driver, False
        try:
            if self.in_transaction():
                await self.begun()
                await self.commit()
            open_now = driver.pgconn.transaction_status != TransactionStatus.IDLE
            if open_now or len(self._waiting) > len(self._opening):
                await self.run([_COMMIT])
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


BeforeCommit = Callable[[Transaction], Awaitable[None]]

before_commit: ContextVar[BeforeCommit | None] = ContextVar("before_commit", default=None)
"""What this task does with each of its transactions as the last thing before it commits."""

Kind = TypeVar("Kind", bound=Transaction)


class Database:
    """The connections of one process.

    Args:
        database_url: the owner's address; the application roles' addresses derive from it.
        pool_size: tenant work has twice as many connections at most; platform work half as many, at least 4. What a
            process has beside these is in docs/SETTINGS.md.
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
        opening = (Command("BEGIN"), _scope(tenant_id))
        async with _open(TenantSession, self._tenant_pool, opening) as session:
            session.tenant_id = tenant_id
            yield session

    @asynccontextmanager
    async def tenant_reader(self, tenant_id: UUID) -> AsyncIterator[TenantReader]:
        """Open a read-only transaction of one tenant."""
        opening = (Command("BEGIN READ ONLY"), _scope(tenant_id))
        async with _open(TenantReader, self._tenant_pool, opening) as session:
            session.tenant_id = tenant_id
            yield session

    @asynccontextmanager
    async def platform(self) -> AsyncIterator[PlatformSession]:
        """Open a transaction across tenants."""
        async with _open(PlatformSession, self._platform_pool, (Command("BEGIN"),)) as session:
            yield session

    async def ping(self) -> None:
        """Raise when the database does not answer."""
        async with self._tenant_pool.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))


async def fetch(session: Transaction, statement: LiteralString, values: Values = ()) -> Rows:
    """Run a statement of the driver's (`%s` or `%(name)s`) and return its rows; none of one that gives none.

    A fraction of what SQLAlchemy's `text()` costs, so every statement of a turn goes this way.

    Raises:
        DBAPIError: as SQLAlchemy would.
    """
    if session.in_nested_transaction():
        await session.connection()  # only now SQLAlchemy sends the SAVEPOINT
    return (await session.run([Command(statement, values)]))[0]


async def fetch_all(session: Transaction, commands: Sequence[Command]) -> list[Rows]:
    """As `fetch`, for statements that follow one another: in one round trip, each seeing what those before it locked.

    Raises:
        DBAPIError: as SQLAlchemy would.
    """
    if session.in_nested_transaction():
        await session.connection()  # as above
    return await session.run(commands)


async def driver_connection(session: Transaction) -> AsyncConnection[Any]:
    """Return the psycopg connection that carries the session's transaction (COPY, enqueueing)."""
    if session.in_nested_transaction():
        await session.connection()  # as above
    await session.begun()
    return session.driver


@asynccontextmanager
async def _open(kind: type[Kind], pool: Pool, opening: Sequence[Command]) -> AsyncIterator[Kind]:
    lent = await pool.take()
    try:
        session = kind(pool, lent, opening)
        try:
            yield session
            if last := before_commit.get():
                await last(session)
        except BaseException:
            await session.undo()
            raise
        await session.keep()
    finally:
        await pool.give_back(lent)


def _scope(tenant_id: UUID | None) -> Command:
    if not isinstance(tenant_id, UUID):
        raise MissingTenant("a tenant session needs a tenant id")
    return Command(_SCOPE, (str(tenant_id),))
