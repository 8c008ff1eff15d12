"""Counts that ranking needs: how many passages a brand has, in which languages, and how many hold each word."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import orjson

from chatbot.db.driver import Command, Rows
from chatbot.db.sessions import TenantReader, TenantSession, fetch, fetch_all
from chatbot.knowledge.analysis.words import term_key

# Updated to itself where it is there: that locks the row and reads what others have committed, in one statement.
_LOCK = """
INSERT INTO brand_statistics AS b (tenant_id, brand_id) VALUES (%s, %s)
ON CONFLICT (tenant_id, brand_id) DO UPDATE SET passages = b.passages
RETURNING passages, languages, gram_version, gram_basis, gram_sample, embedded
"""
_SIZE = """
SELECT passages, languages, gram_version, gram_basis, gram_sample, embedded FROM brand_statistics
WHERE tenant_id = %s AND brand_id = %s
"""
_SAVE = """
UPDATE brand_statistics SET passages = %s, languages = %s::jsonb, embedded = %s::jsonb
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
_FORGET = """
DELETE FROM term_statistics WHERE tenant_id = %s AND brand_id = %s AND term = ANY (%s::bigint[]) AND passages <= 0
"""

COVERED = 0.9
"""Vectors rank only where so many of a brand's passages have one. Not all: what is added while passages are embedded
again has only the new vector, and the old ones must go on serving; and an embedder may refuse some for good."""


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


async def lock_brand(session: TenantSession, brand_id: UUID, then: Command) -> tuple[BrandSize, Rows]:
    """Make writers of one brand take turns until they commit, so that counts are exact and never deadlock.

    Whoever holds it keeps all others of the brand waiting: what takes time, and every call to a store elsewhere, comes
    before.

    Args:
        then: runs in the same round trip, and sees what the writers before have committed.

    Returns:
        The size, and the rows of `then`.
    """
    locked, rows = await fetch_all(session, [Command(_LOCK, (session.tenant_id, brand_id)), then])
    return BrandSize(*locked[0]), rows


def size_query(session: TenantReader, brand_id: UUID) -> Command:
    """Return what asks for a brand's size as it is now, for `size_in`; nobody is waited for."""
    return Command(_SIZE, (session.tenant_id, brand_id))


def size_in(rows: Rows) -> BrandSize:
    """Read what `size_query` gave."""
    return BrandSize(*rows[0]) if rows else BrandSize()


def save_size(session: TenantSession, brand_id: UUID, size: BrandSize) -> None:
    """Store passages, languages and vectors of a locked brand, with the session's next statement."""
    languages, embedded = (orjson.dumps(dict(counts)).decode() for counts in (size.languages, size.embedded))
    session.defer(_SAVE, (size.passages, languages, embedded, session.tenant_id, brand_id), _nothing)


def add_terms(session: TenantSession, brand_id: UUID, counted: Mapping[int, tuple[str, int]]) -> None:
    """Count words up, with the session's next statement: term key to (stem, passages)."""
    terms = sorted(counted)
    words = [counted[term][0] for term in terms]
    trigrams = [f"{{{','.join(map(str, trigram_keys(brand_id, word)))}}}" for word in words]
    passages = [counted[term][1] for term in terms]
    session.defer(_ADD, (session.tenant_id, brand_id, terms, words, trigrams, passages), _nothing)


def remove_terms(session: TenantSession, brand_id: UUID, lost: Mapping[int, int]) -> None:
    """Count words down, and forget those that no passage holds any more, with the session's next statement."""
    terms = sorted(lost)
    session.defer(_REMOVE, (terms, [lost[term] for term in terms], session.tenant_id, brand_id), _nothing)
    session.defer(_FORGET, (session.tenant_id, brand_id, terms), _nothing)


def _nothing(_rows: Rows) -> None:
    """What is only written gives nothing back."""


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
