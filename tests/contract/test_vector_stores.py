"""The same promises hold for vectors in PostgreSQL and in Qdrant (its local mode)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import numpy as np
import pytest
from qdrant_client import AsyncQdrantClient
from qdrant_client.http.exceptions import UnexpectedResponse
from sqlalchemy import text

from chatbot.core.ids import new_id
from chatbot.db.models import KnowledgeSource
from chatbot.db.sessions import Database
from chatbot.knowledge.index.chosen import Chosen
from chatbot.knowledge.index.drafts import EmbeddedPassages, PassageDraft, SourceVersion
from chatbot.knowledge.index.passages import (
    drop_vectors,
    index_passages,
    remove_passages,
)
from chatbot.knowledge.index.qdrant import QdrantVectors
from chatbot.knowledge.index.vectors import PostgresVectors, VectorQuery, VectorStore
from chatbot.knowledge.retrieval.config import RetrievalConfig
from chatbot.knowledge.retrieval.service import Retriever
from tests.conftest import TenantRows

# The local mode scans exactly and says so.
pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect")

EMBEDDER, SIZE = "test-model", 384


@pytest.fixture(params=["postgres", "qdrant"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[VectorStore]:
    if request.param == "postgres":
        yield PostgresVectors()
        return
    client = AsyncQdrantClient(":memory:")
    yield QdrantVectors(client)
    await client.close()


def _axis(number: int) -> np.ndarray:
    return np.eye(SIZE, dtype=np.float32)[number]


class Rollback(Exception):
    """The connection is lost before the COMMIT."""


async def _index(
    database: Database, tenant: TenantRows, store: VectorStore, count: int, words: str = "passage", language: str = "en"
) -> SourceVersion:
    where = SourceVersion(tenant.brand_id, new_id(), 1, "Vectors")
    async with database.tenant(tenant.id) as session:
        session.add(
            KnowledgeSource(
                tenant_id=tenant.id, id=where.source_id, brand_id=tenant.brand_id, kind="text", title="Vectors",
                version=1, live_version=1,
            )
        )  # fmt: skip
        await session.flush()
        drafts = [PassageDraft(n, f"{words} {n}", language) for n in range(count)]
        vectors = EmbeddedPassages(EMBEDDER, SIZE, {n: _axis(n) for n in range(count)})
        await index_passages(session, where, drafts, vectors=[vectors], store=store)
    return where


@pytest.mark.parametrize("passages", [10, 1_000_000], ids=["exact", "approximate"])
async def test_the_nearest_come_first(
    database: Database, tenant: TenantRows, store: VectorStore, passages: int
) -> None:
    await _index(database, tenant, store, 5)
    asked = _axis(3) * 0.8 + _axis(1) * 0.6
    query = VectorQuery(tenant.brand_id, EMBEDDER, asked, passages)
    async with database.tenant_reader(tenant.id) as session:
        found = await store.search(session, query, 2)
        checked = await store.search(session, query, 2, checked=True)
        scores = await store.scores(session, query, [passage for passage, _ in found] + [new_id()])
    assert [round(score, 2) for _, score in found] == [0.8, 0.6]
    assert [passage for passage, _ in checked[:2]] == [passage for passage, _ in found]
    assert {round(score, 2) for score in scores.values()} == {0.8, 0.6}


async def test_no_other_tenant_or_embedder_is_searched(
    database: Database, tenant: TenantRows, other_tenant: TenantRows, store: VectorStore
) -> None:
    await _index(database, tenant, store, 2)
    mine = VectorQuery(tenant.brand_id, EMBEDDER, _axis(0))
    async with database.tenant_reader(tenant.id) as session:
        ids = [passage for passage, _ in await store.search(session, mine, 5)]
        unknown = await store.search(session, VectorQuery(tenant.brand_id, "another", _axis(0)), 5)
    async with database.tenant_reader(other_tenant.id) as session:
        forged = await store.search(session, mine, 5)
        scores = await store.scores(session, mine, ids)
    assert len(ids) == 2
    assert unknown == forged == []
    assert scores == {}


async def test_what_is_removed_is_gone(database: Database, tenant: TenantRows, store: VectorStore) -> None:
    where = await _index(database, tenant, store, 3)
    async with database.tenant(tenant.id) as session:
        gone = await remove_passages(session, tenant.brand_id, [Chosen(where.source_id)])
    assert len(gone) == 3
    async with database.tenant(tenant.id) as session:
        await drop_vectors(session, tenant.brand_id, gone, store=store)
    async with database.tenant_reader(tenant.id) as session:
        assert await store.search(session, VectorQuery(tenant.brand_id, EMBEDDER, _axis(0)), 5) == []


async def test_vectors_that_passages_have_stay(database: Database, tenant: TenantRows, store: VectorStore) -> None:
    await _index(database, tenant, store, 2)
    query = VectorQuery(tenant.brand_id, EMBEDDER, _axis(0))
    async with database.tenant(tenant.id) as session:
        ids = sorted(passage for passage, _ in await store.search(session, query, 5))
        await session.execute(text("UPDATE passages SET embedders = '{}' WHERE id = :id"), {"id": ids[0]})
    async with database.tenant(tenant.id) as session:
        await drop_vectors(session, tenant.brand_id, ids, store=store)
    async with database.tenant_reader(tenant.id) as session:
        assert [passage for passage, _ in await store.search(session, query, 5)] == ids[1:]


async def test_a_qdrant_collection_that_vanished_is_made_anew(
    database: Database, tenant: TenantRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = AsyncQdrantClient(":memory:")
    upsert = client.upsert

    async def as_the_server(name: str, *args: Any, **options: Any) -> Any:
        if not await client.collection_exists(name):
            raise UnexpectedResponse(404, "Not Found", b"", httpx.Headers())
        return await upsert(name, *args, **options)

    monkeypatch.setattr(client, "upsert", as_the_server)
    store = QdrantVectors(client)
    await _index(database, tenant, store, 2)
    for collection in (await client.get_collections()).collections:
        await client.delete_collection(collection.name)
    await _index(database, tenant, store, 2)
    async with database.tenant_reader(tenant.id) as session:
        assert len(await store.search(session, VectorQuery(tenant.brand_id, EMBEDDER, _axis(0)), 5)) == 2
    await client.close()


class _SameForAll:
    """Knows every language, and sees the same in every text."""

    id, dimensions, remote = EMBEDDER, SIZE, False
    languages: frozenset[str] | None = None

    async def embed_passages(self, texts: Sequence[str]) -> np.ndarray:
        return np.stack([_axis(0) for _ in texts])

    async def embed_query(self, text: str) -> np.ndarray:
        return _axis(0)


async def test_passages_in_the_questions_own_language_go_first(
    database: Database, tenant: TenantRows, store: VectorStore
) -> None:
    told = {
        "en": "Xin shows its sources. Xin runs on your machines.",
        "es": "Xin muestra sus fuentes. Xin se ejecuta en sus servidores.",
        "fa": "زین (Xin) روی سرور خودتان اجرا می‌شود.",
    }
    for language, words in told.items():
        await _index(database, tenant, store, 3, words, language)
    retriever = Retriever([_SameForAll()], store)
    for query, language in (("Xin چیست؟", "fa"), ("¿Qué es Xin?", "es"), ("What is Xin?", "en")):
        vectors = await retriever.embed_query(query)
        async with database.tenant_reader(tenant.id) as session:
            found = await retriever.retrieve(
                session, tenant_id=tenant.id, brand_id=tenant.brand_id, query=query, vectors=vectors,
                config=RetrievalConfig(),
            )  # fmt: skip
        assert found.answerable
        assert found.results[0].language == language
        assert found.results[0].vector_score == 1.0


async def test_without_the_vector_store_questions_are_answered_by_words(
    database: Database, tenant: TenantRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = AsyncQdrantClient(":memory:")
    store = QdrantVectors(client)
    await _index(database, tenant, store, 3, "refund of gift cards")

    async def hang(*_: object, **__: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(client, "query_points", hang)
    monkeypatch.setattr("chatbot.knowledge.index.qdrant._ANSWER_SECONDS", 0.05)
    retriever = Retriever([_SameForAll()], store)
    vectors = await retriever.embed_query("refund of gift cards")
    assert vectors
    async with database.tenant_reader(tenant.id) as session:
        found = await retriever.retrieve(
            session, tenant_id=tenant.id, brand_id=tenant.brand_id, query="refund of gift cards", vectors=vectors,
            config=RetrievalConfig(),
        )  # fmt: skip
    await client.close()
    assert found.answerable
    assert found.results[0].vector_score is None


async def test_a_transaction_that_failed_leaves_no_vectors_once_it_is_tried_again(
    database: Database, tenant: TenantRows, store: VectorStore
) -> None:
    where = await _index(database, tenant, store, 1)
    drafts = [PassageDraft(n, f"passage {n}", "en") for n in range(4)]
    vectors = EmbeddedPassages(EMBEDDER, SIZE, {n: _axis(n) for n in range(4)})
    for _ in range(3):
        with pytest.raises(Rollback):
            async with database.tenant(tenant.id) as session:
                await index_passages(session, where, drafts, vectors=[vectors], store=store)
                raise Rollback
    async with database.tenant(tenant.id) as session:
        await index_passages(session, where, drafts, vectors=[vectors], store=store)
        found = await store.search(session, VectorQuery(tenant.brand_id, EMBEDDER, _axis(2), 4), 100)
        stored = set((await session.execute(text("SELECT id FROM passages"))).scalars())
    assert {passage for passage, _ in found} == stored
    assert len(stored) == 4


async def test_vectors_that_are_being_written_again_are_not_removed(
    database: Database, tenant: TenantRows, store: VectorStore
) -> None:
    where = await _index(database, tenant, store, 2)
    async with database.tenant(tenant.id) as session:
        gone = await remove_passages(session, tenant.brand_id, [Chosen(where.source_id)])

    async def drop() -> None:
        async with database.tenant(tenant.id) as session:
            await drop_vectors(session, tenant.brand_id, gone, store=store)

    async with database.tenant(tenant.id) as session:
        drafts = [PassageDraft(n, f"passage {n}", "en") for n in range(2)]
        vectors = EmbeddedPassages(EMBEDDER, SIZE, {n: _axis(n) for n in range(2)})
        await index_passages(session, where, drafts, vectors=[vectors], store=store)
        dropping = asyncio.create_task(drop())
        await asyncio.wait([dropping], timeout=1)
    await dropping
    async with database.tenant_reader(tenant.id) as session:
        found = await store.search(session, VectorQuery(tenant.brand_id, EMBEDDER, _axis(1), 2), 100)
    assert len(found) == 2
