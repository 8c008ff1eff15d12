"""`/admin/conversations/{id}/…`: what agents do to a conversation."""

from uuid import UUID

from fastapi import APIRouter

from chatbot.helpdesk.conversations import service as conversations
from chatbot.helpdesk.conversations.schemas import AgentMessage, ConversationView
from chatbot.helpdesk.dependencies import TenantOf, TheFloor
from chatbot.helpdesk.floor import repository
from chatbot.helpdesk.floor.schemas import Assign, HasRead, Say, SetTags, SetTyping, TakeOver
from chatbot.identity.dependencies import Caller, Db, Unaudited

router = APIRouter(prefix="/admin/conversations/{conversation_id}", tags=["help desk"])


@router.post("/takeover")
async def take_over(
    conversation_id: UUID, tenant_id: TenantOf, caller: Caller, floor: TheFloor, body: TakeOver | None = None
) -> ConversationView:
    """Take a conversation: the bot says nothing in it from this moment on. 409 names who has it, unless `force`."""
    return await floor.take(caller, tenant_id, conversation_id, force=body is not None and body.force)


@router.post("/handback")
async def hand_back(conversation_id: UUID, tenant_id: TenantOf, caller: Caller, floor: TheFloor) -> ConversationView:
    """Give a conversation back to the bot."""
    return await floor.hand_back(caller, tenant_id, conversation_id)


@router.post("/assign")
async def assign(
    conversation_id: UUID, body: Assign, tenant_id: TenantOf, caller: Caller, floor: TheFloor
) -> ConversationView:
    """Give a conversation to an agent, or (null) to whoever comes first."""
    return await floor.assign(caller, tenant_id, conversation_id, body.assignee_id)


@router.post("/close")
async def close(conversation_id: UUID, tenant_id: TenantOf, caller: Caller, floor: TheFloor) -> ConversationView:
    """Close a conversation; its visitor may say what it was like."""
    return await floor.close(caller, tenant_id, conversation_id)


@router.post("/reopen")
async def reopen(conversation_id: UUID, tenant_id: TenantOf, caller: Caller, floor: TheFloor) -> ConversationView:
    """Open a closed conversation again, for who had it last."""
    return await floor.reopen(caller, tenant_id, conversation_id)


@router.post("/messages", status_code=201, dependencies=[Unaudited])
async def say(conversation_id: UUID, body: Say, tenant_id: TenantOf, caller: Caller, floor: TheFloor) -> AgentMessage:
    """Answer the visitor; where nobody has the conversation it is taken over. 409 when another agent has it."""
    return await floor.say(caller, tenant_id, conversation_id, body)


@router.post("/typing", status_code=204, dependencies=[Unaudited])
async def typing(conversation_id: UUID, body: SetTyping, tenant_id: TenantOf, caller: Caller, floor: TheFloor) -> None:
    """Show the visitor that an agent is writing; say so again every few seconds."""
    await floor.typing(caller, tenant_id, conversation_id, active=body.active)


@router.post("/read", status_code=204, dependencies=[Unaudited])
async def read(conversation_id: UUID, body: HasRead, tenant_id: TenantOf, db: Db) -> None:
    """The agents have seen the messages up to this number."""
    async with db.tenant(tenant_id) as session:
        await repository.mark_read(session, conversation_id, body.seq)


@router.put("/tags")
async def set_tags(conversation_id: UUID, body: SetTags, tenant_id: TenantOf, db: Db) -> ConversationView:
    """Set the tags of a conversation."""
    async with db.tenant(tenant_id) as session:
        await repository.set_tags(session, conversation_id, list(dict.fromkeys(body.tags)))
        return await conversations.one(session, conversation_id)
