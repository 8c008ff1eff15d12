"""Rows for live clients: where many conversations of a tenant stand, and what they have not seen, at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from uuid import UUID

from sqlalchemy import text

from chatbot.db.sessions import TenantReader, TenantSession
from chatbot.dialogue.repository import MessageRow

_COLUMNS = ", ".join(field.name for field in fields(MessageRow))


@dataclass(frozen=True, slots=True)
class ConversationState:
    """Where a conversation stands; `owner` is the name of the subject that began it (may be empty)."""

    id: UUID
    state: str
    last_seq: int
    read_seq: int
    owner: str


_STATES = text("""
SELECT id, state, last_seq, visitor_read_seq, coalesce(visitor->>'subject', '') FROM conversations
WHERE tenant_id = :tenant_id AND id = ANY(CAST(:ids AS uuid[]))
""")

_BEHIND = text(f"""
SELECT m.* FROM unnest(CAST(:ids AS uuid[]), CAST(:seen AS bigint[])) AS wanted (id, seen)
JOIN LATERAL (
    SELECT {_COLUMNS} FROM messages
    WHERE tenant_id = :tenant_id AND conversation_id = wanted.id AND seq > wanted.seen ORDER BY seq LIMIT :limit
) m ON true ORDER BY m.conversation_id, m.seq
""")  # noqa: S608 - constants only

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
