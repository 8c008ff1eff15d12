"""Writes and removes passages, their terms and the statistics that ranking needs, in the caller's transaction."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

from chatbot.core.ids import id_of_part
from chatbot.db.sessions import TenantSession, fetch
from chatbot.knowledge.analysis.words import Analysis, term_key
from chatbot.knowledge.embedding.contract import Vectors
from chatbot.knowledge.index.arrays import uuid_array
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
_PRESENT = "SELECT ordinal FROM passages WHERE tenant_id = %s AND source_id = %s AND version = %s"
_DELETE = """
DELETE FROM passages WHERE tenant_id = %(tenant)s AND source_id = %(source)s
  AND (%(version)s::bigint IS NULL OR version = %(version)s::bigint)
  AND (%(kept)s::bigint IS NULL OR version <> %(kept)s::bigint) AND (%(id)s::uuid IS NULL OR id = %(id)s::uuid)
RETURNING id, language, terms, embedders
"""

_WRITERS = "SELECT 1 FROM brand_statistics WHERE tenant_id = %s AND brand_id = %s FOR UPDATE"
_HELD = "SELECT id, embedders FROM passages WHERE tenant_id = %s AND id = ANY (%s::uuid[]) ORDER BY id FOR UPDATE"
_REWRITTEN = """
SELECT language, terms, embedders FROM passages
WHERE tenant_id = %s AND id = %s AND source_id = %s AND version = %s FOR UPDATE
"""
_REWRITE = """
UPDATE passages SET text = %(texts)s, language = %(languages)s, content_hash = %(hashes)s, length = %(lengths)s,
    terms = %(terms)s::bigint[], weights = %(weights)s::sparsevec, grams = %(grams)s::sparsevec,
    embedders = ARRAY(SELECT jsonb_array_elements_text(%(embedders)s::jsonb)), edited_at = now()
WHERE tenant_id = %(tenant)s AND id = %(id)s
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

    Idempotent by (source, version, ordinal), of which a passage's id is made: what is there already is left as it is,
    and vectors that a store elsewhere took from a transaction that failed are written over by the next one. Writers of
    one brand wait for one another until they commit, so keep the transaction short (embed before it).

    Returns:
        The number of passages that were new.
    """
    size = await lock_brand(session, source.brand_id)
    present = await _present(session, source)
    fresh = [draft for draft in drafts if draft.ordinal not in present]
    if not fresh:
        return 0
    if store is None:
        vectors = ()
    rows = await asyncio.to_thread(_rows, source, fresh, vectors)
    _insert(session, source, rows)
    if store is not None:
        for embedded in vectors:
            await store.write(session, source.brand_id, embedded.embedder, _records(rows, embedded))
    add_terms(session, source.brand_id, _counted(rows))
    stored = Counter(embedder for row in rows for embedder in row.embedders)
    grown = size.plus(Counter(row.draft.language for row in rows), stored)
    save_size(session, source.brand_id, grown)
    await refresh_gram_table(session, source.brand_id, grown)
    return len(rows)


async def remove_passages(
    session: TenantSession,
    brand_id: UUID,
    source_id: UUID,
    *,
    version: int | None = None,
    keep_version: int | None = None,
    passage_id: UUID | None = None,
) -> list[UUID]:
    """Remove a source's passages and uncount their words: of one version, of all but one, a single one, or all.

    Vectors beside them go with them. Those of a store elsewhere are `drop_vectors`' to remove, after the commit.

    Returns:
        The ids of the passages removed.
    """
    size = await lock_brand(session, brand_id)
    chosen = {"source": source_id, "version": version, "kept": keep_version, "id": passage_id}
    gone = await fetch(session, _DELETE, {"tenant": session.tenant_id, **chosen})
    if not gone:
        return []
    remove_terms(session, brand_id, Counter(term for row in gone for term in row[2]))
    shrunk = size.plus(_less(row[1] for row in gone), _less(name for row in gone for name in row[3]))
    save_size(session, brand_id, shrunk)
    await refresh_gram_table(session, brand_id, shrunk)
    return [row[0] for row in gone]


async def drop_vectors(
    session: TenantSession, brand_id: UUID, passage_ids: Sequence[UUID], *, store: VectorStore
) -> None:
    """Remove what a store holds of passages that are gone, or of their former text; vectors made since then stay.

    A job that is given back to the queue writes passages under the same ids, so whoever writes now is waited for.
    """
    await fetch(session, _WRITERS, (session.tenant_id, brand_id))
    held = {row[0]: row[1] for row in await fetch(session, _HELD, (session.tenant_id, uuid_array(passage_ids)))}
    alike: dict[frozenset[str], list[UUID]] = {}
    for passage_id in passage_ids:
        alike.setdefault(frozenset(held.get(passage_id, ())), []).append(passage_id)
    for kept, ids in alike.items():
        await store.remove(session, brand_id, ids, kept=kept)


async def rewrite_passage(
    session: TenantSession,
    source: SourceVersion,
    passage_id: UUID,
    draft: PassageDraft,
    *,
    vectors: Sequence[EmbeddedPassages],
    store: VectorStore,
) -> bool:
    """Give a passage another text under its id, count its words anew, and put `vectors` in place of all it had.

    Nothing is written to a store elsewhere, which would not take it back with the transaction: it keeps what it had
    until `drop_vectors`.

    Returns:
        False when it is not there any more; nothing was written then.
    """
    size = await lock_brand(session, source.brand_id)
    before = await fetch(session, _REWRITTEN, (session.tenant_id, passage_id, source.source_id, source.version))
    if not before:
        return False
    language, terms, embedders = before[0]
    if not store.inside:
        vectors = ()
    row = (await asyncio.to_thread(_rows, source, [draft], vectors))[0]
    await fetch(session, _REWRITE, {**row.columns, "tenant": session.tenant_id, "id": passage_id})
    lost, gained = set(terms) - set(row.words), set(row.words) - set(terms)
    remove_terms(session, source.brand_id, dict.fromkeys(lost, 1))
    add_terms(session, source.brand_id, {term: (row.words[term], 1) for term in gained})
    languages, stored = Counter([draft.language]), Counter(row.embedders)
    languages.subtract([language])
    stored.subtract(embedders)
    save_size(session, source.brand_id, size.plus(languages, stored))
    if store.inside:
        await store.remove(session, source.brand_id, [passage_id])
    for embedded in vectors:
        records = [VectorRecord(passage_id, vector) for vector in embedded.by_ordinal.values()]
        await store.write(session, source.brand_id, embedded.embedder, records)
    return True


async def add_vectors(
    session: TenantSession,
    brand_id: UUID,
    embedder: str,
    records: Sequence[VectorRecord],
    hashes: Sequence[str],
    *,
    store: VectorStore,
) -> None:
    """Store another embedder's vectors of passages; those that were removed or rewritten meanwhile are left out.

    Args:
        hashes: `content_hash` of the text that each vector is of.
    """
    size = await lock_brand(session, brand_id)  # whoever removes passages takes it first, too
    kept = await fetch(
        session,
        "UPDATE passages p SET embedders = array_append(p.embedders, %s) "
        "FROM unnest(%s::uuid[], %s::text[]) AS r(id, content_hash) "
        "WHERE p.tenant_id = %s AND p.id = r.id AND p.content_hash = r.content_hash AND NOT %s = ANY (p.embedders) "
        "RETURNING p.id",
        (embedder, [record.passage_id for record in records], list(hashes), session.tenant_id, embedder),
    )
    there = {row[0] for row in kept}
    await store.write(session, brand_id, embedder, [record for record in records if record.passage_id in there])
    save_size(session, brand_id, size.plus({}, {embedder: len(there)}))


async def forget_embedder(session: TenantSession, brand_id: UUID, embedder: str, *, store: VectorStore) -> None:
    """Remove all vectors that a brand has of an embedder."""
    size = await lock_brand(session, brand_id)
    await fetch(
        session,
        "UPDATE passages SET embedders = array_remove(embedders, %s) "
        "WHERE tenant_id = %s AND brand_id = %s AND %s = ANY (embedders)",
        (embedder, session.tenant_id, brand_id, embedder),
    )
    await store.forget(session, brand_id, embedder)
    save_size(session, brand_id, size.plus({}, {embedder: -size.embedded.get(embedder, 0)}))


def _less(names: Iterable[str]) -> dict[str, int]:
    return {name: -count for name, count in Counter(names).items()}


async def _present(session: TenantSession, source: SourceVersion) -> set[int]:
    values = (session.tenant_id, source.source_id, source.version)
    return {row[0] for row in await fetch(session, _PRESENT, values)}


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
        passage_id = id_of_part(source.source_id, source.version, draft.ordinal)
        rows.append(_Row(passage_id, draft, analysis, words, embedders, columns))
    return rows


def _insert(session: TenantSession, source: SourceVersion, rows: Sequence[_Row]) -> None:
    columns = {name: [row.columns[name] for row in rows] for name in rows[0].columns}
    fixed = {"tenant": session.tenant_id, "brand": source.brand_id, "source": source.source_id}
    values = {**fixed, **columns, "version": source.version, "ids": [row.id for row in rows]}
    session.defer(_INSERT, values, len)


def _records(rows: Sequence[_Row], embedded: EmbeddedPassages) -> list[VectorRecord]:
    known = embedded.by_ordinal
    return [VectorRecord(row.id, known[row.draft.ordinal]) for row in rows if row.draft.ordinal in known]


def _counted(rows: Sequence[_Row]) -> dict[int, tuple[str, int]]:
    """Return term key to (stem, number of passages that hold it)."""
    counts = Counter(term for row in rows for term in row.words)
    words = {term: stem for row in rows for term, stem in row.words.items()}
    return {term: (words[term], count) for term, count in counts.items()}
