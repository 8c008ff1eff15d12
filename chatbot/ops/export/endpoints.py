"""Exports of conversations, messages and the event log, sent while they are read."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime

from chatbot.core.csv_cells import MEDIA_TYPE
from chatbot.identity.dependencies import Caller, Db
from chatbot.identity.subject import Role
from chatbot.identity.tenants.service import require_tenant
from chatbot.ops.export.lines import JSON_LINES, Format, lines
from chatbot.ops.export.repository import Part

router = APIRouter(prefix="/admin", tags=["data"])

_TEXT: dict[str, Any] = {"schema": {"type": "string"}}
_FILES: dict[int | str, dict[str, Any]] = {200: {"content": {MEDIA_TYPE: _TEXT, JSON_LINES: _TEXT}}}
_RESUMED = "Go on behind this id: that of the last whole line that came. CSV then has no header."
Wanted = Annotated[Format, Query(alias="format")]
After = Annotated[UUID | None, Query(description=_RESUMED)]
AfterEvent = Annotated[int | None, Query(ge=0, le=2**62, description=_RESUMED)]


async def _tenant(tenant_id: UUID, caller: Caller, db: Db) -> UUID:
    async with db.tenant_reader(caller.reach(tenant_id, Role.TENANT_ADMIN)) as session:
        await require_tenant(session)
    return tenant_id


Reached = Annotated[UUID, Depends(_tenant)]


@router.get("/conversations/export", responses=_FILES, response_class=StreamingResponse)
async def export_conversations(
    tenant_id: Reached,
    db: Db,
    wanted: Wanted = "jsonl",
    after: After = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
) -> StreamingResponse:
    """Every conversation of a tenant, oldest first, without its messages."""
    part = Part(after, since, until)
    return _file("conversations", lines(db, tenant_id, "conversations", part, wanted), wanted)


@router.get("/messages/export", responses=_FILES, response_class=StreamingResponse)
async def export_messages(
    tenant_id: Reached,
    db: Db,
    wanted: Wanted = "jsonl",
    after: After = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
) -> StreamingResponse:
    """Every message of a tenant, oldest first."""
    return _file("messages", lines(db, tenant_id, "messages", Part(after, since, until), wanted), wanted)


@router.get("/event_log/export", responses=_FILES, response_class=StreamingResponse)
async def export_event_log(
    tenant_id: Reached,
    db: Db,
    wanted: Wanted = "jsonl",
    after: AfterEvent = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
) -> StreamingResponse:
    """The event log of a tenant, in the order of numbers."""
    return _file("events", lines(db, tenant_id, "events", Part(after, since, until), wanted), wanted)


def _file(name: str, content: Any, wanted: Format) -> StreamingResponse:
    named = {"Content-Disposition": f'attachment; filename="{name}.{wanted}"', "Cache-Control": "no-store"}
    return StreamingResponse(content, headers=named, media_type=MEDIA_TYPE if wanted == "csv" else JSON_LINES)
