"""What a turn found: passages as the answer's stages see them, and how they are cited outside."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Passage:
    """A retrieved passage, numbered as the model and the reader see it.

    Attributes:
        score: the fused retrieval score, 0 to 1.
    """

    id: UUID
    source_id: UUID
    external_id: str | None
    title: str
    url: str | None
    text: str
    heading_path: tuple[str, ...]
    language: str
    score: float

    def citation(self, index: int) -> dict[str, Any]:
        """The citation as clients see it (contract, section 9)."""
        return {
            "index": index,
            "source_id": str(self.source_id),
            "external_id": self.external_id,
            "title": self.title,
            "url": self.url,
            "passage": self.text,
        }


@dataclass(frozen=True, slots=True)
class Evidence:
    """The result of the retrieve stage: passages, best first; `score` (0 to 1) says if the answer is among them."""

    passages: tuple[Passage, ...]
    score: float
    stages: tuple[dict[str, Any], ...] = ()
