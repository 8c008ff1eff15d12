"""Local multilingual embedding through the optional extra ``fastembed``, which downloads its model."""

import asyncio
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from chatbot.knowledge.embedding.contract import EmbeddingFailed, Vectors, unit_length
from chatbot.knowledge.embedding.remote import languages_of


class FastEmbedder:
    """Wraps ``fastembed.TextEmbedding``; the model is downloaded into ``model_dir`` when the object is made."""

    remote = False

    def __init__(self, model: str, model_dir: Path, *, threads: int = 1) -> None:
        if find_spec("fastembed") is None:
            raise EmbeddingFailed("EMBEDDER: fastembed is not installed; install the extra `fastembed`")
        self._model: Any = import_module("fastembed").TextEmbedding(model, cache_dir=str(model_dir), threads=threads)
        self.id = f"fastembed:{model}"
        self.dimensions = int(self._model.embedding_size)
        self.languages = languages_of(model)

    async def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed in a thread."""
        return unit_length(np.asarray(await asyncio.to_thread(lambda: list(self._model.passage_embed(texts)))))

    async def embed_query(self, text: str) -> Vectors:
        """Embed one question; models such as E5 prefix questions differently from passages."""
        vectors = unit_length(np.asarray(await asyncio.to_thread(lambda: list(self._model.query_embed(text)))))
        return np.asarray(vectors[0], dtype=np.float32)
