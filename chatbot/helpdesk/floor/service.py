"""The acts of agents, each in one transaction in which the agent is known to the tenant."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from chatbot.db.sessions import Database, TenantSession
from chatbot.dialogue import files_repository
from chatbot.dialogue.handoff import floor
from chatbot.dialogue.handoff.parts import Agent, Held, Messenger
from chatbot.dialogue.handoff.standing import hot_session
from chatbot.dialogue.hot_sessions import HotSessions
from chatbot.helpdesk.agents import repository as agents
from chatbot.helpdesk.agents.directory import Directory
from chatbot.helpdesk.conversations import service as conversations
from chatbot.helpdesk.conversations.schemas import AgentMessage, ConversationView
from chatbot.helpdesk.floor import repository
from chatbot.helpdesk.floor.schemas import Say
from chatbot.identity.subject import Subject


@dataclass(frozen=True, slots=True)
class _Act:
    """An agent at a held conversation."""

    session: TenantSession
    conversation: Held
    agent: Agent

    async def result(self) -> ConversationView:
        """The conversation as it is now."""
        return await conversations.one(self.session, self.conversation.id)


class Floor:
    """What agents do to conversations; every method raises as its like in `dialogue/handoff/floor.py`."""

    def __init__(
        self, database: Database, directory: Directory, messenger: Messenger | None, hot_sessions: HotSessions
    ) -> None:
        self._database = database
        self._directory = directory
        self._messenger = messenger
        self._hot_sessions = hot_sessions

    async def take(self, caller: Subject, tenant_id: UUID, conversation_id: UUID, *, force: bool) -> ConversationView:
        """Take a conversation."""
        async with self._acting(caller, tenant_id, conversation_id) as act:
            await floor.take(act.session, act.conversation, act.agent, force=force)
            return await act.result()

    async def hand_back(self, caller: Subject, tenant_id: UUID, conversation_id: UUID) -> ConversationView:
        """Give a conversation back to the bot."""
        async with self._acting(caller, tenant_id, conversation_id) as act:
            await floor.hand_back(act.session, act.conversation, act.agent)
            return await act.result()

    async def assign(
        self, caller: Subject, tenant_id: UUID, conversation_id: UUID, assignee_id: UUID | None
    ) -> ConversationView:
        """Give a conversation to an agent of the tenant, or to the queue.

        Raises:
            NotFound: no such agent.
        """
        to = await self._directory.member(tenant_id, assignee_id) if assignee_id else None
        async with self._acting(caller, tenant_id, conversation_id) as act:
            if to:
                await agents.keep(act.session, to)
            await floor.assign(act.session, act.conversation, to, act.agent)
            return await act.result()

    async def close(self, caller: Subject, tenant_id: UUID, conversation_id: UUID) -> ConversationView:
        """Close a conversation."""
        async with self._acting(caller, tenant_id, conversation_id) as act:
            await floor.close(act.session, act.conversation, act.agent)
            return await act.result()

    async def reopen(self, caller: Subject, tenant_id: UUID, conversation_id: UUID) -> ConversationView:
        """Open a closed conversation again."""
        async with self._acting(caller, tenant_id, conversation_id) as act:
            await floor.reopen(act.session, act.conversation, act.agent)
            return await act.result()

    async def say(self, caller: Subject, tenant_id: UUID, conversation_id: UUID, said: Say) -> AgentMessage:
        """Store an agent's message with its files and send it on its way.

        Raises:
            NotFound: a file is unknown, another's, or sent already.
            FilesNotSent: the conversation's channel takes no files from us.
        """
        async with self._acting(caller, tenant_id, conversation_id) as act:
            row, new = await floor.say(
                act.session, act.conversation, act.agent, said.text, client_message_id=said.client_message_id,
                messenger=self._messenger, files=len(said.attachment_ids),
            )  # fmt: skip
            if new and said.attachment_ids:
                ids = list(dict.fromkeys(said.attachment_ids))
                await files_repository.attach(act.session, conversation_id, row.id, ids, caller.name)
            return await conversations.one_message(act.session, conversation_id, row.id)

    async def typing(self, caller: Subject, tenant_id: UUID, conversation_id: UUID, *, active: bool) -> None:
        """Tell the visitor's pages and other agents that an agent writes; nothing is stored."""
        agent = await self._directory.agent(caller)
        async with self._database.tenant_reader(tenant_id) as session:
            said = {
                "kind": "typing",
                "tenant_id": str(tenant_id),
                "conversation_id": str(conversation_id),
                "role": "agent",
                "agent_id": str(agent.id),
                "name": agent.name,
                "active": active,
            }
            await repository.signal(session, said)

    @asynccontextmanager
    async def _acting(self, caller: Subject, tenant_id: UUID, conversation_id: UUID) -> AsyncIterator[_Act]:
        agent = await self._directory.agent(caller)
        async with self._database.tenant(tenant_id) as session:
            conversation = await floor.held(session, conversation_id)
            await agents.keep(session, agent)
            yield _Act(session, conversation, agent)
            hot = await hot_session(session, conversation)
        self._hot_sessions.note(hot)
