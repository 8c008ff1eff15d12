"""Runs of retention."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select

from chatbot.db.models import RetentionRun
from chatbot.db.sessions import PlatformSession, TenantReader, fetch

_BEGIN = """
INSERT INTO retention_runs (tenant_id, id, started_by, cutoffs, started_at)
VALUES (%(tenant_id)s, %(id)s, %(started_by)s, %(cutoffs)s::jsonb, %(started_at)s)
"""

_FINISH = """
UPDATE retention_runs SET removed = %(removed)s::jsonb, finished_at = %(finished_at)s
WHERE tenant_id = %(tenant_id)s AND id = %(id)s
"""

_DUE = """
SELECT t.id FROM tenants t WHERE t.deleted_at IS NULL AND t.created_at < %(before)s AND NOT EXISTS (
    SELECT FROM retention_runs r
    WHERE r.tenant_id = t.id AND r.started_at >= %(before)s AND r.finished_at IS NOT NULL)
ORDER BY t.id
"""


_PURGE = (
    "DELETE FROM users WHERE deleted_at < %s",
    """DELETE FROM webhook_secrets s USING automation_rules r
       WHERE r.tenant_id = s.tenant_id AND r.id = s.id AND r.deleted_at < %s""",
    "DELETE FROM automation_rules WHERE deleted_at < %s",
    """DELETE FROM channels c WHERE deleted_at < %s AND NOT EXISTS (
           SELECT FROM conversations v WHERE v.tenant_id = c.tenant_id AND v.channel_id = c.id)""",
)

_REMOVED_BEFORE = """
SELECT max(CAST(r.cutoffs->>kind AS timestamptz))
FROM retention_runs r, unnest(ARRAY['transcripts', 'tickets', 'logs']) AS kind WHERE r.tenant_id = %s
"""


@dataclass(frozen=True, slots=True)
class Run:
    """A run: whose, from when on, and by whom it was started."""

    tenant_id: UUID
    id: UUID
    started_by: str
    started_at: datetime


async def begin(session: PlatformSession, run: Run, cutoffs: Mapping[Any, datetime]) -> None:
    """Note that a run has begun."""
    values = {
        "tenant_id": run.tenant_id, "id": run.id, "started_by": run.started_by[:200], "started_at": run.started_at,
        "cutoffs": orjson.dumps(dict(cutoffs)).decode(),
    }  # fmt: skip
    await fetch(session, _BEGIN, values)


async def finish(
    session: PlatformSession, run: Run, removed: Mapping[Any, Mapping[str, int]], finished_at: datetime
) -> None:
    """Note what a run has removed."""
    counts = {kind: dict(told) for kind, told in removed.items()}
    values = {
        "tenant_id": run.tenant_id, "id": run.id, "removed": orjson.dumps(counts).decode(), "finished_at": finished_at,
    }  # fmt: skip
    await fetch(session, _FINISH, values)


async def due(session: PlatformSession, before: datetime) -> list[UUID]:
    """Return the tenants that had no whole run since a moment, and existed then."""
    return [row[0] for row in await fetch(session, _DUE, {"before": before})]


async def removed_before(session: TenantReader) -> datetime | None:
    """Return the moment before which rows that figures are counted from were removed, by any run; None: none were."""
    found: datetime | None = (await fetch(session, _REMOVED_BEFORE, (session.tenant_id,)))[0][0]
    return found


async def purge_deleted(session: PlatformSession, before: datetime) -> None:
    """Remove people, channels and rules that were deleted before a moment; channels, once no conversation is left."""
    for statement in _PURGE:
        await fetch(session, statement, (before,))


async def page(session: TenantReader, *, before: UUID | None, limit: int) -> list[RetentionRun]:
    """Return runs, newest first."""
    owned = RetentionRun.tenant_id == session.tenant_id
    query = select(RetentionRun).where(owned).order_by(RetentionRun.id.desc()).limit(limit)
    if before is not None:
        query = query.where(RetentionRun.id < before)
    return list(await session.scalars(query))
