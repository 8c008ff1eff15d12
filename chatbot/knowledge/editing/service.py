"""Changes and removes single passages of what answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import procrastinate

from chatbot.db.models import KnowledgeSource, Passage
from chatbot.db.sessions import Database, TenantSession
from chatbot.knowledge import queueing
from chatbot.knowledge.analysis.languages import SURE_OF_LANGUAGE, detect_language
from chatbot.knowledge.editing import repository
from chatbot.knowledge.editing.repository import LivePassage
from chatbot.knowledge.embedding.contract import Embedder, knows
from chatbot.knowledge.errors import PassageNotFound
from chatbot.knowledge.index.chosen import Chosen
from chatbot.knowledge.index.drafts import EmbeddedPassages, PassageDraft, SourceVersion
from chatbot.knowledge.index.embed import embed_drafts
from chatbot.knowledge.index.passages import rewrite_passage
from chatbot.knowledge.index.vectors import VectorStore
from chatbot.knowledge.repository import lock_source


@dataclass(frozen=True, slots=True)
class PassageEditor:
    """Edits passages of tenants; the caller has been authorised for the tenant.

    What is written holds with the transaction's end: words, their statistics and vectors of embedders in this process.
    A remote embedder's vector is dropped, and so is each one in a store outside PostgreSQL; a job makes them anew.
    Until then the passage is found by its words.
    """

    database: Database
    queue: procrastinate.App
    store: VectorStore
    embedders: Sequence[Embedder]

    async def tenant_of(self, passage_id: UUID) -> UUID | None:
        """Return whose passage it is, for callers that may reach several tenants; None: nobody's."""
        async with self.database.platform() as session:
            return await repository.tenant_of_passage(session, passage_id)

    async def rewrite(self, tenant_id: UUID, passage_id: UUID, text: str) -> Passage:
        """Give a passage another text.

        Raises:
            PassageNotFound: none of the tenant's, or it does not answer any more.
            EmbeddingFailed: the offline embedder gave no vector; nothing was changed.
        """
        async with self.database.tenant_reader(tenant_id) as session:
            found = _there(await repository.find_live(session, passage_id))
        draft = _draft(found, text)
        # An embedder in this process takes milliseconds; those are not waited for with a connection in hand either.
        at_once = [one for one in self.embedders if not self._embeds_later(one)]
        embedded = [await embed_drafts(one, found.source.title, [draft]) for one in at_once]
        vectors = [one for one in embedded if one.by_ordinal]
        async with self.database.tenant(tenant_id) as session:
            await self._rewrite(session, found, draft, vectors)
            return _there(await repository.find_live(session, passage_id)).passage

    async def _rewrite(
        self, session: TenantSession, found: LivePassage, draft: PassageDraft, vectors: Sequence[EmbeddedPassages]
    ) -> None:
        passage = found.passage
        source = await self._hold(session, found)
        version = SourceVersion(source.brand_id, source.id, passage.version, source.title)
        if not await rewrite_passage(session, version, passage.id, draft, vectors=vectors, store=self.store):
            raise PassageNotFound
        source.edits += 0 if passage.edited_at else 1
        await session.flush()
        await queueing.drop_vectors(self.queue, session, self.store, source.brand_id, [source.id], [passage.id])
        for one in self.embedders:
            if self._embeds_later(one) and knows(one, draft.language):
                await queueing.embed_again(self.queue, session, one.id, passage.id)

    def _embeds_later(self, embedder: Embedder) -> bool:
        return embedder.remote or not self.store.inside

    async def remove(self, tenant_id: UUID, passage_id: UUID) -> None:
        """Remove a passage: it does not answer after the commit. Raises `PassageNotFound`."""
        async with self.database.tenant(tenant_id) as session:
            found = _there(await repository.find_live(session, passage_id))
            source = await self._hold(session, found)
            chosen = Chosen(source.id, version=found.passage.version, passage_id=passage_id)
            removed = await queueing.remove_passages(self.queue, session, self.store, source.brand_id, [chosen])
            if not removed:
                raise PassageNotFound
            source.passage_count -= 1
            source.edits += 0 if found.passage.edited_at else 1
            await session.flush()

    async def _hold(self, session: TenantSession, found: LivePassage) -> KnowledgeSource:
        """Hold the source of a passage that was read before; a new version may have taken over in between."""
        source = await lock_source(session, found.passage.source_id)
        if source is None:
            raise PassageNotFound
        await session.refresh(source)
        if source.live_version != found.passage.version:
            raise PassageNotFound
        return source


def _there(found: LivePassage | None) -> LivePassage:
    if found is None:
        raise PassageNotFound
    return found


def _draft(found: LivePassage, text: str) -> PassageDraft:
    passage, source = found
    sure = source.language is None and len(text) >= SURE_OF_LANGUAGE
    language = detect_language(text, default=passage.language) if sure else passage.language
    return PassageDraft(passage.ordinal, text, language, tuple(passage.heading_path))
