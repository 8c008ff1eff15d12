"""Rows for live clients: where many conversations of a tenant stand, and what they have not seen, at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chatbot.db.sessions import TenantReader, TenantSession, fetch
from chatbot.dialogue.ownership import Begun
from chatbot.dialogue.repository import SHOWN_COLUMNS, MessageRow


@dataclass(frozen=True, slots=True)
class ConversationState:
    """Where a conversation stands.

    Attributes:
        read_seq: how far the visitor has read; `agent_read_seq` the agents.
        owner: the name of the subject that began it (may be empty), with a brand.
        agent: who has it: id, name, avatar_url.
        position: its place in the queue, from 1, while it waits.
        answered: of a closed one, whether the bot or a person ever said something.
    """

    id: UUID
    state: str
    last_seq: int
    read_seq: int
    owner: str
    agent_read_seq: int = 0
    agent: dict[str, Any] | None = None
    position: int | None = None
    answered: bool = False
    brand_id: UUID | None = None

    @property
    def begun(self) -> Begun:
        """Who began it."""
        return Begun(self.owner, self.brand_id)

    @property
    def told(self) -> tuple[str, Any, int | None]:
        """What visitors are told of it when it changes."""
        return self.state, self.agent and self.agent["id"], self.position


_STATES = text("""
SELECT c.id, c.state, c.last_seq, c.visitor_read_seq, coalesce(c.owner, ''), c.agent_read_seq,
  CASE WHEN c.state = 'human' THEN (
    SELECT jsonb_build_object('id', a.id, 'name', a.name, 'avatar_url', a.avatar_url) FROM agents a
    WHERE a.tenant_id = c.tenant_id AND a.id = c.assignee_id) END,
  CASE WHEN c.state = 'waiting' THEN (
    SELECT count(*) FROM conversations w WHERE w.tenant_id = c.tenant_id AND w.state = 'waiting'
      AND (w.waiting_since, w.id) <= (c.waiting_since, c.id)) END,
  c.state = 'closed' AND EXISTS (
    SELECT FROM messages m WHERE m.tenant_id = c.tenant_id AND m.conversation_id = c.id
      AND m.role IN ('bot', 'agent') AND m.text <> ''),
  c.brand_id
FROM conversations c WHERE c.tenant_id = :tenant_id AND c.id = ANY(CAST(:ids AS uuid[]))
""")

_BEHIND = text(f"""
SELECT m.* FROM unnest(CAST(:ids AS uuid[]), CAST(:seen AS bigint[])) AS wanted (id, seen)
JOIN LATERAL (
    SELECT {SHOWN_COLUMNS} FROM messages
    WHERE tenant_id = :tenant_id AND conversation_id = wanted.id AND seq > wanted.seen ORDER BY seq LIMIT :limit
) m ON true ORDER BY m.conversation_id, m.seq
""")  # noqa: S608 - constants only

_ASKED = """
SELECT c.brand_id, coalesce(c.visitor->>'subject', ''), q.text
FROM messages m
JOIN conversations c ON c.tenant_id = m.tenant_id AND c.id = m.conversation_id
JOIN messages q ON q.tenant_id = m.tenant_id AND q.id = coalesce(m.reply_to, m.id) AND q.role = 'visitor'
WHERE m.tenant_id = %(tenant_id)s AND m.id = %(id)s
"""

_READ = text("""
WITH moved AS (
    UPDATE conversations SET visitor_read_seq = least(:seq, last_seq)
    WHERE tenant_id = :tenant_id AND id = :id AND visitor_read_seq < least(:seq, last_seq) RETURNING id
)
SELECT pg_notify('xin_message', CAST(id AS text)) FROM moved
""")


async def conversation_states(session: TenantReader, ids: Sequence[UUID]) -> list[ConversationState]:
    """Return where each of these conversations stands; unknown ones are left out."""
    values = {"tenant_id": session.tenant_id, "ids": list(ids)}
    return [ConversationState(*row) for row in await session.execute(_STATES, values)]


async def messages_behind(session: TenantReader, seen: Mapping[UUID, int], limit: int) -> dict[UUID, list[MessageRow]]:
    """Return the messages after the number seen of each conversation, in order, at most `limit` of each."""
    values = {"tenant_id": session.tenant_id, "ids": list(seen), "seen": list(seen.values()), "limit": limit}
    found: dict[UUID, list[MessageRow]] = {}
    for row in await session.execute(_BEHIND, values):
        message = MessageRow(*row)
        found.setdefault(message.conversation_id, []).append(message)
    return found


async def mark_read(session: TenantSession, conversation_id: UUID, seq: int) -> None:
    """Move the visitor's mark forward, never back and never past the last message."""
    await session.execute(_READ, {"tenant_id": session.tenant_id, "id": conversation_id, "seq": seq})


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked where a message is a reply, or itself a question; whose conversation it is."""

    brand_id: UUID
    owner: str
    question: str


async def asked(session: TenantReader, message_id: UUID) -> Asked | None:
    """Return what was asked where a message is a reply, or itself a question; None: it is neither."""
    rows = await fetch(session, _ASKED, {"tenant_id": session.tenant_id, "id": message_id})
    return Asked(*rows[0]) if rows else None
