"""Statements of the driver and of SQLAlchemy share a session's transaction, its end, and its errors."""

import asyncio
from collections.abc import Callable

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, InvalidRequestError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from chatbot.core.ids import new_id
from chatbot.db.apart import apart
from chatbot.db.models import Brand
from chatbot.db.sessions import (
    DATABASE_AWAY,
    Database,
    TenantSession,
    before_commit,
    driver_connection,
    fetch,
    is_away,
    is_unconnected,
)
from tests.conftest import TenantRows
from tests.exhausted import exhausted

_NAMES = "SELECT name FROM brands ORDER BY name"
_RENAME = "UPDATE brands SET name = %s WHERE id = %s"


async def _names(database: Database, tenant: TenantRows) -> list[str]:
    async with database.tenant_reader(tenant.id) as session:
        return [name for (name,) in await fetch(session, _NAMES)]


async def test_both_see_and_keep_what_the_other_wrote(database: Database, tenant: TenantRows) -> None:
    async with database.tenant(tenant.id) as session:
        await fetch(session, _RENAME, ("driver", tenant.brand_id))
        assert await session.scalar(text("SELECT name FROM brands")) == "driver"
        session.add(Brand(tenant_id=tenant.id, id=new_id(), name="mapped"))
        await session.flush()
        assert [name for (name,) in await fetch(session, _NAMES)] == ["driver", "mapped"]
    assert await _names(database, tenant) == ["driver", "mapped"]


async def test_what_was_only_added_is_kept_too(database: Database, tenant: TenantRows) -> None:
    async with database.tenant(tenant.id) as session:
        session.add(Brand(tenant_id=tenant.id, id=new_id(), name="added"))
    assert "added" in await _names(database, tenant)


async def test_a_raise_undoes_both(database: Database, tenant: TenantRows) -> None:
    before = await _names(database, tenant)
    with pytest.raises(LookupError):
        async with database.tenant(tenant.id) as session:
            await fetch(session, _RENAME, ("gone", tenant.brand_id))
            session.add(Brand(tenant_id=tenant.id, id=new_id(), name="gone too"))
            await session.flush()
            raise LookupError
    assert await _names(database, tenant) == before


async def test_a_savepoint_holds_for_the_driver_too(database: Database, tenant: TenantRows) -> None:
    async with database.tenant(tenant.id) as session:
        with pytest.raises(IntegrityError):
            async with session.begin_nested():
                await fetch(session, "INSERT INTO brands (tenant_id, id, name) VALUES (%s, %s, 'twice')",
                            (tenant.id, tenant.brand_id))  # fmt: skip
        await fetch(session, _RENAME, ("after", tenant.brand_id))
    assert await _names(database, tenant) == ["after"]


async def test_errors_are_those_of_sqlalchemy_and_name_no_values(database: Database, tenant: TenantRows) -> None:
    with pytest.raises(DBAPIError, match="read-only transaction") as caught:
        async with database.tenant_reader(tenant.id) as session:
            await fetch(session, _RENAME, ("a visitor's secret", tenant.brand_id))
    assert not caught.value.connection_invalidated
    assert "secret" not in str(caught.value)


async def test_a_session_serves_only_its_own_transaction(database: Database, tenant: TenantRows) -> None:
    async with database.tenant(tenant.id) as session:
        assert await fetch(session, _NAMES)
    with pytest.raises(InvalidRequestError, match="is over"):
        await session.scalar(text("SELECT 1"))
    with pytest.raises(InvalidRequestError, match="is over"):
        await fetch(session, _NAMES)


async def test_what_is_deferred_goes_with_the_next_statement(database: Database, tenant: TenantRows) -> None:
    async with database.tenant(tenant.id) as session:
        session.defer(_RENAME, ("deferred", tenant.brand_id), list)
        assert await fetch(session, _NAMES) == [("deferred",)]
        session.defer(_RENAME, ("at the end", tenant.brand_id), list)
    assert await _names(database, tenant) == ["at the end"]
    async with database.tenant(tenant.id) as session:
        session.defer(_RENAME, ("alone", tenant.brand_id), list)
    async with database.tenant(tenant.id) as session:
        session.defer(_RENAME, ("before", tenant.brand_id), list)
        session.add(Brand(tenant_id=tenant.id, id=new_id(), name="mapped"))
        assert await session.scalar(text("SELECT count(*) FROM brands WHERE name = 'before'")) == 1
        session.defer(_RENAME, ("last", tenant.brand_id), list)
    assert await _names(database, tenant) == ["last", "mapped"]


async def test_what_is_deferred_gives_its_rows_when_they_are_asked_for(database: Database, tenant: TenantRows) -> None:
    async with database.tenant_reader(tenant.id) as session:
        first, second = (session.defer("SELECT %s::int", (number,), lambda rows: rows[0][0]) for number in (1, 2))
        assert await fetch(session, "SELECT 3") == [(3,)]
        assert (await first, await second) == (1, 2)
        third = session.defer("SELECT 4", (), lambda rows: rows[0][0])
        assert (await third, await third) == (4, 4)


async def test_a_deferred_failure_undoes_all(database: Database, tenant: TenantRows) -> None:
    before = await _names(database, tenant)
    with pytest.raises(IntegrityError):
        async with database.tenant(tenant.id) as session:
            await fetch(session, _RENAME, ("gone", tenant.brand_id))
            session.defer("INSERT INTO brands (tenant_id, id, name) VALUES (%s, %s, 'twice')",
                          (tenant.id, tenant.brand_id), list)  # fmt: skip
    assert await _names(database, tenant) == before


async def test_a_statement_may_commit_in_its_own_round_trip(database: Database, tenant: TenantRows) -> None:
    async with database.tenant(tenant.id) as session:
        session.commit_with_next()
        await fetch(session, _RENAME, ("kept", tenant.brand_id))
        assert await _names(database, tenant) == ["kept"]
        await fetch(session, _RENAME, ("in a transaction after it", tenant.brand_id))
        assert await _names(database, tenant) == ["kept"]
    assert await _names(database, tenant) == ["in a transaction after it"]


async def test_no_statement_commits_before_what_is_done_last(database: Database, tenant: TenantRows) -> None:
    seen: list[list[str]] = []

    async def look(_session: object) -> None:
        before_commit.set(None)
        seen.append(await _names(database, tenant))

    before = await _names(database, tenant)
    before_commit.set(look)
    async with database.tenant(tenant.id) as session:
        session.commit_with_next()
        await fetch(session, _RENAME, ("kept at the end", tenant.brand_id))
    assert seen == [before]
    assert await _names(database, tenant) == ["kept at the end"]


async def test_statements_are_prepared_anew_after_the_driver_forgot_them(
    database: Database, tenant: TenantRows
) -> None:
    before = await _names(database, tenant)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            async with database.tenant(tenant.id) as session:
                connection = await driver_connection(session)
                await connection.execute("SELECT 1", prepare=True)
                _ = 1 / 0  # psycopg forgets all that is prepared with a rollback
        assert await _names(database, tenant) == before


async def test_placeholders_are_those_of_the_driver(database: Database, tenant: TenantRows) -> None:
    async with database.tenant(tenant.id) as session:
        twice = await fetch(session, "SELECT %(b)s::int, %(a)s::int, %(b)s::int, 7 %% 4", {"a": 1, "b": 2})
        assert twice == [(2, 1, 2, 3)]
        assert await fetch(session, "SELECT %s::int, %s::text", (1, None)) == [(1, None)]
        with pytest.raises(DBAPIError):
            await fetch(session, "SELECT %s::int", (1, 2))


async def test_a_connection_lost_in_use_is_told_and_all_others_are_asked(
    database: Database, database_url: str, tenant: TenantRows
) -> None:
    async with database.tenant_reader(tenant.id) as first, database.tenant_reader(tenant.id) as second:
        pids = [(await fetch(session, "SELECT pg_backend_pid()"))[0][0] for session in (first, second)]
    with pytest.raises(OperationalError) as caught:
        async with database.tenant_reader(tenant.id) as session:
            async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as owner:
                for pid in pids:
                    await owner.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
            await fetch(session, _NAMES)
    assert caught.value.connection_invalidated
    assert await _names(database, tenant)
    async with database.tenant_reader(tenant.id) as first, database.tenant_reader(tenant.id) as second:
        assert await fetch(first, _NAMES) == await fetch(second, _NAMES)


async def test_no_connection_is_lost_by_a_database_that_refuses(tenant: TenantRows) -> None:
    async with Database("postgresql://xin@127.0.0.1:1/none", pool_size=1) as nowhere:
        for _ in range(5):
            with pytest.raises(OperationalError) as caught:
                async with nowhere.tenant(tenant.id):
                    pass
            assert caught.value.connection_invalidated


async def test_an_exhausted_pool_is_a_database_that_is_away(database: Database, tenant: TenantRows) -> None:
    async with exhausted(database):
        with pytest.raises(PoolTimeout) as caught:
            async with database.tenant(tenant.id):
                pass

        async def work() -> None:
            async with database.tenant(tenant.id):
                pass

        with pytest.raises(PoolTimeout):  # everybody's trouble, not this tenant's
            await apart(tenant.id, "a test", work)
    assert is_away(caught.value)
    assert is_unconnected(caught.value)
    assert isinstance(caught.value, DATABASE_AWAY)
    assert await _names(database, tenant)


async def test_what_is_slow_or_refused_is_no_database_that_is_away(database: Database, tenant: TenantRows) -> None:
    for statement in ("SELECT 1/0", "SET LOCAL statement_timeout = '1ms'; SELECT pg_sleep(60)"):
        with pytest.raises(DBAPIError) as caught:
            async with database.tenant(tenant.id) as session:
                await (await driver_connection(session)).execute("SELECT 1")
                for part in statement.split("; "):
                    await session.execute(text(part))
        assert not is_away(caught.value)
        assert not is_unconnected(caught.value)
    with pytest.raises(psycopg.errors.QueryCanceled) as slow:
        async with database.tenant(tenant.id) as session:
            connection = await driver_connection(session)
            await connection.execute("SET LOCAL statement_timeout = '1ms'")
            await connection.execute("SELECT pg_sleep(60)")
    assert not is_away(slow.value)


async def _by_driver(session: TenantSession) -> None:
    await fetch(session, "SELECT pg_sleep(3600)")


async def _by_sqlalchemy(session: TenantSession) -> None:
    await session.execute(text("SELECT pg_sleep(3600)"))


async def _by_psycopg(session: TenantSession) -> None:
    await (await driver_connection(session)).execute("SELECT pg_sleep(3600)")


@pytest.mark.parametrize("ask", [_by_driver, _by_sqlalchemy, _by_psycopg])
async def test_a_cancellation_during_a_query_is_passed_on(
    database: Database, database_url: str, tenant: TenantRows, ask: Callable[[TenantSession], object]
) -> None:
    async def work() -> None:
        async with database.tenant(tenant.id) as session:
            await ask(session)  # type: ignore[misc]

    task = asyncio.create_task(work())
    sleeping = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
    async with asyncio.timeout(60), await psycopg.AsyncConnection.connect(database_url, autocommit=True) as owner:
        while not await (await owner.execute(sleeping)).fetchall():  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await _names(database, tenant), "and the connections that are left are good"
