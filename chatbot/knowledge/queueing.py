"""What a change of a source puts into the queue, always in the transaction that makes the change."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

import procrastinate

from chatbot.core import correlation
from chatbot.core.clock import utcnow
from chatbot.core.ids import new_id
from chatbot.core.logging import get_logger
from chatbot.db.models import IngestionJob, KnowledgeSource
from chatbot.db.sessions import TenantSession
from chatbot.jobs.app import enqueue, enqueue_many
from chatbot.jobs.stored_files import UPKEEP_QUEUE, drop_files
from chatbot.knowledge.index import passages
from chatbot.knowledge.index.chosen import Chosen
from chatbot.knowledge.index.vectors import VectorStore
from chatbot.knowledge.repository import OPEN_JOB, EndedJob, cancel_open_jobs, delete_sources, unfinished_jobs

log = get_logger(__name__)

NAMESPACE = "knowledge"
INGEST_TASK = f"{NAMESPACE}:ingest"
DROP_VECTORS_TASK = f"{NAMESPACE}:drop_vectors"
REEMBED_TASK = f"{NAMESPACE}:reembed"
GROUP_GAPS_TASK = f"{NAMESPACE}:group_gaps"
_LOWEST_PRIORITY = -30_000
_VECTORS_AT_ONCE = 1_000


async def next_run(
    app: procrastinate.App,
    session: TenantSession,
    job: IngestionJob,
    *,
    queue: str,
    in_seconds: int | None = None,
) -> None:
    """Queue the next slice of work on a job; every task queued for it before is void from now on.

    The more jobs of a tenant are unfinished, the later its next one comes: a tenant with 1,000 files does not stand
    in front of one with a single file.
    """
    job.run += 1
    await session.flush()
    waiting = await unfinished_jobs(session, job.tenant_id)
    await enqueue(
        app,
        session,
        INGEST_TASK,
        queue=queue,
        arguments=_task_of(job),
        priority=_priority(waiting),
        in_seconds=in_seconds,
    )


async def new_job(
    app: procrastinate.App, session: TenantSession, source: KnowledgeSource, *, queue: str
) -> IngestionJob:
    """Add the job that reads a source's present version, and queue it."""
    return (await new_jobs(app, session, [source], queue=queue))[0]


async def new_jobs(
    app: procrastinate.App, session: TenantSession, sources: Sequence[KnowledgeSource], *, queue: str
) -> list[IngestionJob]:
    """Add the jobs that read sources of one tenant, in their order, and queue them together."""
    if not sources:
        return []
    jobs = [_job_of(source) for source in sources]
    await session.flush()
    waiting = await unfinished_jobs(session, sources[0].tenant_id)
    session.add_all(jobs)
    await session.flush()
    tasks = [(_priority(before), _task_of(job)) for before, job in enumerate(jobs, waiting + 1)]
    await enqueue_many(app, session, INGEST_TASK, queue=queue, tasks=tasks)
    return jobs


def _job_of(source: KnowledgeSource) -> IngestionJob:
    source.status, source.reason, source.reason_code = "pending", None, None
    return IngestionJob(
        tenant_id=source.tenant_id, id=new_id(), source_id=source.id, version=source.version, status="pending",
        run=1, done=0, attempts=0, correlation_id=correlation.current(), created_at=utcnow(),
    )  # fmt: skip


def _task_of(job: IngestionJob) -> dict[str, Any]:
    return {"tenant_id": str(job.tenant_id), "job_id": str(job.id), "run": job.run}


def _priority(waiting: int) -> int:
    return max(-waiting, _LOWEST_PRIORITY)


async def begin_version(
    app: procrastinate.App, session: TenantSession, store: VectorStore, source: KnowledgeSource
) -> None:
    """Begin a new version of a held source; the live one goes on answering until the new one is whole."""
    await replace_sources(app, session, store, source.brand_id, again=[source])


async def remove_sources(
    app: procrastinate.App, session: TenantSession, store: VectorStore, sources: Sequence[KnowledgeSource]
) -> None:
    """Remove held sources of one brand with their passages, jobs and files: many in as many statements as one."""
    if sources:
        await replace_sources(app, session, store, sources[0].brand_id, vanished=sources)


async def replace_sources(
    app: procrastinate.App,
    session: TenantSession,
    store: VectorStore,
    brand_id: UUID,
    *,
    again: Sequence[KnowledgeSource] = (),
    vanished: Sequence[KnowledgeSource] = (),
    leaving: Sequence[Chosen] = (),
) -> None:
    """Begin a new version of some held sources of a brand, and remove others with all that is theirs.

    Args:
        leaving: further passages of the brand that are removed.
    """
    removed = [source.id for source in vanished]
    files = [source.blob_key for source in vanished]
    ended = await cancel_open_jobs(session, removed, reason_code="removed", reason="Removed.")
    newer = "A newer version has taken its place."
    ended += await cancel_open_jobs(session, [one.id for one in again], reason_code="superseded", reason=newer)
    tell_ended(*ended)
    files += [job.parsed_key for job in ended]
    begun = [Chosen(source.id, version=source.version) for source in again if source.version != source.live_version]
    gone = [Chosen(source_id) for source_id in removed]
    await remove_passages(app, session, store, brand_id, [*leaving, *begun, *gone])
    for source in again:
        source.version += 1
    await delete_sources(session, removed)
    if keys := [key for key in files if key]:
        await drop_files(app, session, keys)


async def remove_passages(
    app: procrastinate.App, session: TenantSession, store: VectorStore, brand_id: UUID, chosen: Sequence[Chosen]
) -> int:
    """Remove passages of held sources, as `index.passages` does, and queue the removal of vectors elsewhere.

    Returns:
        The number of passages removed.
    """
    if not chosen:
        return 0
    gone = await passages.remove_passages(session, brand_id, chosen)
    await drop_vectors(app, session, store, brand_id, [one.source_id for one in chosen], gone)
    return len(gone)


async def drop_vectors(
    app: procrastinate.App,
    session: TenantSession,
    store: VectorStore,
    brand_id: UUID,
    source_ids: Sequence[UUID],
    passage_ids: Sequence[UUID],
) -> None:
    """Queue the removal of passages' vectors from a store outside PostgreSQL: only what was committed is removed there,
    and that until the store answers."""
    if store.inside:
        return
    ids = [str(passage_id) for passage_id in passage_ids]
    of_sources = {
        "tenant_id": str(session.tenant_id),
        "brand_id": str(brand_id),
        "source_ids": [str(source_id) for source_id in source_ids],
    }
    parts = [ids[start : start + _VECTORS_AT_ONCE] for start in range(0, len(ids), _VECTORS_AT_ONCE)]
    tasks = [(0, {**of_sources, "passage_ids": part}) for part in parts]
    await enqueue_many(app, session, DROP_VECTORS_TASK, queue=UPKEEP_QUEUE, tasks=tasks)


async def embed_again(app: procrastinate.App, session: TenantSession, embedder: str, passage_id: UUID) -> None:
    """Queue the making of vectors that a tenant's passages lack, from one of them on."""
    before = UUID(int=passage_id.int - 1)
    await enqueue(
        app,
        session,
        REEMBED_TASK,
        queue=UPKEEP_QUEUE,
        arguments={"tenant_id": str(session.tenant_id), "embedder": embedder, "after": str(before)},
    )


def ended_of(job: IngestionJob) -> EndedJob | None:
    """Return what is to be told of a job, read before its session closes; None: it has not ended."""
    if job.status in OPEN_JOB:
        return None
    return EndedJob(
        job.tenant_id, job.source_id, job.id, job.status, job.reason_code, job.started_at, job.finished_at, job.total,
        job.parsed_key,
    )  # fmt: skip


def tell_ended(*jobs: EndedJob | None) -> None:
    """Write a line into the log for each job that has ended: whose it was, how it ended, how long it took."""
    for job in filter(None, jobs):
        took = job.finished_at - job.started_at if job.finished_at and job.started_at else timedelta()
        log.info(
            "ingestion job ended",
            tenant_id=str(job.tenant_id), source_id=str(job.source_id), job=str(job.id),
            outcome="ready" if job.status == "completed" else job.status, code=job.reason_code,
            milliseconds=round(took / timedelta(milliseconds=1)), passages=job.passages,
        )  # fmt: skip


async def abandon(
    app: procrastinate.App,
    session: TenantSession,
    store: VectorStore,
    source: KnowledgeSource,
    job: IngestionJob,
    *,
    status: Literal["failed", "cancelled"],
    reason_code: str,
    reason: str,
) -> None:
    """End a held job without success: what it wrote is removed, what answered before goes on answering."""
    job.status, job.reason_code, job.reason, job.finished_at = status, reason_code, reason, utcnow()
    if job.parsed_key:
        await drop_files(app, session, [job.parsed_key])
    job.parsed_key, job.done, job.total, job.stage = None, 0, None, None
    if job.version == source.version:
        if source.live_version != source.version:
            unfinished = Chosen(source.id, version=source.version)
            await remove_passages(app, session, store, source.brand_id, [unfinished])
        restored = status == "cancelled" and source.live_version is not None
        source.status = "ready" if restored else "failed"
        source.reason_code, source.reason = (None, None) if restored else (reason_code, reason)
    await session.flush()
