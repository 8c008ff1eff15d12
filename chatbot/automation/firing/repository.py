"""Firings in the database: jobs that begin, limits that hold them back, tenants with news."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import orjson

from chatbot.db.sessions import PlatformSession, TenantReader, TenantSession, fetch

READER = "automation"

_NEWS = """
SELECT r.tenant_id FROM (
    SELECT DISTINCT tenant_id FROM automation_rules
    WHERE state = 'active' AND deleted_at IS NULL AND trigger->>'type' = 'event'
) r
LEFT JOIN automation_switches s ON s.tenant_id = r.tenant_id
LEFT JOIN log_cursors c ON c.tenant_id = r.tenant_id AND c.reader = %(reader)s
WHERE s.paused_at IS NULL AND EXISTS (
    SELECT 1 FROM events e WHERE e.tenant_id = r.tenant_id
      AND (e.txid, e.id) > (coalesce(c.txid, 0), coalesce(c.event_id, 0))
)
"""

_SILENCE = """
SELECT DISTINCT r.tenant_id FROM automation_rules r LEFT JOIN automation_switches s ON s.tenant_id = r.tenant_id
WHERE r.state = 'active' AND r.deleted_at IS NULL AND r.trigger->>'type' = 'silence' AND s.paused_at IS NULL
"""

_LOCK = """
SELECT txid, event_id FROM log_cursors WHERE tenant_id = %(tenant_id)s AND reader = %(reader)s
FOR UPDATE SKIP LOCKED
"""

_BEGIN = """
INSERT INTO log_cursors (tenant_id, reader, txid, event_id)
VALUES (%(tenant_id)s, %(reader)s, CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint), 0)
ON CONFLICT DO NOTHING
"""

_CORRELATIONS = """
SELECT id, correlation_id FROM events WHERE tenant_id = %(tenant_id)s AND id = ANY(%(ids)s)
"""

_FIRE = """
INSERT INTO automation_jobs
    (tenant_id, id, rule_id, rule_version, firing, event, conversation_id, actions, correlation_id)
SELECT %(tenant_id)s, j.id, j.rule_id, j.rule_version, j.firing, j.event, j.conversation_id, j.actions, j.correlation_id
FROM jsonb_to_recordset(CAST(%(jobs)s AS jsonb)) AS j
    (id uuid, rule_id uuid, rule_version bigint, firing text, event jsonb, conversation_id uuid, actions jsonb,
     correlation_id text)
ON CONFLICT (tenant_id, rule_id, firing) DO NOTHING RETURNING id
"""

_IN_CONVERSATIONS = """
SELECT rule_id, conversation_id, count(*), max(created_at) FROM automation_jobs
WHERE tenant_id = %(tenant_id)s AND rule_id = ANY(%(rules)s) AND conversation_id = ANY(%(conversations)s)
  AND status <> 'cancelled'
GROUP BY rule_id, conversation_id
"""

_CHAINED = """
SELECT DISTINCT rule_id, correlation_id FROM automation_jobs
WHERE tenant_id = %(tenant_id)s AND correlation_id = ANY(%(correlations)s) AND rule_id = ANY(%(rules)s)
"""

# The last word: neither the platform's own notices ("you are next") nor a reply that was withdrawn is one.
# Whatever is said sets `updated_at` in its own statement: what has rested since before the span is not looked at.
_SILENT = """
SELECT c.id, said.id, CASE WHEN said.role = 'visitor' THEN said.seq ELSE coalesce((
           SELECT max(v.seq) FROM messages v
           WHERE v.tenant_id = c.tenant_id AND v.conversation_id = c.id AND v.role = 'visitor'), 0) END, said.created_at
FROM conversations c
JOIN LATERAL (
    SELECT m.id, m.seq, m.role, m.created_at FROM messages m
    WHERE m.tenant_id = c.tenant_id AND m.conversation_id = c.id AND m.role <> 'system'
      AND (m.role <> 'bot' OR m.text <> '' OR m.status = 'streaming')
    ORDER BY m.seq DESC LIMIT 1
) said ON true
WHERE c.tenant_id = %(tenant_id)s AND c.state <> 'closed' AND c.updated_at >= %(since)s
  AND (said.role = 'visitor' OR c.state = 'waiting') = (%(waiting_for)s = 'team')
  AND said.created_at >= %(since)s AND said.created_at <= %(until)s
  AND (CAST(%(brand_id)s AS uuid) IS NULL OR c.brand_id = %(brand_id)s)
ORDER BY said.created_at LIMIT %(limit)s
"""


async def tenants_with_news(session: PlatformSession) -> list[UUID]:
    """Return the tenants in whose logs stands more than automation has read."""
    return [row[0] for row in await fetch(session, _NEWS, {"reader": READER})]


async def tenants_that_wait(session: PlatformSession) -> list[UUID]:
    """Return the tenants that have rules on silence."""
    return [row[0] for row in await fetch(session, _SILENCE)]


async def lock_cursor(session: TenantSession) -> tuple[int, int] | None:
    """Return how far the tenant's log is read, locked to the end of the transaction; None: another process reads it."""
    values = {"tenant_id": session.tenant_id, "reader": READER}
    rows = await fetch(session, _LOCK, values)
    return (rows[0][0], rows[0][1]) if rows else None


async def begin_cursor(session: TenantSession) -> None:
    """Read the tenant's log from now on, if it is not read yet."""
    await fetch(session, _BEGIN, {"tenant_id": session.tenant_id, "reader": READER})


async def correlations(session: TenantReader, event_ids: Collection[int]) -> Mapping[int, str | None]:
    """Return the requests in which events happened."""
    rows = await fetch(session, _CORRELATIONS, {"tenant_id": session.tenant_id, "ids": list(event_ids)})
    return dict(rows)


async def begin_jobs(session: TenantSession, jobs: Sequence[Mapping[str, Any]]) -> list[UUID]:
    """Insert jobs, and return the ids of those that are new: a firing that has a job gets no other."""
    values = {"tenant_id": session.tenant_id, "jobs": orjson.dumps(list(jobs)).decode()}
    return [row[0] for row in await fetch(session, _FIRE, values)]


async def fired_in(
    session: TenantReader, rules: Collection[UUID], conversations: Collection[UUID]
) -> dict[tuple[UUID, UUID], tuple[int, datetime]]:
    """Return how often rules fired in conversations, and when last."""
    values = {"tenant_id": session.tenant_id, "rules": list(rules), "conversations": list(conversations)}
    rows = await fetch(session, _IN_CONVERSATIONS, values) if rules and conversations else []
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


async def fired_by(
    session: TenantReader, rules: Collection[UUID], correlation_ids: Collection[str]
) -> set[tuple[UUID, str]]:
    """Return rules, each with a correlation id under which it fired."""
    values = {"tenant_id": session.tenant_id, "rules": list(rules), "correlations": list(correlation_ids)}
    rows = await fetch(session, _CHAINED, values) if rules and correlation_ids else []
    return {(row[0], row[1]) for row in rows}


async def silent_conversations(
    session: TenantReader,
    *,
    waiting_for: Literal["team", "visitor"],
    since: datetime,
    until: datetime,
    brand_id: UUID | None,
    limit: int,
) -> list[tuple[UUID, UUID, int, datetime]]:
    """Return conversations that fell silent in a span of time, by whose turn it is.

    Returns:
        Conversation, the last word in it, the number of the visitor's last word, by which the silence is known (what a
        rule says meanwhile begins no other one), and the time of the last word; the longest silent first.
    """
    values = {
        "tenant_id": session.tenant_id, "waiting_for": waiting_for, "since": since, "until": until,
        "brand_id": brand_id, "limit": limit,
    }  # fmt: skip
    return [(row[0], row[1], row[2], row[3]) for row in await fetch(session, _SILENT, values)]
