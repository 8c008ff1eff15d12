"""`/admin/agents`: who answers, who is there."""

from uuid import UUID

from fastapi import APIRouter

from chatbot.core.paging import MAX_PAGE, Cursor, Limit, after_id
from chatbot.core.schemas import Page
from chatbot.helpdesk.agents import repository
from chatbot.helpdesk.agents.schemas import AgentView, PresenceView, SetPresence
from chatbot.helpdesk.dependencies import Agents
from chatbot.identity.dependencies import Caller, Db, Unaudited
from chatbot.identity.subject import Role
from chatbot.identity.tenants.service import require_tenant

router = APIRouter(prefix="/admin/agents", tags=["help desk"])


@router.get("")
async def list_agents(
    tenant_id: UUID, caller: Caller, db: Db, agents: Agents, limit: Limit = MAX_PAGE, cursor: Cursor = None
) -> Page[AgentView]:
    """Everybody who may answer a tenant's visitors, by name: who is there, and how many conversations each has."""
    reached = caller.reach(tenant_id, Role.AGENT)
    found = await agents.members(reached, after=after_id(cursor), limit=limit + 1)
    members = found[:limit]
    async with db.tenant_reader(tenant_id) as session:
        known = await repository.known(session, [member.agent.id for member in members])
        held = await repository.open_conversations(session)
    views = []
    for member in members:
        row = known.get(member.agent.id)
        views.append(
            AgentView(
                id=member.agent.id, name=member.agent.name, email=member.agent.email,
                avatar_url=member.agent.avatar_url, role=member.role,
                presence=row.presence if row else "offline",
                open_conversations=held.get(member.agent.id, 0), last_seen_at=row.seen_at if row else None,
            )
        )  # fmt: skip
    return Page(items=views, next_cursor=str(members[-1].agent.id) if len(found) > limit else None)


@router.put("/me/presence", dependencies=[Unaudited])
async def set_presence(body: SetPresence, caller: Caller, db: Db, agents: Agents) -> PresenceView:
    """Say whether one is there. Whoever is away or gone for `handoff.return_minutes` loses what it has to the queue."""
    tenant_id = caller.reach(body.tenant_id, Role.AGENT)
    agent = await agents.agent(caller)
    async with db.tenant(tenant_id) as session:
        await require_tenant(session)
        await repository.keep(session, agent)
        await repository.seen(session, agent.id, body.presence)
    return PresenceView(agent_id=agent.id, presence=body.presence)
