"""The search itself: one statement finds passages by words and by meaning and scores all of them both ways."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from chatbot.db.sessions import TenantReader, fetch
from chatbot.knowledge.index.arrays import uuid_array
from chatbot.knowledge.index.vectors import Filters, VectorQuery, vector_literal

_SEARCH = """
SELECT passage_id, source_id, ordinal, lexical, cosine, by_words, by_meaning, language
FROM xin_search(%s, %s, %s, %s::sparsevec, %s::sparsevec, %s, %s, %s, %s, %s::halfvec, %s, %s, %s, %s::uuid[], %s)
"""


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a search looks."""

    tenant_id: UUID
    brand_id: UUID
    filters: Filters


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a question asks the index for: term keys to find passages by, and both halves of the BM25 query.

    Passages must hold any of `rare`; or all of `rarest`, if those are enough. Those in its `language` are found first.
    """

    rare: Sequence[int] = ()
    rarest: Sequence[int] = ()
    stems: str = ""
    grams: str = ""
    language: str | None = None


class Candidate(NamedTuple):
    """A passage found, or the opening of its document, with its exact scores.

    `lexical` (stems and 4-grams in one BM25) is None where the passage lives no more or may not be seen; `cosine` where
    it has no vector; `by_words` and `by_meaning` where it was not found that way.
    """

    id: UUID
    source_id: UUID
    ordinal: int
    lexical: float | None
    cosine: float | None = None
    by_words: float | None = None
    by_meaning: float | None = None
    language: str = ""


async def search(
    session: TenantReader,
    scope: Scope,
    wanted: Wanted,
    *,
    words: int,
    vectors: int = 0,
    query: VectorQuery | None = None,
    checked: bool = False,
    others: Sequence[UUID] = (),
) -> list[Candidate]:
    """Return what is found, in no order.

    Args:
        words: candidates by words at most; `vectors`: by meaning.
        query: for the vectors beside the passages; None: words only, or the vectors are elsewhere.
        checked: apply the filters while the vectors are searched, at more cost.
        others: passages that another store found.
    """
    filters = scope.filters
    meaning = (query.embedder, vector_literal(query.vector), query.indexed) if query else (None, None, False)
    values = (
        scope.brand_id, list(wanted.rare), list(wanted.rarest), wanted.stems, wanted.grams, list(filters.tags),
        list(filters.visibility), words, *meaning, checked, vectors, uuid_array(others), wanted.language,
    )  # fmt: skip
    return list(map(Candidate._make, await fetch(session, _SEARCH, values)))
