"""What a retrieval gives back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from chatbot.knowledge.retrieval.config import RetrievalConfig


@dataclass(frozen=True, slots=True)
class RetrievedPassage:
    """A passage found. ``score`` and ``vector_score`` are 0–1, ``lexical_score`` is a BM25.

    ``cut`` says why it is not part of the answer's context: ``no_evidence``, ``duplicate``, ``max_documents``,
    ``context_budget``; None when it is part.
    """

    rank: int
    passage_id: UUID
    source_id: UUID
    external_id: str | None
    title: str
    url: str | None
    kind: str
    heading_path: tuple[str, ...]
    ordinal: int
    passage: str
    language: str
    score: float
    lexical_score: float
    vector_score: float | None
    tokens: int
    cut: str | None


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a retrieval: how long it took, and what it found, put into words for those who look."""

    name: str
    took_ms: float
    describe: Callable[[], Mapping[str, Any]] = field(repr=False)

    @property
    def detail(self) -> Mapping[str, Any]:
        """What was found, JSON-ready."""
        return self.describe()


@dataclass(frozen=True, slots=True)
class RetrievalResult:
    """All that was found. ``evidence`` is 0–1; ``answerable`` is whether it reaches the tenant's ``min_score``."""

    query: str
    language: str
    results: tuple[RetrievedPassage, ...]
    evidence: float
    answerable: bool
    stages: tuple[Stage, ...]
    took_ms: float
    config: RetrievalConfig

    @property
    def context(self) -> tuple[RetrievedPassage, ...]:
        """The passages an answer is to be made from: empty when there is no evidence."""
        return tuple(result for result in self.results if result.cut is None)
