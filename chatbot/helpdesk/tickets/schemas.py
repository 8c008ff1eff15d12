"""Tickets as programs outside see them, and the bodies of their API."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from chatbot.core.schemas import RequestBody, ResponseBody, Timestamp
from chatbot.dialogue.transcripts.schemas import EmailAddress, TranscriptMessage
from chatbot.helpdesk.tickets.clocks import SlaState

Status = Literal["open", "pending", "solved", "closed"]
Priority = Literal["low", "normal", "high", "urgent"]
Source = Literal["visitor", "agent", "rule", "manual"]
AuthorKind = Literal["agent", "requester", "program"]
Way = Literal["mail", "conversation"]
"""How a public comment gets to the requester."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Subject = Annotated[str, StringConstraints(min_length=1, max_length=300)]
Problem = Annotated[str, StringConstraints(min_length=1, max_length=20_000)]
Device = Annotated[str, StringConstraints(max_length=300)]
SessionName = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Tags = Annotated[
    tuple[Annotated[str, StringConstraints(min_length=1, max_length=60)], ...],
    Field(max_length=30),
]


class Requester(RequestBody):
    """Whose problem it is."""

    name: Name
    email: EmailAddress | None = None


class OpenTicket(RequestBody):
    """A ticket that a visitor opens: offered in a chat, or by the form shown while nobody is there."""

    conversation_id: UUID | None = None
    sessionId: SessionName | None = Field(  # noqa: N815 - a name that programs outside rely on
        None, description="In place of `conversation_id`, where the chat was `POST /api/chat`."
    )
    name: Name
    email: EmailAddress | None = None
    subject: Subject | None = Field(None, description="The first words of the problem when it is left out.")
    problem: Problem
    device: Device | None = None


class OpenedTicket(ResponseBody):
    """What a visitor is told of a ticket."""

    id: UUID
    number: int
    status: Status


class CreateManually(RequestBody):
    """A ticket entered by hand where the flow has failed; the session need not be known any more."""

    sessionId: SessionName  # noqa: N815 - a name that programs outside rely on
    name: Name
    device: Device | None = None
    problem: Problem
    email: EmailAddress | None = None
    priority: Priority = "normal"


class CreateTicket(RequestBody):
    """A ticket that an agent opens; without a brand, of the conversation's or the tenant's default one."""

    tenant_id: UUID | None = Field(
        None, description="Else of `X-Tenant-Id`, else the only tenant of the credential; `LOG_TOKEN` is of none."
    )
    brand_id: UUID | None = None
    conversation_id: UUID | None = None
    subject: Subject | None = Field(None, description="The first words of the problem when it is left out.")
    problem: Problem
    device: Device | None = None
    requester: Requester
    priority: Priority = "normal"
    assignee_id: UUID | None = None
    tags: Tags = ()


class ChangeTicket(RequestBody):
    """What changes of a ticket; what is left out stays. With `version`, only while that is still the newest."""

    status: Status | None = None
    priority: Priority | None = None
    assignee_id: UUID | None = Field(None, description="Null: nobody's.")
    subject: Subject | None = None
    tags: Tags | None = None
    version: Annotated[int, Field(ge=1)] | None = None


class WriteComment(RequestBody):
    """A comment; a public one is told to the requester, by mail where there is an address and an e-mail channel."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=20_000)]
    public: bool = False


class RequesterView(ResponseBody):
    """Whose problem it is."""

    name: str
    email: str | None


class PersonView(ResponseBody):
    """A user by name."""

    id: UUID
    name: str


class SlaView(ResponseBody):
    """What was promised, and how it stands by the worse of the two; a clock that stands still has no end."""

    first_response_due_at: Timestamp | None
    first_responded_at: Timestamp | None
    resolution_due_at: Timestamp | None
    resolved_at: Timestamp | None
    state: SlaState


class TicketView(ResponseBody):
    """A ticket; `sla` is null where nothing was promised."""

    id: UUID
    number: int
    tenant_id: UUID
    brand_id: UUID
    conversation_id: UUID | None
    subject: str
    problem: str
    device: str | None
    requester: RequesterView
    language: str
    status: Status
    priority: Priority
    assignee: PersonView | None
    tags: list[str]
    sla: SlaView | None
    source: Source
    created_by: str
    created_at: Timestamp
    updated_at: Timestamp
    version: int


class FileView(ResponseBody):
    """A file that came by mail."""

    name: str
    mime: str
    size: int


class CommentView(ResponseBody):
    """A comment; `told_by` is how the requester got it: by mail, in the conversation, or (null) not at all."""

    id: UUID
    author_kind: AuthorKind
    author_id: UUID | None
    author_name: str
    text: str
    public: bool
    told_by: Way | None
    files: list[FileView]
    created_at: Timestamp


class TicketDetail(TicketView):
    """A ticket with what was said before it was opened, and about it since."""

    sessionId: str | None  # noqa: N815 - names that programs outside rely on
    createdAt: Timestamp  # noqa: N815
    transcript: list[TranscriptMessage]
    comments: list[CommentView]


class TicketAtHand(TicketDetail):
    """A ticket that may be answered: `reached_by` is how a public comment would be told; null: nobody would be told."""

    reached_by: Way | None
