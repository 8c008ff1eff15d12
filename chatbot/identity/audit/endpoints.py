"""`/admin/events`: the audit log, to read, to export, to verify."""

from collections.abc import AsyncIterator
from typing import Annotated, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime

from chatbot.core.csv_cells import MEDIA_TYPE as CSV
from chatbot.core.csv_cells import csv_stream
from chatbot.core.errors import InvalidInput
from chatbot.core.paging import Cursor, Limit
from chatbot.core.schemas import Page
from chatbot.identity.audit.chain import PLATFORM, Outcome
from chatbot.identity.audit.reading import AuditReader
from chatbot.identity.audit.repository import Sought
from chatbot.identity.audit.schemas import COLUMNS, AuditEventView, ChainVerdict
from chatbot.identity.dependencies import Caller, Db
from chatbot.identity.subject import Role, Subject

router = APIRouter(prefix="/admin/events", tags=["audit log"])

_JSON_LINES = "application/x-ndjson"
TenantId = Annotated[UUID | None, Query(description="Without one, the platform's own chain.")]
Exactly = Annotated[str | None, Query(max_length=200)]


async def _sought(
    actor: Exactly = None,
    action: Exactly = None,
    target: Exactly = None,
    outcome: Outcome | None = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
) -> Sought:
    return Sought(actor, action, target, outcome, since, until)


async def _chain(caller: Caller, tenant_id: TenantId = None) -> UUID:
    return chain_of(caller, tenant_id)


Which = Annotated[Sought, Depends(_sought)]
Chain = Annotated[UUID, Depends(_chain)]


def chain_of(subject: Subject, tenant_id: UUID | None) -> UUID:
    """Return the chain that a subject may read.

    Raises:
        NotFound: the tenant is none of the subject's.
        Forbidden: too low a role; the platform's chain is for platform admins.
    """
    if tenant_id is None:
        subject.require_platform_admin()
        return PLATFORM
    return subject.reach(tenant_id, Role.TENANT_ADMIN)


@router.get("")
async def list_audit_events(
    chain: Chain, sought: Which, db: Db, limit: Limit = 50, cursor: Cursor = None
) -> Page[AuditEventView]:
    """Who did what, newest first."""
    rows = await AuditReader(db).page(chain, sought, before=_number(cursor), limit=limit)
    page = [AuditEventView.of(row) for row in rows[:limit]]
    return Page(items=page, next_cursor=str(page[-1].id) if len(rows) > limit else None)


@router.get("/verify")
async def verify_audit_events(chain: Chain, db: Db) -> ChainVerdict:
    """Compute every hash of the chain anew: was a row changed, added in between, or taken out?"""
    verdict = await AuditReader(db).verify(chain)
    return ChainVerdict(
        ok=verdict.broken_at is None,
        rows=verdict.rows,
        head=verdict.head,
        broken_at=verdict.broken_at,
        words=verdict.words,
        tenant_id=None if chain == PLATFORM else chain,
    )


@router.get("/export", response_class=StreamingResponse, responses={200: {"content": {CSV: {}, _JSON_LINES: {}}}})
async def export_audit_events(
    chain: Chain,
    sought: Which,
    db: Db,
    format: Literal["csv", "jsonl"] = "csv",  # noqa: A002 - the parameter's name
) -> StreamingResponse:
    """All that is looked for, newest first, as it is read: CSV for people, a JSON object a line for programs."""
    views = (AuditEventView.of(row) async for row in AuditReader(db).everything(chain, sought))
    lines, media = (_csv(views), CSV) if format == "csv" else (_json_lines(views), _JSON_LINES)
    name = f"audit-{'platform' if chain == PLATFORM else chain}.{format}"
    return StreamingResponse(lines, media_type=media, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _csv(views: AsyncIterator[AuditEventView]) -> AsyncIterator[str]:
    return csv_stream(COLUMNS, (_cells(view) async for view in views))


def _cells(view: AuditEventView) -> list[object]:
    row = view.model_dump(mode="json")
    return [*(row[name] if name != "detail" else orjson.dumps(row[name]).decode() for name in COLUMNS)]


async def _json_lines(views: AsyncIterator[AuditEventView]) -> AsyncIterator[str]:
    async for view in views:
        yield f"{view.model_dump_json()}\n"


def _number(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise InvalidInput.field("cursor", "is not a cursor of this list")
    return int(cursor)
