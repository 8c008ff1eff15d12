"""Removes what has become too old, a batch a transaction, and reports; a dry run counts the same."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chatbot.core.clock import utcnow
from chatbot.core.ids import new_id
from chatbot.core.logging import get_logger
from chatbot.core.settings import Settings
from chatbot.db.sessions import Database, PlatformSession
from chatbot.identity.audit.acting import note
from chatbot.identity.policies.service import current_policy
from chatbot.identity.tenants.service import require_tenant
from chatbot.jobs.stored_files import drop_files as queue_files
from chatbot.ops.erasure.service import Places, delete_files
from chatbot.ops.retention import aged_repository as aged
from chatbot.ops.retention import folders, repository
from chatbot.ops.retention.aged_repository import Batch, Reach
from chatbot.ops.retention.limits import KINDS, Kind, Limits
from chatbot.ops.retention.repository import Run
from chatbot.ops.retention.schemas import RetentionReport, RetentionView, UsualLimits, in_numbers, kinds_of

log = get_logger(__name__)

_AT_ONCE = 1_000
_TALKS_AT_ONCE = 100
"""Conversations of one batch: each takes its messages, traces and files along."""

Counting = Callable[[PlatformSession, Reach], Awaitable[dict[str, int]]]
Dropping = Callable[[PlatformSession, Reach], Awaitable[Batch]]


@dataclass(frozen=True, slots=True)
class _Work:
    """One thing to remove of a kind."""

    count: Counting
    drop: Dropping
    at_once: int = _AT_ONCE


def _by_age(rows: aged.Aged) -> _Work:
    async def count(session: PlatformSession, reach: Reach) -> dict[str, int]:
        return await aged.count_aged(session, rows, reach)

    async def drop(session: PlatformSession, reach: Reach) -> Batch:
        return await aged.drop_aged(session, rows, reach)

    return _Work(count, drop)


_WORKS: Mapping[Kind, tuple[_Work, ...]] = {
    "uploads": (_Work(aged.count_files, aged.drop_files),),
    "tickets": (
        _Work(aged.count_tickets, aged.drop_tickets, _TALKS_AT_ONCE), _by_age(aged.GAPS),
    ),
    "logs": tuple(_by_age(rows) for rows in aged.LOGS),
    "transcripts": (
        _Work(aged.count_talks, aged.drop_talks, _TALKS_AT_ONCE), _by_age(aged.VISITORS),
    ),
}  # fmt: skip

_FOLDERS: Mapping[Kind, int] = {"transcripts": 0, "tickets": 1}
"""Kinds with exported files, and the place of their folder among `Places.exports`."""


@dataclass(frozen=True, slots=True)
class Retention:
    """Removes what tenants' policies do not let be kept."""

    database: Database
    settings: Settings
    places: Places

    async def view(self, tenant_id: UUID) -> RetentionView:
        """Return what holds for a tenant, and its last run; raises `NotFound`."""
        limits = await self._limits(tenant_id)
        runs = await self.runs(tenant_id, before=None, limit=1)
        return RetentionView(
            **in_numbers(limits),
            usual=UsualLimits(**in_numbers(Limits.usual(self.settings))),
            last_run=runs[0] if runs else None,
        )

    async def runs(self, tenant_id: UUID, *, before: UUID | None, limit: int) -> list[RetentionReport]:
        """Return a tenant's runs, newest first."""
        async with self.database.tenant_reader(tenant_id) as session:
            return [RetentionReport.of(row) for row in await repository.page(session, before=before, limit=limit)]

    async def count(self, tenant_id: UUID, started_by: str, now: datetime | None = None) -> RetentionReport:
        """Count what `run` would remove now; raises `NotFound`."""
        started = now or utcnow()
        cutoffs = (await self._limits(tenant_id)).cutoffs(started)
        counted: dict[Kind, Counter[str]] = {kind: Counter() for kind in KINDS}
        for kind in KINDS:
            for work in _WORKS[kind]:
                async with self.database.platform() as session:
                    counted[kind].update(await work.count(session, Reach(tenant_id, cutoffs[kind], 0)))
            counted[kind].update(await self._exports(kind, tenant_id, cutoffs[kind], dry_run=True))
        return _report(None, started_by, cutoffs, counted, started, utcnow())

    async def run(self, tenant_id: UUID, started_by: str, now: datetime | None = None) -> RetentionReport:
        """Remove what is too old now, and report; raises `NotFound`."""
        run = Run(tenant_id, new_id(), started_by, now or utcnow())
        cutoffs = (await self._limits(tenant_id)).cutoffs(run.started_at)
        async with self.database.platform() as session:
            note(target=f"retention_run:{run.id}", chains=[tenant_id])
            await repository.begin(session, run, cutoffs)
        removed: dict[Kind, Counter[str]] = {kind: Counter() for kind in KINDS}
        for kind in KINDS:
            for work in _WORKS[kind]:
                removed[kind].update(await self._drop(work, Reach(tenant_id, cutoffs[kind], work.at_once)))
            removed[kind].update(await self._exports(kind, tenant_id, cutoffs[kind]))
        await self._drop(_by_age(aged.EMPTY_GROUPS), Reach(tenant_id, cutoffs["tickets"], _AT_ONCE))
        finished = utcnow()
        async with self.database.platform() as session:
            await repository.finish(session, run, removed, finished)
        log.info("retention has run", tenant_id=str(tenant_id), run_id=str(run.id))
        return _report(run.id, started_by, cutoffs, removed, run.started_at, finished)

    async def platform_files(self, now: datetime) -> int:
        """Remove exported files of no tenant, and rotated logs; return how many."""
        usual = Limits.usual(self.settings).cutoffs(now)
        dropped = 0
        for kind, place in _FOLDERS.items():
            dropped += await folders.drop_older(self.places.exports[place], usual[kind], pattern="*")
        return dropped + await folders.drop_older(self.places.logs, usual["logs"], pattern="*.log.*")

    async def _limits(self, tenant_id: UUID) -> Limits:
        async with self.database.tenant_reader(tenant_id) as session:
            await require_tenant(session)
            policy = await current_policy(session)
        return Limits.of(policy.retention, self.settings)

    async def _drop(self, work: _Work, reach: Reach) -> Counter[str]:
        removed: Counter[str] = Counter()
        while True:
            async with self.database.platform() as session:
                batch = await work.drop(session, reach)
                if batch.files:
                    await queue_files(self.places.queue, session, batch.files)
            await delete_files(self.places.blobs, batch.files)
            await self.places.hot_sessions.forget(batch.conversations)
            removed.update(batch.removed)
            if batch.empty:
                return removed

    async def _exports(
        self, kind: Kind, tenant_id: UUID, cutoff: datetime, *, dry_run: bool = False
    ) -> Mapping[str, int]:
        if kind not in _FOLDERS:
            return {}
        folder = self.places.exports[_FOLDERS[kind]] / str(tenant_id)
        return {"exported_files": await folders.drop_older(folder, cutoff, dry_run=dry_run)}


def _report(
    run_id: UUID | None,
    started_by: str,
    cutoffs: Mapping[Kind, datetime],
    removed: Mapping[Kind, Mapping[str, int]],
    started: datetime,
    finished: datetime,
) -> RetentionReport:
    return RetentionReport(
        id=run_id,
        dry_run=run_id is None,
        started_by=started_by,
        kinds=kinds_of(dict(cutoffs), {kind: dict(counts) for kind, counts in removed.items()}),
        started_at=started,
        finished_at=finished,
    )
