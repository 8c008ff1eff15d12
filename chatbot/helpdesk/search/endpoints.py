"""`GET /admin/search`: what was said, by whichever spelling."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from chatbot.helpdesk.dependencies import Agents
from chatbot.helpdesk.search import service
from chatbot.helpdesk.search.schemas import SearchResult
from chatbot.identity.dependencies import Caller, Db
from chatbot.identity.subject import Role

router = APIRouter(tags=["help desk"])


@router.get("/admin/search")
async def search(
    tenant_id: UUID,
    caller: Caller,
    db: Db,
    agents: Agents,
    q: Annotated[str, Query(min_length=1, max_length=300)],
) -> SearchResult:
    """Find conversations by what was said in them, or by their visitor's name; a message is found seconds later."""
    tenant_id = caller.reach(tenant_id, Role.AGENT)
    me = await agents.agent(caller)
    async with db.tenant_reader(tenant_id) as session:
        return await service.search(session, q, me.id)
