"""Keeps the figures of past days: counted once, a while after a day's end, by one process at a time for a tenant.

A day is counted from the rows as a whole, so counting it again gives the same; nothing is added to what was there.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from chatbot.core.background import end, forever
from chatbot.core.clock import utcnow
from chatbot.core.logging import get_logger
from chatbot.db.apart import apart
from chatbot.db.sessions import Database, TenantSession
from chatbot.ops.analytics import repository
from chatbot.ops.analytics.counting_repository import count_days
from chatbot.ops.analytics.days import day_of
from chatbot.ops.analytics.repository import KeptTenant, Progress
from chatbot.ops.retention.repository import removed_before

log = get_logger(__name__)

EVERY_SECONDS = 60.0
_SETTLES = timedelta(minutes=15)
"""After a day's end: what began before midnight, such as a streaming reply, has been committed by then."""

_DAY = timedelta(days=1)
_AT_ONCE = 31
"""Days counted in one transaction while old ones are caught up with."""


@dataclass(frozen=True, slots=True)
class Keeper:
    """Keeps the figures of every tenant; any number of processes may do so at once."""

    database: Database

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep figures while the block runs."""
        what = "keeping the figures of past days"
        passing = (SQLAlchemyError, OSError)
        work = forever(self.catch_up, EVERY_SECONDS, passing=passing, what=what)
        task = asyncio.create_task(work, name=what)
        try:
            yield
        finally:
            await end(task)

    async def catch_up(self, now: datetime | None = None) -> int:
        """Count the days that have ended since; return how many tenants had any."""
        moment = (now or utcnow()) - _SETTLES
        async with self.database.platform() as session:
            tenants = await repository.every_tenant(session)
        due = [tenant for tenant in tenants if _is_due(tenant, moment)]
        for tenant in due:
            last = day_of(moment, tenant.timezone) - _DAY
            while await apart(tenant.id, "figures of its past days", partial(self._count_next, tenant, last)):
                pass
        return len(due)

    async def _count_next(self, tenant: KeptTenant, last: date) -> bool:
        """Count the next days of a tenant, up to a last one; return whether there may be more."""
        start = Progress(tenant.timezone, day_of(tenant.created_at, tenant.timezone) - _DAY)
        async with self.database.tenant(tenant.id) as session:
            await repository.begin_progress(session, start)
            held = await repository.take_progress(session)
            if held is None:
                return False
            reached = held if held.timezone == tenant.timezone else await _from_rows(session, start)
            first, upto = reached.through + _DAY, min(last, reached.through + _AT_ONCE * _DAY)
            await repository.forget_after(session, reached.through)
            if first <= upto:
                await repository.keep(session, await count_days(session, first, upto, tenant.timezone))
            await repository.advance(session, Progress(tenant.timezone, max(upto, reached.through)))
        return upto < last


async def _from_rows(session: TenantSession, start: Progress) -> Progress:
    """From where days cut in another zone are counted anew; those whose rows were removed stay as they are."""
    removed = await removed_before(session)
    kept = day_of(removed, start.timezone) if removed else start.through
    return Progress(start.timezone, max(start.through, kept))


def _is_due(tenant: KeptTenant, moment: datetime) -> bool:
    progress = tenant.progress
    if progress is None or progress.timezone != tenant.timezone:
        return True
    return progress.through < day_of(moment, tenant.timezone) - _DAY
