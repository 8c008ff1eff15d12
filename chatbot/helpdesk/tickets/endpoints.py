"""Tickets over HTTP: opened by visitors, by hand and by agents, listed, changed and answered."""

from contextlib import suppress
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response

from chatbot.core.clock import utcnow
from chatbot.core.errors import TooManyRequests
from chatbot.core.paging import MAX_PAGE, Cursor, Limit, after_id, before_id, cut_page
from chatbot.core.schemas import Page
from chatbot.db.sessions import Database
from chatbot.dialogue.callers import only_owner
from chatbot.helpdesk.dependencies import Agents
from chatbot.helpdesk.tickets import repository, service
from chatbot.helpdesk.tickets.dependencies import (
    AskedTicketsOf,
    ClientAddress,
    Desk,
    Letters,
    Limits,
    is_program,
    names_of,
    reach,
    tenant_of,
)
from chatbot.helpdesk.tickets.rendering import as_text
from chatbot.helpdesk.tickets.repository import Filter
from chatbot.helpdesk.tickets.schemas import (
    ChangeTicket,
    CommentView,
    CreateManually,
    CreateTicket,
    OpenedTicket,
    OpenTicket,
    Priority,
    Status,
    TicketAtHand,
    TicketView,
    WriteComment,
)
from chatbot.helpdesk.tickets.service import NewTicket, TicketDesk
from chatbot.helpdesk.tickets.views import comment_view, ticket_detail, ticket_view
from chatbot.identity.dependencies import AskedTenant, ChatCaller, Db, Operator, OperatorOfTenant, Unaudited
from chatbot.identity.subject import Role
from chatbot.identity.tenants.service import require_tenant
from chatbot.knowledge.analysis.folding import fold

router = APIRouter(tags=["tickets"], dependencies=[Unaudited])

_JSON_OR_TEXT: dict[int | str, dict[str, Any]] = {
    200: {"model": TicketAtHand, "content": {"text/plain": {"schema": {"type": "string"}}}}
}


@router.post("/v1/tickets", status_code=201)
async def open_ticket(
    body: OpenTicket, subject: ChatCaller, db: Db, desk: Desk, limits: Limits, letters: Letters, client: ClientAddress
) -> OpenedTicket:
    """Open a ticket as a visitor: offered in a chat, or by the form shown while nobody is there."""
    assert subject.tenant_id
    email, acknowledge = body.email or subject.visitor.get("email") or None, True
    if subject.role is Role.VISITOR and subject.name != "gateway":
        await limits.take(subject.tenant_id, subject.name, client)
        acknowledge = await _may_write(letters, subject.tenant_id, email, subject.name, client)
    wanted = NewTicket(
        "visitor",
        subject.name,
        body.problem,
        body.name,
        email,
        subject=body.subject,
        device=body.device,
        brand_id=subject.brand_id,
        conversation_id=body.conversation_id,
        session_id=body.sessionId,
        owner=only_owner(subject),
        acknowledge=acknowledge,
    )
    async with db.tenant(subject.tenant_id) as session:
        return OpenedTicket.model_validate(await desk.open(session, wanted))


@router.post("/api/ticket/create-manual", status_code=201)
async def create_manually(body: CreateManually, caller: OperatorOfTenant, db: Db, desk: Desk) -> TicketAtHand:
    """Enter a ticket by hand where the flow has failed, with the transcript of its session if that is known."""
    wanted = NewTicket(
        "manual",
        caller.name,
        body.problem,
        body.name,
        body.email,
        device=body.device,
        priority=body.priority,
        session_id=body.sessionId,
    )
    tenant_id = caller.reach(caller.tenant_id, Role.AGENT)
    async with db.tenant(tenant_id) as session:
        ticket = await desk.open(session, wanted)
    return (await _detail(db, desk, tenant_id, ticket.id))[0]


@router.get("/api/tickets")
async def list_tickets(
    tenant_id: AskedTicketsOf,
    caller: Operator,
    db: Db,
    status: Annotated[Status | None, Query()] = None,
    priority: Annotated[Priority | None, Query()] = None,
    assignee_id: UUID | None = None,
    brand_id: UUID | None = None,
    conversation_id: UUID | None = None,
    sla: Annotated[Literal["breached"] | None, Query(description="Only tickets with a clock that is late.")] = None,
    q: Annotated[str, Query(max_length=200, description="Words of number, subject, problem, requester, tags.")] = "",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[TicketView]:
    """The tickets of a tenant, newest first."""
    now = utcnow()
    wanted = Filter(
        status, priority, assignee_id, brand_id, conversation_id, fold(q.replace("\x00", "")), now if sla else None
    )
    async with db.tenant_reader(caller.reach(tenant_id, Role.VIEWER)) as session:
        await require_tenant(session)
        rows = await repository.page(session, wanted, before=before_id(cursor), limit=limit + 1)
    page, following = cut_page(rows, limit)
    names = await names_of(db, page)
    return Page(items=[ticket_view(ticket, names, now) for ticket in page], next_cursor=following)


@router.post("/api/tickets", status_code=201)
async def create_ticket(body: CreateTicket, caller: Operator, named: AskedTenant, db: Db, desk: Desk) -> TicketView:
    """Open a ticket as an agent, of a conversation or of none."""
    tenant_id = tenant_of(caller, body.tenant_id, named)
    wanted = NewTicket(
        "agent",
        caller.name,
        body.problem,
        body.requester.name,
        body.requester.email,
        subject=body.subject,
        device=body.device,
        priority=body.priority,
        brand_id=body.brand_id,
        conversation_id=body.conversation_id,
        assignee_id=body.assignee_id,
        tags=body.tags,
    )
    async with db.tenant(caller.reach(tenant_id, Role.AGENT)) as session:
        ticket = await desk.open(session, wanted)
    return ticket_view(ticket, await names_of(db, [ticket]), utcnow())


@router.get("/api/tickets/{ticket_id}", responses=_JSON_OR_TEXT)
async def get_ticket(
    ticket_id: UUID,
    caller: Operator,
    db: Db,
    desk: Desk,
    format: Annotated[Literal["json", "txt"], Query()] = "json",  # noqa: A002
) -> Response:
    """One ticket with its transcript and comments, as JSON or as text in the requester's language."""
    detail, zone = await _detail(db, desk, await reach(db, caller, ticket_id, Role.VIEWER), ticket_id)
    if format == "json":
        return JSONResponse(detail.model_dump(mode="json"))
    named = {"Content-Disposition": f'attachment; filename="ticket-{detail.number}.txt"'}
    return Response(as_text(detail, zone), headers=named, media_type="text/plain; charset=utf-8")


@router.patch("/api/tickets/{ticket_id}")
async def change_ticket(ticket_id: UUID, body: ChangeTicket, caller: Operator, db: Db, desk: Desk) -> TicketView:
    """Change a ticket. 409 `version_conflict` when it is not the version named any more, `status_conflict` when its
    status does not lead to the one asked for."""
    async with db.tenant(await reach(db, caller, ticket_id, Role.AGENT)) as session:
        ticket = await desk.change(session, ticket_id, body, caller.name)
    return ticket_view(ticket, await names_of(db, [ticket]), utcnow())


@router.get("/api/tickets/{ticket_id}/comments")
async def list_comments(
    ticket_id: UUID, caller: Operator, db: Db, limit: Limit = MAX_PAGE, cursor: Cursor = None
) -> Page[CommentView]:
    """The comments of a ticket, in order."""
    async with db.tenant_reader(await reach(db, caller, ticket_id, Role.VIEWER)) as session:
        rows = await repository.comments_after(session, ticket_id, after=after_id(cursor), limit=limit + 1)
    page, following = cut_page(rows, limit)
    return Page(items=[comment_view(row) for row in page], next_cursor=following)


@router.post("/api/tickets/{ticket_id}/comments", status_code=201)
async def write_comment(
    ticket_id: UUID, body: WriteComment, caller: Operator, db: Db, desk: Desk, agents: Agents
) -> CommentView:
    """Write a comment; a public one goes by mail, or into the ticket's conversation, and counts as a response then.
    Where there is neither, `told_by` is null: nobody was told."""
    tenant_id = await reach(db, caller, ticket_id, Role.AGENT)
    author = await agents.agent(caller)
    async with db.tenant(tenant_id) as session:
        comment = await desk.comment(
            session, ticket_id, body.text, author, public=body.public, program=is_program(caller)
        )
    return comment_view(comment)


async def _may_write(letters: Letters, tenant_id: UUID, email: str | None, visitor: str, client: str | None) -> bool:
    """Whether one more letter may be caused; a ticket is opened without one, too."""
    if email:
        with suppress(TooManyRequests):
            await letters.take(tenant_id, email, visitor, client)
            return True
    return email is None


async def _detail(db: Database, desk: TicketDesk, tenant_id: UUID, ticket_id: UUID) -> tuple[TicketAtHand, ZoneInfo]:
    async with db.tenant_reader(tenant_id) as session:
        zone = ZoneInfo((await require_tenant(session)).timezone)
        ticket = await service.require(session, ticket_id)
        said = (await repository.comments_of(session, [ticket_id]))[ticket_id]
        way = await desk.way_to(session, ticket)
    detail = ticket_detail(ticket, said, await names_of(db, [ticket]), utcnow())
    return TicketAtHand(**dict(detail), reached_by=way), zone
