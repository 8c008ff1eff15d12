"""Fills tenants with many passages through the indexing functions, in processes of its own.

Inverted and vector indexes are built after the load. Vectors are mixed from real embeddings of real
sentences: computing 100,000 would take an hour.
"""

import asyncio
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from uuid import UUID

import numpy as np
import psycopg
from psycopg import sql

from bench.client import Tenant
from bench.corpus import mixed_passages
from chatbot.core.ids import new_id
from chatbot.db.models import KnowledgeSource
from chatbot.db.server import BundledPostgres
from chatbot.db.sessions import Database
from chatbot.knowledge.embedding.contract import Vectors, unit_length
from chatbot.knowledge.embedding.minilm import MiniLmEmbedder
from chatbot.knowledge.index.drafts import EmbeddedPassages, PassageDraft, SourceVersion
from chatbot.knowledge.index.passages import index_passages
from chatbot.knowledge.index.vectors import PostgresVectors

_EMBEDDED = 256
_PER_SOURCE = 100
_WRITERS = 2
_NOISE = 0.5
_SLOW_INDEXES = """
SELECT indexname, indexdef FROM pg_indexes
WHERE tablename IN ('passages', 'passage_vectors', 'term_statistics') AND indexdef ~ 'USING (gin|hnsw)'
"""


@dataclass(frozen=True, slots=True)
class _Share:
    """What one process writes."""

    url: str
    tenant: Tenant
    passages: int
    seed: int
    real: Vectors


async def fill(data_dir: Path, tenants: Sequence[Tenant], passages: int, *, seed: int) -> None:
    """Add `passages` passages, the same number to each tenant, and bring the indexes and statistics up to date."""
    url = BundledPostgres(data_dir).url
    real = await real_vectors(data_dir)
    shares = [
        _Share(url, tenant, passages // len(tenants), seed * 100 + place, real) for place, tenant in enumerate(tenants)
    ]
    definitions = await asyncio.to_thread(_drop_indexes, url)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(_WRITERS, mp_context=context) as pool:
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(pool, _write, share) for share in shares))
    await asyncio.to_thread(_build_indexes, url, definitions)


async def real_vectors(data_dir: Path) -> Vectors:
    """Embed real sentences; the synthetic vectors are mixed from these."""
    texts = [text[:400] for text in mixed_passages(_EMBEDDED, seed=1)]
    return await MiniLmEmbedder(data_dir / "models", threads=2).embed_passages(texts)


def _write(share: _Share) -> None:
    asyncio.run(_write_share(share))


async def _write_share(share: _Share) -> None:
    chance = np.random.default_rng(share.seed)
    texts = mixed_passages(share.passages, share.seed)
    async with Database(share.url, pool_size=1) as database:
        while batch := list(islice(texts, _PER_SOURCE)):
            await _write_source(database, share, batch, _mixed(share.real, len(batch), chance))


async def _write_source(database: Database, share: _Share, texts: Sequence[str], vectors: Vectors) -> None:
    brand, source = UUID(share.tenant.brand_id), new_id()
    title = " ".join(texts[0].split()[:8])
    drafts = [PassageDraft(place, text, "en") for place, text in enumerate(texts)]
    embedded = EmbeddedPassages(MiniLmEmbedder.id, vectors.shape[1], dict(enumerate(vectors)))
    async with database.tenant(UUID(share.tenant.id)) as session:
        row = KnowledgeSource(
            tenant_id=session.tenant_id, id=source, brand_id=brand, kind="text", external_id=str(source), title=title,
            tags=[], status="ready", live_version=1, passage_count=len(texts),
        )  # fmt: skip
        session.add(row)
        await session.flush()
        version = SourceVersion(brand, source, 1, title)
        await index_passages(session, version, drafts, vectors=[embedded], store=PostgresVectors())


def _mixed(real: Vectors, count: int, chance: np.random.Generator) -> Vectors:
    """Mix two real vectors in random parts and add noise: clustered as text is, yet all different."""
    first, second = chance.choice(real, count), chance.choice(real, count)
    share = chance.uniform(0.5, 1.0, (count, 1)).astype(np.float32)
    noise = unit_length(chance.standard_normal((count, real.shape[1])).astype(np.float32))
    return unit_length(share * first + (1 - share) * second + _NOISE * noise)


def _drop_indexes(url: str) -> list[str]:
    """Drop what is slow to grow row by row: the inverted indexes and those of vectors; return how to make them."""
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(_SLOW_INDEXES).fetchall()
        for name, _ in found:
            connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    return [str(definition) for _, definition in found]


def _build_indexes(url: str, definitions: Sequence[str]) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET maintenance_work_mem = '512MB'")
        for definition in definitions:
            connection.execute(definition.encode())
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
