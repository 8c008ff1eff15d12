"""What is known of conversations, for many at once."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from chatbot.db.sessions import TenantReader, fetch

_CONVERSATIONS = """
SELECT c.id, jsonb_build_object(
    'conversation.id', c.id, 'conversation.state', c.state, 'conversation.tags', to_jsonb(c.tags),
    'conversation.messages', c.last_seq,
    'conversation.age_minutes', floor(extract(epoch FROM now() - c.created_at) / 60),
    'conversation.language', c.locale,
    'channel.id', h.id, 'channel.type', h.channel_type, 'channel.name', h.display_name,
    'brand.id', b.id, 'brand.name', b.name,
    'visitor.name', c.visitor->>'name', 'visitor.email', c.visitor->>'email'
), coalesce(v.values, CAST('{}' AS jsonb))
FROM conversations c
JOIN channels h ON h.tenant_id = c.tenant_id AND h.id = c.channel_id
JOIN brands b ON b.tenant_id = c.tenant_id AND b.id = c.brand_id
LEFT JOIN automation_variables v ON v.tenant_id = c.tenant_id AND v.id = c.id
WHERE c.tenant_id = %(tenant_id)s AND c.id = ANY(%(ids)s)
"""

_MESSAGES = """
SELECT id, jsonb_build_object('message.text', text, 'message.language', language, 'message.role', role,
                              'message.mode', mode)
FROM messages WHERE tenant_id = %(tenant_id)s AND id = ANY(%(ids)s)
"""

_LAST_MESSAGES = """
SELECT c.id, jsonb_build_object('message.text', m.text, 'message.language', m.language, 'message.role', m.role,
                                'message.mode', m.mode)
FROM conversations c JOIN messages m ON m.tenant_id = c.tenant_id AND m.conversation_id = c.id AND m.seq = c.last_seq
WHERE c.tenant_id = %(tenant_id)s AND c.id = ANY(%(ids)s)
"""

_TICKETS = """
SELECT id, jsonb_build_object('ticket.number', number, 'ticket.status', status, 'ticket.priority', priority,
                              'ticket.subject', subject)
FROM tickets WHERE tenant_id = %(tenant_id)s AND id = ANY(%(ids)s)
"""


async def conversations(
    session: TenantReader, ids: Collection[UUID]
) -> dict[UUID, tuple[Mapping[str, Any], Mapping[str, str]]]:
    """Return the fields and the variables of conversations, by id."""
    rows = await fetch(session, _CONVERSATIONS, {"tenant_id": session.tenant_id, "ids": list(ids)}) if ids else []
    return {row[0]: (row[1], row[2]) for row in rows}


async def messages(session: TenantReader, ids: Collection[UUID]) -> dict[UUID, Mapping[str, Any]]:
    """Return the fields of messages, by id."""
    rows = await fetch(session, _MESSAGES, {"tenant_id": session.tenant_id, "ids": list(ids)}) if ids else []
    return dict(rows)


async def last_messages(session: TenantReader, ids: Collection[UUID]) -> dict[UUID, Mapping[str, Any]]:
    """Return the fields of conversations' last messages, by the conversation."""
    rows = await fetch(session, _LAST_MESSAGES, {"tenant_id": session.tenant_id, "ids": list(ids)}) if ids else []
    return dict(rows)


async def tickets(session: TenantReader, ids: Collection[UUID]) -> dict[UUID, Mapping[str, Any]]:
    """Return the fields of tickets, by id."""
    rows = await fetch(session, _TICKETS, {"tenant_id": session.tenant_id, "ids": list(ids)}) if ids else []
    return dict(rows)
