"""Writers of one brand wait for each other only while rows are written: what takes time is done before."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import text

from chatbot.core.ids import new_id
from chatbot.db.driver import Command
from chatbot.db.models import KnowledgeSource
from chatbot.db.sessions import Database
from chatbot.knowledge.index import drafts as drafting
from chatbot.knowledge.index import grams, passages, statistics
from chatbot.knowledge.index.chosen import Chosen
from chatbot.knowledge.index.drafts import EmbeddedPassages, PassageDraft, SourceVersion
from chatbot.knowledge.index.passages import (
    add_vectors,
    drop_vectors,
    forget_embedder,
    index_passages,
    remove_passages,
    rewrite_passage,
)
from chatbot.knowledge.index.vectors import VectorRecord
from chatbot.knowledge.ingestion.pipeline import Pace
from tests.conftest import TenantRows
from tests.integration.ingestion.conftest import platform, settings_for, working

EMBEDDER, SIZE = "elsewhere", 384
PATIENCE = 60.0


class _Elsewhere:
    """A store outside PostgreSQL that notes what it is asked for, and when."""

    inside = False

    def __init__(self, events: "_Events") -> None:
        self.points: dict[tuple[str, UUID], np.ndarray] = {}
        self._events = events

    async def write(self, session: Any, brand_id: UUID, embedder: str, records: Sequence[VectorRecord]) -> None:
        self._events.note("store")
        self.points.update({(embedder, record.passage_id): record.vector for record in records})

    async def remove(
        self, session: Any, brand_id: UUID, passage_ids: Sequence[UUID], *, kept: Collection[str] = ()
    ) -> None:
        self._events.note("store")
        for embedder, passage_id in list(self.points):
            if passage_id in passage_ids and embedder not in kept:
                del self.points[embedder, passage_id]

    async def forget(self, session: Any, brand_id: UUID, embedder: str) -> None:
        self._events.note("store")
        self.points = {key: vector for key, vector in self.points.items() if key[0] != embedder}

    async def search(self, *_: Any, **__: Any) -> list[tuple[UUID, float]]:
        return []

    async def scores(self, *_: Any) -> dict[UUID, float]:
        return {}


class _Events:
    """What happens, and what of it while the transaction that does it holds a brand."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self.under_lock: list[str] = []
        self._transaction: ContextVar[set[str] | None] = ContextVar("transaction", default=None)

    def note(self, name: str) -> None:
        self.all.append(name)
        transaction = self._transaction.get()
        if transaction is not None and "lock" in transaction and name != "lock":
            self.under_lock.append(name)
        if transaction is not None:
            transaction.add(name)

    def noting(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*given: Any, **named: Any) -> Any:
            self.note(name)
            return call(*given, **named)

        return noted

    def within(self, opening: Callable[..., Any]) -> Callable[..., Any]:
        @asynccontextmanager
        async def opened(database: Database, tenant_id: UUID) -> AsyncIterator[Any]:
            before = self._transaction.get()
            self._transaction.set(set())
            try:
                async with opening(database, tenant_id) as session:
                    yield session
            finally:
                self._transaction.set(before)

        return opened


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> _Events:
    """`analyse` for each passage, `store` for each call of a store elsewhere, `lock` for each time a brand is held."""
    noted = _Events()
    for module in (drafting, grams):
        monkeypatch.setattr(module, "analyse_passage", noted.noting("analyse", module.analyse_passage))
    monkeypatch.setattr(passages, "lock_brand", noted.noting("lock", passages.lock_brand))
    monkeypatch.setattr(Database, "tenant", noted.within(Database.tenant))
    return noted


async def _source(database: Database, tenant: TenantRows) -> SourceVersion:
    source = SourceVersion(tenant.brand_id, new_id(), 1, "Bicycles")
    async with database.tenant(tenant.id) as session:
        session.add(
            KnowledgeSource(
                tenant_id=tenant.id, id=source.source_id, brand_id=tenant.brand_id, kind="text", title="Bicycles",
                version=1, live_version=1,
            )
        )  # fmt: skip
    return source


def _drafts(count: int, first: int = 0) -> list[PassageDraft]:
    return [PassageDraft(n, f"tandem bicycle number{n} of the workshop", "en") for n in range(first, first + count)]


def _vectors(drafts: Sequence[PassageDraft]) -> list[EmbeddedPassages]:
    axes = np.eye(SIZE, dtype=np.float32)
    return [EmbeddedPassages(EMBEDDER, SIZE, {draft.ordinal: axes[draft.ordinal] for draft in drafts})]


async def _ids(database: Database, source: SourceVersion) -> list[UUID]:
    async with database.platform() as session:
        asked = text("SELECT id FROM passages WHERE source_id = :id ORDER BY ordinal")
        return list((await session.execute(asked, {"id": source.source_id})).scalars())


async def test_nothing_slow_happens_under_the_lock_of_a_brand(
    database: Database, tenant: TenantRows, events: _Events
) -> None:
    store = _Elsewhere(events)
    source = await _source(database, tenant)
    async with database.tenant(tenant.id) as session:
        assert await index_passages(session, source, _drafts(8), vectors=_vectors(_drafts(8)), store=store) == 8
    async with database.tenant(tenant.id) as session:
        more = _drafts(8, first=8)
        assert await index_passages(session, source, more, vectors=_vectors(more), store=store) == 8
    ids = await _ids(database, source)
    async with database.tenant(tenant.id) as session:
        draft = PassageDraft(0, "a unicycle", "en")
        assert await rewrite_passage(session, source, ids[0], draft, vectors=[], store=store)
    async with database.tenant(tenant.id) as session:
        hashes = [hashlib.sha256(b"a unicycle").hexdigest()]
        record = VectorRecord(ids[0], np.eye(SIZE, dtype=np.float32)[20])
        await add_vectors(session, tenant.brand_id, "newer", [record], hashes, store=store)
    async with database.tenant(tenant.id) as session:
        await forget_embedder(session, tenant.brand_id, EMBEDDER, store=store)
    async with database.tenant(tenant.id) as session:
        assert len(await remove_passages(session, tenant.brand_id, [Chosen(source.source_id)])) == 16
    assert events.all.count("lock") == 6
    assert events.all.count("analyse") > 16 + 1
    assert events.all.count("store") == 4
    assert events.under_lock == []
    assert set(store.points) == {("newer", ids[0])}


async def test_while_a_brand_is_locked_a_store_elsewhere_is_written_and_cleared(
    database: Database, tenant: TenantRows
) -> None:
    source = await _source(database, tenant)
    store, wrote = _Elsewhere(_Events()), asyncio.Event()
    written = store.write

    async def write(*given: Any) -> None:
        await written(*given)
        wrote.set()

    store.write = write  # type: ignore[method-assign]

    async def index() -> None:
        async with database.tenant(tenant.id) as session:
            await index_passages(session, source, _drafts(3), vectors=_vectors(_drafts(3)), store=store)

    async with database.tenant(tenant.id) as session:
        await statistics.lock_brand(session, tenant.brand_id, Command("SELECT 1"))
        indexing = asyncio.create_task(index())
        async with asyncio.timeout(PATIENCE):
            await wrote.wait()
            gone = (EMBEDDER, new_id())
            store.points[gone] = np.zeros(SIZE)
            async with database.tenant(tenant.id) as other:
                await drop_vectors(other, tenant.brand_id, [gone[1]], store=store, source_ids=[new_id()])
        assert gone not in store.points
        assert not indexing.done()
    await indexing
    assert {passage_id for _, passage_id in store.points} == set(await _ids(database, source))


async def test_vectors_of_a_text_that_is_no_more_are_not_given_to_a_store_elsewhere(
    database: Database, tenant: TenantRows
) -> None:
    source, store = await _source(database, tenant), _Elsewhere(_Events())
    async with database.tenant(tenant.id) as session:
        await index_passages(session, source, _drafts(2))
    ids = await _ids(database, source)
    hashes = [hashlib.sha256(draft.text.encode()).hexdigest() for draft in _drafts(2)]
    async with database.tenant(tenant.id) as session:
        assert await rewrite_passage(session, source, ids[0], PassageDraft(0, "new", "en"), vectors=[], store=store)
    records = [VectorRecord(passage_id, np.zeros(SIZE)) for passage_id in ids]
    async with database.tenant(tenant.id) as session:
        await add_vectors(session, tenant.brand_id, EMBEDDER, records, hashes, store=store)
    assert set(store.points) == {(EMBEDDER, ids[1])}
    async with database.platform() as session:
        embedded = (await session.execute(text("SELECT embedded FROM brand_statistics"))).scalars().all()
    assert {EMBEDDER: 1} in embedded


async def _table(database: Database, tenant: TenantRows) -> tuple[bytes, int, int]:
    async with database.platform() as session:
        asked = text("SELECT gram_table, gram_sample, gram_basis FROM brand_statistics WHERE brand_id = :id")
        row = (await session.execute(asked, {"id": tenant.brand_id})).one()
    return bytes(row[0]), row[1], row[2]


async def _count_afresh(database: Database, tenant: TenantRows) -> tuple[bytes, int, int]:
    """Count as it was done before: of what is stored, under the lock."""
    async with database.tenant(tenant.id) as session:
        await session.execute(text("UPDATE brand_statistics SET gram_basis = 0"))
        await grams.settle_grams(session, tenant.brand_id, None)
    return await _table(database, tenant)


async def test_grams_counted_ahead_are_those_that_are_stored(database: Database, tenant: TenantRows) -> None:
    first, second = await _source(database, tenant), await _source(database, tenant)
    for source, count in ((first, 6), (second, 5)):
        async with database.tenant(tenant.id) as session:
            await index_passages(session, source, _drafts(count))
        ahead = await _table(database, tenant)
        assert ahead == await _count_afresh(database, tenant)
    assert ahead[1:] == (11, 11)
    async with database.tenant(tenant.id) as session:
        await remove_passages(session, tenant.brand_id, [Chosen(first.source_id)])
    ahead = await _table(database, tenant)
    assert ahead[1:] == (5, 5)
    assert ahead == await _count_afresh(database, tenant)


async def test_grams_of_a_brand_that_others_changed_meanwhile_are_counted_again(
    database: Database, tenant: TenantRows
) -> None:
    source, other = await _source(database, tenant), await _source(database, tenant)
    async with database.tenant_reader(tenant.id) as reader:
        rows = await drafting.analyse_drafts(source, _drafts(4))
        ahead = await grams.count_ahead(reader, tenant.brand_id, added=rows)
    async with database.tenant(tenant.id) as session:
        await index_passages(session, other, _drafts(9))
    async with database.tenant(tenant.id) as session:
        await passages.write_passages(session, source, rows)
        await grams.settle_grams(session, tenant.brand_id, ahead)
    stored = await _table(database, tenant)
    assert stored[1:] == (13, 13)
    assert stored == await _count_afresh(database, tenant)


async def test_a_job_analyses_before_it_holds_the_brand(database_url: str, tmp_path: Any, events: _Events) -> None:
    async with platform(database_url, settings_for(tmp_path)) as knowledge:
        async with working(knowledge.runtime, Pace(batch=4)):
            for words in ("tandem", "unicycle"):
                body = "\n\n".join(f"# Part {n}\n\nThe {words} {n} is " + "repaired here. " * 20 for n in range(12))
                given = await knowledge.give(external_id="bikes", title="Bikes", content=body)
                job = await knowledge.ended(given["job_id"])
                assert job["status"] == "completed", job
    assert events.all.count("lock") >= 4
    assert "analyse" in events.all
    assert events.under_lock == []
