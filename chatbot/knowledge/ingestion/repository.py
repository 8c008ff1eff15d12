"""Queries of ingestion across jobs and tenants: figures for metrics, jobs without a task, passages without a vector."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, func, select, text
from sqlalchemy.orm import aliased

from chatbot.core.clock import utcnow
from chatbot.db.models import IngestionJob, KnowledgeSource, Passage, PassageVector
from chatbot.db.sessions import PlatformSession, TenantReader, TenantSession
from chatbot.knowledge.repository import OPEN_JOB

_LOST = text("""
SELECT j.tenant_id, j.id FROM ingestion_jobs j
WHERE j.status IN ('pending', 'running') AND j.created_at < :before AND NOT EXISTS (
  SELECT 1 FROM procrastinate_jobs q WHERE q.task_name = :task AND q.status IN ('todo', 'doing')
  AND q.args ->> 'job_id' = j.id::text AND (q.args ->> 'run')::bigint = j.run)
LIMIT 100
""")

_AT_WORK = text("""
SELECT q.args ->> 'tenant_id' FROM procrastinate_jobs q
WHERE q.task_name = :task AND q.status IN ('todo', 'doing') AND q.args ->> 'embedder' = :embedder
""")


class OpenJobs(NamedTuple):
    """The unfinished jobs of a tenant."""

    tenant_id: UUID
    unfinished: int
    running: int
    oldest: datetime


async def open_jobs(session: PlatformSession) -> list[OpenJobs]:
    """Count what waits and runs, tenant by tenant."""
    rows = await session.execute(
        select(
            IngestionJob.tenant_id,
            func.count(),
            func.count().filter(IngestionJob.status == "running"),
            func.min(IngestionJob.created_at),
        )
        .where(IngestionJob.status.in_(OPEN_JOB))
        .group_by(IngestionJob.tenant_id)
    )
    return [OpenJobs(*row) for row in rows]


async def jobs_without_task(session: PlatformSession, task: str, *, older_than: timedelta) -> list[tuple[UUID, UUID]]:
    """Return (tenant, job) of unfinished jobs for which nothing waits or runs in the queue."""
    rows = await session.execute(_LOST, {"task": task, "before": utcnow() - older_than})
    return [(row[0], row[1]) for row in rows]


async def tenants_to_embed(session: PlatformSession, embedder: str, languages: frozenset[str] | None) -> list[UUID]:
    """Return the tenants with live passages that have no vector of an embedder that knows their language."""
    query = select(KnowledgeSource.tenant_id).where(_lacks_vector(embedder, languages)).distinct()
    query = query.join_from(
        KnowledgeSource,
        Passage,
        (Passage.tenant_id == KnowledgeSource.tenant_id) & (Passage.source_id == KnowledgeSource.id),
    ).where(KnowledgeSource.live_version == Passage.version)
    return list(await session.scalars(query))


async def tenants_at_work(session: PlatformSession, task: str, embedder: str) -> set[UUID]:
    """Return the tenants for which a task for this embedder waits or runs already."""
    return {UUID(row[0]) for row in await session.execute(_AT_WORK, {"task": task, "embedder": embedder})}


async def passages_to_embed(
    session: TenantReader, embedder: str, languages: frozenset[str] | None, *, limit: int
) -> list[tuple[Passage, str]]:
    """Return some passages of the tenant that have no vector of this embedder, each with its source's title."""
    of_source = (KnowledgeSource.tenant_id == Passage.tenant_id) & (KnowledgeSource.id == Passage.source_id)
    query = select(Passage, KnowledgeSource.title).join(KnowledgeSource, of_source)
    lacking = query.where(_lacks_vector(embedder, languages)).order_by(Passage.id).limit(limit)
    return [(passage, title) for passage, title in await session.execute(lacking)]


async def still_there(session: TenantSession, passage_ids: Sequence[UUID]) -> set[UUID]:
    """Hold those of the passages that were not removed meanwhile."""
    rows = await session.scalars(select(Passage.id).where(Passage.id.in_(passage_ids)).with_for_update(key_share=True))
    return set(rows)


async def drop_replaced_vectors(session: TenantSession, embedder: str, in_use: Sequence[str]) -> int:
    """Remove the vectors of embedders that are no longer in use, where this one has its own.

    Returns:
        How many were removed.
    """
    newer = aliased(PassageVector)
    replaced = exists().where(
        newer.tenant_id == PassageVector.tenant_id,
        newer.passage_id == PassageVector.passage_id,
        newer.embedder == embedder,
    )
    gone = await session.execute(
        delete(PassageVector).where(PassageVector.embedder.not_in(in_use), replaced).returning(PassageVector.passage_id)
    )
    return len(gone.all())


def _lacks_vector(embedder: str, languages: frozenset[str] | None) -> ColumnElement[bool]:
    own = exists().where(
        PassageVector.tenant_id == Passage.tenant_id,
        PassageVector.passage_id == Passage.id,
        PassageVector.embedder == embedder,
    )
    lacking = ~own
    return lacking if languages is None else lacking & Passage.language.in_(sorted(languages))
