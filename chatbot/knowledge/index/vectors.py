"""Dense vectors: the store's contract, and the store inside PostgreSQL (pgvector)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import orjson

from chatbot.db.search import VECTOR_DIMENSIONS
from chatbot.db.sessions import TenantReader, TenantSession, fetch
from chatbot.knowledge.embedding.contract import Vectors
from chatbot.knowledge.index.arrays import uuid_array

_EXACT_BELOW = 12_000
"""Vectors of a brand that are compared one by one: 12,000 take 8 ms; above that the HNSW index answers."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What may be found: any of ``tags`` (empty: all), and the visibilities allowed."""

    tags: tuple[str, ...] = ()
    visibility: tuple[str, ...] = ("public",)


@dataclass(frozen=True, slots=True)
class VectorRecord:
    """A passage's vector of length 1."""

    passage_id: UUID
    vector: Vectors


@dataclass(frozen=True, slots=True)
class VectorQuery:
    """A question's vector, and where to look; ``brand_passages`` is about how many there are."""

    brand_id: UUID
    embedder: str
    vector: Vectors
    brand_passages: int = 0
    filters: Filters = Filters()

    @property
    def indexed(self) -> bool:
        """Whether PostgreSQL asks the HNSW index instead of comparing vector by vector."""
        return self.brand_passages > _EXACT_BELOW and len(self.vector) in VECTOR_DIMENSIONS


class VectorStore(Protocol):
    """Keeps and searches vectors; scores are cosines. A store may return passages that live no more: callers check.

    `inside`: its vectors lie beside the passages, so that one statement searches both.
    """

    inside: bool

    async def write(
        self, session: TenantSession, brand_id: UUID, embedder: str, records: Sequence[VectorRecord]
    ) -> None:
        """Store vectors; writing a passage again replaces its vector."""

    async def remove(
        self, session: TenantSession, brand_id: UUID, passage_ids: Sequence[UUID], *, kept: Collection[str] = ()
    ) -> None:
        """Forget passages, but for the vectors of some embedders; unknown passages are no error."""

    async def forget(self, session: TenantSession, brand_id: UUID, embedder: str) -> None:
        """Remove all of a brand's vectors of one embedder."""

    async def search(
        self, session: TenantReader, query: VectorQuery, limit: int, *, checked: bool = False
    ) -> list[tuple[UUID, float]]:
        """Return the nearest passages, best first; ``checked`` applies the filters while searching, at more cost."""

    async def scores(self, session: TenantReader, query: VectorQuery, passage_ids: Sequence[UUID]) -> dict[UUID, float]:
        """Return the cosine of each passage that has a vector."""


_WRITE = """
INSERT INTO passage_vectors (tenant_id, brand_id, embedder, dimensions, passage_id, embedding)
SELECT %s, %s, %s, %s, r.id, r.v::halfvec FROM unnest(%s::uuid[], %s::text[]) AS r(id, v)
ON CONFLICT (tenant_id, passage_id, embedder) DO UPDATE SET embedding = excluded.embedding
"""
_NEAREST = "SELECT passage_id, score FROM xin_nearest(%s, %s, %s::halfvec, %s, %s, %s, %s) ORDER BY score DESC"
_NEAREST_INDEXED = _NEAREST.replace("xin_nearest", "xin_nearest_indexed")


class PostgresVectors:
    """Vectors as `halfvec` rows beside their passages; they come and go in the passages' transaction."""

    inside = True

    async def write(
        self, session: TenantSession, brand_id: UUID, embedder: str, records: Sequence[VectorRecord]
    ) -> None:
        """Insert in one statement, sent with the session's next one."""
        if not records:
            return
        ids, literals = uuid_array([one.passage_id for one in records]), [vector_literal(one.vector) for one in records]
        values = (session.tenant_id, brand_id, embedder, len(records[0].vector), ids, literals)
        session.defer(_WRITE, values, len)

    async def remove(
        self, session: TenantSession, brand_id: UUID, passage_ids: Sequence[UUID], *, kept: Collection[str] = ()
    ) -> None:
        """Nothing to do where passages are gone: the foreign key took the vectors along."""
        await fetch(
            session,
            "DELETE FROM passage_vectors WHERE tenant_id = %s AND brand_id = %s AND passage_id = ANY (%s::uuid[]) "
            "AND embedder <> ALL (%s::text[])",
            (session.tenant_id, brand_id, uuid_array(passage_ids), list(kept)),
        )

    async def forget(self, session: TenantSession, brand_id: UUID, embedder: str) -> None:
        """Delete in one statement."""
        await fetch(
            session,
            "DELETE FROM passage_vectors WHERE tenant_id = %s AND brand_id = %s AND embedder = %s",
            (session.tenant_id, brand_id, embedder),
        )

    async def search(
        self, session: TenantReader, query: VectorQuery, limit: int, *, checked: bool = False
    ) -> list[tuple[UUID, float]]:
        """Scan a small brand exactly, a large one through its HNSW index."""
        statement = _NEAREST_INDEXED if query.indexed else _NEAREST
        filters = query.filters
        values = (
            query.brand_id, query.embedder, vector_literal(query.vector), list(filters.tags), list(filters.visibility),
            checked, limit,
        )  # fmt: skip
        return [(row[0], float(row[1])) for row in await fetch(session, statement, values)]

    async def scores(self, session: TenantReader, query: VectorQuery, passage_ids: Sequence[UUID]) -> dict[UUID, float]:
        """Compare the given passages one by one."""
        rows = await fetch(
            session,
            "SELECT passage_id, -(embedding <#> %s::halfvec) FROM passage_vectors "
            "WHERE tenant_id = %s AND passage_id = ANY (%s::uuid[]) AND embedder = %s",
            (vector_literal(query.vector), session.tenant_id, uuid_array(passage_ids), query.embedder),
        )
        return {row[0]: float(row[1]) for row in rows}


def vector_literal(vector: Vectors) -> str:
    """Render a vector as pgvector reads it."""
    return orjson.dumps(vector, option=orjson.OPT_SERIALIZE_NUMPY).decode()
