"""FastAPI dependencies of the help desk: its parts, as the process has them at hand, and what a caller may reach."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends
from starlette.requests import HTTPConnection

from chatbot.dialogue.handoff.parts import Messenger
from chatbot.helpdesk.agents.directory import Directory
from chatbot.helpdesk.conversations import repository
from chatbot.helpdesk.floor.service import Floor
from chatbot.identity.dependencies import Caller, Db
from chatbot.identity.subject import Role


async def directory_of(connection: HTTPConnection) -> Directory:
    """Return the process's directory of agents; the first request makes it."""
    state = connection.app.state
    known: Directory | None = getattr(state, "directory", None)
    if known is None:
        known = state.directory = Directory(state.database)
    return known


Agents = Annotated[Directory, Depends(directory_of)]


async def _floor(connection: HTTPConnection, agents: Agents) -> Floor:
    state = connection.app.state
    messenger: Messenger | None = state.turns
    return Floor(state.database, agents, messenger, state.hot_sessions)


async def _conversation(conversation_id: UUID, caller: Caller, db: Db) -> UUID:
    async with db.platform() as session:
        tenant_id = await repository.tenant_of(session, conversation_id)
    return caller.reach(tenant_id, Role.AGENT, "conversation")


TheFloor = Annotated[Floor, Depends(_floor)]

TenantOf = Annotated[UUID, Depends(_conversation)]
"""The tenant of the conversation in the path, which the caller serves as an agent; 404 and 403 otherwise."""
