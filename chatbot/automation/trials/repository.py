"""Past happenings, for trials."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chatbot.db.sessions import TenantReader, fetch

_PAST = """
SELECT id, name, payload, occurred_at, correlation_id FROM events
WHERE tenant_id = %(tenant_id)s AND name = ANY(%(names)s) AND occurred_at >= %(since)s
  AND (CAST(%(conversation_id)s AS text) IS NULL OR payload->>'conversation_id' = %(conversation_id)s)
ORDER BY occurred_at DESC LIMIT %(limit)s
"""

_EXISTS = "SELECT 1 FROM conversations WHERE tenant_id = %(tenant_id)s AND id = %(id)s"


async def past_events(
    session: TenantReader, names: Sequence[str], *, since: datetime, conversation_id: UUID | None, limit: int
) -> list[tuple[Any, ...]]:
    """Return `(id, name, payload, occurred_at, correlation_id)` of past events, newest first."""
    values = {
        "tenant_id": session.tenant_id, "names": list(names), "since": since, "limit": limit,
        "conversation_id": str(conversation_id) if conversation_id else None,
    }  # fmt: skip
    return await fetch(session, _PAST, values)


async def knows_conversation(session: TenantReader, conversation_id: UUID) -> bool:
    """Whether the tenant has such a conversation."""
    return bool(await fetch(session, _EXISTS, {"tenant_id": session.tenant_id, "id": conversation_id}))
