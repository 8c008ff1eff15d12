"""What a tenant has set about retrieval, as a search needs it (saved and validated by the policies' endpoints)."""

from pydantic import BaseModel, ConfigDict, Field

DEFAULT_MIN_SCORE = 0.3
"""On the scale of `evidence`: see `evidence.py` for what it refuses."""


class RetrievalFilters(BaseModel):
    """Narrows what may be found: any of ``tags`` (none: all documents)."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    tags: list[str] = Field(default_factory=list, max_length=50)


class RetrievalConfig(BaseModel):
    """The retrieval settings of a tenant, with the defaults measured best."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    hybrid_weight: float = Field(0.7, ge=0, le=1, description="Share of the vector score; 0 is words only.")
    min_score: float = Field(DEFAULT_MIN_SCORE, ge=0, le=1, description="Evidence below this is no answer.")
    max_documents: int = Field(6, ge=1, le=50, description="Documents given to the answer.")
    context_budget_tokens: int = Field(2400, ge=100, le=100_000, description="Tokens of passages given to the answer.")
    filters: RetrievalFilters = Field(default_factory=RetrievalFilters)
    fallback_llm: str | None = Field(
        None, description="The model asked when the first one fails; null: the platform's."
    )
