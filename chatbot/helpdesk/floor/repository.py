"""What agents note on a conversation: how far they have read, tags; and what is told at once and kept by nobody."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson

from chatbot.core import correlation
from chatbot.db.sessions import TenantReader, TenantSession, fetch

_READ = """
WITH moved AS (
    UPDATE conversations SET agent_read_seq = least(%(seq)s, last_seq)
    WHERE tenant_id = %(tenant_id)s AND id = %(id)s AND agent_read_seq < least(%(seq)s, last_seq)
    RETURNING tenant_id, id, agent_read_seq
)
SELECT pg_notify('xin_message', CAST(id AS text)), pg_notify('xin_signal', CAST(jsonb_build_object(
    'kind', 'read', 'tenant_id', tenant_id, 'conversation_id', id, 'role', 'agent', 'seq', agent_read_seq) AS text))
FROM moved
"""

_TAGS = """
WITH changed AS (
    UPDATE conversations SET tags = CAST(%(tags)s AS text[])
    WHERE tenant_id = %(tenant_id)s AND id = %(id)s AND tags <> CAST(%(tags)s AS text[]) RETURNING id
)
INSERT INTO events (tenant_id, name, payload, correlation_id)
SELECT %(tenant_id)s, 'conversation.tagged',
       jsonb_build_object('conversation_id', id, 'tags', to_jsonb(CAST(%(tags)s AS text[]))), %(correlation_id)s
FROM changed
"""

_SIGNAL = "SELECT pg_notify('xin_signal', %(payload)s)"


async def mark_read(session: TenantSession, conversation_id: UUID, seq: int) -> None:
    """Move the agents' mark forward, never back and never past the last message."""
    await fetch(session, _READ, {"tenant_id": session.tenant_id, "id": conversation_id, "seq": seq})


async def set_tags(session: TenantSession, conversation_id: UUID, tags: Sequence[str]) -> None:
    """Set the tags of a conversation."""
    values = {
        "tenant_id": session.tenant_id,
        "id": conversation_id,
        "tags": list(tags),
        "correlation_id": correlation.current(),
    }
    await fetch(session, _TAGS, values)


async def signal(session: TenantReader, said: Mapping[str, Any]) -> None:
    """Tell whoever listens now, in every process."""
    await fetch(session, _SIGNAL, {"payload": orjson.dumps(said).decode()})
