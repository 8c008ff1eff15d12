"""Bodies of notes."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from chatbot.core.schemas import RequestBody, ResponseBody, Timestamp
from chatbot.dialogue.schemas import Author


class WriteNote(RequestBody):
    """A note; whoever is mentioned is told by the event `note.created`."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=8_000)]
    mentions: Annotated[list[UUID], Field(max_length=50, default_factory=list)]


class NoteView(ResponseBody):
    """A note; visitors never see it."""

    id: UUID
    conversation_id: UUID
    author: Author
    text: str
    mentions: list[UUID]
    created_at: Timestamp
