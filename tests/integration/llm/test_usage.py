"""Usage rows and daily counters on the real PostgreSQL."""

import asyncio

import pytest
from sqlalchemy import select

from chatbot.core.clock import utcnow
from chatbot.core.errors import MissingTenant
from chatbot.core.ids import new_id
from chatbot.db.models.usage import DailyUsage, UsageRecord
from chatbot.db.sessions import Database
from chatbot.llm.budgets import Budget, Ledger, Spent
from chatbot.llm.schemas import CallRecord, Outcome, Purpose, Usage
from chatbot.llm.usage import open_ledger, record_usage
from tests.conftest import TenantRows

BUDGET = Budget(tokens_per_day=10_000)


def call(tokens: int, outcome: Outcome = Outcome.COMPLETED) -> CallRecord:
    return CallRecord(Purpose.ANSWER, "m", outcome, Usage(tokens, 5, estimated=True), tokens * 2, 12)


async def book(database: Database, tenant: TenantRows, *calls: CallRecord) -> None:
    ledger = Ledger(tenant.id, calls=list(calls))
    async with database.tenant(tenant.id) as session:
        record_usage(session, ledger)


async def spent(database: Database, tenant: TenantRows) -> Spent:
    async with database.tenant_reader(tenant.id) as session:
        return (await open_ledger(session, BUDGET)).spent


async def test_a_turn_is_booked_with_its_message(database: Database, tenant: TenantRows) -> None:
    message = new_id()
    async with database.tenant_reader(tenant.id) as reader:
        ledger = await open_ledger(reader, BUDGET)
    assert ledger.spent == Spent()
    ledger.add(CallRecord(Purpose.CONDENSE, "m", Outcome.FAILED))
    ledger.add(call(100))
    async with database.tenant(tenant.id) as session:
        record_usage(session, ledger, message_id=message)
    async with database.tenant_reader(tenant.id) as reader:
        rows = (await reader.scalars(select(UsageRecord).order_by(UsageRecord.purpose.desc()))).all()
    assert [(r.purpose, r.outcome, r.input_tokens, r.cost_micros, r.estimated, r.message_id) for r in rows] == [
        ("condense", "failed", 0, 0, False, message),
        ("answer", "completed", 100, 200, True, message),
    ]
    assert await spent(database, tenant) == Spent(105, 200)


async def test_the_counter_adds_up_under_concurrency(database: Database, tenant: TenantRows) -> None:
    await asyncio.gather(*(book(database, tenant, call(10), call(20)) for _ in range(20)))
    assert await spent(database, tenant) == Spent(20 * 40, 20 * 60)


async def test_tenants_do_not_share_a_counter(database: Database, tenant: TenantRows, other_tenant: TenantRows) -> None:
    await book(database, tenant, call(10))
    assert await spent(database, other_tenant) == Spent()
    with pytest.raises(MissingTenant):
        async with database.tenant(other_tenant.id) as session:
            record_usage(session, Ledger(tenant.id, calls=[call(1)]))
    assert await spent(database, tenant) == Spent(15, 20)


async def test_a_rolled_back_turn_books_nothing(database: Database, tenant: TenantRows) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.tenant(tenant.id) as session:
            record_usage(session, Ledger(tenant.id, calls=[call(10)]))
            _ = 1 / 0
    assert await spent(database, tenant) == Spent()


async def test_a_call_that_used_nothing_leaves_the_counter(database: Database, tenant: TenantRows) -> None:
    await book(database, tenant)
    await book(database, tenant, CallRecord(Purpose.ANSWER, "m", Outcome.RATE_LIMITED))
    async with database.tenant_reader(tenant.id) as reader:
        assert (await reader.scalars(select(DailyUsage))).all() == []
        assert len((await reader.scalars(select(UsageRecord))).all()) == 1


async def test_yesterday_does_not_count(database: Database, tenant: TenantRows) -> None:
    today = utcnow().date()
    async with database.tenant(tenant.id) as session:
        session.add(
            DailyUsage(tenant_id=tenant.id, day=today.replace(year=today.year - 1, day=1), tokens=9, cost_micros=9)
        )
    assert await spent(database, tenant) == Spent()
