"""Ingestion: passages per second through the API and the real pipeline, beside the embedder alone."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.client import Client, Tenant
from bench.sets import Document
from chatbot.knowledge.embedding.minilm import MiniLmEmbedder

_BATCH = 32


@dataclass(frozen=True, slots=True)
class IngestionSpeed:
    """Rates in passages per second; the embedder's on one core, in the batches that the pipeline uses."""

    documents: int
    passages: int
    pipeline: float
    embedder: float

    def as_json(self) -> dict[str, Any]:
        """Return the figures."""
        return {**asdict(self), "share": round(self.pipeline / self.embedder, 3)}


async def measure(client: Client, tenant: Tenant, documents: Sequence[Document], data_dir: Path) -> IngestionSpeed:
    """Load documents into a tenant and wait for them; then embed the same passages with nothing around it."""
    begun = time.perf_counter()
    passages = await client.load(tenant, documents, sent=_silent, ready=_silent)
    pipeline = passages / (time.perf_counter() - begun)
    texts = [document.text for document in documents]
    alone = await _embedder_rate(texts, data_dir)
    return IngestionSpeed(len(documents), passages, round(pipeline, 1), round(alone, 1))


async def _embedder_rate(texts: Sequence[str], data_dir: Path) -> float:
    embedder = MiniLmEmbedder(data_dir / "models")
    await embedder.embed_passages(texts[:1])
    begun = time.perf_counter()
    for start in range(0, len(texts), _BATCH):
        await embedder.embed_passages(texts[start : start + _BATCH])
    return len(texts) / (time.perf_counter() - begun)


def _silent(_done: int) -> None:
    """Tell nothing."""
