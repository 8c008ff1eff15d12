"""An embedder behind a call: an OpenAI-compatible endpoint, or anything else that maps texts to vectors."""

from collections.abc import Awaitable, Callable, Sequence

import numpy as np

from chatbot.knowledge.embedding.contract import EmbeddingFailed, Vectors, unit_length

EmbedCall = Callable[[Sequence[str]], Awaitable[Sequence[Sequence[float]]]]

_BATCH = 64

# Published results (MTEB): this model ranks Persian below plain BM25, so it is never given Persian.
_WEAK_IN_PERSIAN = ("text-embedding-3-small", "text-embedding-ada-002", "all-minilm")
_OTHERS_ONLY = frozenset({"en", "es", "fr", "de", "it", "pt", "nl", "ca", "pl", "sv", "da", "no", "fi", "cs", "ro"})


class RemoteEmbedder:
    """Embeds through ``call``, which owns address, key, retries and limits.

    Args:
        name: of the model, with its vendor (``openai:text-embedding-3-large``): the embedder's id.
        call: texts to vectors, in order.
        ask: the same for a question, whose asker waits; None: `call`.
    """

    remote = True

    def __init__(self, name: str, call: EmbedCall, ask: EmbedCall | None = None) -> None:
        self.id = name
        self.dimensions = 0  # learned from the first answer
        self.languages = languages_of(name)
        self._call = call
        self._ask = ask or call

    async def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed in requests of at most 64 texts."""
        parts = [
            await self._request(self._call, texts[start : start + _BATCH]) for start in range(0, len(texts), _BATCH)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, self.dimensions), np.float32)

    async def embed_query(self, text: str) -> Vectors:
        """Embed one question."""
        vectors = await self._request(self._ask, [text])
        return np.asarray(vectors[0], dtype=np.float32)

    async def _request(self, call: EmbedCall, texts: Sequence[str]) -> Vectors:
        vectors = np.asarray(await call(texts), dtype=np.float32)
        if vectors.ndim != 2 or len(vectors) != len(texts):
            raise EmbeddingFailed(f"the embedding model gave {vectors.shape} for {len(texts)} texts")
        self.dimensions = self.dimensions or vectors.shape[1]
        if vectors.shape[1] != self.dimensions:
            raise EmbeddingFailed(
                f"the embedding model gave vectors of {vectors.shape[1]}, before of {self.dimensions}"
            )
        return unit_length(vectors)


def languages_of(model: str) -> frozenset[str] | None:
    """The languages a model may rank; None for all."""
    return _OTHERS_ONLY if any(name in model.lower() for name in _WEAK_IN_PERSIAN) else None
