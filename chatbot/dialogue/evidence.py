"""A passage as the stages of an answer see it, and how it is cited outside."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Passage:
    """A retrieved passage.

    Attributes:
        score: the fused retrieval score, 0 to 1.
        kind: of its source: file, text, qa, url.
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
    kind: str = "text"

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
