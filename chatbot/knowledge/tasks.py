"""The queue's tasks of knowledge, bound to the parts of one process."""

from collections.abc import Sequence
from uuid import UUID

import procrastinate

from chatbot.core import correlation
from chatbot.core.blobs import BlobStore
from chatbot.core.logging import get_logger
from chatbot.core.safe_http import SafeHttp
from chatbot.core.settings import Settings
from chatbot.db.sessions import Database
from chatbot.jobs.retry import KeepTrying
from chatbot.jobs.stored_files import UPKEEP_QUEUE
from chatbot.knowledge.crawl import CrawlOptions
from chatbot.knowledge.embedding.contract import Embedder
from chatbot.knowledge.gaps.service import Grouping
from chatbot.knowledge.index.passages import drop_vectors
from chatbot.knowledge.index.vectors import VectorStore
from chatbot.knowledge.ingestion.pipeline import Pace, Pipeline
from chatbot.knowledge.ingestion.reading import Reader
from chatbot.knowledge.ingestion.reembedding import Reembedding
from chatbot.knowledge.parse.model import ParseLimits
from chatbot.knowledge.parse.sandbox import ParserSandbox
from chatbot.knowledge.queueing import NAMESPACE

log = get_logger(__name__)


def make_pipeline(
    *,
    database: Database,
    blobs: BlobStore,
    queue: procrastinate.App,
    sandbox: ParserSandbox,
    http: SafeHttp,
    store: VectorStore,
    embedders: Sequence[Embedder],
    settings: Settings,
    pace: Pace | None = None,
    crawl: CrawlOptions | None = None,
) -> Pipeline:
    """Put the pipeline together from the parts of a process."""
    limits = ParseLimits(max_bytes=settings.max_upload_bytes)
    reader = Reader(blobs, sandbox, http, limits, crawl or CrawlOptions())
    return Pipeline(database, blobs, queue, settings.ingest_queue_name, reader, store, tuple(embedders), pace or Pace())


def make_blueprint(pipeline: Pipeline, reembedding: Reembedding, grouping: Grouping) -> procrastinate.Blueprint:
    """Return the tasks of knowledge; add them with `app.add_tasks_from(blueprint, namespace="knowledge")`."""
    blueprint = procrastinate.Blueprint()

    @blueprint.task(name="ingest", queue=pipeline.queue_name, retry=KeepTrying())
    async def ingest(*, correlation_id: str, tenant_id: str, job_id: str, run: int) -> None:
        """Do one slice of an ingestion job."""
        correlation.begin(correlation_id)
        await pipeline.run(UUID(tenant_id), UUID(job_id), run)

    @blueprint.task(name="drop_files", queue=UPKEEP_QUEUE, retry=KeepTrying())
    async def drop_files(*, correlation_id: str, keys: Sequence[str]) -> None:
        """Remove stored files that nothing refers to any more."""
        correlation.begin(correlation_id)
        for key in keys:
            await pipeline.blobs.delete(key)

    @blueprint.task(name="drop_vectors", queue=UPKEEP_QUEUE, retry=KeepTrying())
    async def remove_vectors(
        *,
        correlation_id: str,
        tenant_id: str,
        brand_id: str,
        passage_ids: Sequence[str],
        source_ids: Sequence[str] | None = None,
    ) -> None:
        """Remove vectors of passages that are gone, or rewritten, from a store outside PostgreSQL.

        `source_ids` is missing from tasks that were queued before it was known.
        """
        correlation.begin(correlation_id)
        of_sources = None if source_ids is None else [UUID(one) for one in source_ids]
        ids = [UUID(one) for one in passage_ids]
        async with pipeline.database.tenant(UUID(tenant_id)) as session:
            await drop_vectors(session, UUID(brand_id), ids, store=pipeline.store, source_ids=of_sources)

    @blueprint.task(name="reembed", queue=UPKEEP_QUEUE, retry=KeepTrying())
    async def reembed(*, correlation_id: str, tenant_id: str, embedder: str, after: str) -> None:
        """Embed one batch of a tenant's passages with an embedder in use."""
        correlation.begin(correlation_id)
        await reembedding.run(UUID(tenant_id), embedder, UUID(after))

    @blueprint.task(name="group_gaps", queue=UPKEEP_QUEUE, retry=KeepTrying())
    async def group_gaps(*, correlation_id: str, tenant_id: str) -> None:
        """Find groups for a tenant's gaps that were stored before there were any."""
        correlation.begin(correlation_id)
        await grouping.run(UUID(tenant_id))

    return blueprint


__all__ = ["NAMESPACE", "make_blueprint", "make_pipeline"]
