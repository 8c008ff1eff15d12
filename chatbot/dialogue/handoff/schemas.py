"""Bodies of the visitor's side of handoff."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from chatbot.core.schemas import Like, RequestBody, ResponseBody, Timestamp
from chatbot.dialogue.schemas import Author

Reason = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Email = Annotated[
    str, StringConstraints(max_length=320), Like(r"^[^@\s]+@[^@\s]+$", "an address such as ann@example.com")
]


class Contact(RequestBody):
    """How the visitor can be reached."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    email: Email | None = None


class AskForPerson(RequestBody):
    """A wish for a person."""

    reason: Reason | None = None
    contact: Contact | None = None


class Queue(ResponseBody):
    """A place in the tenant's queue, from 1; the wait is what others lately waited, null when that is not known."""

    position: int
    expected_wait_seconds: Annotated[int, Field(ge=0)] | None


class HoursView(ResponseBody):
    """Whether people are there, and when they are next."""

    open_now: bool
    next_open_at: Timestamp | None


class Standing(ResponseBody):
    """Where a conversation stands: `state` is bot, waiting, human or closed; `queue` is there while it waits."""

    state: str
    agent: Author | None
    queue: Queue | None
    hours: HoursView


class LastSaid(ResponseBody):
    """The beginning of a conversation's last message."""

    role: str
    text: str
    created_at: Timestamp


class OwnConversation(ResponseBody):
    """A visitor's conversation in a list; `read_seq` is how far the visitor has read."""

    id: UUID
    state: str
    agent: Author | None
    last_message: LastSaid | None
    last_seq: int
    read_seq: int
    updated_at: Timestamp
