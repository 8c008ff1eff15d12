"""Vectors of the embedder in use; and what happens when another one takes its place, in both stores."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from uuid import UUID

import pytest
from qdrant_client import AsyncQdrantClient

from chatbot.knowledge.embedding.contract import Embedder
from chatbot.knowledge.embedding.remote import RemoteEmbedder
from chatbot.knowledge.index.qdrant import QdrantVectors
from chatbot.knowledge.index.vectors import PostgresVectors, VectorStore
from chatbot.knowledge.ingestion.reembedding import Reembedding
from chatbot.knowledge.retrieval.config import RetrievalConfig
from chatbot.knowledge.retrieval.service import Retriever
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
