"""Bodies of the gaps' API."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chatbot.core.schemas import RequestBody, ResponseBody, Timestamp
from chatbot.knowledge.schemas import Answer, Question, SourceStatus

GapStatus = Literal["open", "answered", "dismissed"]


class GapAnswer(RequestBody):
    """An answer that becomes knowledge; `question` stands in for the visitors' wording where that is unclear."""

    answer: Answer
    question: Question | None = None


class GapView(ResponseBody):
    """Questions that say the same and were not answered.

    Attributes:
        question: as it was asked first.
        count: how often it was asked.
        evidence: the most that was found for it, 0 to 1.
        examples: distinct wordings, the newest first.
        conversation_ids: where it was asked, the newest first.
        source_id: the knowledge made of its answer, as long as that is there.
    """

    id: UUID
    tenant_id: UUID
    brand_id: UUID
    question: str
    count: int
    languages: list[str]
    evidence: float
    examples: Annotated[list[str], Field(max_length=5)]
    conversation_ids: Annotated[list[UUID], Field(max_length=5)]
    first_asked_at: Timestamp
    last_asked_at: Timestamp
    status: GapStatus
    source_id: UUID | None
    settled_at: Timestamp | None
    settled_by: str | None


class GapAnswered(ResponseBody):
    """The gap, and the source that is being read: the question is answered once its status is `ready`."""

    gap: GapView
    source_id: UUID
    job_id: UUID
    source_status: SourceStatus
