"""A connection that was lost while it rested in the pool is replaced before it is used."""

import psycopg
import pytest
from sqlalchemy import text

from chatbot.db.sessions import Database
from tests.conftest import TenantRows


async def test_a_lost_connection_is_replaced(
    database: Database, database_url: str, tenant: TenantRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatbot.db.pool._RESTED_SECONDS", 0.0)
    async with database.tenant_reader(tenant.id) as session:
        lost = await session.scalar(text("SELECT pg_backend_pid()"))
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as owner:
        await owner.execute("SELECT pg_terminate_backend(%s, 5000)", (lost,))
    async with database.tenant_reader(tenant.id) as session:
        assert await session.scalar(text("SELECT pg_backend_pid()")) != lost
