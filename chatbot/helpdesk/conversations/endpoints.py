"""`/admin/conversations`: the inbox by queue, one conversation, its messages, why the bot said that."""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from chatbot.core.paging import Cursor, Limit
from chatbot.core.schemas import Page
from chatbot.dialogue.schemas import TraceView
from chatbot.helpdesk.conversations import repository, service
from chatbot.helpdesk.conversations import schemas as s
from chatbot.helpdesk.conversations.repository import Wanted
from chatbot.helpdesk.dependencies import Agents, TenantOf
from chatbot.helpdesk.search.service import found_conversations
from chatbot.identity.dependencies import Caller, Db
from chatbot.identity.subject import Role

router = APIRouter(prefix="/admin/conversations", tags=["help desk"])

Seq = Annotated[int | None, Query(ge=0, le=2**62)]


@router.get("")
async def list_conversations(
    tenant_id: UUID,
    caller: Caller,
    db: Db,
    agents: Agents,
    queue: s.Queue = "all",
    brand_id: UUID | None = None,
    channel_type: Annotated[str | None, Query(max_length=20)] = None,
    assignee_id: UUID | None = None,
    tag: Annotated[str | None, Query(max_length=60)] = None,
    q: Annotated[str | None, Query(min_length=1, max_length=300)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[s.ConversationView]:
    """Conversations of a queue: those that wait in their order, all others by their last activity, newest first.

    `q` narrows to those in which something was said, as `/admin/search` finds it.
    """
    tenant_id = caller.reach(tenant_id, Role.AGENT)
    me = await agents.agent(caller)
    wanted = Wanted(queue, me.id, brand_id, channel_type, assignee_id, tag, after=service.read_place(cursor))
    async with db.tenant_reader(tenant_id) as session:
        if q is not None:
            wanted = replace(wanted, ids=await found_conversations(session, q))
        rows = await repository.page(session, wanted, limit + 1)
    following = service.write_place(rows[limit - 1]) if len(rows) > limit else None
    return Page(items=[service.view(row) for row in rows[:limit]], next_cursor=following)


@router.get("/counts")
async def count_conversations(tenant_id: UUID, caller: Caller, db: Db, agents: Agents) -> s.Counts:
    """How many conversations are in each queue."""
    tenant_id = caller.reach(tenant_id, Role.AGENT)
    me = await agents.agent(caller)
    async with db.tenant_reader(tenant_id) as session:
        found = await repository.counts(session, me.id)
    return s.Counts(**dict(zip(s.Counts.model_fields, found, strict=True)))


@router.get("/{conversation_id}")
async def get_conversation(conversation_id: UUID, tenant_id: TenantOf, db: Db) -> s.ConversationView:
    """One conversation."""
    async with db.tenant_reader(tenant_id) as session:
        return await service.one(session, conversation_id)


@router.get("/{conversation_id}/messages")
async def list_messages(
    conversation_id: UUID,
    tenant_id: TenantOf,
    db: Db,
    after_seq: Seq = None,
    before_seq: Seq = None,
    limit: Limit = 100,
) -> s.AgentMessageList:
    """Messages in order: those after a number; without one the newest, or the newest before `before_seq`."""
    async with db.tenant_reader(tenant_id) as session:
        return await service.message_page(
            session, conversation_id, after_seq=after_seq, before_seq=before_seq, limit=limit
        )


@router.get("/{conversation_id}/messages/{message_id}/trace")
async def get_trace(conversation_id: UUID, message_id: UUID, tenant_id: TenantOf, db: Db) -> TraceView:
    """Why the bot said that: what was found, with scores, what it cost, how long each stage took."""
    async with db.tenant_reader(tenant_id) as session:
        return await service.trace_of(session, conversation_id, message_id)
