"""`DELETE /admin/tenants/{tenant_id}`, its way back and the receipts, for platform admins."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from chatbot.channels.dependencies import TheWidget
from chatbot.core.paging import Cursor, Limit, before_id
from chatbot.core.schemas import Page
from chatbot.identity.dependencies import Caller, Db, Resolver
from chatbot.identity.subject import Role
from chatbot.identity.tenants import service as tenants
from chatbot.identity.tenants.schemas import TenantView
from chatbot.ops.decommission.schemas import DecommissionReceipt
from chatbot.ops.decommission.service import Decommissioning

router = APIRouter(prefix="/admin", tags=["data"])


async def _decommissioning(request: Request, db: Db) -> Decommissioning:
    state = request.app.state
    window = timedelta(days=state.settings.restore_window_days)
    return Decommissioning(db, state.erasing.places, state.channels, state.vault, window)


TheDecommissioning = Annotated[Decommissioning, Depends(_decommissioning)]


@router.delete("/tenants/{tenant_id}")
async def decommission_tenant(
    tenant_id: UUID, caller: Caller, decommissioning: TheDecommissioning, access: Resolver, widget: TheWidget
) -> DecommissionReceipt:
    """Take a tenant out of service: automation rests, all is archived, secrets are destroyed, nothing answers any more.

    Answers when the archive is written. Done again, it tells the receipt again.
    """
    caller.reach(tenant_id, Role.PLATFORM_ADMIN)
    receipt = await decommissioning.end(tenant_id, caller.name, access)
    widget.forget()
    return receipt


@router.post("/tenants/{tenant_id}/restore")
async def restore_tenant(
    tenant_id: UUID, caller: Caller, decommissioning: TheDecommissioning, access: Resolver, db: Db
) -> TenantView:
    """Bring a tenant back within the window, with its data and web chats; all else must be set up anew."""
    caller.reach(tenant_id, Role.PLATFORM_ADMIN)
    await decommissioning.restore(tenant_id, access)
    async with db.tenant_reader(tenant_id) as session:
        return TenantView.model_validate(await tenants.require_tenant(session))


@router.get("/decommissions")
async def list_decommissions(
    caller: Caller, decommissioning: TheDecommissioning, limit: Limit = 50, cursor: Cursor = None
) -> Page[DecommissionReceipt]:
    """The receipts of tenants that are out of service, newest tenant first."""
    caller.require_platform_admin()
    rows = await decommissioning.receipts(before=before_id(cursor), limit=limit + 1)
    page = rows[:limit]
    return Page(items=page, next_cursor=str(page[-1].tenant_id) if len(rows) > limit else None)
