"""Gives passages the vectors of a new embedder, in batches per tenant, while those of the old one serve."""

from dataclasses import dataclass
from functools import partial
from uuid import UUID

import procrastinate

from chatbot.core.logging import get_logger
from chatbot.db.apart import apart
from chatbot.db.sessions import Database, TenantSession
from chatbot.jobs.app import enqueue
from chatbot.jobs.stored_files import UPKEEP_QUEUE
from chatbot.knowledge import queueing
from chatbot.knowledge.embedding.contract import Embedder
from chatbot.knowledge.index.embed import embed_texts, passage_text
from chatbot.knowledge.index.passages import add_vectors, forget_embedder
from chatbot.knowledge.index.statistics import COVERED, BrandSize
from chatbot.knowledge.index.vectors import VectorRecord, VectorStore
from chatbot.knowledge.ingestion import repository
from chatbot.llm.budgets import Ledger
from chatbot.llm.usage import booked

log = get_logger(__name__)
_BATCH = 64
_FIRST = UUID(int=0)
_PRIORITY = -40_000
"""Behind all that waits to be read for the first time."""


@dataclass(frozen=True, slots=True)
class Reembedding:
    """Re-embeds one batch per task; the queue decides what comes next."""

    database: Database
    queue: procrastinate.App
    store: VectorStore
    embedders: tuple[Embedder, ...]

    async def begin(self) -> int:
        """Queue the work for each tenant with passages that lack a vector of an embedder in use.

        Returns:
            For how many pairs of tenant and embedder; 0 is what a start without a change finds.
        """
        queued = 0
        for embedder in self.embedders:
            async with self.database.platform() as session:
                lacking = await repository.tenants_to_embed(session, embedder.id, embedder.languages)
                at_work = await repository.tenants_at_work(session, queueing.REEMBED_TASK, embedder.id)
            tenants = [tenant_id for tenant_id in lacking if tenant_id not in at_work]
            for tenant_id in tenants:
                await apart(tenant_id, "its new vectors", partial(self._begin, tenant_id, embedder))
            if tenants:
                log.info("embedding again in the background", embedder=embedder.id, tenants=len(tenants))
            queued += len(tenants)
        return queued

    async def _begin(self, tenant_id: UUID, embedder: Embedder) -> None:
        async with self.database.tenant(tenant_id) as session:
            await self._next(session, tenant_id, embedder)

    async def run(self, tenant_id: UUID, embedder_id: str, after: UUID = _FIRST) -> None:
        """Embed one batch of a tenant's passages, in order of their ids; the last one removes the vectors of embedders
        no longer used.

        Args:
            after: the last passage that was looked at. Each batch begins behind it, and what the embedder refuses is
                left out until a process starts anew, so the work ends whatever happens.
        """
        embedder = next((known for known in self.embedders if known.id == embedder_id), None)
        if embedder is None:  # it was changed once more; the start that did so queued the right one
            return
        async with self.database.tenant_reader(tenant_id) as reader:
            found = await repository.passages_to_embed(
                reader, embedder.id, embedder.languages, after=after, limit=_BATCH
            )
        texts = [passage_text(title, passage.heading_path, passage.text) for passage, title in found]
        passages = [passage for passage, _ in found]
        async with booked(self.database, Ledger(tenant_id)):
            vectors = await embed_texts(embedder, texts, skip_refused=True) if texts else ()
        refused = [str(passage.id) for passage, vector in zip(passages, vectors, strict=True) if vector is None]
        if refused:
            log.warning("passages left without a vector: their text is refused", embedder=embedder.id, passages=refused)
        for brand_id in sorted({passage.brand_id for passage in passages}):
            of_brand = [
                (VectorRecord(passage.id, vector), passage.content_hash)
                for passage, vector in zip(passages, vectors, strict=True)
                if passage.brand_id == brand_id and vector is not None
            ]
            records, hashes = [record for record, _ in of_brand], [content_hash for _, content_hash in of_brand]
            async with self.database.tenant(tenant_id) as session:  # of its own: no brand waits for another's vectors
                await add_vectors(session, brand_id, embedder.id, records, hashes, store=self.store)
        if len(passages) == _BATCH and len(refused) < _BATCH:  # one that refuses all takes nothing of any tenant
            async with self.database.tenant(tenant_id) as session:
                await self._next(session, tenant_id, embedder, passages[-1].id)
        else:
            await self._forget_replaced(tenant_id)

    async def _forget_replaced(self, tenant_id: UUID) -> None:
        """Remove vectors of embedders no longer used, where those in use have taken their place.

        They have where they rank; all passages they may never have: what they refuse stays without a vector.
        """
        in_use = {known.id for known in self.embedders}
        async with self.database.tenant_reader(tenant_id) as reader:
            sizes = await repository.brand_sizes(reader)
        for brand_id, size in sizes:
            if all(_serves(known, size) for known in self.embedders):
                for replaced in sorted(set(size.embedded) - in_use):
                    async with self.database.tenant(tenant_id) as session:
                        await forget_embedder(session, brand_id, replaced, store=self.store)

    async def _next(self, session: TenantSession, tenant_id: UUID, embedder: Embedder, after: UUID = _FIRST) -> None:
        await enqueue(
            self.queue,
            session,
            queueing.REEMBED_TASK,
            queue=UPKEEP_QUEUE,
            arguments={"tenant_id": str(tenant_id), "embedder": embedder.id, "after": str(after)},
            priority=_PRIORITY,
        )


def _serves(embedder: Embedder, size: BrandSize) -> bool:
    """Whether an embedder covers a brand, or the brand has nothing that it knows."""
    lacking = size.lacking(embedder.id, embedder.languages)
    return lacking == 0 or size.coverage(embedder.id, embedder.languages) >= COVERED
