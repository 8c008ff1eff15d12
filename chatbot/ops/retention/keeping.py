"""Retention once a day for every tenant, by one process of all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from chatbot.core.background import end, forever
from chatbot.core.clock import utcnow
from chatbot.core.logging import get_logger
from chatbot.db.apart import apart
from chatbot.db.leader import Leader
from chatbot.db.roles import PLATFORM_ROLE, conninfo, role_url
from chatbot.knowledge.index.vectors import VectorStore
from chatbot.ops.analytics.keeping import Keeper
from chatbot.ops.decommission.service import purge_tenants
from chatbot.ops.retention import repository
from chatbot.ops.retention.service import Retention

log = get_logger(__name__)

EVERY_SECONDS = 600.0
STARTED_BY = "platform"
_DAY = timedelta(days=1)
_LOCK = 0x58494E52


@dataclass(frozen=True, slots=True)
class DailyRetention:
    """Runs retention for tenants that had none for a day; figures of past days are kept before their rows go."""

    retention: Retention
    keeper: Keeper
    store: VectorStore
    leader: Leader = field(init=False)

    def __post_init__(self) -> None:
        address = conninfo(role_url(self.retention.database.url, PLATFORM_ROLE))
        object.__setattr__(self, "leader", Leader(address, _LOCK))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Look every ten minutes while the block runs."""
        what = "retention"
        work = forever(self._look, EVERY_SECONDS, passing=(SQLAlchemyError, OSError), what=what)
        task = asyncio.create_task(work, name=what)
        try:
            yield
        finally:
            await end(task)
            await self.leader.resign()

    async def catch_up(self, now: datetime | None = None) -> int:
        """Run for every tenant that is due; return how many were."""
        moment = now or utcnow()
        async with self.retention.database.platform() as session:
            due = await repository.due(session, moment - _DAY)
        if due:
            await self.keeper.catch_up(moment)
        for tenant_id in due:
            await apart(tenant_id, "retention", partial(self.retention.run, tenant_id, STARTED_BY, moment))
        await self.retention.platform_files(moment)
        await self._purge(moment - timedelta(days=self.retention.settings.restore_window_days))
        return len(due)

    async def _purge(self, before: datetime) -> None:
        """Remove for good what was deleted before a moment and cannot be restored any more."""
        await purge_tenants(self.retention.database, self.retention.places, self.store, before)
        async with self.retention.database.platform() as session:
            await repository.purge_deleted(session, before)

    async def _look(self) -> None:
        if await self.leader.leads():
            await self.catch_up()
