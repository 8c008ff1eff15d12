"""The knowledge of tenants: take a source in, show it, change it, remove it."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from uuid import UUID

import procrastinate

from chatbot.core import correlation
from chatbot.core.blobs import BlobStore
from chatbot.core.clock import utcnow
from chatbot.core.errors import NotFound
from chatbot.core.ids import new_id
from chatbot.core.paging import cut_page
from chatbot.core.settings import Settings
from chatbot.db.models import IngestionJob, KnowledgeSource, Passage
from chatbot.db.sessions import Database, TenantSession
from chatbot.db.stored_files import unless_committed
from chatbot.identity.audit.acting import note
from chatbot.jobs.stored_files import drop_files
from chatbot.knowledge import queueing, repository
from chatbot.knowledge.content import Content
from chatbot.knowledge.errors import BrandNotFound, JobEnded, JobNotFound, SourceNotFound
from chatbot.knowledge.index.vectors import VectorStore
from chatbot.knowledge.repository import OPEN_JOB, SourceFilter
from chatbot.knowledge.schemas import JobStatus, Kind, SourceChange, SourceLabels


@dataclass(frozen=True, slots=True)
class Taken:
    """A source and the job that reads it."""

    source: KnowledgeSource
    job: IngestionJob


@dataclass(frozen=True, slots=True)
class KnowledgeService:
    """Everything that can be asked of a tenant's knowledge; the caller has been authorised for the tenant."""

    database: Database
    blobs: BlobStore
    queue: procrastinate.App
    store: VectorStore
    settings: Settings

    async def brand(self, tenant_id: UUID, brand_id: UUID | None) -> UUID:
        """Return a brand of the tenant; with None, its default brand.

        Raises:
            BrandNotFound: the tenant has no such brand, or there is no such tenant.
        """
        async with self.database.tenant_reader(tenant_id) as session:
            found = await repository.brand_of(session, brand_id)
        if found is None:
            raise BrandNotFound
        return found

    async def tenant_of_brand(self, brand_id: UUID) -> UUID | None:
        """Return whose brand it is, for callers that may reach several tenants; None: nobody's."""
        async with self.database.platform() as session:
            return await repository.tenant_of_brand(session, brand_id)

    async def tenant_of_source(self, source_id: UUID) -> UUID | None:
        """Return whose source it is; None: nobody's."""
        async with self.database.platform() as session:
            return await repository.tenant_of_source(session, source_id)

    async def tenant_of_job(self, job_id: UUID) -> UUID | None:
        """Return whose ingestion job it is; None: nobody's."""
        async with self.database.platform() as session:
            return await repository.tenant_of_job(session, job_id)

    async def require_tenant(self, tenant_id: UUID) -> None:
        """Raise `NotFound` unless the tenant is there."""
        async with self.database.tenant_reader(tenant_id) as session:
            if not await repository.tenant_exists(session):
                raise NotFound("no such tenant")

    async def take_content(self, tenant_id: UUID, brand_id: UUID, labels: SourceLabels, content: Content) -> Taken:
        """Store a file, text or pairs and queue the reading of it.

        The file is stored first, then source, job and task commit together; it is removed again when they do not.
        What is there already with the same content is not read again: its labels are set, its job is complete.

        Raises:
            Unavailable: the file store does not answer; no row was written.
        """
        key = f"{tenant_id}/uploads/{new_id()}"
        await self.blobs.put_stream(key, content.body)
        wanted = _new_source(tenant_id, brand_id, content.kind, labels)
        wanted.filename, wanted.content_type = content.filename, content.content_type
        wanted.title = labels.title or content.filename or content.heading or wanted.title
        wanted.content_hash, wanted.byte_size, wanted.blob_key = content.sha256, content.size, key
        async with self._unless_committed(tenant_id, key), self.database.tenant(tenant_id) as session:
            taken = await self._register(session, wanted, labels)
            if taken.source.blob_key != key:
                await drop_files(self.queue, session, [key])
        return taken

    async def take_address(self, tenant_id: UUID, brand_id: UUID, kind: Kind, labels: SourceLabels) -> Taken:
        """Queue the reading of a page or of what a sitemap names. Asking again reads it again."""
        wanted = _new_source(tenant_id, brand_id, kind, labels)
        async with self.database.tenant(tenant_id) as session:
            return await self._register(session, wanted, labels)

    async def sources(
        self, tenant_id: UUID, wanted: SourceFilter, *, before: UUID | None, limit: int
    ) -> tuple[list[KnowledgeSource], str | None]:
        """Return a page of sources, newest first, and the next cursor."""
        async with self.database.tenant_reader(tenant_id) as session:
            return cut_page(await repository.page_of_sources(session, wanted, before=before, limit=limit), limit)

    async def source(self, tenant_id: UUID, source_id: UUID, *, brand_id: UUID | None = None) -> KnowledgeSource:
        """Return a source, of one brand when that is given. Raises `SourceNotFound`."""
        async with self.database.tenant_reader(tenant_id) as session:
            return _of_brand(await repository.find_source(session, source_id), brand_id)

    async def passages(
        self, tenant_id: UUID, source_id: UUID, *, after: int, limit: int
    ) -> tuple[Sequence[Passage], str | None]:
        """Return a page of a source's live passages and the ordinal to go on after. Raises `SourceNotFound`."""
        async with self.database.tenant_reader(tenant_id) as session:
            source = _of_brand(await repository.find_source(session, source_id), None)
            rows = await repository.page_of_passages(session, source, after=after, limit=limit)
        more = len(rows) > limit
        return rows[:limit], str(rows[limit - 1].ordinal) if more else None

    async def change(self, tenant_id: UUID, source_id: UUID, change: SourceChange) -> KnowledgeSource:
        """Set title, tags or visibility. Tags and visibility hold at once; a new title is read in anew.

        Raises:
            SourceNotFound: none of the tenant's.
        """
        async with self.database.tenant(tenant_id) as session:
            source = _of_brand(await repository.lock_source(session, source_id), None)
            for row in await repository.lock_family(session, source_id):  # a sitemap's pages are what answers
                row.tags = row.tags if change.tags is None else list(change.tags)
                row.visibility = change.visibility or row.visibility
            if change.title is not None and change.title != source.title:
                source.title, source.titled = change.title, True
                if source.kind != "sitemap":
                    await self._read_again(session, source)
            await session.flush()
            await session.refresh(source)
            return source

    async def remove(self, tenant_id: UUID, source_id: UUID, *, brand_id: UUID | None = None) -> None:
        """Remove a source, its pages when it is a sitemap, and their passages: none answers after the commit.

        Raises:
            SourceNotFound: none of the tenant's.
        """
        async with self.database.tenant(tenant_id) as session:
            family = await repository.lock_family(session, source_id)
            _of_brand(next((row for row in family if row.id == source_id), None), brand_id)
            await queueing.remove_sources(self.queue, session, self.store, family)

    async def jobs(
        self, tenant_id: UUID, *, status: JobStatus | None, source_id: UUID | None, before: UUID | None, limit: int
    ) -> tuple[list[IngestionJob], str | None]:
        """Return a page of ingestion jobs, newest first, and the next cursor."""
        async with self.database.tenant_reader(tenant_id) as session:
            rows = await repository.page_of_jobs(
                session, status=status, source_id=source_id, before=before, limit=limit
            )
            return cut_page(rows, limit)

    async def job(self, tenant_id: UUID, job_id: UUID) -> IngestionJob:
        """Return a job. Raises `JobNotFound`."""
        async with self.database.tenant_reader(tenant_id) as session:
            found = await repository.find_job(session, job_id)
        if found is None:
            raise JobNotFound
        return found

    async def cancel(self, tenant_id: UUID, job_id: UUID) -> IngestionJob:
        """Cancel a job that waits or runs; the worker lets go of it within a second. What answered before still does.

        Raises:
            JobNotFound: none of the tenant's.
            JobEnded: it has completed or failed.
        """
        async with self.database.tenant(tenant_id) as session:
            source, job = await self._hold(session, job_id)
            if job.status == "cancelled":
                return job
            if job.status not in OPEN_JOB:
                raise JobEnded(f"the job has {job.status}; only a job that waits or runs can be cancelled")
            await queueing.abandon(
                self.queue, session, self.store, source, job,
                status="cancelled", reason_code="cancelled", reason="Cancelled on request.",
            )  # fmt: skip
            ended = queueing.ended_of(job)
        queueing.tell_ended(ended)
        return job

    async def requeue(self, tenant_id: UUID, job_id: UUID) -> IngestionJob:
        """Give a job that failed, was cancelled or seems stuck back to the queue.

        Raises:
            JobNotFound: none of the tenant's.
            JobEnded: it has completed, or a newer version has taken its place.
        """
        async with self.database.tenant(tenant_id) as session:
            source, job = await self._hold(session, job_id)
            if job.status == "completed":
                raise JobEnded("the job has completed; send the content again to have it read again")
            if job.version != source.version:
                raise JobEnded("a newer version of the source has taken this job's place")
            source.status, source.reason, source.reason_code = "pending", None, None
            job.status, job.reason, job.reason_code, job.attempts, job.finished_at = "pending", None, None, 0, None
            await queueing.next_run(self.queue, session, job, queue=self.settings.ingest_queue_name)
            return job

    async def _register(self, session: TenantSession, wanted: KnowledgeSource, labels: SourceLabels) -> Taken:
        """Add a source, or make it the new version of the one it replaces."""
        await repository.serialise(
            session, f"{wanted.brand_id}:{wanted.external_id or wanted.content_hash or wanted.url}"
        )
        known = await _known(session, wanted, labels)
        note(target=f"source:{(known or wanted).id}")
        if known is None:
            session.add(wanted)
            return Taken(wanted, await self._new_job(session, wanted))
        unchanged = _unchanged(known, wanted, labels)
        _relabel(known, wanted)
        for page in await repository.lock_family(session, known.id):
            page.tags, page.visibility = list(known.tags), known.visibility
        if unchanged:
            job = await self._nothing_to_do(session, known)
        else:
            await self._replace_content(session, known, wanted)
            job = await self._read_again(session, known)
        await session.flush()
        await session.refresh(known)
        return Taken(known, job)

    async def _replace_content(self, session: TenantSession, known: KnowledgeSource, wanted: KnowledgeSource) -> None:
        if known.kind == "sitemap" != wanted.kind:
            pages = [page for page in await repository.lock_family(session, known.id) if page.id != known.id]
            await queueing.remove_sources(self.queue, session, self.store, pages)
        if known.blob_key:
            await drop_files(self.queue, session, [known.blob_key])
        fetched_again = known.kind == wanted.kind == "url"
        for name in ("kind", "filename", "content_type", "byte_size", "content_hash", "blob_key", "language", "titled"):
            if not (fetched_again and name == "content_hash"):  # what the page said when it was last read
                setattr(known, name, getattr(wanted, name))
        if wanted.titled or not fetched_again:
            known.title = wanted.title

    async def _read_again(self, session: TenantSession, source: KnowledgeSource) -> IngestionJob:
        """Begin a new version; the live one goes on answering until the new one is whole."""
        await queueing.begin_version(self.queue, session, self.store, source)
        return await self._new_job(session, source)

    async def _new_job(self, session: TenantSession, source: KnowledgeSource) -> IngestionJob:
        return await queueing.new_job(self.queue, session, source, queue=self.settings.ingest_queue_name)

    async def _nothing_to_do(self, session: TenantSession, source: KnowledgeSource) -> IngestionJob:
        """The content is known: the job that reads it now, or one that is complete at once."""
        newest = await repository.newest_job(session, source.id)
        if newest and newest.status in OPEN_JOB:
            return newest
        now = utcnow()
        done = IngestionJob(
            tenant_id=source.tenant_id, id=new_id(), source_id=source.id, version=source.version, status="completed",
            run=0, done=source.passage_count, total=source.passage_count, attempts=0, reason_code="unchanged",
            reason="The content is the same as before; there was nothing to do.",
            correlation_id=correlation.current(), created_at=now, started_at=now, finished_at=now,
        )  # fmt: skip
        session.add(done)
        queueing.tell_ended(queueing.ended_of(done))
        return done

    async def _hold(self, session: TenantSession, job_id: UUID) -> tuple[KnowledgeSource, IngestionJob]:
        """Hold a job's source, then the job: the order that all keep to."""
        found = await repository.find_job(session, job_id)
        source = await repository.lock_source(session, found.source_id) if found else None
        job = await repository.lock_job(session, job_id) if source else None
        if source is None or job is None:
            raise JobNotFound
        await session.refresh(job)
        return source, job

    def _unless_committed(self, tenant_id: UUID, key: str) -> AbstractAsyncContextManager[None]:
        return unless_committed(
            self.database, self.blobs, tenant_id, key, lambda session: repository.blob_in_use(session, key)
        )


def _new_source(tenant_id: UUID, brand_id: UUID, kind: Kind, labels: SourceLabels) -> KnowledgeSource:
    return KnowledgeSource(
        tenant_id=tenant_id, id=new_id(), brand_id=brand_id, kind=kind, external_id=labels.external_id,
        title=labels.title or (labels.url or kind)[:500], titled=labels.title is not None, url=labels.url,
        language=labels.language, tags=labels.tags, visibility=labels.visibility, version=1, passage_count=0,
        status="pending",
    )  # fmt: skip


async def _known(session: TenantSession, wanted: KnowledgeSource, labels: SourceLabels) -> KnowledgeSource | None:
    if wanted.external_id:
        return await repository.lock_by_external_id(session, wanted.brand_id, wanted.external_id)
    if wanted.content_hash is None:
        return await repository.lock_by_url(session, wanted)
    return await repository.lock_twin(session, wanted, any_title=labels.title is None)


def _unchanged(known: KnowledgeSource, wanted: KnowledgeSource, labels: SourceLabels) -> bool:
    """Whether what is known needs no new reading. What failed, and addresses, are read again."""
    same = (known.kind, known.content_hash, known.language) == (wanted.kind, wanted.content_hash, wanted.language)
    same_title = labels.title is None or labels.title == known.title
    # Of one whose reading was cancelled an older version answers.
    read = known.version == known.live_version or known.status in ("pending", "processing")
    return same and same_title and wanted.content_hash is not None and read and known.status != "failed"


def _relabel(known: KnowledgeSource, wanted: KnowledgeSource) -> None:
    known.tags, known.visibility, known.url = wanted.tags, wanted.visibility, wanted.url


def _of_brand(source: KnowledgeSource | None, brand_id: UUID | None) -> KnowledgeSource:
    if source is None or (brand_id is not None and source.brand_id != brand_id):
        raise SourceNotFound
    return source
