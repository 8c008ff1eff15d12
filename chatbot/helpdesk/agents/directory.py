"""Who a caller is as an agent; looked up across tenants, and known for half a minute in each process."""

from uuid import UUID, uuid5

from chatbot.core.cache import TimedCache
from chatbot.core.errors import Forbidden, NotFound
from chatbot.db.sessions import Database
from chatbot.dialogue.handoff.parts import Agent
from chatbot.helpdesk.agents import repository
from chatbot.helpdesk.agents.repository import Member
from chatbot.identity.subject import Subject

_SECONDS = 30.0
_PROGRAM = UUID("58494e00-0000-7000-8000-000000000000")


class Directory:
    """Knows agents for one process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: TimedCache[str, Agent] = TimedCache(_SECONDS)

    async def agent(self, subject: Subject) -> Agent:
        """Return a caller as an agent: a user, or a program by its key's name."""
        known = self._known.get(subject.name)
        if known is None:
            known = await self._look_up(subject.name)
            self._known.put(subject.name, known)
        return known

    async def members(self, tenant_id: UUID, *, after: UUID | None = None, limit: int | None = None) -> list[Member]:
        """Return who may answer a tenant's visitors, by name; those behind a user (`after`), at most `limit`."""
        async with self._database.platform() as session:
            return await repository.members(session, tenant_id, after=after, limit=limit)

    async def member(self, tenant_id: UUID, user_id: UUID) -> Agent:
        """Return one of them.

        Raises:
            NotFound: no such user, or none who may answer there.
        """
        async with self._database.platform() as session:
            found = await repository.members(session, tenant_id, only=user_id)
        if not found:
            raise NotFound("no such agent")
        return found[0].agent

    async def _look_up(self, name: str) -> Agent:
        kind, _, key = name.partition(":")
        if kind not in ("user", "api_key"):
            return Agent(uuid5(_PROGRAM, name), "Command line" if name == "cli" else name)
        async with self._database.platform() as session:
            look = repository.user if kind == "user" else repository.key
            found = await look(session, UUID(key))
        if found is None:
            raise Forbidden("this credential is nobody's any more")
        return found
