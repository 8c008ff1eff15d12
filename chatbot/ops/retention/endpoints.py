"""`/admin/tenants/{tenant_id}/retention`: how long things are kept, a run now or a dry one, and the reports."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from chatbot.core.paging import Cursor, Limit, before_id
from chatbot.core.schemas import Page
from chatbot.identity.dependencies import Caller
from chatbot.identity.subject import Role
from chatbot.ops.retention.schemas import RetentionReport, RetentionView, StartRetention
from chatbot.ops.retention.service import Retention

router = APIRouter(prefix="/admin/tenants/{tenant_id}/retention", tags=["data"])


async def _retention(request: Request) -> Retention:
    retention: Retention = request.app.state.retention
    return retention


TheRetention = Annotated[Retention, Depends(_retention)]


@router.get("")
async def get_retention(tenant_id: UUID, caller: Caller, retention: TheRetention) -> RetentionView:
    """How long things are kept, and the last run; `retention` of the policy sets it."""
    return await retention.view(caller.reach(tenant_id, Role.TENANT_ADMIN))


@router.get("/runs")
async def list_retention_runs(
    tenant_id: UUID, caller: Caller, retention: TheRetention, limit: Limit = 50, cursor: Cursor = None
) -> Page[RetentionReport]:
    """Reports of runs, newest first."""
    reached = caller.reach(tenant_id, Role.TENANT_ADMIN)
    rows = await retention.runs(reached, before=before_id(cursor), limit=limit + 1)
    page = rows[:limit]
    return Page(items=page, next_cursor=str(page[-1].id) if len(rows) > limit else None)


@router.post("/runs")
async def run_retention(
    tenant_id: UUID, caller: Caller, retention: TheRetention, body: StartRetention
) -> RetentionReport:
    """Remove what is too old now, before the daily run does; a dry run says what that would be."""
    reached = caller.reach(tenant_id, Role.TENANT_ADMIN)
    return await (retention.count if body.dry_run else retention.run)(reached, caller.name)
