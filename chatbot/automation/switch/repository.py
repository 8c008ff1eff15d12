"""How a tenant's automation stands, in the database."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from chatbot.automation.firing.repository import READER
from chatbot.db.models import AutomationRule
from chatbot.db.sessions import PlatformSession, TenantReader, TenantSession, fetch

_REST = """
INSERT INTO automation_switches AS s (tenant_id, paused_at, paused_by) VALUES (%(tenant_id)s, now(), %(by)s)
ON CONFLICT (tenant_id) DO UPDATE SET paused_at = excluded.paused_at, paused_by = excluded.paused_by
WHERE s.paused_at IS NULL RETURNING 1
"""

_WAKE = "UPDATE automation_switches SET paused_at = NULL, paused_by = NULL WHERE tenant_id = %(tenant_id)s RETURNING 1"

_BEHIND = """
SELECT count(*) FROM (
    SELECT 1 FROM log_cursors c
    JOIN events e ON e.tenant_id = c.tenant_id AND (e.txid, e.id) > (c.txid, c.event_id)
    WHERE c.tenant_id = %(tenant_id)s AND c.reader = %(reader)s LIMIT 10000
) waiting
"""

_LOADS = """
WITH jobs AS (
    SELECT tenant_id, count(*) FILTER (WHERE status IN ('pending', 'running')) AS waiting,
           count(*) FILTER (WHERE status IN ('pending', 'running')
                              AND due_at < now() - make_interval(secs => %(stuck)s)) AS stuck,
           count(*) FILTER (WHERE status = 'failed') AS failed
    FROM automation_jobs GROUP BY tenant_id
), rules AS (
    SELECT tenant_id, count(*) FILTER (WHERE state = 'active' AND kind = 'rule') AS active,
           min(next_fire_at) AS next_fire_at
    FROM automation_rules WHERE deleted_at IS NULL GROUP BY tenant_id
)
SELECT t.id, t.name, s.paused_at, s.paused_by, coalesce(r.active, 0), coalesce(j.waiting, 0), coalesce(j.stuck, 0),
       coalesce(j.failed, 0), r.next_fire_at
FROM tenants t LEFT JOIN jobs j ON j.tenant_id = t.id LEFT JOIN rules r ON r.tenant_id = t.id
LEFT JOIN automation_switches s ON s.tenant_id = t.id
WHERE t.deleted_at IS NULL AND (j.tenant_id IS NOT NULL OR r.tenant_id IS NOT NULL)
  AND (CAST(%(only)s AS uuid[]) IS NULL OR t.id = ANY(%(only)s))
ORDER BY 7 DESC, 6 DESC, 8 DESC, t.name LIMIT 200
"""

_REACHED = "t.deleted_at IS NULL AND (CAST(%(only)s AS uuid[]) IS NULL OR t.id = ANY(%(only)s))"
_OPEN = "j.status IN ('pending', 'running')"
_STUCK = f"{_OPEN} AND j.due_at < now() - make_interval(secs => %(stuck)s)"
_NAME = "CASE r.kind WHEN 'webhook' THEN r.actions->0->>'url' ELSE r.name END"
_OF_RULES = """
FROM automation_jobs j JOIN automation_rules r ON r.tenant_id = j.tenant_id AND r.id = j.rule_id
JOIN tenants t ON t.id = j.tenant_id
"""

_TOTALS = f"""
SELECT count(*) FILTER (WHERE {_OPEN}), count(*) FILTER (WHERE {_STUCK}), count(*) FILTER (WHERE j.status = 'failed')
FROM automation_jobs j JOIN tenants t ON t.id = j.tenant_id
WHERE j.status IN ('pending', 'running', 'failed') AND {_REACHED}
"""  # noqa: S608 - the conditions above

_SCHEDULES = f"""
SELECT t.id, t.name, r.id, r.name, r.trigger->>'cron', r.trigger->>'timezone', r.state, r.next_fire_at, r.last_fired_at
FROM automation_rules r JOIN tenants t ON t.id = r.tenant_id
WHERE r.deleted_at IS NULL AND r.trigger->>'type' = 'cron' AND {_REACHED}
ORDER BY r.next_fire_at NULLS LAST, r.id LIMIT 50
"""  # noqa: S608 - the conditions above

_RULE_LOADS = f"""
SELECT t.id, t.name, r.id, {_NAME}, r.kind, r.state, count(*) FILTER (WHERE {_OPEN}), count(*) FILTER (WHERE {_STUCK}),
       count(*) FILTER (WHERE j.status = 'failed')
{_OF_RULES} WHERE j.status IN ('pending', 'running', 'failed') AND {_REACHED}
GROUP BY t.id, r.tenant_id, r.id ORDER BY 8 DESC, 7 DESC, 9 DESC, r.id LIMIT 20
"""

_TROUBLED = f"""
SELECT j.id, t.id, t.name, r.id, {_NAME}, r.kind, j.status, j.attempts, j.reason, j.due_at, j.finished_at
{_OF_RULES} WHERE (({_STUCK}) OR j.status = 'failed') AND {_REACHED}
ORDER BY j.status = 'failed', j.finished_at DESC, j.due_at LIMIT 20
"""

BY_OPERATIONS = "operations: "
"""Who began a rest of all tenants, as it stands on record."""

_REST_EVERYWHERE = """
INSERT INTO automation_switches AS s (tenant_id, paused_at, paused_by)
SELECT id, now(), %(by)s FROM tenants WHERE deleted_at IS NULL
ON CONFLICT (tenant_id) DO UPDATE SET paused_at = excluded.paused_at, paused_by = excluded.paused_by
WHERE s.paused_at IS NULL RETURNING 1
"""

_WAKE_EVERYWHERE = """
UPDATE automation_switches SET paused_at = NULL, paused_by = NULL WHERE starts_with(paused_by, %(by)s) RETURNING 1
"""


async def rest(session: TenantSession, by: str) -> None:
    """Let all rules rest; who began the rest stays on record."""
    await fetch(session, _REST, {"tenant_id": session.tenant_id, "by": by[:200]})


async def wake(session: TenantSession) -> None:
    """Wake all rules."""
    await fetch(session, _WAKE, {"tenant_id": session.tenant_id})


async def behind(session: TenantReader) -> int:
    """Return how many events were not yet held against the rules, 10,000 at most."""
    rows = await fetch(session, _BEHIND, {"tenant_id": session.tenant_id, "reader": READER})
    return int(rows[0][0])


async def rules_by_state(session: TenantReader) -> dict[str, int]:
    """Return how many rules there are, by state."""
    query = (
        select(AutomationRule.state, func.count())
        .where(
            AutomationRule.tenant_id == session.tenant_id,
            AutomationRule.deleted_at.is_(None),
            AutomationRule.kind == "rule",
        )
        .group_by(AutomationRule.state)
    )
    return {row[0]: row[1] for row in await session.execute(query)}


async def schedules(session: TenantReader) -> list[AutomationRule]:
    """Return the rules on a schedule, the next to fire first."""
    query = select(AutomationRule).where(
        AutomationRule.tenant_id == session.tenant_id,
        AutomationRule.deleted_at.is_(None),
        AutomationRule.trigger["type"].astext == "cron",
    )
    return list(await session.scalars(query.order_by(AutomationRule.next_fire_at.nulls_last()).limit(200)))


async def loads(session: PlatformSession, only: Collection[UUID] | None, stuck_seconds: float) -> list[tuple[Any, ...]]:
    """Return what each tenant with rules or jobs has to do, the busiest first.

    Args:
        only: tenants; None: all.
    """
    return await fetch(session, _LOADS, {**_reaching(only), "stuck": stuck_seconds})


async def totals(session: PlatformSession, only: Collection[UUID] | None, stuck_seconds: float) -> tuple[int, int, int]:
    """Return how many jobs wait, are stuck and failed, of all tenants or of some."""
    waiting, stuck, failed = (await fetch(session, _TOTALS, {**_reaching(only), "stuck": stuck_seconds}))[0]
    return waiting, stuck, failed


async def rest_everywhere(session: PlatformSession, by: str) -> int:
    """Let the rules of every tenant rest that do not; return of how many."""
    return len(await fetch(session, _REST_EVERYWHERE, {"by": f"{BY_OPERATIONS}{by}"[:200]}))


async def wake_everywhere(session: PlatformSession) -> int:
    """Wake what `rest_everywhere` laid to rest; whoever rests by a tenant's own will goes on resting."""
    return len(await fetch(session, _WAKE_EVERYWHERE, {"by": BY_OPERATIONS}))


async def schedules_of(session: PlatformSession, only: Collection[UUID] | None) -> list[tuple[Any, ...]]:
    """Return rules on a schedule, the next to fire first."""
    return await fetch(session, _SCHEDULES, _reaching(only))


async def rule_loads(
    session: PlatformSession, only: Collection[UUID] | None, stuck_seconds: float
) -> list[tuple[Any, ...]]:
    """Return rules and webhooks with jobs that wait or failed, the busiest first."""
    return await fetch(session, _RULE_LOADS, {**_reaching(only), "stuck": stuck_seconds})


async def troubled(
    session: PlatformSession, only: Collection[UUID] | None, stuck_seconds: float
) -> list[tuple[Any, ...]]:
    """Return jobs that are stuck, then those that failed last."""
    return await fetch(session, _TROUBLED, {**_reaching(only), "stuck": stuck_seconds})


def _reaching(only: Collection[UUID] | None) -> dict[str, Any]:
    return {"only": None if only is None else list(only)}
