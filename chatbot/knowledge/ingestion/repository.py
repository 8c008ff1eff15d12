"""Queries of ingestion across jobs and tenants: figures for metrics, jobs without a task, passages without a vector."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import all_, func, literal, select, text

from chatbot.core.clock import utcnow
from chatbot.db.models import BrandStatistics, IngestionJob, KnowledgeSource, Passage
from chatbot.db.sessions import PlatformSession, TenantReader
from chatbot.knowledge.index.statistics import BrandSize
from chatbot.knowledge.repository import OPEN_JOB

_LOST = text("""
SELECT j.tenant_id, j.id FROM ingestion_jobs j
WHERE j.status IN ('pending', 'running') AND j.created_at < :before AND NOT EXISTS (
  SELECT 1 FROM procrastinate_jobs q WHERE q.task_name = :task AND q.status IN ('todo', 'doing')
  AND q.args ->> 'job_id' = j.id::text AND (q.args ->> 'run')::bigint = j.run)
LIMIT 100
""")

_TO_EMBED = text("""
SELECT DISTINCT b.tenant_id FROM brand_statistics b
WHERE coalesce((b.embedded ->> :embedder)::bigint, 0) < (
  SELECT coalesce(sum(l.value::bigint), 0) FROM jsonb_each_text(b.languages) l
  WHERE CAST(:languages AS text[]) IS NULL OR l.key = ANY (CAST(:languages AS text[])))
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
    """Return the tenants with a brand whose passages in the embedder's languages do not all have its vector."""
    known = None if languages is None else sorted(languages)
    rows = await session.execute(_TO_EMBED, {"embedder": embedder, "languages": known})
    return [row[0] for row in rows]


async def tenants_at_work(session: PlatformSession, task: str, embedder: str) -> set[UUID]:
    """Return the tenants for which a task for this embedder waits or runs already."""
    return {UUID(row[0]) for row in await session.execute(_AT_WORK, {"task": task, "embedder": embedder})}


async def passages_to_embed(
    session: TenantReader, embedder: str, languages: frozenset[str] | None, *, after: UUID, limit: int
) -> list[tuple[Passage, str]]:
    """Return the next passages of the tenant that have no vector of this embedder, each with its source's title."""
    of_source = (KnowledgeSource.tenant_id == Passage.tenant_id) & (KnowledgeSource.id == Passage.source_id)
    query = select(Passage, KnowledgeSource.title).join(KnowledgeSource, of_source)
    query = query.where(Passage.id > after, literal(embedder) != all_(Passage.embedders))
    if languages is not None:
        query = query.where(Passage.language.in_(sorted(languages)))
    return [(passage, title) for passage, title in await session.execute(query.order_by(Passage.id).limit(limit))]


async def brand_sizes(session: TenantReader) -> list[tuple[UUID, BrandSize]]:
    """Return the size of each of the tenant's brands."""
    stored = BrandStatistics
    query = select(stored.brand_id, stored.passages, stored.languages, stored.embedded).order_by(stored.brand_id)
    rows = await session.execute(query)
    return [(row[0], BrandSize(passages=row[1], languages=row[2], embedded=row[3])) for row in rows]
