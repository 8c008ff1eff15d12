"""Vectors of the embedder in use; and what happens when another one takes its place, in both stores."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

import psycopg
import pytest
from qdrant_client import AsyncQdrantClient

from chatbot.db.sessions import Database, TenantSession
from chatbot.knowledge.editing.service import PassageEditor
from chatbot.knowledge.embedding.contract import Embedder
from chatbot.knowledge.embedding.remote import RemoteEmbedder
from chatbot.knowledge.index.qdrant import QdrantVectors, VectorStoreDown
from chatbot.knowledge.index.vectors import PostgresVectors, VectorQuery, VectorStore
from chatbot.knowledge.ingestion.reembedding import Reembedding
from chatbot.knowledge.retrieval.config import RetrievalConfig
from chatbot.knowledge.retrieval.service import Retriever
from chatbot.knowledge.service import KnowledgeService
from chatbot.llm.errors import EmbeddingsRejected
from chatbot.llm.metering import account
from chatbot.llm.schemas import CallRecord, Outcome, Purpose, Usage
from tests.integration.ingestion.conftest import Client, working
from tests.integration.ingestion.test_lives import manual

# The local mode scans exactly and says so.
pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect")
COUNT = "SELECT count(*) FROM passages WHERE tenant_id = :t AND :e = ANY (embedders)"
WAITING = """
SELECT q.args ->> 'after' FROM procrastinate_jobs q WHERE q.status = 'todo' AND q.task_name = 'knowledge:reembed'
AND q.args ->> 'tenant_id' = CAST(:t AS text) ORDER BY q.id DESC LIMIT 1
"""


@pytest.fixture(params=["postgres", "qdrant"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[VectorStore]:
    if request.param == "postgres":
        yield PostgresVectors()
        return
    client = AsyncQdrantClient(":memory:")
    yield QdrantVectors(client)
    await client.close()


def embedder(name: str, dimensions: int) -> RemoteEmbedder:
    """An embedder behind a call that answers at once: vectors of letter counts."""

    async def call(texts: Sequence[str]) -> list[list[float]]:
        return [[float(1 + text.count(chr(97 + n))) for n in range(dimensions)] for text in texts]

    return RemoteEmbedder(name, call)


async def vectors(client: Client, name: str) -> int:
    return int(await client.scalar(COUNT, t=client.tenant.id, e=name))


async def ranks(client: Client, retriever: Retriever) -> tuple[str | None, int]:
    """Return which embedder ranks, and how many candidates its vectors give."""
    query = "the manual of the machine"
    vectors = await retriever.embed_query(query)
    async with client.runtime.database.tenant_reader(client.tenant.id) as session:
        found = await retriever.retrieve(
            session, tenant_id=client.tenant.id, brand_id=client.tenant.brand_id, query=query,
            vectors=vectors, config=RetrievalConfig(),
        )  # fmt: skip
    stages = [stage.detail for stage in found.stages if stage.name == "vector"]
    return (stages[0]["embedder"], len(stages[0]["candidates"])) if stages else (None, 0)


async def test_another_embedder_embeds_all_again_while_the_old_vectors_serve(idle: Client, store: VectorStore) -> None:
    old, new = embedder("first", 8), embedder("second", 16)
    async with working(replace(idle.runtime, retriever=Retriever([old], store))):
        taken = await idle.give(title="Manual", content=manual(100))
        job = await idle.ended(taken["job_id"])
    total = job["total"]
    assert await vectors(idle, "first") == total >= 100
    retriever = Retriever([new], store, former=[old])
    again = Reembedding(idle.runtime.database, idle.runtime.jobs, store, retriever.embedders)
    assert await ranks(idle, retriever) == ("first", 20)
    assert await ranks(idle, Retriever([new], store)) == (None, 0)
    await again.run(idle.tenant.id, "second")
    assert await vectors(idle, "second") == 64
    assert await ranks(idle, retriever) == ("first", 20)
    await again.run(idle.tenant.id, "second", UUID(await idle.scalar(WAITING, t=idle.tenant.id)))
    assert (await vectors(idle, "second"), await vectors(idle, "first")) == (total, 0)
    assert await ranks(idle, retriever) == ("second", 20)


async def test_the_queue_embeds_again_and_comes_to_an_end(idle: Client, store: VectorStore) -> None:
    embedders: list[Embedder] = [embedder("first", 8), embedder("second", 16)]
    async with working(replace(idle.runtime, retriever=Retriever(embedders[:1], store))):
        taken = await idle.give(title="Manual", content=manual(100))
        total = (await idle.ended(taken["job_id"]))["total"]
    retriever = Retriever(embedders[1:], store)
    async with working(replace(idle.runtime, retriever=retriever)):
        for _ in range(3000):
            if await vectors(idle, "first") == 0:
                break
            await asyncio.sleep(0.02)
    assert (await vectors(idle, "second"), await vectors(idle, "first")) == (total, 0)
    assert await ranks(idle, retriever) == ("second", 20)
    again = Reembedding(idle.runtime.database, idle.runtime.jobs, store, retriever.embedders)
    await again.begin()
    assert await idle.scalar(f"SELECT count(*) FROM ({WAITING}) waiting", t=idle.tenant.id) == 0
    await idle.call("DELETE", f"/admin/knowledge_assets/{taken['source_id']}", 204)
    assert await ranks(idle, retriever) == (None, 0)


def choosy(name: str = "choosy") -> RemoteEmbedder:
    """An embedder that takes at most 20 texts at once, and none that names poison."""

    async def call(texts: Sequence[str]) -> list[list[float]]:
        if len(texts) > 20 or any("poison" in text for text in texts):
            raise EmbeddingsRejected("the endpoint answered 413")
        return [[1.0, float(len(text))] for text in texts]

    return RemoteEmbedder(name, call)


async def test_a_text_that_is_refused_fails_its_source_at_once(idle: Client) -> None:
    poison = await idle.give(title="Warnings", content=manual(40) + "\n\n## Rats\n\nThe poison is blue.")
    others = await idle.give(title="Manual", content=manual(40))
    async with working(replace(idle.runtime, retriever=Retriever([choosy()]))):
        failed, read = await idle.ended(poison["job_id"]), await idle.ended(others["job_id"])
    assert (failed["status"], failed["reason_code"], failed["attempts"]) == ("failed", "embeddings_rejected", 1)
    assert failed["reason"] == (
        "The embedder refuses the passage that begins “Warnings Rats The poison is blue.”: the endpoint answered 413."
    )
    assert (read["status"], await vectors(idle, "choosy")) == ("completed", read["total"])


async def test_embedding_again_leaves_out_what_is_refused(idle: Client) -> None:
    store = PostgresVectors()
    async with working(replace(idle.runtime, retriever=Retriever([embedder("first", 8)], store))):
        taken = await idle.give(title="Manual", content="## Rats\n\nThe poison is blue.\n\n" + manual(80))
        total = (await idle.ended(taken["job_id"]))["total"]
    again = Reembedding(idle.runtime.database, idle.runtime.jobs, store, (choosy(),))
    await again.run(idle.tenant.id, "choosy")
    assert await vectors(idle, "choosy") in (63, 64), "of the first 64 by id all that are not refused"
    await again.run(idle.tenant.id, "choosy", UUID(await idle.scalar(WAITING, t=idle.tenant.id)))
    assert (await vectors(idle, "choosy"), await vectors(idle, "first")) == (total - 1, 0)


async def test_one_refused_passage_lets_no_other_embedder_rank(idle: Client) -> None:
    store, second = PostgresVectors(), embedder("second", 8)
    async with working(replace(idle.runtime, retriever=Retriever([second], store))):
        taken = await idle.give(title="Manual", content="## Rats\n\nThe poison is blue.\n\n" + manual(30))
        total = (await idle.ended(taken["job_id"]))["total"]
    retriever = Retriever([choosy(), second], store)
    assert await ranks(idle, retriever) == ("second", 20)
    await Reembedding(idle.runtime.database, idle.runtime.jobs, store, retriever.embedders).run(
        idle.tenant.id, "choosy"
    )
    assert (await vectors(idle, "choosy"), await vectors(idle, "second")) == (total - 1, total)
    assert await ranks(idle, retriever) == ("choosy", 20)


async def test_embedding_again_ends_where_everything_is_refused(idle: Client) -> None:
    async with working(replace(idle.runtime, retriever=Retriever([]))):
        taken = await idle.give(title="Manual", content=manual(80, "poison"))
        await idle.ended(taken["job_id"])
    await Reembedding(idle.runtime.database, idle.runtime.jobs, PostgresVectors(), (choosy(),)).run(
        idle.tenant.id, "choosy"
    )
    assert await idle.scalar(f"SELECT count(*) FROM ({WAITING}) waiting", t=idle.tenant.id) == 0


class BrokenStore(PostgresVectors):
    """Takes no vectors."""

    async def write(self, *_: object, **__: object) -> None:
        raise VectorStoreDown


def dear(name: str = "dear") -> RemoteEmbedder:
    """An embedder that costs a token a text."""

    async def call(texts: Sequence[str]) -> list[list[float]]:
        if ledger := account():
            ledger.enter(CallRecord(Purpose.EMBED, name, Outcome.COMPLETED, Usage(len(texts))))
        return [[1.0, float(len(text))] for text in texts]

    return RemoteEmbedder(name, call)


class UndecidedDatabase(Database):
    """Loses the connection before it can commit."""

    @asynccontextmanager
    async def tenant(self, tenant_id: UUID) -> AsyncIterator[TenantSession]:
        async with super().tenant(tenant_id) as session:
            yield session
            raise psycopg.OperationalError("the connection was lost")


async def points(client: Client, store: VectorStore, text: str) -> list[float]:
    """Return how near to a text the points are that the store has, whether passages have them or not."""
    query = VectorQuery(client.tenant.brand_id, "first", await embedder("first", 8).embed_query(text))
    async with client.runtime.database.tenant_reader(client.tenant.id) as session:
        return [round(score, 3) for _, score in await store.search(session, query, 1_000)]


async def test_vectors_go_after_the_passages_and_not_without_them(idle: Client, store: VectorStore) -> None:
    runtime = replace(idle.runtime, retriever=Retriever([embedder("first", 8)], store))
    async with working(runtime):
        taken = await idle.give(title="Manual", content=manual(20))
        total = (await idle.ended(taken["job_id"]))["total"]
    database = UndecidedDatabase(runtime.database.url)
    service = KnowledgeService(database, runtime.blobs, runtime.jobs, store, runtime.settings)
    async with database:
        with pytest.raises(psycopg.OperationalError):
            await service.remove(idle.tenant.id, UUID(taken["source_id"]))
    assert len(await points(idle, store, "valve")) == total
    await replace(service, database=runtime.database).remove(idle.tenant.id, UUID(taken["source_id"]))
    async with working(runtime), asyncio.timeout(30):
        while await points(idle, store, "valve"):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_a_rewritten_passage_gets_the_vector_of_its_new_text(idle: Client, store: VectorStore) -> None:
    runtime = replace(idle.runtime, retriever=Retriever([embedder("first", 8)], store))
    async with working(runtime):
        taken = await idle.give(title="Hours", content="We open at nine.")
        await idle.ended(taken["job_id"])
    path = f"/admin/knowledge_assets/{taken['source_id']}/passages"
    [passage] = (await idle.call("GET", path))["items"]
    editor = PassageEditor(runtime.database, runtime.jobs, store, runtime.retriever.embedders)
    await editor.rewrite(idle.tenant.id, UUID(passage["id"]), "We close at five.")
    assert await vectors(idle, "first") == 0
    async with working(runtime), asyncio.timeout(30):
        while await points(idle, store, "Hours\nWe close at five.") != [1.0]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert await vectors(idle, "first") == 1


async def spent(client: Client) -> int:
    statement = "SELECT coalesce(sum(tokens), 0) FROM daily_usage WHERE tenant_id = :t"
    return int(await client.scalar(statement, t=client.tenant.id))


async def test_what_was_paid_for_is_booked_though_nothing_is_written(idle: Client) -> None:
    async with working(replace(idle.runtime, retriever=Retriever([dear(), choosy()]))):
        taken = await idle.give(title="Rats", content="The poison is blue.")
        assert (await idle.ended(taken["job_id"]))["status"] == "failed"
    assert await spent(idle) == 1
    async with working(replace(idle.runtime, retriever=Retriever([]))):
        taken = await idle.give(title="Manual", content="The valve is opened slowly.")
        await idle.ended(taken["job_id"])
    again = Reembedding(idle.runtime.database, idle.runtime.jobs, BrokenStore(), (dear(),))
    with pytest.raises(VectorStoreDown):
        await again.run(idle.tenant.id, "dear")
    assert await spent(idle) == 2
