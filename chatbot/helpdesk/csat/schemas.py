"""Bodies of the ratings' API."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from chatbot.core.schemas import RequestBody, ResponseBody, Timestamp


class Rate(RequestBody):
    """What a visitor thought: 1 is bad, 5 is good."""

    score: Annotated[int, Field(ge=1, le=5)]
    comment: Annotated[str, StringConstraints(max_length=2_000)] | None = None


class Rating(ResponseBody):
    """A rating; it can be changed until 24 hours after it was first given."""

    conversation_id: UUID
    score: int
    comment: str | None
    created_at: Timestamp
    updated_at: Timestamp
