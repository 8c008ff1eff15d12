"""Tenancy is the database's job: what a session of one tenant can and cannot see."""

from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from chatbot.core.errors import MissingTenant
from chatbot.core.ids import new_id
from chatbot.db.models import Brand, Tenant
from chatbot.db.sessions import Database
from tests.conftest import TenantRows


async def test_a_tenant_sees_only_itself(database: Database, tenant: TenantRows, other_tenant: TenantRows) -> None:
    async with database.tenant_reader(tenant.id) as session:
        assert list(await session.scalars(select(Tenant.id))) == [tenant.id]
        assert list(await session.scalars(select(Brand.id))) == [tenant.brand_id]


async def test_a_tenant_cannot_write_for_another(
    database: Database, tenant: TenantRows, other_tenant: TenantRows
) -> None:
    with pytest.raises(DBAPIError, match="row-level security"):
        async with database.tenant(tenant.id) as session:
            session.add(Brand(tenant_id=other_tenant.id, id=new_id(), name="Smuggled"))
            await session.flush()


async def test_a_reader_cannot_write(database: Database, tenant: TenantRows) -> None:
    with pytest.raises(DBAPIError, match="read-only transaction"):
        async with database.tenant_reader(tenant.id) as session:
            await session.execute(text("UPDATE brands SET name = 'x'"))


async def test_a_missing_tenant_is_an_exception(database: Database) -> None:
    nothing: UUID = None  # type: ignore[assignment]
    with pytest.raises(MissingTenant):
        async with database.tenant(nothing):
            pass


async def test_the_tenant_does_not_leak_through_the_pool(database: Database, tenant: TenantRows) -> None:
    async with database.tenant(tenant.id) as session:
        await session.execute(text("SELECT 1"))
    async with database._tenant_pool.engine.connect() as connection:
        seen = await connection.execute(text("SELECT count(*) FROM tenants"))
        assert seen.scalar_one() == 0
