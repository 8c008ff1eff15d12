"""Counts what happened on given days, straight from the rows.

Rows are found by their primary key: ids are UUIDv7, made moments before the row; `created_at` then decides. So no index
beside the key slows the writing of messages.
"""

from collections import defaultdict
from datetime import date, timedelta
from typing import Any, LiteralString
from uuid import UUID

from chatbot.core.ids import least_id_at
from chatbot.db.sessions import TenantReader, fetch
from chatbot.ops.analytics.days import bounds, days_between
from chatbot.ops.analytics.figures import Cell, Figures
from chatbot.ops.analytics.histogram import histogram

_SKEW = timedelta(hours=1)
"""By how much the clock that made an id may differ from the database's."""

_BY_KEY = """
    {row}.tenant_id = %(tenant_id)s AND {row}.id >= %(lowest)s AND {row}.id < %(highest)s
    AND {row}.{at} >= %(since)s AND {row}.{at} < %(until)s
"""
_DAY = "width_bucket({at}, %(bounds)s::timestamptz[])"

_MESSAGES = f"""
SELECT {_DAY.format(at="m.created_at")}, m.channel_id, NULL::uuid,
       count(*), count(*) FILTER (WHERE m.role = 'bot' AND m.mode IN ('model', 'extractive'))
FROM messages m
WHERE {_BY_KEY.format(row="m", at="created_at")}
  AND (m.role IN ('visitor', 'agent') OR m.role = 'bot' AND m.text <> '')
GROUP BY 1, 2
"""  # noqa: S608 - constants only

_CONVERSATIONS = f"""
SELECT {_DAY.format(at="c.created_at")}, c.channel_id, NULL::uuid, count(*) FROM conversations c
WHERE {_BY_KEY.format(row="c", at="created_at")} GROUP BY 1, 2
"""  # noqa: S608 - constants only

_CLOSED = f"""
SELECT {_DAY.format(at="e.occurred_at")}, CAST(e.payload->>'channel_id' AS uuid), NULL::uuid, count(*) FROM events e
WHERE e.tenant_id = %(tenant_id)s AND e.name = 'conversation.closed'
  AND e.occurred_at >= %(since)s AND e.occurred_at < %(until)s
GROUP BY 1, 2
"""  # noqa: S608 - constants only

# Agents give conversations back to the queue, or go away from them: those are no new wishes of visitors.
_HANDED_OVER = f"""
SELECT {_DAY.format(at="h.requested_at")}, c.channel_id, NULL::uuid, count(*)
FROM handoffs h JOIN conversations c ON c.tenant_id = h.tenant_id AND c.id = h.conversation_id
WHERE {_BY_KEY.format(row="h", at="requested_at")} AND h.requested_by IN ('visitor', 'no_answer', 'rule') GROUP BY 1, 2
"""  # noqa: S608 - constants only

_WAITS = f"""
SELECT {_DAY.format(at="h.answered_at")}, c.channel_id, NULL::uuid,
       array_agg(extract(epoch FROM h.answered_at - h.requested_at)::float8)
FROM handoffs h JOIN conversations c ON c.tenant_id = h.tenant_id AND c.id = h.conversation_id
WHERE h.tenant_id = %(tenant_id)s AND h.answered_at >= %(since)s AND h.answered_at < %(until)s GROUP BY 1, 2
"""  # noqa: S608 - constants only

_FIRST_RESPONSES = f"""
SELECT {_DAY.format(at="m.created_at")}, m.channel_id, NULL::uuid,
       array_agg(extract(epoch FROM m.created_at - h.requested_at)::float8)
FROM messages m, LATERAL (
    SELECT requested_at FROM handoffs
    WHERE tenant_id = m.tenant_id AND conversation_id = m.conversation_id AND requested_at <= m.created_at
    ORDER BY requested_at DESC LIMIT 1
) h
WHERE {_BY_KEY.format(row="m", at="created_at")} AND m.role = 'agent' AND NOT EXISTS (
    SELECT FROM messages e
    WHERE e.tenant_id = m.tenant_id AND e.conversation_id = m.conversation_id AND e.role = 'agent' AND e.seq < m.seq
      AND e.created_at >= h.requested_at)
GROUP BY 1, 2
"""  # noqa: S608 - constants only

_GAPS = f"""
SELECT {_DAY.format(at="k.created_at")}, c.channel_id, k.brand_id,
       count(*), count(*) FILTER (WHERE k.created_at = g.first_asked_at)
FROM knowledge_gaps k
LEFT JOIN gap_groups g ON g.tenant_id = k.tenant_id AND g.id = k.group_id
LEFT JOIN conversations c ON c.tenant_id = k.tenant_id AND c.id = k.conversation_id
WHERE {_BY_KEY.format(row="k", at="created_at")} GROUP BY 1, 2, 3
"""  # noqa: S608 - constants only

# A reply is older than its cost by a turn. The bounds say so: else all messages there are would be read for the join.
_USAGE = f"""
SELECT {_DAY.format(at="u.created_at")}, m.channel_id, NULL::uuid,
       sum(u.input_tokens + u.output_tokens)::bigint, sum(u.cost_micros)::bigint
FROM usage_records u
LEFT JOIN messages m ON m.tenant_id = u.tenant_id AND m.id = u.message_id AND m.id >= %(lowest)s AND m.id < %(highest)s
WHERE u.tenant_id = %(tenant_id)s AND u.created_at >= %(since)s AND u.created_at < %(until)s GROUP BY 1, 2
"""  # noqa: S608 - constants only

_RATINGS = f"""
SELECT {_DAY.format(at="r.created_at")}, r.channel_id, NULL::uuid, count(*), sum(r.score)::bigint
FROM csat_ratings r
WHERE r.tenant_id = %(tenant_id)s AND r.created_at >= %(since)s AND r.created_at < %(until)s GROUP BY 1, 2
"""  # noqa: S608 - constants only

_CHANNELS = "SELECT id, brand_id, channel_type FROM channels WHERE tenant_id = %s"

_COUNTED: tuple[tuple[LiteralString, tuple[str, ...]], ...] = (
    (_MESSAGES, ("messages", "answered_by_bot")),
    (_CONVERSATIONS, ("conversations",)),
    (_CLOSED, ("closed",)),
    (_HANDED_OVER, ("handed_over",)),
    (_WAITS, ("handoff_wait",)),
    (_FIRST_RESPONSES, ("first_response",)),
    (_GAPS, ("no_answer", "gaps")),
    (_USAGE, ("tokens", "cost_micros")),
)
_RATED = ((_RATINGS, ("csat_count", "csat_points")),)


async def count_days(session: TenantReader, first: date, last: date, zone: str) -> dict[Cell, Figures]:
    """Count all but ratings on each of these days."""
    return await _count(session, _COUNTED, first, last, zone)


async def count_ratings(session: TenantReader, first: date, last: date, zone: str) -> dict[Cell, Figures]:
    """Count ratings on each of these days; visitors may change theirs, so these are always counted anew."""
    return await _count(session, _RATED, first, last, zone)


async def _count(
    session: TenantReader,
    counted: tuple[tuple[LiteralString, tuple[str, ...]], ...],
    first: date,
    last: date,
    zone: str,
) -> dict[Cell, Figures]:
    days, moments = list(days_between(first, last)), bounds(first, last, zone)
    values = {
        "tenant_id": session.tenant_id,
        "bounds": moments,
        "since": moments[0],
        "until": moments[-1],
        "lowest": least_id_at(moments[0] - _SKEW),
        "highest": least_id_at(moments[-1] + _SKEW),
    }
    channels = {row[0]: (row[1], row[2]) for row in await fetch(session, _CHANNELS, (session.tenant_id,))}
    found: dict[Cell, Figures] = defaultdict(Figures)
    for statement, names in counted:
        for day, channel_id, brand_id, *numbers in await fetch(session, statement, values):
            figures = found[_cell(days[day - 1], channels.get(channel_id), brand_id)]
            for name, number in zip(names, numbers, strict=True):
                setattr(figures, name, getattr(figures, name) + _countable(number))
    return dict(found)


def _cell(day: date, channel: tuple[UUID, str] | None, brand_id: UUID | None) -> Cell:
    return Cell(day, *channel) if channel else Cell(day, brand_id, None)


def _countable(value: Any) -> Any:
    return histogram(value) if isinstance(value, list) else value
