"""What a database and a bus alone tell of conversations: for processes that answer, and for those that do not."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from chatbot.core.bus import Bus
from chatbot.core.cache import TimedCache
from chatbot.core.clock import utcnow
from chatbot.core.errors import NotFound
from chatbot.db.sessions import Database
from chatbot.dialogue import live_repository, repository
from chatbot.dialogue.answerer import Reply, SettledReply
from chatbot.dialogue.handoff.repository import usual_wait
from chatbot.dialogue.handoff.schemas import Standing
from chatbot.dialogue.handoff.standing import Desk, desk, standing_of
from chatbot.dialogue.incoming import Incoming
from chatbot.dialogue.live_repository import ConversationState
from chatbot.dialogue.ownership import Owner, may_see
from chatbot.dialogue.ownership_repository import begun
from chatbot.dialogue.replies import reply_body, stored_body
from chatbot.dialogue.repository import MessageRow
from chatbot.dialogue.stored import StoredReply

_DESK_SECONDS = 30.0


class Conversations:
    """Reads conversations and follows replies by their rows; notes how far a visitor has read."""

    def __init__(self, database: Database, bus: Bus) -> None:
        self.database = database
        self.bus = bus
        self._desks: TimedCache[UUID, Desk] = TimedCache(_DESK_SECONDS)

    async def follow(self, tenant_id: UUID, message_id: UUID, owner: Owner | None) -> Reply:
        """Return a reply by its id, to resume its stream.

        Args:
            owner: who must have begun the conversation; None for staff and programs of the tenant.

        Raises:
            NotFound: no such reply, or it is another visitor's.
        """
        async with self.database.tenant_reader(tenant_id) as session:
            row = await repository.message(session, message_id)
            found = await begun(session, row.conversation_id) if row else None
        if row is None or row.role != "bot" or found is None or not may_see(owner, found):
            raise NotFound("no such message")
        return self.reply(tenant_id, row)

    async def resumed(self, incoming: Incoming, message_id: UUID) -> Reply | None:
        """Return the reply that a request was given, when it comes again with the id that its stream's events bear.

        Returns:
            None when it is another request: its text or its conversation is not the question's.

        Raises:
            NotFound: no such reply, or it is of a conversation in which the caller may not write.
        """
        async with self.database.tenant_reader(incoming.tenant_id) as session:
            row = await repository.message(session, message_id)
            asked = await live_repository.asked(session, message_id) if row else None
        own = asked is not None and (incoming.any_owner or asked.owner == incoming.owner)
        if row is None or asked is None or not own or incoming.brand_id not in (None, asked.brand_id):
            raise NotFound("Last-Event-ID: no such reply; without the header the message is asked anew")
        if asked.question != incoming.text or incoming.conversation_id not in (None, row.conversation_id):
            return None
        if row.role == "visitor":  # where a person answers, the stream bears the question's id
            return SettledReply(row.id, reply_body(row.conversation_id, row.id, "", [], "human"))
        return self.reply(incoming.tenant_id, row)

    def reply(self, tenant_id: UUID, row: MessageRow) -> Reply:
        """Return the reply of a row: finished, or followed until it is."""
        if row.status != "streaming":
            return SettledReply(row.id, stored_body(row))
        return StoredReply(self.database, self.bus, tenant_id, row.conversation_id, row.id)

    async def messages(
        self, tenant_id: UUID, conversation_id: UUID, owner: Owner | None, *, after_seq: int, limit: int
    ) -> list[MessageRow]:
        """Return a conversation's messages after a sequence number, in order.

        Raises:
            NotFound: no such conversation, or it is another visitor's.
        """
        async with self.database.tenant_reader(tenant_id) as session:
            found = await begun(session, conversation_id)
            if found is None or not may_see(owner, found):
                raise NotFound("no such conversation")
            return await repository.shown_after(session, conversation_id, after_seq, limit)

    async def page(
        self, tenant_id: UUID, conversation_id: UUID, owner: Owner | None, *, after_seq: int, limit: int
    ) -> tuple[ConversationState, list[MessageRow]]:
        """Return where a conversation stands, and its messages after a sequence number, as of one moment.

        Raises:
            NotFound: no such conversation, or it is another visitor's.
        """
        async with self.database.tenant_reader(tenant_id) as session:
            found = await live_repository.conversation_states(session, [conversation_id])
            if not found or not may_see(owner, found[0].begun):
                raise NotFound("no such conversation")
            if found[0].last_seq <= after_seq:
                return found[0], []
            return found[0], await repository.shown_after(session, conversation_id, after_seq, limit)

    async def changes(
        self, tenant_id: UUID, seen: Mapping[UUID, int], *, limit: int
    ) -> list[tuple[ConversationState, list[MessageRow]]]:
        """Return where conversations stand and their messages after the numbers seen, at most `limit` of each."""
        async with self.database.tenant_reader(tenant_id) as session:
            states = await live_repository.conversation_states(session, list(seen))
            behind = {state.id: seen[state.id] for state in states if state.last_seq > seen[state.id]}
            rows = await live_repository.messages_behind(session, behind, limit) if behind else {}
        return [(state, rows.get(state.id, [])) for state in states]

    async def standings(self, tenant_id: UUID, states: Sequence[ConversationState]) -> list[Standing]:
        """Return what visitors are told of where their conversations stand; hours may be half a minute old."""
        where, wait = self._desks.get(tenant_id), None
        waiting = any(state.position is not None for state in states)
        if where is None or waiting:
            async with self.database.tenant_reader(tenant_id) as session:
                wait = await usual_wait(session) if waiting else None
                if where is None:
                    where = await desk(session)
                    self._desks.put(tenant_id, where)
        hours = where.hours(utcnow())
        return [standing_of(state, wait, hours) for state in states]

    async def has_read(self, tenant_id: UUID, conversation_id: UUID, seq: int) -> None:
        """Note that the visitor has seen the messages up to a number, and tell whoever watches."""
        async with self.database.tenant(tenant_id) as session:
            await live_repository.mark_read(session, conversation_id, seq)
