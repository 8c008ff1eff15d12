"""Bodies of what agents do to a conversation."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from chatbot.core.schemas import RequestBody
from chatbot.dialogue.schemas import ClientId, Message

Tag = Annotated[str, StringConstraints(min_length=1, max_length=60)]


class TakeOver(RequestBody):
    """Take a conversation; `force` takes it from another agent."""

    force: bool = False


class Assign(RequestBody):
    """Give a conversation to an agent; null gives it to whoever comes first."""

    assignee_id: UUID | None


class Say(RequestBody):
    """An agent's message; sent again with the same `client_message_id` it is stored once.

    `attachment_ids` are files that the agent has uploaded for the conversation; with one the text may be empty.
    """

    text: Message | Literal[""]
    client_message_id: ClientId
    attachment_ids: Annotated[list[UUID], Field(max_length=10, default_factory=list)]

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.text and not self.attachment_ids:
            raise ValueError("text: must hold at least 1 character, or files must be sent with it")
        return self


class SetTyping(RequestBody):
    """Whether the agent is writing."""

    active: bool


class HasRead(RequestBody):
    """The agents have seen the messages up to this number."""

    seq: Annotated[int, Field(ge=0, le=2**62)]


class SetTags(RequestBody):
    """All tags of a conversation."""

    tags: Annotated[list[Tag], Field(max_length=50)]
