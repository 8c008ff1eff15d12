"""Vectors of the embedder in use; and what happens when another one takes its place."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from chatbot.knowledge.embedding.remote import RemoteEmbedder
from chatbot.knowledge.retrieval.service import Retriever
from tests.integration.ingestion.conftest import Client, working
from tests.integration.ingestion.test_lives import manual

COUNT = "SELECT count(*) FROM passage_vectors WHERE tenant_id = :t AND embedder = :e"


def embedder(name: str, dimensions: int) -> RemoteEmbedder:
    """An embedder behind a call that answers at once: vectors of letter counts."""

    async def call(texts: Sequence[str]) -> list[list[float]]:
        return [[float(1 + text.count(chr(97 + n))) for n in range(dimensions)] for text in texts]

    return RemoteEmbedder(name, call)


async def vectors(client: Client, name: str) -> int:
    return int(await client.scalar(COUNT, t=client.tenant.id, e=name))


async def test_another_embedder_embeds_all_again_while_the_old_vectors_serve(idle: Client) -> None:
    first = replace(idle.runtime, retriever=Retriever([embedder("first", 8)]))
    async with working(first):
        taken = await idle.give(title="Manual", content=manual(100))
        job = await idle.ended(taken["job_id"])
    assert await vectors(idle, "first") == job["total"] >= 100
    second = replace(idle.runtime, retriever=Retriever([embedder("second", 16)]))
    async with working(second):
        for _ in range(500):
            new, old = await vectors(idle, "second"), await vectors(idle, "first")
            if old == 0:
                break
            assert old == job["total"]
            await asyncio.sleep(0.02)
        assert new == job["total"]
    assert await vectors(idle, "second") == job["total"]
    assert (await idle.source(taken["source_id"]))["status"] == "ready"
