"""Dense vectors: the store's contract, and the store inside PostgreSQL (pgvector)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from psycopg import AsyncConnection, sql

from chatbot.db.search import VECTOR_DIMENSIONS
from chatbot.db.sessions import TenantReader, TenantSession, driver_connection
from chatbot.knowledge.embedding.contract import Vectors
from chatbot.knowledge.index.arrays import uuid_array

_EXACT_BELOW = 12_000
"""Vectors of a brand that are compared one by one: 12,000 take 8 ms; above that the HNSW index answers."""

_EF_SEARCH = 400
"""Of 25,000 vectors among 125,000 the nearest 40 are found to .82 (120: .71), for 5.7 instead of 4.0 ms of CPU."""


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


class VectorStore(Protocol):
    """Keeps and searches vectors; scores are cosines. A store may return passages that live no more: callers check."""

    async def write(
        self, session: TenantSession, brand_id: UUID, embedder: str, records: Sequence[VectorRecord]
    ) -> None:
        """Store vectors; writing a passage again replaces its vector."""

    async def remove(self, session: TenantSession, brand_id: UUID, passage_ids: Sequence[UUID]) -> None:
        """Forget passages; unknown ones are no error."""

    async def forget(self, session: TenantSession, brand_id: UUID, embedder: str) -> None:
        """Remove all of a brand's vectors of one embedder."""

    async def search(
        self, session: TenantReader, query: VectorQuery, limit: int, *, checked: bool = False
    ) -> list[tuple[UUID, float]]:
        """Return the nearest passages, best first; ``checked`` applies the filters while searching, at more cost."""

    async def scores(self, session: TenantReader, query: VectorQuery, passage_ids: Sequence[UUID]) -> dict[UUID, float]:
        """Return the cosine of each passage that has a vector."""


_LIVE = sql.SQL("""
 JOIN passages p ON p.tenant_id = v.tenant_id AND p.id = v.passage_id
 JOIN knowledge_sources s ON s.tenant_id = p.tenant_id AND s.id = p.source_id AND s.live_version = p.version
  AND (cardinality(%(tags)s::text[]) = 0 OR s.tags && %(tags)s::text[]) AND s.visibility = ANY (%(visibility)s::text[])
""")


class PostgresVectors:
    """Vectors as `halfvec` rows beside their passages; they come and go in the passages' transaction."""

    async def write(
        self, session: TenantSession, brand_id: UUID, embedder: str, records: Sequence[VectorRecord]
    ) -> None:
        """Insert in one statement."""
        if not records:
            return
        connection = await driver_connection(session)
        await connection.execute(
            "INSERT INTO passage_vectors (tenant_id, brand_id, embedder, dimensions, passage_id, embedding) "
            "SELECT %s, %s, %s, %s, r.id, r.v::halfvec FROM unnest(%s::uuid[], %s::text[]) AS r(id, v) "
            "ON CONFLICT (tenant_id, passage_id, embedder) DO UPDATE SET embedding = excluded.embedding",
            (session.tenant_id, brand_id, embedder, len(records[0].vector),
             [record.passage_id for record in records], [_literal(record.vector) for record in records]),
        )  # fmt: skip

    async def remove(self, session: TenantSession, brand_id: UUID, passage_ids: Sequence[UUID]) -> None:
        """Nothing to do where passages are gone: the foreign key took the vectors along."""
        connection = await driver_connection(session)
        await connection.execute(
            "DELETE FROM passage_vectors WHERE tenant_id = %s AND brand_id = %s AND passage_id = ANY (%s)",
            (session.tenant_id, brand_id, list(passage_ids)),
        )

    async def forget(self, session: TenantSession, brand_id: UUID, embedder: str) -> None:
        """Delete in one statement."""
        connection = await driver_connection(session)
        await connection.execute(
            "DELETE FROM passage_vectors WHERE tenant_id = %s AND brand_id = %s AND embedder = %s",
            (session.tenant_id, brand_id, embedder),
        )

    async def search(
        self, session: TenantReader, query: VectorQuery, limit: int, *, checked: bool = False
    ) -> list[tuple[UUID, float]]:
        """Scan a small brand exactly, a large one through its HNSW index."""
        connection = await driver_connection(session)
        size = len(query.vector)
        if size in VECTOR_DIMENSIONS and query.brand_passages > _EXACT_BELOW:
            return await self._approximate(connection, query, _parameters(session.tenant_id, query, limit), checked)
        statement = sql.SQL(
            "SELECT v.passage_id, -(v.embedding <#> %(vector)s::halfvec) AS score FROM passage_vectors v {live} "
            "WHERE v.tenant_id = %(tenant)s AND v.brand_id = %(brand)s AND v.embedder = %(embedder)s "
            "ORDER BY score DESC LIMIT %(limit)s"
        ).format(live=_LIVE if checked else sql.SQL(""))
        return await _pairs(connection, statement, _parameters(session.tenant_id, query, limit))

    async def _approximate(
        self, connection: AsyncConnection[Any], query: VectorQuery, parameters: dict[str, Any], checked: bool
    ) -> list[tuple[UUID, float]]:
        # Iterative scans go on until enough rows pass the filters (the index holds all tenants' vectors).
        await connection.execute(
            "SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('hnsw.ef_search', %s, true), "
            "set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true)",
            (str(_EF_SEARCH),),
        )
        statement = sql.SQL(
            "SELECT v.passage_id, -(v.embedding::halfvec({n}) <#> %(vector)s::halfvec({n})) AS score "
            "FROM passage_vectors v {live} WHERE v.tenant_id = %(tenant)s AND v.brand_id = %(brand)s "
            "AND v.embedder = %(embedder)s AND v.dimensions = {n} "
            "ORDER BY v.embedding::halfvec({n}) <#> %(vector)s::halfvec({n}) LIMIT %(limit)s"
        ).format(live=_LIVE if checked else sql.SQL(""), n=sql.Literal(len(query.vector)))
        found = await _pairs(connection, statement, parameters)
        await connection.execute(
            "SELECT set_config('enable_seqscan', 'on', true), set_config('enable_sort', 'on', true)"
        )
        return sorted(found, key=lambda pair: -pair[1])

    async def scores(self, session: TenantReader, query: VectorQuery, passage_ids: Sequence[UUID]) -> dict[UUID, float]:
        """Compare the given passages one by one."""
        connection = await driver_connection(session)
        statement = sql.SQL(
            "SELECT passage_id, -(embedding <#> %(vector)s::halfvec) FROM passage_vectors "
            "WHERE tenant_id = %(tenant)s AND passage_id = ANY (%(ids)s::uuid[]) AND embedder = %(embedder)s"
        )
        parameters = {**_parameters(session.tenant_id, query, 0), "ids": uuid_array(passage_ids)}
        return dict(await _pairs(connection, statement, parameters))


def _parameters(tenant_id: UUID, query: VectorQuery, limit: int) -> dict[str, Any]:
    return {
        "tenant": tenant_id,
        "brand": query.brand_id,
        "embedder": query.embedder,
        "vector": _literal(query.vector),
        "tags": list(query.filters.tags),
        "visibility": list(query.filters.visibility),
        "limit": limit,
    }


async def _pairs(
    connection: AsyncConnection[Any], statement: sql.SQL | sql.Composed, parameters: dict[str, Any]
) -> list[tuple[UUID, float]]:
    cursor = await connection.execute(statement, parameters)
    return [(row[0], float(row[1])) for row in await cursor.fetchall()]


def _literal(vector: Vectors) -> str:
    return f"[{','.join([f'{value:.5g}' for value in vector.tolist()])}]"
