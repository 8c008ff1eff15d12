"""What an embedder is."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from chatbot.core.errors import Unavailable

Vectors = NDArray[np.float32]


class EmbeddingFailed(Unavailable):
    """The embedder gave no usable vectors; a later try may."""

    code = "embedding_failed"
    title = "The text could not be embedded now"


class Embedder(Protocol):
    """Turns text into vectors of length 1, so that the inner product is the cosine."""

    @property
    def id(self) -> str:
        """A stable name; vectors of different ids are never compared."""

    @property
    def dimensions(self) -> int:
        """The number of values per vector; 0 while an endpoint has not answered yet."""

    @property
    def remote(self) -> bool:
        """Whether it is asked over a network: nobody waits for it in a request but for a question's own vector."""

    @property
    def languages(self) -> frozenset[str] | None:
        """The languages it knows; None for all. Text in other languages must not be given to it."""

    async def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return a float32 array (texts, dimensions), in the order of ``texts``."""

    async def embed_query(self, text: str) -> Vectors:
        """Return a float32 array (dimensions,)."""


def knows(embedder: Embedder, language: str) -> bool:
    """Whether the embedder may be given text of a language: one that does not know it destroys the ranking."""
    return embedder.languages is None or language in embedder.languages


def unit_length(vectors: Vectors) -> Vectors:
    """Scale rows to length 1; a row of zeros stays."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)
