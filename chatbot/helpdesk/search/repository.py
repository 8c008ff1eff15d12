"""The rows of search: what has not been analysed yet, the terms of messages, what holds them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chatbot.db.sessions import PlatformSession, TenantReader, TenantSession

_BEHIND = text("""
SELECT t.id FROM tenants t LEFT JOIN log_cursors c ON c.tenant_id = t.id AND c.reader = :reader
WHERE EXISTS (
    SELECT FROM events e
    WHERE e.tenant_id = t.id AND (e.txid, e.id) > (coalesce(c.txid, 0), coalesce(c.event_id, 0))
      AND e.txid < CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint))
ORDER BY t.id
""")

# With its first message a conversation is found by the names of its visitor, too.
_TEXTS = text("""
SELECT m.id, m.text, CASE WHEN m.seq = 1 THEN concat_ws(' ', c.visitor->>'name', c.visitor->>'email') END
FROM messages m JOIN conversations c ON c.tenant_id = m.tenant_id AND c.id = m.conversation_id
WHERE m.tenant_id = :tenant_id AND m.id = ANY(:ids) AND m.role IN ('visitor', 'bot', 'agent')
""")

_PUT = text("""
INSERT INTO message_terms (tenant_id, message_id, terms)
SELECT :tenant_id, m.id, ARRAY(SELECT CAST(term AS bigint) FROM jsonb_array_elements_text(given.terms) AS term)
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given(id uuid, terms jsonb)
JOIN messages m ON m.tenant_id = :tenant_id AND m.id = given.id
ON CONFLICT (tenant_id, message_id) DO UPDATE SET terms = excluded.terms
""")

_FOUND = text("""
SELECT m.conversation_id, m.id, m.seq, m.role, m.text
FROM xin_find_messages(CAST(:en AS bigint[]), CAST(:es AS bigint[]), CAST(:fa AS bigint[]), :most) f
JOIN messages m ON m.tenant_id = :tenant_id AND m.id = f.message_id
WHERE m.deleted_at IS NULL ORDER BY m.id DESC
""")


@dataclass(frozen=True, slots=True)
class Hit:
    """A message that was found."""

    conversation_id: UUID
    message_id: UUID
    seq: int
    role: str
    text: str


async def behind(session: PlatformSession, reader: str) -> list[UUID]:
    """Return the tenants whose log holds something final that a reader has not read."""
    return list((await session.execute(_BEHIND, {"reader": reader})).scalars())


async def texts(session: TenantReader, ids: Sequence[UUID]) -> list[tuple[UUID, str]]:
    """Return what messages are found by."""
    rows = await session.execute(_TEXTS, {"tenant_id": session.tenant_id, "ids": list(ids)})
    return [(row[0], f"{row[1]} {row[2]}" if row[2] else row[1]) for row in rows]


async def put_terms(session: TenantSession, rows: str) -> None:
    """Store terms: a JSON list of `{id, terms}`; those of messages that are gone are left out."""
    await session.execute(_PUT, {"tenant_id": session.tenant_id, "rows": rows})


async def find(session: TenantReader, wanted: Sequence[list[int] | None], most: int) -> list[Hit]:
    """Return the newest messages that hold all words of a question, taken for one language or another."""
    values: dict[str, Any] = dict(zip(("en", "es", "fa"), wanted, strict=True))
    values |= {"tenant_id": session.tenant_id, "most": most}
    return [Hit(*row) for row in await session.execute(_FOUND, values)]
