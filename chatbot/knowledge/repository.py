"""Rows of knowledge sources, their jobs and their passages, as the API sees them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from chatbot.db.models import Brand, IngestionJob, KnowledgeSource, Passage, Tenant
from chatbot.db.sessions import PlatformSession, TenantReader, TenantSession
from chatbot.knowledge.schemas import JobStatus, SourceStatus

OPEN_JOB = ("pending", "running")


@dataclass(frozen=True, slots=True)
class SourceFilter:
    """What a list of sources is narrowed to; None: not narrowed."""

    brand_id: UUID | None = None
    status: SourceStatus | None = None
    tag: str | None = None


async def brand_of(session: TenantReader, brand_id: UUID | None) -> UUID | None:
    """Return the brand's id when the session's tenant has it; with None, the tenant's default brand."""
    if brand_id is None:
        return await session.scalar(select(Tenant.default_brand_id).where(Tenant.deleted_at.is_(None)))
    return await session.scalar(select(Brand.id).where(Brand.id == brand_id))


async def tenant_of_brand(session: PlatformSession, brand_id: UUID) -> UUID | None:
    """Return whose brand it is."""
    return await session.scalar(select(Brand.tenant_id).where(Brand.id == brand_id))


async def tenant_of_source(session: PlatformSession, source_id: UUID) -> UUID | None:
    """Return whose source it is."""
    return await session.scalar(select(KnowledgeSource.tenant_id).where(KnowledgeSource.id == source_id))


async def tenant_of_job(session: PlatformSession, job_id: UUID) -> UUID | None:
    """Return whose ingestion job it is."""
    return await session.scalar(select(IngestionJob.tenant_id).where(IngestionJob.id == job_id))


async def tenant_exists(session: TenantReader) -> bool:
    """Return whether the session's tenant is there and not deleted."""
    return await session.scalar(select(Tenant.id).where(Tenant.deleted_at.is_(None))) is not None


async def find_source(session: TenantReader, source_id: UUID) -> KnowledgeSource | None:
    """Read a source."""
    return await session.scalar(select(KnowledgeSource).where(KnowledgeSource.id == source_id))


async def version_of(session: TenantReader, source_id: UUID) -> int | None:
    """Return the newest version asked for of a source."""
    return await session.scalar(select(KnowledgeSource.version).where(KnowledgeSource.id == source_id))


async def blob_in_use(session: TenantReader, key: str) -> bool:
    """Return whether a source of the tenant refers to a stored file."""
    return await session.scalar(select(KnowledgeSource.id).where(KnowledgeSource.blob_key == key)) is not None


async def lock_source(session: TenantSession, source_id: UUID) -> KnowledgeSource | None:
    """Read a source and hold it: whoever changes a source, its job or its passages takes this lock first."""
    return await session.scalar(select(KnowledgeSource).where(KnowledgeSource.id == source_id).with_for_update())


async def lock_family(session: TenantSession, source_id: UUID) -> Sequence[KnowledgeSource]:
    """Hold a source and the pages that came from it, in one order for everybody."""
    # Held first: one statement for all would not see the pages that are added while it waits for the source.
    await lock_source(session, source_id)
    family = (KnowledgeSource.id == source_id) | (KnowledgeSource.parent_id == source_id)
    rows = await session.scalars(select(KnowledgeSource).where(family).order_by(KnowledgeSource.id).with_for_update())
    return rows.all()


async def lock_by_external_id(session: TenantSession, brand_id: UUID, external_id: str) -> KnowledgeSource | None:
    """Hold the source that has this external id in a brand."""
    same = (KnowledgeSource.brand_id == brand_id, KnowledgeSource.external_id == external_id)
    return await session.scalar(select(KnowledgeSource).where(*same).with_for_update())


async def lock_twin(session: TenantSession, wanted: KnowledgeSource, *, any_title: bool) -> KnowledgeSource | None:
    """Hold the source of a brand that holds the same content, where neither has an external id."""
    same = [
        KnowledgeSource.brand_id == wanted.brand_id,
        KnowledgeSource.content_hash == wanted.content_hash,
        KnowledgeSource.kind == wanted.kind,
        KnowledgeSource.filename.is_not_distinct_from(wanted.filename),
        KnowledgeSource.external_id.is_(None),
        KnowledgeSource.parent_id.is_(None),
    ]
    if not any_title:
        same.append(KnowledgeSource.title == wanted.title)
    return await session.scalar(
        select(KnowledgeSource).where(*same).order_by(KnowledgeSource.id).limit(1).with_for_update()
    )


async def lock_by_url(session: TenantSession, wanted: KnowledgeSource) -> KnowledgeSource | None:
    """Hold the page or sitemap of a brand with the same address, where neither has an external id."""
    same = (
        KnowledgeSource.brand_id == wanted.brand_id,
        KnowledgeSource.kind == wanted.kind,
        KnowledgeSource.url == wanted.url,
        KnowledgeSource.external_id.is_(None),
        KnowledgeSource.parent_id.is_(None),
    )
    return await session.scalar(
        select(KnowledgeSource).where(*same).order_by(KnowledgeSource.id).limit(1).with_for_update()
    )


async def serialise(session: TenantSession, key: str) -> None:
    """Make those who register the same thing at once take turns until the transaction ends."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{session.tenant_id}:{key}", 0))))


async def children_by_url(session: TenantSession, parent_id: UUID) -> dict[str, KnowledgeSource]:
    """Hold the pages of a sitemap, by their address."""
    own = KnowledgeSource.parent_id == parent_id
    rows = await session.scalars(select(KnowledgeSource).where(own).order_by(KnowledgeSource.id).with_for_update())
    return {str(row.url): row for row in rows}


async def page_of_sources(
    session: TenantReader, wanted: SourceFilter, *, before: UUID | None, limit: int
) -> Sequence[KnowledgeSource]:
    """Read `limit + 1` sources, newest first."""
    query: Select[Any] = select(KnowledgeSource)
    if wanted.brand_id:
        query = query.where(KnowledgeSource.brand_id == wanted.brand_id)
    if wanted.status:
        query = query.where(KnowledgeSource.status == wanted.status)
    if wanted.tag:
        query = query.where(KnowledgeSource.tags.contains([wanted.tag]))
    if before:
        query = query.where(KnowledgeSource.id < before)
    return (await session.scalars(query.order_by(KnowledgeSource.id.desc()).limit(limit + 1))).all()


async def page_of_jobs(
    session: TenantReader, *, status: JobStatus | None, source_id: UUID | None, before: UUID | None, limit: int
) -> Sequence[IngestionJob]:
    """Read `limit + 1` jobs, newest first."""
    query: Select[Any] = select(IngestionJob)
    if status:
        query = query.where(IngestionJob.status == status)
    if source_id:
        query = query.where(IngestionJob.source_id == source_id)
    if before:
        query = query.where(IngestionJob.id < before)
    return (await session.scalars(query.order_by(IngestionJob.id.desc()).limit(limit + 1))).all()


async def page_of_passages(
    session: TenantReader, source: KnowledgeSource, *, after: int, limit: int
) -> Sequence[Passage]:
    """Read `limit + 1` passages of the live version, in their order."""
    live = (
        Passage.source_id == source.id,
        Passage.version == (source.live_version if source.live_version is not None else -1),
        Passage.ordinal > after,
    )
    return (await session.scalars(select(Passage).where(*live).order_by(Passage.ordinal).limit(limit + 1))).all()


async def find_job(session: TenantReader, job_id: UUID) -> IngestionJob | None:
    """Read a job."""
    return await session.scalar(select(IngestionJob).where(IngestionJob.id == job_id))


async def lock_job(session: TenantSession, job_id: UUID) -> IngestionJob | None:
    """Read a job and hold it; its source must be held already."""
    return await session.scalar(select(IngestionJob).where(IngestionJob.id == job_id).with_for_update())


async def lock_source_and_job(session: TenantSession, job_id: UUID) -> tuple[KnowledgeSource, IngestionJob] | None:
    """Read a job with its source and hold both, the source first, as they are now."""
    of_source = (IngestionJob.tenant_id == KnowledgeSource.tenant_id) & (IngestionJob.source_id == KnowledgeSource.id)
    held = select(KnowledgeSource, IngestionJob).join(IngestionJob, of_source).where(IngestionJob.id == job_id)
    row = (await session.execute(held.with_for_update(of=(KnowledgeSource, IngestionJob)))).one_or_none()
    return row.tuple() if row else None


async def newest_job(session: TenantReader, source_id: UUID) -> IngestionJob | None:
    """Read the last job of a source."""
    own = IngestionJob.source_id == source_id
    return await session.scalar(select(IngestionJob).where(own).order_by(IngestionJob.id.desc()).limit(1))


class EndedJob(NamedTuple):
    """A job that has ended: what its line in the log says, and the key of a file that it had prepared."""

    tenant_id: UUID
    source_id: UUID
    id: UUID
    status: str
    reason_code: str | None
    started_at: datetime | None
    finished_at: datetime | None
    passages: int | None
    parsed_key: str | None


async def delete_sources(session: TenantSession, source_ids: Collection[UUID]) -> None:
    """Delete held sources, in one statement, and their jobs with them."""
    if source_ids:
        await session.flush()
        await session.execute(delete(KnowledgeSource).where(KnowledgeSource.id.in_(source_ids)))


async def cancel_open_jobs(
    session: TenantSession, source_ids: Collection[UUID], *, reason_code: str, reason: str
) -> list[EndedJob]:
    """Cancel what still waits or runs for held sources, in one statement, and return it."""
    if not source_ids:
        return []
    rows = await session.execute(
        update(IngestionJob)
        .where(IngestionJob.source_id.in_(source_ids), IngestionJob.status.in_(OPEN_JOB))
        .values(status="cancelled", reason_code=reason_code, reason=reason, finished_at=func.now())
        .returning(
            IngestionJob.tenant_id, IngestionJob.source_id, IngestionJob.id, IngestionJob.status,
            IngestionJob.reason_code, IngestionJob.started_at, IngestionJob.finished_at, IngestionJob.total,
            IngestionJob.parsed_key,
        )
    )  # fmt: skip
    return [EndedJob(*row) for row in rows]


async def unfinished_jobs(session: AsyncSession, tenant_id: UUID) -> int:
    """Count the jobs of a tenant that wait or run; the queue's priority falls with it."""
    open_jobs = (IngestionJob.tenant_id == tenant_id, IngestionJob.status.in_(OPEN_JOB))
    return await session.scalar(select(func.count()).select_from(IngestionJob).where(*open_jobs)) or 0
