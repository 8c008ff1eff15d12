"""Counts that ranking needs: how many passages a brand has, in which languages, and how many hold each word."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import orjson
from psycopg import AsyncConnection

from chatbot.db.sessions import TenantReader, fetch
from chatbot.knowledge.analysis.words import term_key

_SIZE = """
SELECT passages, languages, gram_version, gram_basis, gram_sample, embedded FROM brand_statistics
WHERE tenant_id = %s AND brand_id = %s
"""
_COUNTS = """
SELECT s.passages, s.languages, s.gram_version, s.gram_basis, s.gram_sample, s.embedded, t.terms, t.passages
FROM brand_statistics s, LATERAL (
  SELECT array_agg(t.term) AS terms, array_agg(t.passages) AS passages FROM term_statistics t
  WHERE t.tenant_id = s.tenant_id AND t.brand_id = s.brand_id AND t.term = ANY (%s) AND t.passages > 0
) t
WHERE s.tenant_id = %s AND s.brand_id = %s
"""
_ADD = """
INSERT INTO term_statistics AS t (tenant_id, brand_id, term, word, trigrams, passages)
SELECT %s, %s, r.term, r.word, r.trigrams::bigint[], r.passages
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::bigint[]) AS r(term, word, trigrams, passages)
ON CONFLICT (tenant_id, brand_id, term) DO UPDATE SET passages = t.passages + excluded.passages
"""
_REMOVE = """
UPDATE term_statistics t SET passages = greatest(t.passages - r.passages, 0)
FROM unnest(%s::bigint[], %s::bigint[]) AS r(term, passages)
WHERE t.tenant_id = %s AND t.brand_id = %s AND t.term = r.term
"""


@dataclass(frozen=True, slots=True)
class BrandSize:
    """What is known of a brand's knowledge as a whole; ``gram_basis`` is its size when 4-grams were last counted."""

    passages: int = 0
    languages: Mapping[str, int] = field(default_factory=dict)
    gram_version: int = 0
    gram_basis: int = 0
    gram_sample: int = 0
    embedded: Mapping[str, int] = field(default_factory=dict)

    def plus(self, change: Mapping[str, int], embedded: Mapping[str, int] | None = None) -> "BrandSize":
        """Return the size after passages per language, and vectors per embedder, were added (below zero: removed)."""
        languages = Counter(self.languages)
        languages.update(change)
        kept = {language: count for language, count in languages.items() if count > 0}
        vectors = Counter(self.embedded)
        vectors.update(embedded or {})
        return replace(self, passages=sum(kept.values()), languages=kept, embedded=dict(+vectors))

    def lacking(self, embedder: str, languages: frozenset[str] | None) -> int:
        """Return how many passages in an embedder's languages (None: all) have no vector of it."""
        known = sum(count for language, count in self.languages.items() if languages is None or language in languages)
        return max(0, known - self.embedded.get(embedder, 0))

    def coverage(self, embedder: str, languages: frozenset[str] | None) -> float:
        """Return which part of the passages in an embedder's languages has its vector; 0 where there are none."""
        stored = self.embedded.get(embedder, 0)
        return stored / (stored + self.lacking(embedder, languages)) if stored else 0.0

    @property
    def main_language(self) -> str:
        """The language most passages are in."""
        return max(self.languages, key=lambda language: self.languages[language], default="en")


async def read_size(
    connection: AsyncConnection[Any], tenant_id: UUID, brand_id: UUID, *, lock: bool = False
) -> BrandSize:
    """Read a brand's size; all zero when nothing was ever indexed."""
    statement = _SIZE + " FOR UPDATE" if lock else _SIZE
    cursor = await connection.execute(statement, (tenant_id, brand_id))
    row = await cursor.fetchone()
    return BrandSize(*row) if row else BrandSize()


async def lock_brand(connection: AsyncConnection[Any], tenant_id: UUID, brand_id: UUID) -> BrandSize:
    """Make writers of one brand take turns, so that counts are exact and never deadlock; returns the size."""
    await connection.execute(
        "INSERT INTO brand_statistics (tenant_id, brand_id) VALUES (%s, %s) ON CONFLICT DO NOTHING",
        (tenant_id, brand_id),
    )
    return await read_size(connection, tenant_id, brand_id, lock=True)


async def save_size(connection: AsyncConnection[Any], tenant_id: UUID, brand_id: UUID, size: BrandSize) -> None:
    """Store passages, languages and vectors of a locked brand."""
    languages, embedded = (orjson.dumps(dict(counts)).decode() for counts in (size.languages, size.embedded))
    await connection.execute(
        "UPDATE brand_statistics SET passages = %s, languages = %s::jsonb, embedded = %s::jsonb "
        "WHERE tenant_id = %s AND brand_id = %s",
        (size.passages, languages, embedded, tenant_id, brand_id),
    )


async def add_terms(
    connection: AsyncConnection[Any], tenant_id: UUID, brand_id: UUID, counted: Mapping[int, tuple[str, int]]
) -> None:
    """Count words up: term key to (stem, passages)."""
    terms = sorted(counted)
    words = [counted[term][0] for term in terms]
    trigrams = [f"{{{','.join(map(str, trigram_keys(brand_id, word)))}}}" for word in words]
    await connection.execute(_ADD, (tenant_id, brand_id, terms, words, trigrams, [counted[term][1] for term in terms]))


async def remove_terms(
    connection: AsyncConnection[Any], tenant_id: UUID, brand_id: UUID, lost: Mapping[int, int]
) -> None:
    """Count words down, and forget those that no passage holds any more."""
    terms = sorted(lost)
    await connection.execute(_REMOVE, (terms, [lost[term] for term in terms], tenant_id, brand_id))
    await connection.execute(
        "DELETE FROM term_statistics WHERE tenant_id = %s AND brand_id = %s AND term = ANY (%s) AND passages <= 0",
        (tenant_id, brand_id, terms),
    )


async def read_counts(session: TenantReader, brand_id: UUID, terms: Sequence[int]) -> tuple[BrandSize, dict[int, int]]:
    """Return a brand's size, and in how many passages each known term stands."""
    rows = await fetch(session, _COUNTS, (list(terms), session.tenant_id, brand_id))
    if not rows:
        return BrandSize(), {}
    *size, keys, passages = rows[0]
    return BrandSize(*size), dict(zip(keys or (), passages or (), strict=True))


def trigrams(word: str) -> list[str]:
    """Return the distinct character trigrams of ``_word_``."""
    padded = f"_{word}_"
    return list(dict.fromkeys(padded[i : i + 3] for i in range(max(1, len(padded) - 2))))


def trigram_keys(brand_id: UUID, word: str) -> list[int]:
    """Return the brand's keys of a word's trigrams; a leading space keeps them apart from stems."""
    return [term_key(brand_id, f" {trigram}") for trigram in trigrams(word)]
