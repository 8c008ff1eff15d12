"""One slice of an ingestion job: read, cut, then embed and write batch by batch until done or its time is over.

Every step that counts is one short transaction which also holds the job's `run`, so a worker may die anywhere: the
next one goes on after the last batch that was committed, and a worker that was only thought dead finds its run void.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import procrastinate

from chatbot.core.blobs import BlobStore
from chatbot.core.clock import utcnow
from chatbot.core.errors import NotFound, Unavailable
from chatbot.core.logging import get_logger
from chatbot.core.telemetry import span
from chatbot.db.models import IngestionJob, KnowledgeSource
from chatbot.db.sessions import DATABASE_AWAY, Database, TenantReader, TenantSession
from chatbot.db.stored_files import unless_committed
from chatbot.jobs.stored_files import drop_files
from chatbot.knowledge import queueing, repository
from chatbot.knowledge.embedding.contract import Embedder
from chatbot.knowledge.index.chosen import Chosen
from chatbot.knowledge.index.drafts import (
    AnalysedPassage,
    EmbeddedPassages,
    PassageDraft,
    SourceVersion,
    analyse_drafts,
)
from chatbot.knowledge.index.embed import embed_drafts
from chatbot.knowledge.index.grams import CountedGrams, count_ahead, settle_grams
from chatbot.knowledge.index.passages import take_out, write_passages
from chatbot.knowledge.index.vectors import VectorStore
from chatbot.knowledge.ingestion import sitemaps
from chatbot.knowledge.ingestion.errors import PATIENT_TRIES, IngestionFault, Superseded
from chatbot.knowledge.ingestion.reading import Reader
from chatbot.knowledge.ingestion.work import Prepared, Work
from chatbot.knowledge.repository import OPEN_JOB
from chatbot.llm.budgets import Ledger
from chatbot.llm.errors import EmbeddingsRejected
from chatbot.llm.usage import booked

log = get_logger(__name__)
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Pace:
    """How ingestion divides its work. Times in seconds."""

    batch: int = 32
    slice_seconds: float = 5.0
    watch_seconds: float = 0.5
    retry_seconds: float = 5.0
    longest_wait: float = 300.0


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Works on ingestion jobs; one object serves all the slices of a process."""

    database: Database
    blobs: BlobStore
    queue: procrastinate.App
    queue_name: str
    reader: Reader
    store: VectorStore
    embedders: tuple[Embedder, ...]
    pace: Pace = field(default_factory=Pace)

    async def run(self, tenant_id: UUID, job_id: UUID, run: int) -> None:
        """Do one slice of a job; when the job is not done then, its next slice has been queued.

        Raises:
            DATABASE_AWAY: the queue must give the task out again.
        """
        work = await self._begin(tenant_id, job_id, run)
        if work is None:
            return
        try:
            with span("ingestion", tenant_id=str(tenant_id), job_id=str(job_id)):
                await self._slice(work)
        except Superseded:
            log.info("ingestion job let go", job=str(job_id))
        except asyncio.CancelledError:
            await asyncio.shield(self._give_back(work))
            raise
        except IngestionFault as fault:
            await self._stumble(work, fault)
        except NotFound as error:
            await self._stumble(work, IngestionFault("file_missing", error.detail, tries=1))
        except EmbeddingsRejected as error:
            await self._stumble(work, IngestionFault(error.code, error.detail, tries=1))
        except Unavailable as error:
            await self._stumble(work, IngestionFault(error.code, error.detail, tries=PATIENT_TRIES))
        except DATABASE_AWAY:
            raise
        except Exception:  # whatever a file can provoke: the job must end with a reason, the worker must live
            log.exception("ingestion failed unexpectedly", job=str(job_id))
            reason = "Something went wrong on our side while this was read; the log holds the details."
            await self._stumble(work, IngestionFault("internal_error", reason))

    async def _begin(self, tenant_id: UUID, job_id: UUID, run: int) -> Work | None:
        """Count the try and mark the job as running; None when the task is void."""
        async with self.database.tenant(tenant_id) as session:
            held = await repository.lock_source_and_job(session, job_id)
            if held is None:
                return None
            source, job = held
            if job.run != run or job.status not in OPEN_JOB or job.version != source.version:
                return None
            if job.attempts < PATIENT_TRIES:
                job.attempts += 1
                job.status, job.started_at = "running", job.started_at or utcnow()
                job.stage = job.stage or ("fetch" if source.kind in ("url", "sitemap") else "parse")
                source.status = "processing"
                await session.flush()
                crawl = await repository.version_of(session, source.parent_id) if source.parent_id else None
                return Work.of(source, job, crawl)
            await self._fail(session, source, job, "worker_died", "The worker stopped each time it read this.")
            ended = queueing.ended_of(job)
        queueing.tell_ended(ended)
        return None

    async def _slice(self, work: Work) -> None:
        if work.kind == "sitemap":
            await self._list_pages(work)
            return
        prepared = await self._watched(work, self._prepare(work))
        if work.done == 0 and prepared.content_hash and await self._same_as_before(work, prepared):
            return
        await self._write_until_time_is_over(work, prepared)

    async def _prepare(self, work: Work) -> Prepared:
        """Read and cut, or take what an earlier slice kept; what fits one batch is not worth keeping."""
        if work.parsed_key:
            return await asyncio.to_thread(Prepared.from_bytes, await self.blobs.get(work.parsed_key))
        prepared = await self.reader.read(work)
        if len(prepared.pieces) > self.pace.batch:
            await self._keep(work, prepared)
        return prepared

    async def _keep(self, work: Work, prepared: Prepared) -> None:
        key = f"{work.tenant_id}/prepared/{work.job_id}-{work.run}"
        await self.blobs.put(key, await asyncio.to_thread(prepared.to_bytes))
        async with (
            unless_committed(self.database, self.blobs, work.tenant_id, key, partial(_is_prepared, work.job_id, key)),
            self._held(work) as (_session, _source, job),
        ):
            job.parsed_key, job.total, job.stage = key, len(prepared.pieces), "index"

    async def _write_until_time_is_over(self, work: Work, prepared: Prepared) -> None:
        began, done = time.monotonic(), work.done
        while done < len(prepared.pieces):
            upto = min(done + self.pace.batch, len(prepared.pieces))
            drafts = [
                PassageDraft(ordinal, piece.text, piece.language, piece.heading_path)
                for ordinal, piece in enumerate(prepared.pieces[done:upto], done)
            ]
            async with booked(self.database, Ledger(work.tenant_id)):
                vectors = await self._embed(prepared.title, drafts)
            version = SourceVersion(work.brand_id, work.source_id, work.version, prepared.title)
            rows = await analyse_drafts(version, drafts, vectors)
            former = [Chosen(work.source_id, keep_version=work.version)] if upto == len(prepared.pieces) else []
            grams = await self._count_ahead(work, rows, former)
            pause = time.monotonic() - began >= self.pace.slice_seconds
            async with self._held(work) as (session, source, job):
                if job.done != done:
                    raise Superseded
                await write_passages(session, version, rows, vectors=vectors, store=self.store)
                await self._take_out(session, work.brand_id, former)
                await settle_grams(session, work.brand_id, grams)
                job.done, job.total, job.attempts, job.stage = upto, len(prepared.pieces), 1, "index"
                if upto == len(prepared.pieces):
                    await self._finish(session, source, job, prepared)
                elif pause:
                    job.attempts = 0
                    await queueing.next_run(self.queue, session, job, queue=self.queue_name)
            done = upto
            if pause:
                return

    async def _count_ahead(
        self, work: Work, added: list[AnalysedPassage], leaving: list[Chosen]
    ) -> CountedGrams | None:
        """Do before the brand is locked what would keep its other writers waiting."""
        async with self.database.tenant_reader(work.tenant_id) as session:
            return await count_ahead(session, work.brand_id, added=added, leaving=leaving)

    async def _take_out(self, session: TenantSession, brand_id: UUID, leaving: list[Chosen]) -> None:
        """Let the old version go in the transaction in which the new one begins to answer."""
        if leaving:
            gone = await take_out(session, brand_id, leaving)
            of_sources = [one.source_id for one in leaving]
            await queueing.drop_vectors(self.queue, session, self.store, brand_id, of_sources, gone)

    async def _embed(self, title: str, drafts: list[PassageDraft]) -> list[EmbeddedPassages]:
        """Embed with each embedder what is in a language that it knows."""
        embedded = [await embed_drafts(embedder, title, drafts) for embedder in self.embedders]
        return [found for found in embedded if found.by_ordinal]

    async def _finish(
        self, session: TenantSession, source: KnowledgeSource, job: IngestionJob, prepared: Prepared
    ) -> None:
        """Let the new version answer; the old one's passages went in this transaction."""
        source.live_version, source.passage_count, source.status = job.version, len(prepared.pieces), "ready"
        source.title, source.reason, source.reason_code, source.edits = prepared.title, None, None, 0
        source.content_hash = prepared.content_hash or source.content_hash
        await self._complete(session, job, prepared.notes)

    async def _complete(self, session: TenantSession, job: IngestionJob, notes: tuple[str, ...]) -> None:
        job.status, job.finished_at, job.stage = "completed", utcnow(), None
        job.reason, job.reason_code = (" ".join(notes), "notes") if notes else (None, None)
        if job.parsed_key:
            await drop_files(self.queue, session, [job.parsed_key])
            job.parsed_key = None

    async def _same_as_before(self, work: Work, prepared: Prepared) -> bool:
        """A page that says what it said when it was last read needs no new passages, unless some were edited."""
        async with self._held(work) as (session, source, job):
            if source.live_version is None or source.edits or source.content_hash != prepared.content_hash:
                return False
            source.version, source.status = source.live_version, "ready"
            source.reason, source.reason_code = None, None
            job.done = job.total = source.passage_count
            await self._complete(session, job, ("The page says the same as before; there was nothing to do.",))
        return True

    async def _list_pages(self, work: Work) -> None:
        named = await self._watched(work, self.reader.addresses(work))
        async with self._held(work) as (session, source, job):
            notes = await sitemaps.adopt_pages(
                session, source, named, queue=self.queue, queue_name=self.queue_name, store=self.store
            )
            source.live_version, source.status = source.version, "ready"
            source.passage_count, source.edits = 0, 0
            source.reason, source.reason_code = notes, "pages"
            job.done = job.total = len(named.pages)
            await self._complete(session, job, (notes,))

    async def _watched(self, work: Work, reading: Coroutine[Any, Any, Result]) -> Result:
        """Read while looking whether the job was cancelled; a cancelled read kills its parser."""
        task = asyncio.create_task(reading)
        try:
            while not task.done():
                await asyncio.wait([task], timeout=self.pace.watch_seconds)
                if not task.done() and not await self._still_ours(work):
                    raise Superseded
            return task.result()
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _still_ours(self, work: Work) -> bool:
        async with self.database.tenant_reader(work.tenant_id) as session:
            job = await repository.find_job(session, work.job_id)
        return job is not None and job.status == "running" and job.run == work.run

    @asynccontextmanager
    async def _held(self, work: Work) -> AsyncIterator[tuple[TenantSession, KnowledgeSource, IngestionJob]]:
        """Open a transaction that holds source and job; once it is committed, a job's end is told.

        Raises:
            Superseded: the job is not ours any more.
        """
        async with self.database.tenant(work.tenant_id) as session:
            held = await repository.lock_source_and_job(session, work.job_id)
            if held is None:
                raise Superseded
            source, job = held
            if job.status != "running" or job.run != work.run:
                raise Superseded
            yield session, source, job
            await session.flush()
            ended = queueing.ended_of(job)
        queueing.tell_ended(ended)

    async def _stumble(self, work: Work, fault: IngestionFault) -> None:
        """Fail the job, or queue another try when one may help and there are tries left."""
        try:
            async with self._held(work) as (session, source, job):
                if job.attempts >= fault.tries:
                    await self._fail(session, source, job, fault.code, fault.reason)
                    return
                job.status, job.reason_code, job.reason = "pending", fault.code, fault.reason
                wait = min(self.pace.retry_seconds * 2 ** (job.attempts - 1), self.pace.longest_wait)
                await queueing.next_run(self.queue, session, job, queue=self.queue_name, in_seconds=int(wait) or None)
        except Superseded:
            log.info("ingestion job let go", job=str(work.job_id))

    async def _fail(
        self, session: TenantSession, source: KnowledgeSource, job: IngestionJob, code: str, reason: str
    ) -> None:
        log.warning("ingestion job failed", job=str(job.id), code=code, attempts=job.attempts)
        await queueing.abandon(
            self.queue, session, self.store, source, job, status="failed", reason_code=code, reason=reason
        )

    async def _give_back(self, work: Work) -> None:
        """A worker that is told to stop does not use up a try."""
        try:
            async with self._held(work) as (_session, _source, job):
                job.attempts = max(0, job.attempts - 1)
        except (Superseded, *DATABASE_AWAY) as error:
            log.info("ingestion job not given back in order; it will be rescued", reason=str(error)[:200])


async def _is_prepared(job_id: UUID, key: str, session: TenantReader) -> bool:
    job = await repository.find_job(session, job_id)
    return job is not None and job.parsed_key == key
