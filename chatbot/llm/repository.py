"""Usage rows and daily counters in the database."""

from datetime import date
from uuid import UUID

from sqlalchemy import insert, select, text

from chatbot.core.ids import new_id
from chatbot.db.models.usage import DailyUsage, UsageRecord
from chatbot.db.sessions import TenantReader, TenantSession
from chatbot.llm.budgets import Spent
from chatbot.llm.schemas import CallRecord

_ADD_CALLS = insert(UsageRecord)
# Written out: building this statement anew in every turn cost more than running it.
_ADD_TO_DAY = text("""
INSERT INTO daily_usage AS d (tenant_id, day, tokens, cost_micros) VALUES (:tenant_id, :day, :tokens, :cost_micros)
ON CONFLICT (tenant_id, day) DO UPDATE
SET tokens = d.tokens + excluded.tokens, cost_micros = d.cost_micros + excluded.cost_micros
""")


async def spent_on(session: TenantReader, day: date) -> Spent:
    """Return what the session's tenant spent on a UTC day."""
    query = select(DailyUsage.tokens, DailyUsage.cost_micros).where(
        DailyUsage.tenant_id == session.tenant_id, DailyUsage.day == day
    )
    row = (await session.execute(query)).one_or_none()
    return Spent(row.tokens, row.cost_micros) if row else Spent()


async def add_calls(session: TenantSession, calls: list[CallRecord], message_id: UUID | None) -> None:
    """Insert a row per call."""
    rows = [
        {
            "tenant_id": session.tenant_id,
            "id": new_id(),
            "message_id": message_id,
            "purpose": call.purpose.value,
            "model": call.model[:200],
            "outcome": call.outcome.value,
            "input_tokens": call.usage.input_tokens,
            "output_tokens": call.usage.output_tokens,
            "estimated": call.usage.estimated,
            "cost_micros": call.cost_micros,
            "milliseconds": call.milliseconds,
        }
        for call in calls
    ]
    await session.execute(_ADD_CALLS, rows)


async def add_to_day(session: TenantSession, day: date, spent: Spent) -> None:
    """Add to the tenant's counter of a day, atomically."""
    values = {"tenant_id": session.tenant_id, "day": day, "tokens": spent.tokens, "cost_micros": spent.cost_micros}
    await session.execute(_ADD_TO_DAY, values)
