"""Dense vectors in Qdrant, for knowledge that has outgrown one PostgreSQL."""

import asyncio
import re
from collections.abc import Collection, Sequence
from uuid import UUID

import numpy as np
from qdrant_client import AsyncQdrantClient, models
from qdrant_client.http.exceptions import ApiException, UnexpectedResponse

from chatbot.core.errors import Unavailable
from chatbot.db.sessions import TenantReader, TenantSession
from chatbot.knowledge.index.vectors import VectorQuery, VectorRecord

_FILTERED_MORE = 5
_ANSWER_SECONDS = 2.0
"""A question that waits for its vectors holds a connection of the database: rather is it answered by words."""


class VectorStoreDown(Unavailable):
    """Qdrant does not answer."""

    code = "vector_store_down"
    title = "The vector store does not answer"


class QdrantVectors:
    """A collection per embedder, all tenants in it, each search narrowed to its tenant and brand.

    Writes take effect at once, not with the session's transaction: passages that were never committed are left out
    by the caller, which looks every candidate up in its own snapshot, and written over when they are written again.
    What is removed does not come back with a transaction that fails, so points are removed by a job after the commit
    (`queueing.drop_vectors`).
    """

    inside = False

    def __init__(self, client: AsyncQdrantClient) -> None:
        self._client = client
        self._known: set[str] = set()

    async def write(
        self, session: TenantSession, brand_id: UUID, embedder: str, records: Sequence[VectorRecord]
    ) -> None:
        """Upsert points; the collection is made when it is missing."""
        if not records:
            return
        payload = {"tenant_id": str(session.tenant_id), "brand_id": str(brand_id)}
        points = [
            models.PointStruct(id=str(record.passage_id), vector=record.vector.tolist(), payload=payload)
            for record in records
        ]
        try:
            await self._upsert(embedder, points, len(records[0].vector))
        except ApiException as error:
            raise VectorStoreDown from error

    async def _upsert(self, embedder: str, points: list[models.PointStruct], dimensions: int) -> None:
        name = await self._collection(embedder, dimensions)
        try:
            await self._client.upsert(name, points, wait=True)
        except UnexpectedResponse as error:
            if error.status_code != 404:
                raise
            self._known.discard(name)  # it was dropped while this process lived, or another Qdrant is there
            await self._client.upsert(await self._collection(embedder, dimensions), points, wait=True)

    async def remove(
        self, session: TenantSession, brand_id: UUID, passage_ids: Sequence[UUID], *, kept: Collection[str] = ()
    ) -> None:
        """Delete the points from every collection but those of the embedders named."""
        left = {_name(embedder) for embedder in kept}
        chosen = models.Filter(
            must=[*_within(session.tenant_id, brand_id), models.HasIdCondition(has_id=[str(i) for i in passage_ids])]
        )
        try:
            for collection in (await self._client.get_collections()).collections:
                if collection.name.startswith("xin_") and collection.name not in left:
                    await self._client.delete(collection.name, models.FilterSelector(filter=chosen), wait=True)
        except ApiException as error:
            raise VectorStoreDown from error

    async def forget(self, session: TenantSession, brand_id: UUID, embedder: str) -> None:
        """Delete the brand's points from the embedder's collection."""
        chosen = models.Filter(must=list(_within(session.tenant_id, brand_id)))
        try:
            if await self._client.collection_exists(_name(embedder)):
                await self._client.delete(_name(embedder), models.FilterSelector(filter=chosen), wait=True)
        except ApiException as error:
            raise VectorStoreDown from error

    async def search(
        self, session: TenantReader, query: VectorQuery, limit: int, *, checked: bool = False
    ) -> list[tuple[UUID, float]]:
        """Ask for the nearest points of the tenant's brand; none when nothing was ever written.

        Tags and visibility live in PostgreSQL alone: ``checked`` fetches more, for the caller's filter to choose from.
        """
        name = _name(query.embedder)
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                if not await self._client.collection_exists(name):
                    return []
                found = await self._client.query_points(
                    name,
                    query=query.vector.tolist(),
                    query_filter=models.Filter(must=list(_within(session.tenant_id, query.brand_id))),
                    limit=limit * _FILTERED_MORE if checked else limit,
                    with_payload=False,
                )
        except (ApiException, TimeoutError) as error:
            raise VectorStoreDown from error
        return [(UUID(str(point.id)), float(point.score)) for point in found.points]

    async def scores(self, session: TenantReader, query: VectorQuery, passage_ids: Sequence[UUID]) -> dict[UUID, float]:
        """Fetch the passages' vectors and compare them here."""
        name = _name(query.embedder)
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                if not passage_ids or not await self._client.collection_exists(name):
                    return {}
                points = await self._client.retrieve(
                    name, [str(passage) for passage in passage_ids], with_vectors=True, with_payload=["tenant_id"]
                )
        except (ApiException, TimeoutError) as error:
            raise VectorStoreDown from error
        mine = [point for point in points if (point.payload or {}).get("tenant_id") == str(session.tenant_id)]
        return {UUID(str(point.id)): float(np.asarray(point.vector) @ query.vector) for point in mine}

    async def _collection(self, embedder: str, dimensions: int) -> str:
        name = _name(embedder)
        if name in self._known:
            return name
        if not await self._client.collection_exists(name):
            await self._client.create_collection(
                name, models.VectorParams(size=dimensions, distance=models.Distance.COSINE, on_disk=True)
            )
            await self._client.create_payload_index(
                name, "tenant_id", models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True)
            )
            await self._client.create_payload_index(name, "brand_id", models.PayloadSchemaType.KEYWORD)
        self._known.add(name)
        return name


def _within(tenant_id: UUID, brand_id: UUID) -> tuple[models.FieldCondition, models.FieldCondition]:
    return (
        models.FieldCondition(key="tenant_id", match=models.MatchValue(value=str(tenant_id))),
        models.FieldCondition(key="brand_id", match=models.MatchValue(value=str(brand_id))),
    )


def _name(embedder: str) -> str:
    return "xin_" + re.sub(r"[^a-z0-9]+", "_", embedder.lower())
