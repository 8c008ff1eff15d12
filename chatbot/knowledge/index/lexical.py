"""Searches the lexical index: candidates by rare words, their exact scores, neighbours of misspelt words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from chatbot.knowledge.index.arrays import uuid_array
from chatbot.knowledge.index.statistics import trigram_keys
from chatbot.knowledge.index.vectors import Filters

_RESCORE = """
WITH found AS MATERIALIZED (
  SELECT p.id, p.source_id, p.version FROM passages p WHERE p.tenant_id = %(tenant)s AND p.id = ANY (%(ids)s::uuid[])
), wanted AS (
  SELECT id FROM found
  UNION
  SELECT o.id FROM (SELECT DISTINCT source_id, version FROM found) f
  JOIN passages o ON o.tenant_id = %(tenant)s AND o.source_id = f.source_id AND o.version = f.version AND o.ordinal = 0
)
SELECT p.id, p.source_id, p.ordinal, -(p.weights <#> %(stems)s::sparsevec), -(p.grams <#> %(grams)s::sparsevec)
FROM wanted w JOIN passages p ON p.tenant_id = %(tenant)s AND p.id = w.id
JOIN knowledge_sources s ON s.tenant_id = p.tenant_id AND s.id = p.source_id AND s.live_version = p.version
WHERE p.brand_id = %(brand)s AND (cardinality(%(tags)s::text[]) = 0 OR s.tags && %(tags)s::text[])
  AND s.visibility = ANY (%(visibility)s::text[])
"""
_TEXTS = """
SELECT p.id, p.source_id, p.version, p.ordinal, p.text, p.heading_path, p.language, p.content_hash,
       s.external_id, s.title, s.url, s.kind
FROM passages p JOIN knowledge_sources s ON s.tenant_id = p.tenant_id AND s.id = p.source_id
WHERE p.tenant_id = %s AND p.id = ANY (%s::uuid[])
"""


_ANY = "SELECT passage_id, score FROM xin_candidates_any(%s, %s, %s::sparsevec, %s, %s, %s)"
_ALL = "SELECT passage_id, score FROM xin_candidates_all(%s, %s, %s::sparsevec, %s, %s, %s)"
_SHORT_WORD = 7  # trigrams; a slip leaves such a word no two of them side by side
_LENGTH_APART = 3  # letters that a misspelt word may be shorter or longer


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a search looks."""

    tenant_id: UUID
    brand_id: UUID
    filters: Filters


@dataclass(frozen=True, slots=True)
class ScoredPassage:
    """A live candidate with its exact lexical score (stems and 4-grams in one BM25)."""

    id: UUID
    source_id: UUID
    ordinal: int
    lexical: float


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage as it can be shown and cited."""

    id: UUID
    source_id: UUID
    version: int
    ordinal: int
    text: str
    heading_path: list[str]
    language: str
    content_hash: str
    external_id: str | None
    title: str
    url: str | None
    kind: str


async def find_candidates(
    connection: AsyncConnection[Any],
    scope: Scope,
    terms: Sequence[int],
    stems: str,
    limit: int,
    *,
    all_terms: bool = False,
) -> list[tuple[UUID, float]]:
    """Return live passages that hold any (or all) of ``terms``, by their BM25 over stems alone, best first."""
    cursor = await connection.execute(
        _ALL if all_terms else _ANY,
        (scope.brand_id, list(terms), stems, list(scope.filters.tags), list(scope.filters.visibility), limit),
    )
    return [(row[0], float(row[1])) for row in await cursor.fetchall()]


async def rescore(
    connection: AsyncConnection[Any], scope: Scope, passage_ids: Sequence[UUID], stems: str, grams: str
) -> list[ScoredPassage]:
    """Score candidates, and the opening passage of each one's document, with stems and 4-grams together.

    Whatever is no longer live, or not visible through the filters, is left out.
    """
    cursor = await connection.execute(
        _RESCORE,
        {
            "tenant": scope.tenant_id,
            "brand": scope.brand_id,
            "ids": uuid_array(passage_ids),
            "stems": stems,
            "grams": grams,
            "tags": list(scope.filters.tags),
            "visibility": list(scope.filters.visibility),
        },
    )
    rows = await cursor.fetchall()
    return [ScoredPassage(row[0], row[1], row[2], float(row[3]) + float(row[4] or 0.0)) for row in rows]


async def load_passages(
    connection: AsyncConnection[Any], tenant_id: UUID, passage_ids: Sequence[UUID]
) -> dict[UUID, StoredPassage]:
    """Load what results show."""
    cursor = await connection.execute(_TEXTS, (tenant_id, uuid_array(passage_ids)))
    return {row[0]: StoredPassage(*row) for row in await cursor.fetchall()}


async def similar_words(
    connection: AsyncConnection[Any], brand_id: UUID, word: str, *, least: float, most: int
) -> list[tuple[str, float, int]]:
    """Return the brand's words nearest to an unknown one: (stem, Dice over trigrams, passages that hold it)."""
    wanted = trigram_keys(brand_id, word)
    together = 2 if len(wanted) > _SHORT_WORD else 1
    middle = max(0, len(wanted) // 2 - 1)
    cursor = await connection.execute(
        "SELECT word, passages, shared, trigrams FROM xin_similar_words(%s, %s, %s, %s, %s)",
        (brand_id, wanted, wanted[:together], wanted[middle : middle + together], wanted[-together:]),
    )
    scored = [(row[0], 2 * row[2] / (len(wanted) + row[3]), row[1]) for row in await cursor.fetchall()]
    return [found for found in scored if found[1] >= least and abs(len(found[0]) - len(word)) <= _LENGTH_APART][:most]
