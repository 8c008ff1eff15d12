"""The visitor's side of handoff, the same over HTTP and over sockets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from chatbot.core.errors import NotFound
from chatbot.db.sessions import Database, TenantSession
from chatbot.dialogue.handoff import floor, repository, visitor_repository
from chatbot.dialogue.handoff.errors import NoPeople
from chatbot.dialogue.handoff.parts import Held, Messenger, Wish
from chatbot.dialogue.handoff.schemas import AskForPerson, Standing
from chatbot.dialogue.handoff.standing import hot_session, standing
from chatbot.dialogue.handoff.visitor_repository import OwnRow
from chatbot.dialogue.hot_sessions import HotSessions
from chatbot.dialogue.incoming import Incoming
from chatbot.dialogue.intake import begun_events, conversation_of
from chatbot.dialogue.log_repository import append
from chatbot.dialogue.ownership import Owner, may_see
from chatbot.dialogue.ownership_repository import begun
from chatbot.identity.policies.service import current_policy


class Visitors:
    """What visitors do to their conversations besides talking. `owner` None is staff, who may for all of the tenant."""

    def __init__(self, database: Database, messenger: Messenger | None, hot_sessions: HotSessions) -> None:
        self._database = database
        self._messenger = messenger
        self._hot_sessions = hot_sessions

    async def own(
        self, tenant_id: UUID, owner: str, brand_id: UUID | None, *, before: UUID | None, limit: int
    ) -> list[OwnRow]:
        """Return the conversations that a subject began, with a brand or (None) with any, newest first."""
        async with self._database.tenant_reader(tenant_id) as session:
            return await visitor_repository.own_conversations(session, owner, brand_id, before, limit)

    async def begin(self, incoming: Incoming) -> UUID:
        """Begin a conversation with a wish for a person instead of a message; return its id.

        Raises:
            NotFound: unknown brand.
        """
        async with self._database.tenant(incoming.tenant_id) as session:
            conversation, _ = await conversation_of(session, incoming)
            if conversation.created:
                await append(session, begun_events(conversation))
        return conversation.id

    async def request(
        self, tenant_id: UUID, conversation_id: UUID, owner: Owner | None, asked: AskForPerson
    ) -> Standing:
        """Ask for a person; asked again it changes nothing.

        Raises:
            NotFound: no such conversation, or it is another visitor's.
            ConversationClosed: nobody can be asked for any more.
            NoPeople: the tenant's policy offers none.
        """
        async with self._holding(tenant_id, conversation_id, owner) as (session, conversation):
            if not (await current_policy(session)).handoff.offer:
                raise NoPeople
            contact = asked.contact.model_dump(exclude_none=True) if asked.contact else {}
            if contact:
                await repository.note_contact(session, conversation_id, contact)
            await floor.request(session, conversation, Wish("visitor", asked.reason), self._messenger)
            return await standing(session, conversation_id)

    async def close(self, tenant_id: UUID, conversation_id: UUID, owner: Owner | None) -> Standing:
        """Close a conversation.

        Raises:
            NotFound: no such conversation, or it is another visitor's.
        """
        async with self._holding(tenant_id, conversation_id, owner) as (session, conversation):
            await floor.close(session, conversation, None)
            return await standing(session, conversation_id)

    async def typing(self, tenant_id: UUID, conversation_id: UUID, *, active: bool) -> None:
        """Tell agents that the visitor of a conversation writes; nothing is stored."""
        said = {
            "kind": "typing",
            "tenant_id": str(tenant_id),
            "conversation_id": str(conversation_id),
            "role": "visitor",
            "active": active,
        }
        async with self._database.tenant_reader(tenant_id) as session:
            await visitor_repository.signal(session, said)

    @asynccontextmanager
    async def _holding(
        self, tenant_id: UUID, conversation_id: UUID, owner: Owner | None
    ) -> AsyncIterator[tuple[TenantSession, Held]]:
        async with self._database.tenant(tenant_id) as session:
            found = await begun(session, conversation_id)
            if found is None or not may_see(owner, found):
                raise NotFound("no such conversation")
            conversation = await floor.held(session, conversation_id)
            yield session, conversation
            hot = await hot_session(session, conversation)
        self._hot_sessions.note(hot)
