"""`/admin/conversations/{id}/notes`: what agents write to one another."""

from uuid import UUID

from fastapi import APIRouter

from chatbot.core.errors import NotFound
from chatbot.core.paging import Cursor, Limit, before_id
from chatbot.core.schemas import Page
from chatbot.helpdesk.agents.repository import keep
from chatbot.helpdesk.dependencies import Agents, TenantOf
from chatbot.helpdesk.notes import repository
from chatbot.helpdesk.notes.schemas import NoteView, WriteNote
from chatbot.identity.dependencies import Caller, Db

router = APIRouter(prefix="/admin/conversations/{conversation_id}/notes", tags=["help desk"])


@router.get("")
async def list_notes(
    conversation_id: UUID, tenant_id: TenantOf, db: Db, limit: Limit = 50, cursor: Cursor = None
) -> Page[NoteView]:
    """The notes of a conversation, newest first."""
    async with db.tenant_reader(tenant_id) as session:
        rows = await repository.page(session, conversation_id, before=before_id(cursor), limit=limit + 1)
    following = str(rows[limit - 1].id) if len(rows) > limit else None
    return Page(items=[NoteView.model_validate(row) for row in rows[:limit]], next_cursor=following)


@router.post("", status_code=201)
async def write_note(
    conversation_id: UUID, body: WriteNote, tenant_id: TenantOf, caller: Caller, db: Db, agents: Agents
) -> NoteView:
    """Write a note; only agents of the tenant can be mentioned."""
    agent, mentions = await agents.agent(caller), list(dict.fromkeys(body.mentions))
    if mentions and not {member.agent.id for member in await agents.members(tenant_id)} >= set(mentions):
        raise NotFound("no such agent")
    async with db.tenant(tenant_id) as session:
        await keep(session, agent)
        note_id = await repository.add(session, conversation_id, agent.id, body.text, mentions)
        (row,) = await repository.page(session, conversation_id, before=None, limit=1, only=note_id)
    return NoteView.model_validate(row)
