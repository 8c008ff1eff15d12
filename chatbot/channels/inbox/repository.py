"""The rows of the inbox."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from chatbot.core.ids import least_id_at
from chatbot.db.sessions import TenantReader, TenantSession


@dataclass(frozen=True, slots=True)
class EventToStore:
    """An event's row, before it is known whether it is new."""

    id: UUID
    provider_event_id: str
    kind: str
    thread: str
    context: dict[str, Any]
    payload: dict[str, Any]
    occurred_at: datetime | None


# What became too old to keep, or was erased, is still known by its hash (ops/erasure/holdings_repository.py): where a
# provider signs no time, an old request could be repeated else.
# Ordered by the unique key: two processes that store the same events never wait for one another crosswise.
_INSERT = text("""
INSERT INTO inbound_events (tenant_id, id, channel_id, provider_event_id, kind, thread, context, payload, occurred_at)
SELECT :tenant_id, e.id, :channel_id, e.provider_event_id, e.kind, e.thread, e.context, e.payload, e.occurred_at
FROM jsonb_to_recordset(CAST(:events AS jsonb)) AS e(
    id uuid, provider_event_id text, kind text, thread text, context jsonb, payload jsonb, occurred_at timestamptz)
WHERE NOT EXISTS (
    SELECT FROM inbound_events p WHERE p.tenant_id = :tenant_id AND p.channel_id = :channel_id
    AND p.provider_event_id = 'past:' || left(encode(sha256(convert_to(e.provider_event_id, 'UTF8')), 'hex'), 40))
ORDER BY e.provider_event_id
ON CONFLICT (tenant_id, channel_id, provider_event_id) DO NOTHING
RETURNING id
""")

_KNOWN = text("""
SELECT provider_event_id FROM inbound_events
WHERE tenant_id = :tenant_id AND channel_id = :channel_id AND provider_event_id = ANY(:ids)
""")

_ANY = text("SELECT id FROM inbound_events WHERE tenant_id = :tenant_id AND id = ANY(:ids) LIMIT 1")

_LINK = text("""
UPDATE inbound_events AS i SET conversation_id = e.conversation_id, message_id = e.message_id,
    context = coalesce(e.context, i.context)
FROM jsonb_to_recordset(CAST(:links AS jsonb)) AS e(id uuid, conversation_id uuid, message_id uuid, context jsonb)
WHERE i.tenant_id = :tenant_id AND i.id = e.id
""")

_CURSOR = text("""
UPDATE channel_states SET cursor = CAST(:cursor AS jsonb), alive_at = now()
WHERE tenant_id = :tenant_id AND id = :channel_id AND lease_owner = :owner RETURNING id
""")

_CONTEXT = text("""
SELECT thread, context FROM inbound_events WHERE tenant_id = :tenant_id AND message_id = :message_id LIMIT 1
""")

_LAST_CONTEXT = text("""
SELECT i.thread, i.context FROM messages m
JOIN inbound_events i ON i.tenant_id = m.tenant_id AND i.message_id = m.id
WHERE m.tenant_id = :tenant_id AND m.conversation_id = :conversation_id AND m.role = 'visitor'
ORDER BY m.seq DESC LIMIT 1
""")

_WITH = text("""
SELECT DISTINCT conversation_id FROM inbound_events
WHERE tenant_id = :tenant_id AND channel_id = :channel_id AND id >= :first AND conversation_id IS NOT NULL
  AND context->>'to' = :address
""")

_CONVERSATION = text("""
SELECT id FROM conversations
WHERE tenant_id = :tenant_id AND channel_id = :channel_id AND session_key = :session_key
""")


async def insert_events(session: TenantSession, channel_id: UUID, events: Sequence[EventToStore]) -> set[UUID]:
    """Store events; return the ids of those that were not stored before."""
    if not events:
        return set()
    values = {"tenant_id": session.tenant_id, "channel_id": channel_id, "events": orjson.dumps(events).decode()}
    return set((await session.execute(_INSERT, values)).scalars())


async def known_events(session: TenantReader, channel_id: UUID, provider_event_ids: list[str]) -> set[str]:
    """Return which of these events are stored already."""
    values = {"tenant_id": session.tenant_id, "channel_id": channel_id, "ids": provider_event_ids}
    return set((await session.execute(_KNOWN, values)).scalars())


async def any_stored(session: TenantReader, event_ids: list[UUID]) -> bool:
    """Whether one of these rows of events is there."""
    values = {"tenant_id": session.tenant_id, "ids": event_ids}
    return (await session.execute(_ANY, values)).first() is not None


async def link_events(session: TenantSession, links: Sequence[Mapping[str, Any]]) -> None:
    """Say which message and conversation events became: mappings of `id`, `conversation_id`, `message_id`.

    With `context` they also say what an answer needs of an event, where that is not what it was stored with.
    """
    if links:
        values = {"tenant_id": session.tenant_id, "links": orjson.dumps(links).decode()}
        await session.execute(_LINK, values)


async def save_cursor(session: TenantSession, channel_id: UUID, cursor: Mapping[str, Any], owner: str) -> bool:
    """Remember how far a listener has come; False when its channel is another owner's by now."""
    values = {
        "tenant_id": session.tenant_id,
        "channel_id": channel_id,
        "cursor": orjson.dumps(dict(cursor)).decode(),
        "owner": owner,
    }
    return (await session.execute(_CURSOR, values)).scalar_one_or_none() is not None


async def thread_of(session: TenantReader, message_id: UUID) -> tuple[str, dict[str, Any]] | None:
    """Return the provider's thread of a message and what an answer needs of it."""
    row = (await session.execute(_CONTEXT, {"tenant_id": session.tenant_id, "message_id": message_id})).one_or_none()
    return (row[0], row[1]) if row else None


async def last_thread_of(session: TenantReader, conversation_id: UUID) -> tuple[str, dict[str, Any]] | None:
    """Return the provider's thread of a conversation and what a message needs of its last event."""
    values = {"tenant_id": session.tenant_id, "conversation_id": conversation_id}
    row = (await session.execute(_LAST_CONTEXT, values)).one_or_none()
    return (row[0], row[1]) if row else None


async def conversations_with(session: TenantReader, channel_id: UUID, address: str, since: datetime) -> set[UUID]:
    """Return the conversations in which something came since a moment that is answered at an address."""
    values = {
        "tenant_id": session.tenant_id,
        "channel_id": channel_id,
        "first": least_id_at(since),
        "address": address,
    }
    return set((await session.execute(_WITH, values)).scalars())


async def conversation_of_thread(session: TenantReader, channel_id: UUID, session_key: str) -> UUID | None:
    """Return the conversation of a thread."""
    values = {"tenant_id": session.tenant_id, "channel_id": channel_id, "session_key": session_key}
    return (await session.execute(_CONVERSATION, values)).scalar_one_or_none()
