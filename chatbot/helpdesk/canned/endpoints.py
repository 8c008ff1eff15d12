"""`/admin/canned_replies`: texts by shortcut."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from chatbot.core.paging import Cursor, Limit, before_id, cut_page
from chatbot.core.schemas import Page
from chatbot.helpdesk.canned import repository, service
from chatbot.helpdesk.canned.schemas import (
    CannedReplyView,
    ChangeCannedReply,
    NewCannedReply,
    RenderedText,
    RenderIn,
)
from chatbot.helpdesk.dependencies import Agents
from chatbot.identity.dependencies import Caller, Db
from chatbot.identity.subject import Role

router = APIRouter(prefix="/admin/canned_replies", tags=["help desk"])


async def _tenant(reply_id: UUID, caller: Caller, db: Db) -> UUID:
    async with db.platform() as session:
        tenant_id = await repository.tenant_of(session, reply_id)
    return caller.reach(tenant_id, Role.AGENT, "canned reply")


TenantOfReply = Annotated[UUID, Depends(_tenant)]


@router.get("")
async def list_canned_replies(
    tenant_id: UUID, caller: Caller, db: Db, brand_id: UUID | None = None, limit: Limit = 100, cursor: Cursor = None
) -> Page[CannedReplyView]:
    """Canned replies, newest first; with a brand, its own and those of all brands."""
    async with db.tenant_reader(caller.reach(tenant_id, Role.AGENT)) as session:
        if brand_id is not None and await repository.brand_name(session, brand_id) is None:
            return Page(items=[])
        rows = await repository.page(session, brand_id=brand_id, before=before_id(cursor), limit=limit + 1)
    page, following = cut_page(rows, limit)
    return Page(items=[CannedReplyView.model_validate(row) for row in page], next_cursor=following)


@router.post("", status_code=201)
async def create_canned_reply(body: NewCannedReply, caller: Caller, db: Db) -> CannedReplyView:
    """Add a canned reply; 409 when the brand has one with this shortcut."""
    async with db.tenant(caller.reach(body.tenant_id, Role.AGENT)) as session:
        return CannedReplyView.model_validate(await service.add(session, body))


@router.get("/{reply_id}")
async def get_canned_reply(reply_id: UUID, tenant_id: TenantOfReply, db: Db) -> CannedReplyView:
    """One canned reply."""
    async with db.tenant_reader(tenant_id) as session:
        return CannedReplyView.model_validate(await service.require(session, reply_id))


@router.patch("/{reply_id}")
async def change_canned_reply(
    reply_id: UUID, body: ChangeCannedReply, tenant_id: TenantOfReply, db: Db
) -> CannedReplyView:
    """Change a canned reply."""
    async with db.tenant(tenant_id) as session:
        return CannedReplyView.model_validate(await service.change(session, reply_id, body))


@router.delete("/{reply_id}", status_code=204)
async def delete_canned_reply(reply_id: UUID, tenant_id: TenantOfReply, db: Db) -> None:
    """Remove a canned reply."""
    async with db.tenant(tenant_id) as session:
        await session.delete(await service.require(session, reply_id))


@router.post("/{reply_id}/render")
async def render_canned_reply(
    reply_id: UUID, body: RenderIn, tenant_id: TenantOfReply, caller: Caller, db: Db, agents: Agents
) -> RenderedText:
    """The text of a canned reply for one conversation of the same tenant, with the names put in."""
    agent = await agents.agent(caller)
    async with db.tenant_reader(tenant_id) as session:
        return RenderedText(text=await service.rendered(session, reply_id, body.conversation_id, agent))
