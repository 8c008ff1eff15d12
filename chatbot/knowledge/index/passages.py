"""Writes and removes passages, their terms and the statistics that ranking needs, in the caller's transaction."""

from collections import Counter
from collections.abc import Iterable, Sequence
from uuid import UUID

from chatbot.db.driver import Command, Rows
from chatbot.db.sessions import TenantSession, fetch, fetch_all
from chatbot.knowledge.index.arrays import uuid_array
from chatbot.knowledge.index.chosen import CHOSEN, IS_CHOSEN, Chosen, values_of
from chatbot.knowledge.index.drafts import (
    AnalysedPassage,
    EmbeddedPassages,
    PassageDraft,
    SourceVersion,
    analyse_drafts,
    counted,
    records_of,
)
from chatbot.knowledge.index.grams import count_ahead, settle_grams
from chatbot.knowledge.index.statistics import add_terms, lock_brand, remove_terms, save_size
from chatbot.knowledge.index.vectors import VectorRecord, VectorStore

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
_DELETE = f"""
DELETE FROM passages p USING {CHOSEN} WHERE p.tenant_id = %(tenant)s AND {IS_CHOSEN}
RETURNING p.id, p.language, p.terms, p.embedders
"""  # noqa: S608 - constants only

_HOLD_SOURCE = "SELECT 1 FROM knowledge_sources WHERE tenant_id = %s AND id = %s FOR UPDATE"
_HOLD_SOURCES_OF = """
SELECT 1 FROM knowledge_sources WHERE tenant_id = %s
  AND id IN (SELECT source_id FROM passages WHERE tenant_id = %s AND id = ANY (%s::uuid[])) ORDER BY id FOR SHARE
"""
_HOLD_SOURCES = """
SELECT 1 FROM knowledge_sources WHERE tenant_id = %s AND brand_id = %s AND (%s::uuid[] IS NULL OR id = ANY (%s::uuid[]))
ORDER BY id FOR NO KEY UPDATE
"""
_HELD = "SELECT id, embedders FROM passages WHERE tenant_id = %s AND id = ANY (%s::uuid[])"
_LACKING = """
SELECT p.id FROM passages p JOIN unnest(%s::uuid[], %s::text[]) AS r(id, content_hash)
  ON p.id = r.id AND p.content_hash = r.content_hash
WHERE p.tenant_id = %s AND NOT %s = ANY (p.embedders)
"""
_EMBEDDED = """
UPDATE passages p SET embedders = array_append(p.embedders, %s)
FROM unnest(%s::uuid[], %s::text[]) AS r(id, content_hash)
WHERE p.tenant_id = %s AND p.id = r.id AND p.content_hash = r.content_hash AND NOT %s = ANY (p.embedders)
RETURNING p.id
"""
_FORGOTTEN = """
UPDATE passages SET embedders = array_remove(embedders, %s)
WHERE tenant_id = %s AND brand_id = %s AND %s = ANY (embedders)
"""
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


async def index_passages(
    session: TenantSession,
    source: SourceVersion,
    drafts: Sequence[PassageDraft],
    *,
    vectors: Sequence[EmbeddedPassages] = (),
    store: VectorStore | None = None,
) -> int:
    """Analyse passages and store them with their terms, vectors and the counts of their words, in this transaction.

    Idempotent by (source, version, ordinal), of which a passage's id is made: what is there already is left as it is.

    Returns:
        The number of passages that were new.
    """
    rows = await analyse_drafts(source, drafts, vectors if store else ())
    grams = await count_ahead(session, source.brand_id, added=rows)
    new = await write_passages(session, source, rows, vectors=vectors, store=store)
    if new:
        await settle_grams(session, source.brand_id, grams)
    return new


async def write_passages(
    session: TenantSession,
    source: SourceVersion,
    rows: Sequence[AnalysedPassage],
    *,
    vectors: Sequence[EmbeddedPassages] = (),
    store: VectorStore | None = None,
) -> int:
    """Store analysed passages as `index_passages` does; `settle_grams` is left to the caller, after all it changes.

    Writers of one brand wait for one another from here until they commit, so what takes time comes before: the analysis
    is done, and a store elsewhere, which may be slow, is written to with only the source held. The vectors it took from
    a transaction that failed are written over by the next one.

    Returns:
        The number of passages that were new.
    """
    if store is not None and not store.inside and vectors:
        hold = Command(_HOLD_SOURCE, (session.tenant_id, source.source_id))
        _, present = await fetch_all(session, [hold, _present_query(session, source)])
        rows = _absent(rows, present)
        await _write_vectors(session, source.brand_id, rows, vectors, store)
    size, present = await lock_brand(session, source.brand_id, _present_query(session, source))
    rows = _absent(rows, present)
    if not rows:
        return 0
    _insert(session, source, rows)
    if store is not None and store.inside:
        await _write_vectors(session, source.brand_id, rows, vectors, store)
    add_terms(session, source.brand_id, counted(rows))
    stored = Counter(embedder for row in rows for embedder in row.embedders)
    save_size(session, source.brand_id, size.plus(Counter(row.draft.language for row in rows), stored))
    return len(rows)


async def remove_passages(session: TenantSession, brand_id: UUID, chosen: Sequence[Chosen]) -> list[UUID]:
    """Remove passages of a brand's sources and uncount their words, in as many statements for many as for one.

    Vectors beside them go with them. Those of a store elsewhere are `drop_vectors`' to remove, after the commit.

    Returns:
        The ids of the passages removed.
    """
    grams = await count_ahead(session, brand_id, leaving=chosen)
    gone = await take_out(session, brand_id, chosen)
    if gone:
        await settle_grams(session, brand_id, grams)
    return gone


async def take_out(session: TenantSession, brand_id: UUID, chosen: Sequence[Chosen]) -> list[UUID]:
    """Remove passages as `remove_passages` does; `settle_grams` is left to the caller, after all it changes."""
    delete = Command(_DELETE, {"tenant": session.tenant_id, **values_of(chosen)})
    size, gone = await lock_brand(session, brand_id, delete)
    if not gone:
        return []
    remove_terms(session, brand_id, Counter(term for row in gone for term in row[2]))
    save_size(
        session, brand_id, size.plus(_less(row[1] for row in gone), _less(name for row in gone for name in row[3]))
    )
    return [row[0] for row in gone]


async def drop_vectors(
    session: TenantSession,
    brand_id: UUID,
    passage_ids: Sequence[UUID],
    *,
    store: VectorStore,
    source_ids: Sequence[UUID] | None = None,
) -> None:
    """Remove what a store holds of passages that are gone, or of their former text; vectors made since then stay.

    A job that is given back to the queue writes passages under the same ids, so whoever writes for one of their sources
    now is waited for, and waits; the rest of the brand goes on.

    Args:
        source_ids: whose passages they were; None: not known, then all sources of the brand are held.
    """
    of_sources = None if source_ids is None else uuid_array(source_ids)
    hold = Command(_HOLD_SOURCES, (session.tenant_id, brand_id, of_sources, of_sources))
    _, rows = await fetch_all(session, [hold, Command(_HELD, (session.tenant_id, uuid_array(passage_ids)))])
    held = {row[0]: row[1] for row in rows}
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
    if not store.inside:
        vectors = ()
    (row,) = await analyse_drafts(source, [draft], vectors)
    former = Command(_REWRITTEN, (session.tenant_id, passage_id, source.source_id, source.version))
    size, before = await lock_brand(session, source.brand_id, former)
    if not before:
        return False
    language, terms, embedders = before[0]
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

    A store elsewhere is written to before the brand is locked, with the passages' sources held instead: nobody removes
    or rewrites those meanwhile. So keep to one brand a transaction.

    Args:
        hashes: `content_hash` of the text that each vector is of.
    """
    ids = uuid_array(record.passage_id for record in records)
    if not store.inside:
        hold = Command(_HOLD_SOURCES_OF, (session.tenant_id, session.tenant_id, ids))
        lacking = Command(_LACKING, (ids, list(hashes), session.tenant_id, embedder))
        _, found = await fetch_all(session, [hold, lacking])
        await store.write(session, brand_id, embedder, _of(records, found))
    embed = Command(_EMBEDDED, (embedder, ids, list(hashes), session.tenant_id, embedder))
    size, kept = await lock_brand(session, brand_id, embed)
    if store.inside:
        await store.write(session, brand_id, embedder, _of(records, kept))
    save_size(session, brand_id, size.plus({}, {embedder: len(kept)}))


async def forget_embedder(session: TenantSession, brand_id: UUID, embedder: str, *, store: VectorStore) -> None:
    """Remove all vectors that a brand has of an embedder that is not used any more; one brand a transaction.

    A store elsewhere forgets them before the brand is locked; should the transaction fail, doing it again does no harm.
    """
    if not store.inside:
        await store.forget(session, brand_id, embedder)
    forgotten = Command(_FORGOTTEN, (embedder, session.tenant_id, brand_id, embedder))
    size, _ = await lock_brand(session, brand_id, forgotten)
    if store.inside:
        await store.forget(session, brand_id, embedder)
    save_size(session, brand_id, size.plus({}, {embedder: -size.embedded.get(embedder, 0)}))


def _less(names: Iterable[str]) -> dict[str, int]:
    return {name: -count for name, count in Counter(names).items()}


def _of(records: Sequence[VectorRecord], rows: Rows) -> list[VectorRecord]:
    wanted = {row[0] for row in rows}
    return [record for record in records if record.passage_id in wanted]


def _present_query(session: TenantSession, source: SourceVersion) -> Command:
    return Command(_PRESENT, (session.tenant_id, source.source_id, source.version))


def _absent(rows: Sequence[AnalysedPassage], present: Rows) -> list[AnalysedPassage]:
    known = {row[0] for row in present}
    return [row for row in rows if row.draft.ordinal not in known]


async def _write_vectors(
    session: TenantSession,
    brand_id: UUID,
    rows: Sequence[AnalysedPassage],
    vectors: Sequence[EmbeddedPassages],
    store: VectorStore,
) -> None:
    for embedded in vectors:
        await store.write(session, brand_id, embedded.embedder, records_of(rows, embedded))


def _insert(session: TenantSession, source: SourceVersion, rows: Sequence[AnalysedPassage]) -> None:
    columns = {name: [row.columns[name] for row in rows] for name in rows[0].columns}
    fixed = {"tenant": session.tenant_id, "brand": source.brand_id, "source": source.source_id}
    values = {**fixed, **columns, "version": source.version, "ids": [row.id for row in rows]}
    session.defer(_INSERT, values, len)
