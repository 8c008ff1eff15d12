"""Writes and removes passages, their terms and the statistics that ranking needs, in the caller's transaction."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
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
                      length, terms, weights, grams)
SELECT %(tenant)s, r.id, %(brand)s, %(source)s, %(version)s, r.ordinal, r.text,
       ARRAY(SELECT jsonb_array_elements_text(r.headings::jsonb)), r.language, r.content_hash, r.length,
       r.terms::bigint[], r.weights::sparsevec, r.grams::sparsevec
FROM unnest(%(ids)s::uuid[], %(ordinals)s::bigint[], %(texts)s::text[], %(headings)s::text[], %(languages)s::text[],
            %(hashes)s::text[], %(lengths)s::bigint[], %(terms)s::text[], %(weights)s::text[], %(grams)s::text[])
  AS r(id, ordinal, text, headings, language, content_hash, length, terms, weights, grams)
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
    rows = await asyncio.to_thread(_rows, source, fresh)
    await _insert(connection, session.tenant_id, source, rows)
    if store is not None:
        for embedded in vectors:
            await store.write(session, source.brand_id, embedded.embedder, _records(rows, embedded))
    await add_terms(connection, session.tenant_id, source.brand_id, _counted(rows))
    grown = size.plus(Counter(row.draft.language for row in rows))
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
        "AND (%s::bigint IS NULL OR version <> %s) RETURNING id, language, terms",
        (session.tenant_id, source_id, version, version, keep_version, keep_version),
    )
    gone = await cursor.fetchall()
    if not gone:
        return 0
    if store is not None:
        await store.remove(session, brand_id, [row[0] for row in gone])
    await remove_terms(connection, session.tenant_id, brand_id, Counter(term for row in gone for term in row[2]))
    shrunk = size.plus(Counter({k: -n for k, n in Counter(row[1] for row in gone).items()}))
    await save_size(connection, session.tenant_id, brand_id, shrunk)
    await refresh_gram_table(connection, session.tenant_id, brand_id, shrunk)
    return len(gone)


async def _present(connection: AsyncConnection[Any], tenant_id: UUID, source: SourceVersion) -> set[int]:
    cursor = await connection.execute(
        "SELECT ordinal FROM passages WHERE tenant_id = %s AND source_id = %s AND version = %s",
        (tenant_id, source.source_id, source.version),
    )
    return {row[0] for row in await cursor.fetchall()}


def _rows(source: SourceVersion, drafts: Sequence[PassageDraft]) -> list[_Row]:
    rows = []
    for draft in drafts:
        analysis = analyse_passage(source.title, draft.heading_path, draft.text, draft.language)
        stems = dict.fromkeys(word.stem for word in analysis.words if len(word.stem) <= _MAX_WORD)
        words = {term_key(source.brand_id, stem): stem for stem in stems}
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
        }
        rows.append(_Row(new_id(), draft, analysis, words, columns))
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
