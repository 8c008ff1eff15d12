"""A visitor's own conversations, and what visitors tell of the moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from chatbot.db.sessions import TenantReader, fetch

_OWN = """
SELECT c.id, c.state, a.id, a.name, a.avatar_url, latest.role, latest.text, latest.created_at, c.last_seq,
       c.visitor_read_seq, c.updated_at
FROM conversations c
LEFT JOIN agents a ON a.tenant_id = c.tenant_id AND a.id = c.assignee_id AND c.state = 'human'
LEFT JOIN LATERAL (
    SELECT m.role, left(m.text, 200) AS text, m.created_at FROM messages m
    WHERE m.tenant_id = c.tenant_id AND m.conversation_id = c.id AND m.text <> ''
    ORDER BY m.seq DESC LIMIT 1) latest ON true
WHERE c.tenant_id = %(tenant_id)s AND c.owner = %(owner)s
  AND (CAST(%(brand_id)s AS uuid) IS NULL OR c.brand_id = CAST(%(brand_id)s AS uuid))
  AND (CAST(%(before)s AS uuid) IS NULL OR c.id < CAST(%(before)s AS uuid))
ORDER BY c.id DESC LIMIT %(limit)s
"""

_SIGNAL = "SELECT pg_notify('xin_signal', %(payload)s)"


@dataclass(frozen=True, slots=True)
class OwnRow:
    """A visitor's conversation; `agent` and `last_message` are as they are shown, or None."""

    id: UUID
    state: str
    agent: dict[str, Any] | None
    last_message: dict[str, Any] | None
    last_seq: int
    read_seq: int
    updated_at: datetime


async def own_conversations(
    session: TenantReader, owner: str, brand_id: UUID | None, before: UUID | None, limit: int
) -> list[OwnRow]:
    """Return the conversations that a subject began, with a brand or (None) with any, newest first."""
    values = {
        "tenant_id": session.tenant_id,
        "owner": owner,
        "brand_id": brand_id,
        "before": before,
        "limit": limit,
    }
    return [_own(row) for row in await fetch(session, _OWN, values)]


async def signal(session: TenantReader, said: Mapping[str, Any]) -> None:
    """Tell whoever listens now, in every process."""
    await fetch(session, _SIGNAL, {"payload": orjson.dumps(said).decode()})


def _own(row: tuple[Any, ...]) -> OwnRow:
    agent = dict(zip(("id", "name", "avatar_url"), row[2:5], strict=True)) if row[2] else None
    latest = dict(zip(("role", "text", "created_at"), row[5:8], strict=True)) if row[5] else None
    return OwnRow(row[0], row[1], agent, latest, *row[8:])
