"""Bodies of the retrieval diagnostics."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StringConstraints

from chatbot.core.schemas import RequestBody, ResponseBody
from chatbot.knowledge.retrieval.config import RetrievalConfig


class RetrievalQuery(RequestBody):
    """A question to be looked up as a visitor's would be."""

    tenant_id: UUID
    brand_id: UUID | None = Field(None, description="By default the tenant's own.")
    query: Annotated[str, StringConstraints(min_length=1, max_length=4000)]
    limit: int = Field(10, ge=1, le=100, description="Passages returned.")
    config: RetrievalConfig | None = Field(
        None, description="Settings for this call alone; what is left out stays as the tenant has it."
    )


class PassageFound(ResponseBody):
    """A passage, with the scores of each method; `cut` says why an answer would not use it."""

    rank: int
    passage_id: UUID
    source_id: UUID
    external_id: str | None
    title: str
    url: str | None
    passage: str
    language: str
    score: float
    lexical_score: float
    vector_score: float | None
    cut: str | None


class StageReport(ResponseBody):
    """One stage: what it found and the milliseconds it took."""

    name: str
    took_ms: float
    detail: dict[str, Any]


class RetrievalReport(ResponseBody):
    """Every stage of a retrieval with the settings it was done by; `evidence` (0-1): is there an answer here at all."""

    query: str
    language: str
    results: list[PassageFound]
    evidence: float
    answerable: bool
    stages: list[StageReport]
    took_ms: float
    config: RetrievalConfig
