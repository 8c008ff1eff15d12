"""`/api/tickets/export`: every ticket of a tenant, as CSV or as lines of JSON, sent while it is read."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from chatbot.core.clock import utcnow
from chatbot.core.csv_cells import MEDIA_TYPE, csv_rest, csv_stream
from chatbot.db.models import Ticket
from chatbot.db.sessions import Database
from chatbot.helpdesk.tickets import repository
from chatbot.helpdesk.tickets.dependencies import AskedTicketsOf, names_of
from chatbot.helpdesk.tickets.rendering import CSV_HEADER, as_row
from chatbot.helpdesk.tickets.repository import Filter
from chatbot.helpdesk.tickets.schemas import Status
from chatbot.helpdesk.tickets.views import ticket_detail, ticket_view
from chatbot.identity.dependencies import Db, Operator
from chatbot.identity.subject import Role
from chatbot.identity.tenants.service import require_tenant

router = APIRouter(tags=["tickets"])

_JSON_LINES = "application/x-ndjson"
_PAGE = 200
_RESUMED = "Go on behind this ticket's id: that of the last whole line that came. CSV then has no header."
_TEXT: dict[str, Any] = {"schema": {"type": "string"}}
_FILES: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": _TEXT, _JSON_LINES: _TEXT}}}


@router.get("/api/tickets/export", responses=_FILES, response_class=StreamingResponse)
async def export_tickets(
    tenant_id: AskedTicketsOf,
    caller: Operator,
    db: Db,
    format: Annotated[Literal["csv", "jsonl"], Query()] = "csv",  # noqa: A002
    status: Annotated[Status | None, Query()] = None,
    after: Annotated[UUID | None, Query(description=_RESUMED)] = None,
) -> StreamingResponse:
    """Every ticket, newest first; lines of JSON hold transcripts and comments too."""
    async with db.tenant_reader(caller.reach(tenant_id, Role.AGENT)) as session:
        await require_tenant(session)
    wanted = Filter(status=status)
    named = {"Content-Disposition": f'attachment; filename="tickets.{format}"'}
    if format == "csv":
        rows = _rows(db, tenant_id, wanted, after)
        lines, media_type = csv_rest(rows) if after else csv_stream(CSV_HEADER, rows), MEDIA_TYPE
    else:
        lines, media_type = json_lines(db, tenant_id, wanted, after), _JSON_LINES
    return StreamingResponse(lines, headers=named, media_type=media_type)


async def _rows(db: Database, tenant_id: UUID, wanted: Filter, after: UUID | None) -> AsyncIterator[tuple[object, ...]]:
    async for page in _pages(db, tenant_id, wanted, after, whole=False):
        names, now = await names_of(db, page), utcnow()
        for ticket in page:
            yield as_row(ticket_view(ticket, names, now))


async def json_lines(db: Database, tenant_id: UUID, wanted: Filter, after: UUID | None = None) -> AsyncIterator[str]:
    """Give tickets with their transcripts and comments, newest first, a JSON object a line."""
    async for page in _pages(db, tenant_id, wanted, after, whole=True):
        names, now = await names_of(db, page), utcnow()
        async with db.tenant_reader(tenant_id) as session:
            said = await repository.comments_of(session, [ticket.id for ticket in page])
        for ticket in page:
            yield ticket_detail(ticket, said[ticket.id], names, now).model_dump_json() + "\n"


async def _pages(
    db: Database, tenant_id: UUID, wanted: Filter, after: UUID | None, *, whole: bool
) -> AsyncIterator[list[Ticket]]:
    """Give tickets a page at a time; no transaction is held while a slow client reads."""
    before = after
    while True:
        async with db.tenant_reader(tenant_id) as session:
            page = await repository.page(session, wanted, before=before, limit=_PAGE, whole=whole)
        if page:
            yield page
        if len(page) < _PAGE:
            return
        before = page[-1].id
