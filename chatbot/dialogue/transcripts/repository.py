"""What transcripts are made of, and the conversation that a session's name stands for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chatbot.db.sessions import PlatformSession, TenantReader, fetch
from chatbot.dialogue.ownership import Owner


@dataclass(frozen=True, slots=True)
class Head:
    """A conversation without its messages; `owner` is the subject that began it, `language` the visitor's last one."""

    id: UUID
    brand_id: UUID
    brand_name: str
    channel_type: str
    state: str
    owner: str | None
    visitor: dict[str, Any]
    locale: str | None
    language: str | None
    timezone: str
    last_seq: int
    created_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Line:
    """A message; `name` is an agent's, as the visitor saw it then, `files` are the names of what came along."""

    seq: int
    role: str
    name: str | None
    text: str
    citations: list[dict[str, Any]]
    files: list[str]
    created_at: datetime


_HEAD = """
SELECT c.id, c.brand_id, b.name, ch.channel_type, c.state, c.visitor->>'subject', c.visitor, c.locale,
       (SELECT language FROM messages WHERE tenant_id = c.tenant_id AND conversation_id = c.id AND role = 'visitor'
          AND language IS NOT NULL ORDER BY seq DESC LIMIT 1),
       t.timezone, c.last_seq, c.created_at, c.closed_at
FROM conversations c
JOIN tenants t ON t.id = c.tenant_id
JOIN brands b ON b.tenant_id = c.tenant_id AND b.id = c.brand_id
JOIN channels ch ON ch.tenant_id = c.tenant_id AND ch.id = c.channel_id
WHERE c.tenant_id = %(tenant_id)s AND c.id = %(id)s AND t.deleted_at IS NULL
"""

# Not what was withdrawn, taken back by its writer, or is still being written.
_LINES = """
SELECT seq, role, name, text, citations, files, created_at FROM (
    SELECT seq, role, author->>'name' AS name, text, citations, created_at, coalesce(files, '{}') AS files
    FROM messages m, LATERAL (
        SELECT array_agg(coalesce(name, kind) ORDER BY id) AS files FROM attachments
        WHERE tenant_id = m.tenant_id AND message_id = m.id) AS a
    WHERE m.tenant_id = %(tenant_id)s AND conversation_id = %(id)s AND status <> 'streaming' AND deleted_at IS NULL
      AND (text <> '' OR files IS NOT NULL)
    ORDER BY seq DESC LIMIT %(limit)s
) AS newest ORDER BY seq
"""

_TENANT_OF = "SELECT tenant_id FROM conversations WHERE id = %(id)s"

# The three ways in which the name of a session becomes a conversation's key, and the conversation's own id. The last
# way can only be tried out: its key is a hash of the visitor's name and the session's.
_NAMED = """
SELECT id FROM conversations
WHERE tenant_id = %(tenant_id)s
  AND (CAST(%(names)s AS text[]) IS NULL OR visitor->>'subject' = ANY(CAST(%(names)s AS text[])))
  AND (CAST(%(brand_id)s AS uuid) IS NULL OR brand_id = %(brand_id)s)
  AND (session_key = %(name)s OR session_key = 'session:' || %(name)s OR id = CAST(%(id)s AS uuid)
       OR session_key LIKE 'visitor:%%' AND session_key = 'visitor:' || encode(sha256(
           convert_to(visitor->>'subject', 'UTF8') || '\\x00'::bytea || convert_to(%(name)s, 'UTF8')), 'hex'))
ORDER BY updated_at DESC LIMIT 1
"""


async def head(session: TenantReader, conversation_id: UUID) -> Head | None:
    """Return a conversation."""
    rows = await fetch(session, _HEAD, {"tenant_id": session.tenant_id, "id": conversation_id})
    return Head(*rows[0]) if rows else None


async def lines(session: TenantReader, conversation_id: UUID, limit: int) -> list[Line]:
    """Return a conversation's messages in order; of more than `limit` the newest."""
    values = {"tenant_id": session.tenant_id, "id": conversation_id, "limit": limit}
    return [Line(*row) for row in await fetch(session, _LINES, values)]


async def tenant_of(session: PlatformSession, conversation_id: UUID) -> UUID | None:
    """Return whose conversation it is."""
    rows = await fetch(session, _TENANT_OF, {"id": conversation_id})
    return rows[0][0] if rows else None


async def named(session: TenantReader, session_id: str, owner: Owner | None) -> UUID | None:
    """Return the conversation of a session by the name that its client gave it; of several the one that spoke last.

    Args:
        owner: who must have begun it; None: whoever did.
    """
    values = {
        "tenant_id": session.tenant_id,
        "name": session_id,
        "names": sorted(owner.names) if owner else None,
        "brand_id": owner.brand_id if owner else None,
        "id": _uuid(session_id),
    }
    rows = await fetch(session, _NAMED, values)
    return rows[0][0] if rows else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
