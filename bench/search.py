"""Retrieval: how fast through the API, and how much of the exact nearest neighbours the vector index finds."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from bench.client import Client, Tenant
from bench.figures import percentile
from chatbot.db.server import BundledPostgres
from chatbot.db.sessions import Database
from chatbot.knowledge.embedding.minilm import MiniLmEmbedder
from chatbot.knowledge.index.vectors import PostgresVectors, VectorQuery

_WARM_UP = 40
_LIMIT = 10
_CANDIDATES = 100
"""As many as retrieval takes from the vector index."""

_MANY = 10_000_000


@dataclass(frozen=True, slots=True)
class SearchSpeed:
    """Milliseconds of retrieval as the platform tells them (`took_ms`), and as the caller sees them over HTTP."""

    passages: int
    queries: int
    p50: float
    p95: float
    http_p50: float
    http_p95: float
    stages_p50: dict[str, float]
    recall: float

    def as_json(self) -> dict[str, Any]:
        """Return the figures."""
        return asdict(self)


async def measure(
    client: Client, tenants: Sequence[Tenant], data_dir: Path, questions: Sequence[str], passages: int
) -> SearchSpeed:
    """Ask questions one after the other, tenant by turns."""
    took: list[float] = []
    http: list[float] = []
    stages: dict[str, list[float]] = {}
    for place, question in enumerate([*questions[:_WARM_UP], *questions]):
        begun = time.perf_counter()
        told = await client.retrieve(tenants[place % len(tenants)], question, limit=_LIMIT)
        elapsed = (time.perf_counter() - begun) * 1000
        if place >= _WARM_UP:
            http.append(elapsed)
            took.append(float(told["took_ms"]))
            for stage in told["stages"]:
                stages.setdefault(str(stage["name"]), []).append(float(stage["took_ms"]))
    return SearchSpeed(
        passages=passages,
        queries=len(took),
        p50=round(percentile(took, 0.5), 1),
        p95=round(percentile(took, 0.95), 1),
        http_p50=round(percentile(http, 0.5), 1),
        http_p95=round(percentile(http, 0.95), 1),
        stages_p50={name: round(percentile(values, 0.5), 2) for name, values in stages.items()},
        recall=round(await _recall(data_dir, tenants[0], questions[:50]), 3),
    )


async def _recall(data_dir: Path, tenant: Tenant, questions: Sequence[str]) -> float:
    """Return recall@10 of the approximate against the exact search, over the same vectors."""
    embedder, store, shares = MiniLmEmbedder(data_dir / "models"), PostgresVectors(), []
    async with Database(BundledPostgres(data_dir).url, pool_size=1) as database:
        for question in questions:
            vector = await embedder.embed_query(question)
            brand = UUID(tenant.brand_id)
            async with database.tenant_reader(UUID(tenant.id)) as session:
                exact = await store.search(session, VectorQuery(brand, embedder.id, vector, 0), _LIMIT)
                near = await store.search(session, VectorQuery(brand, embedder.id, vector, _MANY), _CANDIDATES)
            shares.append(len({id_ for id_, _ in exact} & {id_ for id_, _ in near[:_LIMIT]}) / max(1, len(exact)))
    return sum(shares) / len(shares)
