"""Usage rows and daily counters in the database."""

from datetime import date
from uuid import UUID

import orjson

from chatbot.core.ids import new_id
from chatbot.db.sessions import TenantReader, TenantSession, fetch
from chatbot.llm.budgets import Spent
from chatbot.llm.schemas import CallRecord

_SPENT = """
SELECT coalesce(sum(tokens) FILTER (WHERE day = %(day)s), 0)::bigint,
       coalesce(sum(cost_micros) FILTER (WHERE day = %(day)s), 0)::bigint,
       coalesce(sum(tokens), 0)::bigint, coalesce(sum(cost_micros), 0)::bigint
FROM daily_usage WHERE tenant_id = %(tenant_id)s AND day >= date_trunc('month', %(day)s::date)::date AND day <= %(day)s
"""
_BOOK = """
WITH calls AS (
    INSERT INTO usage_records (tenant_id, id, message_id, purpose, model, outcome, input_tokens, output_tokens,
                               estimated, cost_micros, milliseconds)
    SELECT %(tenant_id)s, r.id, %(message_id)s, r.purpose, r.model, r.outcome, r.input_tokens, r.output_tokens,
           r.estimated, r.cost_micros, r.milliseconds
    FROM jsonb_to_recordset(%(calls)s::jsonb)
      AS r(id uuid, purpose text, model text, outcome text, input_tokens bigint, output_tokens bigint,
           estimated boolean, cost_micros bigint, milliseconds bigint)
)
INSERT INTO daily_usage AS d (tenant_id, day, tokens, cost_micros)
SELECT %(tenant_id)s, %(day)s, %(tokens)s, %(cost_micros)s WHERE %(tokens)s > 0
ON CONFLICT (tenant_id, day) DO UPDATE
SET tokens = d.tokens + excluded.tokens, cost_micros = d.cost_micros + excluded.cost_micros
"""


async def spent_on(session: TenantReader, day: date) -> tuple[Spent, Spent]:
    """Return what the session's tenant spent on a UTC day, and in its month up to then."""
    tokens, cost, month_tokens, month_cost = (
        await fetch(session, _SPENT, {"tenant_id": session.tenant_id, "day": day})
    )[0]
    return Spent(tokens, cost), Spent(month_tokens, month_cost)


def book(session: TenantSession, calls: list[CallRecord], spent: Spent, day: date, message_id: UUID | None) -> None:
    """Insert a row per call, and add what they cost together to the tenant's counter of a day, atomically."""
    rows = [
        {
            "id": new_id(),
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
    values = {
        "tenant_id": session.tenant_id,
        "message_id": message_id,
        "calls": orjson.dumps(rows).decode(),
        "day": day,
        "tokens": spent.tokens,
        "cost_micros": spent.cost_micros,
    }
    session.defer(_BOOK, values, list)
