"""Tickets and comments as programs outside see them."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from uuid import UUID

from chatbot.db.models import Ticket, TicketComment
from chatbot.dialogue.transcripts.schemas import TranscriptMessage
from chatbot.helpdesk.tickets.clocks import worst
from chatbot.helpdesk.tickets.promises import clocks_of
from chatbot.helpdesk.tickets.schemas import (
    CommentView,
    FileView,
    PersonView,
    RequesterView,
    SlaView,
    TicketDetail,
    TicketView,
)

Names = Mapping[UUID, str]
"""Users by id."""


def assignees(tickets: Iterable[Ticket]) -> Collection[UUID]:
    """Return the users whose names the views of tickets need."""
    return {ticket.assignee_id for ticket in tickets if ticket.assignee_id}


def ticket_view(ticket: Ticket, names: Names, now: datetime) -> TicketView:
    """Return a ticket as it stands now."""
    return TicketView(
        id=ticket.id,
        number=ticket.number,
        tenant_id=ticket.tenant_id,
        brand_id=ticket.brand_id,
        conversation_id=ticket.conversation_id,
        subject=ticket.subject,
        problem=ticket.problem,
        device=ticket.device,
        requester=RequesterView(name=ticket.requester_name, email=ticket.requester_email),
        language=ticket.language,
        status=ticket.status,
        priority=ticket.priority,
        assignee=_assignee(ticket.assignee_id, names),
        tags=ticket.tags,
        sla=_sla(ticket, now),
        source=ticket.source,
        created_by=ticket.created_by,
        created_at=ticket.created_at,
        updated_at=ticket.updated_at,
        version=ticket.version,
    )


def ticket_detail(ticket: Ticket, said: Iterable[TicketComment], names: Names, now: datetime) -> TicketDetail:
    """Return a ticket, read whole, with its comments."""
    return TicketDetail(
        **dict(ticket_view(ticket, names, now)),
        sessionId=ticket.session_id or (str(ticket.conversation_id) if ticket.conversation_id else None),
        createdAt=ticket.created_at,
        transcript=[TranscriptMessage.model_validate(message) for message in ticket.transcript],
        comments=[comment_view(comment) for comment in said],
    )


def comment_view(comment: TicketComment) -> CommentView:
    """Return a comment."""
    return CommentView(
        id=comment.id,
        author_kind=comment.author_kind,
        author_id=comment.author_id,
        author_name=comment.author_name,
        text=comment.text,
        public=comment.public,
        told_by=comment.told_by,
        files=[FileView.model_validate(file) for file in comment.files],
        created_at=comment.created_at,
    )


def _assignee(user_id: UUID | None, names: Names) -> PersonView | None:
    return PersonView(id=user_id, name=names.get(user_id, "")) if user_id else None


def _sla(ticket: Ticket, now: datetime) -> SlaView | None:
    state = worst(clocks_of(ticket), now)
    if state is None:
        return None
    return SlaView(
        first_response_due_at=ticket.first_response_due_at,
        first_responded_at=ticket.first_responded_at,
        resolution_due_at=ticket.resolution_due_at,
        resolved_at=ticket.resolved_at,
        state=state,
    )
