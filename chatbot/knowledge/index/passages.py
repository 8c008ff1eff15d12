"""Writes and removes passages, their terms and the statistics that ranking needs, in the caller's transaction."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from psycopg import AsyncConnection

from chatbot.core.ids import new_id
from chatbot.db.sessions import TenantSession, driver_connection
from chatbot.knowledge.analysis.words import Analysis, term_key
from chatbot.knowledge.embedding.contract import Vectors
from chatbot.knowledge.index.grams import refresh_gram_table
from chatbot.knowledge.index.statistics import add_terms, lock_brand, remove_terms, save_size
from chatbot.knowledge.index.vectors import VectorRecord, VectorStore
from chatbot.knowledge.index.weighting import analyse_passage, gram_weights, sparse_literal, stem_weights

_MAX_WORD = 80  # longer "words" are encoded data; they are found by their grams only

_INSERT = """
INSERT INTO passages (tenant_id, id, brand_id, source_id, version, ordinal, text, heading_path, language, content_hash,
                      length, terms, weights, grams, embedders)
SELECT %(tenant)s, r.id, %(brand)s, %(source)s, %(version)s, r.ordinal, r.text,
       ARRAY(SELECT jsonb_array_elements_text(r.headings::jsonb)), r.language, r.content_hash, r.length,
       r.terms::bigint[], r.weights::sparsevec, r.grams::sparsevec,
       ARRAY(SELECT jsonb_array_elements_text(r.embedders::jsonb))
FROM unnest(%(ids)s::uuid[], %(ordinals)s::bigint[], %(texts)s::text[], %(headings)s::text[], %(languages)s::text[],
            %(hashes)s::text[], %(lengths)s::bigint[], %(terms)s::text[], %(weights)s::text[], %(grams)s::text[],
            %(embedders)s::text[])
  AS r(id, ordinal, text, headings, language, content_hash, length, terms, weights, grams, embedders)
"""


@dataclass(frozen=True, slots=True)
class SourceVersion:
    """The version of a source that passages belong to; ``title`` is part of what each of them is found by."""

    brand_id: UUID
    source_id: UUID
    version: int
    title: str


@dataclass(frozen=True, slots=True)
class PassageDraft:
    """A passage before it is stored: ``language`` is a two-letter code, ``ordinal`` counts from 0 in the source."""

    ordinal: int
    text: str
    language: str
    heading_path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EmbeddedPassages:
    """Vectors of one embedder by ordinal; ordinals in languages it does not know are absent."""

    embedder: str
    dimensions: int
    by_ordinal: Mapping[int, Vectors] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Row:
    id: UUID
    draft: PassageDraft
    analysis: Analysis
    words: dict[int, str]  # term key to stem
    embedders: tuple[str, ...]
    columns: dict[str, Any]


async def index_passages(
    session: TenantSession,
    source: SourceVersion,
    drafts: Sequence[PassageDraft],
    *,
    vectors: Sequence[EmbeddedPassages] = (),
    store: VectorStore | None = None,
) -> int:
    """Store passages, their terms and vectors, and count their words, all in the session's transaction.

    Idempotent by (source, version, ordinal): what is there already is left as it is. Writers of one brand wait for one
    another until they commit, so keep the transaction short (embed before it).

    Returns:
        The number of passages that were new.
    """
    connection = await driver_connection(session)
    size = await lock_brand(connection, session.tenant_id, source.brand_id)
    present = await _present(connection, session.tenant_id, source)
    fresh = [draft for draft in drafts if draft.ordinal not in present]
    if not fresh:
        return 0
    if store is None:
        vectors = ()
    rows = await asyncio.to_thread(_rows, source, fresh, vectors)
    await _insert(connection, session.tenant_id, source, rows)
    if store is not None:
        for embedded in vectors:
            await store.write(session, source.brand_id, embedded.embedder, _records(rows, embedded))
    await add_terms(connection, session.tenant_id, source.brand_id, _counted(rows))
    stored = Counter(embedder for row in rows for embedder in row.embedders)
    grown = size.plus(Counter(row.draft.language for row in rows), stored)
    await save_size(connection, session.tenant_id, source.brand_id, grown)
    await refresh_gram_table(connection, session.tenant_id, source.brand_id, grown)
    return len(rows)


async def remove_passages(
    session: TenantSession,
    brand_id: UUID,
    source_id: UUID,
    *,
    version: int | None = None,
    keep_version: int | None = None,
    store: VectorStore | None = None,
) -> int:
    """Remove a source's passages and uncount their words: of one version, of all but one, or all.

    Returns:
        The number of passages removed.
    """
    connection = await driver_connection(session)
    size = await lock_brand(connection, session.tenant_id, brand_id)
    cursor = await connection.execute(
        "DELETE FROM passages WHERE tenant_id = %s AND source_id = %s AND (%s::bigint IS NULL OR version = %s) "
        "AND (%s::bigint IS NULL OR version <> %s) RETURNING id, language, terms, embedders",
        (session.tenant_id, source_id, version, version, keep_version, keep_version),
    )
    gone = await cursor.fetchall()
    if not gone:
        return 0
    if store is not None:
        await store.remove(session, brand_id, [row[0] for row in gone])
    await remove_terms(connection, session.tenant_id, brand_id, Counter(term for row in gone for term in row[2]))
    shrunk = size.plus(_less(row[1] for row in gone), _less(name for row in gone for name in row[3]))
    await save_size(connection, session.tenant_id, brand_id, shrunk)
    await refresh_gram_table(connection, session.tenant_id, brand_id, shrunk)
    return len(gone)


async def add_vectors(
    session: TenantSession, brand_id: UUID, embedder: str, records: Sequence[VectorRecord], *, store: VectorStore
) -> None:
    """Store another embedder's vectors of passages; those that were removed meanwhile are left out."""
    connection = await driver_connection(session)
    size = await lock_brand(connection, session.tenant_id, brand_id)  # whoever removes passages takes it first, too
    cursor = await connection.execute(
        "UPDATE passages SET embedders = array_append(embedders, %s) "
        "WHERE tenant_id = %s AND id = ANY (%s) AND NOT %s = ANY (embedders) RETURNING id",
        (embedder, session.tenant_id, [record.passage_id for record in records], embedder),
    )
    there = {row[0] for row in await cursor.fetchall()}
    await store.write(session, brand_id, embedder, [record for record in records if record.passage_id in there])
    await save_size(connection, session.tenant_id, brand_id, size.plus({}, {embedder: len(there)}))


async def forget_embedder(session: TenantSession, brand_id: UUID, embedder: str, *, store: VectorStore) -> None:
    """Remove all vectors that a brand has of an embedder."""
    connection = await driver_connection(session)
    size = await lock_brand(connection, session.tenant_id, brand_id)
    await connection.execute(
        "UPDATE passages SET embedders = array_remove(embedders, %s) "
        "WHERE tenant_id = %s AND brand_id = %s AND %s = ANY (embedders)",
        (embedder, session.tenant_id, brand_id, embedder),
    )
    await store.forget(session, brand_id, embedder)
    await save_size(connection, session.tenant_id, brand_id, size.plus({}, {embedder: -size.embedded.get(embedder, 0)}))


def _less(names: Iterable[str]) -> dict[str, int]:
    return {name: -count for name, count in Counter(names).items()}


async def _present(connection: AsyncConnection[Any], tenant_id: UUID, source: SourceVersion) -> set[int]:
    cursor = await connection.execute(
        "SELECT ordinal FROM passages WHERE tenant_id = %s AND source_id = %s AND version = %s",
        (tenant_id, source.source_id, source.version),
    )
    return {row[0] for row in await cursor.fetchall()}


def _rows(source: SourceVersion, drafts: Sequence[PassageDraft], vectors: Sequence[EmbeddedPassages]) -> list[_Row]:
    rows = []
    for draft in drafts:
        analysis = analyse_passage(source.title, draft.heading_path, draft.text, draft.language)
        stems = dict.fromkeys(word.stem for word in analysis.words if len(word.stem) <= _MAX_WORD)
        words = {term_key(source.brand_id, stem): stem for stem in stems}
        embedders = tuple(embedded.embedder for embedded in vectors if draft.ordinal in embedded.by_ordinal)
        columns = {
            "ordinals": draft.ordinal,
            "texts": draft.text,
            "headings": orjson.dumps(draft.heading_path).decode(),
            "languages": draft.language,
            "hashes": hashlib.sha256(draft.text.encode()).hexdigest(),
            "lengths": analysis.length,
            "terms": f"{{{','.join(map(str, words))}}}",
            "weights": sparse_literal(stem_weights(analysis)),
            "grams": sparse_literal(gram_weights(analysis)),
            "embedders": orjson.dumps(embedders).decode(),
        }
        rows.append(_Row(new_id(), draft, analysis, words, embedders, columns))
    return rows


async def _insert(
    connection: AsyncConnection[Any], tenant_id: UUID, source: SourceVersion, rows: Sequence[_Row]
) -> None:
    columns = {name: [row.columns[name] for row in rows] for name in rows[0].columns}
    fixed = {"tenant": tenant_id, "brand": source.brand_id, "source": source.source_id, "version": source.version}
    await connection.execute(_INSERT, {**fixed, **columns, "ids": [row.id for row in rows]})


def _records(rows: Sequence[_Row], embedded: EmbeddedPassages) -> list[VectorRecord]:
    known = embedded.by_ordinal
    return [VectorRecord(row.id, known[row.draft.ordinal]) for row in rows if row.draft.ordinal in known]


def _counted(rows: Sequence[_Row]) -> dict[int, tuple[str, int]]:
    """Return term key to (stem, number of passages that hold it)."""
    counts = Counter(term for row in rows for term in row.words)
    words = {term: stem for row in rows for term, stem in row.words.items()}
    return {term: (words[term], count) for term, count in counts.items()}
