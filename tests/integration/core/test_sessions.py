"""Statements of the driver and of SQLAlchemy share a session's transaction, its end, and its errors."""

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, InvalidRequestError, OperationalError

from chatbot.core.ids import new_id
from chatbot.db.models import Brand
from chatbot.db.sessions import Database, fetch
from tests.conftest import TenantRows

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
