"""`/admin/tenants/{tenant_id}/erasures`: erase a visitor everywhere, and the receipts of it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from chatbot.core.paging import Cursor, Limit, before_id
from chatbot.core.schemas import Page
from chatbot.identity.dependencies import Caller
from chatbot.identity.subject import Role, Subject
from chatbot.ops.erasure.schemas import EraseVisitor, ErasureReceipt
from chatbot.ops.erasure.service import Erasing

router = APIRouter(prefix="/admin/tenants/{tenant_id}/erasures", tags=["data"])


async def _erasing(request: Request) -> Erasing:
    erasing: Erasing = request.app.state.erasing
    return erasing


TheErasing = Annotated[Erasing, Depends(_erasing)]


@router.post("", status_code=201)
async def erase_visitor(tenant_id: UUID, body: EraseVisitor, caller: Caller, erasing: TheErasing) -> ErasureReceipt:
    """Erase a visitor from conversations, tickets, logs, files, search, queues and caches; answers with the receipt."""
    receipt = await erasing.erase(caller.reach(tenant_id, Role.TENANT_ADMIN), body, caller.name)
    return _seen_by(caller, receipt)


@router.get("")
async def list_erasures(
    tenant_id: UUID, caller: Caller, erasing: TheErasing, limit: Limit = 50, cursor: Cursor = None
) -> Page[ErasureReceipt]:
    """Receipts of erasures, newest first."""
    rows = await erasing.receipts(caller.reach(tenant_id, Role.TENANT_ADMIN), before=before_id(cursor), limit=limit)
    page = rows[:limit]
    items = [_seen_by(caller, receipt) for receipt in page]
    return Page(items=items, next_cursor=str(page[-1].id) if len(rows) > limit else None)


def _seen_by(caller: Subject, receipt: ErasureReceipt) -> ErasureReceipt:
    return receipt if caller.role is Role.PLATFORM_ADMIN else receipt.without_logs()
