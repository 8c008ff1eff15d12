"""Keeps the figures of past days, and knows up to which day they are kept."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson

from chatbot.core.ids import new_id
from chatbot.db.sessions import PlatformSession, TenantReader, TenantSession, fetch
from chatbot.ops.analytics.figures import Cell, Figures

_COLUMNS = (
    "conversations", "messages", "answered_by_bot", "no_answer", "handed_over", "closed", "gaps", "tokens",
    "cost_micros",
)  # fmt: skip
_HISTOGRAMS = ("first_response", "handoff_wait")

_KEPT = f"""
SELECT day, brand_id, channel_type, {", ".join(_COLUMNS)}, {", ".join(_HISTOGRAMS)} FROM daily_statistics
WHERE tenant_id = %s AND day >= %s AND day <= %s
"""  # noqa: S608 - constants only

_KEEP = f"""
INSERT INTO daily_statistics (tenant_id, id, day, brand_id, channel_type, {", ".join((*_COLUMNS, *_HISTOGRAMS))})
VALUES (%(tenant_id)s, %(id)s, %(day)s, %(brand_id)s, %(channel_type)s,
        {", ".join(f"%({name})s" for name in _COLUMNS)}, {", ".join(f"%({name})s::jsonb" for name in _HISTOGRAMS)})
"""  # noqa: S608 - constants only

_FORGET = "DELETE FROM daily_statistics WHERE tenant_id = %s AND day > %s"

_PROGRESS = "SELECT timezone, through FROM statistics_progress WHERE tenant_id = %s"

_BEGIN = "INSERT INTO statistics_progress (tenant_id, timezone, through) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"

_ADVANCE = "UPDATE statistics_progress SET timezone = %s, through = %s WHERE tenant_id = %s"

_ALL = """
SELECT t.id, t.timezone, t.created_at, p.timezone, p.through
FROM tenants t LEFT JOIN statistics_progress p ON p.tenant_id = t.id
WHERE t.deleted_at IS NULL ORDER BY t.id
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """Up to which day figures are kept, and in which zone the days were cut."""

    timezone: str
    through: date


@dataclass(frozen=True, slots=True)
class KeptTenant:
    """A tenant, and how far its figures are kept; None: not begun."""

    id: UUID
    timezone: str
    created_at: datetime
    progress: Progress | None


async def kept_days(session: TenantReader, first: date, last: date) -> dict[Cell, Figures]:
    """Return the kept figures of these days."""
    rows = await fetch(session, _KEPT, (session.tenant_id, first, last))
    return {Cell(*row[:3]): _figures(row[3:]) for row in rows}


async def keep(session: TenantSession, counted: dict[Cell, Figures]) -> None:
    """Store the figures of days of which none are kept yet."""
    for cell, figures in counted.items():
        numbers = {name: getattr(figures, name) for name in _COLUMNS}
        waits = {name: _json(getattr(figures, name)) for name in _HISTOGRAMS}
        await fetch(
            session, _KEEP, {"tenant_id": session.tenant_id, "id": new_id(), **cell._asdict(), **numbers, **waits}
        )


async def forget_after(session: TenantSession, day: date) -> None:
    """Remove the figures of later days."""
    await fetch(session, _FORGET, (session.tenant_id, day))


async def progress_of(session: TenantReader) -> Progress | None:
    """Return how far the tenant's figures are kept."""
    rows = await fetch(session, _PROGRESS, (session.tenant_id,))
    return Progress(*rows[0]) if rows else None


async def begin_progress(session: TenantSession, progress: Progress) -> None:
    """Note that nothing is kept yet, unless somebody has begun."""
    await fetch(session, _BEGIN, (session.tenant_id, progress.timezone, progress.through))


async def take_progress(session: TenantSession) -> Progress | None:
    """Hold the tenant's progress; None when another process holds it: only one keeps a tenant's figures at a time."""
    rows = await fetch(session, f"{_PROGRESS} FOR UPDATE SKIP LOCKED", (session.tenant_id,))
    return Progress(*rows[0]) if rows else None


async def advance(session: TenantSession, progress: Progress) -> None:
    """Note how far figures are kept now."""
    await fetch(session, _ADVANCE, (progress.timezone, progress.through, session.tenant_id))


async def every_tenant(session: PlatformSession) -> list[KeptTenant]:
    """Return all living tenants with their progress."""
    return [
        KeptTenant(row[0], row[1], row[2], Progress(row[3], row[4]) if row[4] else None)
        for row in await fetch(session, _ALL)
    ]


def _figures(row: tuple[Any, ...]) -> Figures:
    figures = Figures(**dict(zip(_COLUMNS, row, strict=False)))
    figures.first_response, figures.handoff_wait = (
        Counter({int(bucket): count for bucket, count in stored.items()}) for stored in row[len(_COLUMNS) :]
    )
    return figures


def _json(waits: Counter[int]) -> str:
    return orjson.dumps({str(bucket): count for bucket, count in waits.items()}).decode()
