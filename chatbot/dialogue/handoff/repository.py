"""The rows of handoff: a locked conversation, changes of its floor, messages that are no replies, the queue."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import orjson

from chatbot.core import correlation
from chatbot.core.ids import new_id
from chatbot.db.sessions import TenantReader, TenantSession, fetch
from chatbot.dialogue.handoff.parts import Agent, Held
from chatbot.dialogue.log_repository import EventRow, as_json
from chatbot.dialogue.repository import MESSAGE_COLUMNS, MessageRow

# Locked first and read then: a statement that waits for a lock goes on with the newest version of the locked row, but
# with those of joined rows that it had found before.
_LOCK = "SELECT id FROM conversations WHERE tenant_id = %(tenant_id)s AND id = %(id)s FOR UPDATE"

_READ = """
SELECT c.id, c.brand_id, c.channel_id, c.state, c.epoch, c.last_seq, coalesce(c.owner, ''), c.visitor, coalesce(
    (SELECT m.language FROM messages m WHERE m.tenant_id = c.tenant_id AND m.conversation_id = c.id
       AND m.role = 'visitor' AND m.language IS NOT NULL ORDER BY m.seq DESC LIMIT 1),
    lower(substring(c.locale FROM '^[A-Za-z]+')), 'en'),
  a.id, a.name, a.email, a.avatar_url, c.waiting_since, c.handoff_reason
FROM conversations c LEFT JOIN agents a ON a.tenant_id = c.tenant_id AND a.id = c.assignee_id
WHERE c.tenant_id = %(tenant_id)s AND c.id = %(id)s
"""

# One statement: whoever takes the floor raises the epoch, ends the replies that are on their way, and tells of both.
_CHANGE = """
WITH changed AS (
    UPDATE conversations SET state = CAST(%(state)s AS text), epoch = epoch + 1,
        assignee_id = CAST(%(assignee_id)s AS uuid),
        assigned_at = CASE WHEN CAST(%(assignee_id)s AS uuid) IS NOT NULL THEN now() END,
        waiting_since = CASE WHEN CAST(%(state)s AS text) = 'waiting'
            THEN coalesce(CAST(%(since)s AS timestamptz), now()) END,
        closed_at = CASE WHEN CAST(%(state)s AS text) = 'closed' THEN now() END,
        handoff_reason = %(reason)s, updated_at = now()
    WHERE tenant_id = %(tenant_id)s AND id = %(id)s RETURNING id
), withdrawn AS (
    UPDATE messages SET status = 'interrupted', text = '', completed_at = now(),
        mode = CASE WHEN CAST(%(state)s AS text) = 'closed' THEN 'closed' ELSE 'human' END
    WHERE tenant_id = %(tenant_id)s AND conversation_id = %(id)s AND status = 'streaming' RETURNING id
), logged AS (
    INSERT INTO events (tenant_id, name, payload, correlation_id)
    SELECT %(tenant_id)s, e->>'name', e->'payload', %(correlation_id)s
    FROM changed, jsonb_array_elements(CAST(%(events)s AS jsonb)) AS e
), woken AS (
    SELECT CAST(id AS text) AS payload FROM changed
    UNION ALL SELECT CAST(id AS text) FROM withdrawn
    UNION ALL SELECT 'withdrawn:' || id FROM withdrawn
)
SELECT pg_notify('xin_message', payload) FROM woken
"""

_APPEND = f"""
WITH numbered AS (
    UPDATE conversations SET last_seq = last_seq + 1, updated_at = now(),
        agent_read_seq = CASE WHEN CAST(%(role)s AS text) = 'agent' THEN last_seq + 1 ELSE agent_read_seq END
    WHERE tenant_id = %(tenant_id)s AND id = %(conversation_id)s RETURNING last_seq, channel_id
), said AS (
    INSERT INTO messages (tenant_id, id, conversation_id, channel_id, seq, role, status, text, language,
                          client_message_id, mode, author, completed_at)
    SELECT %(tenant_id)s, %(id)s, %(conversation_id)s, channel_id, last_seq, CAST(%(role)s AS text), 'complete',
           %(text)s, %(language)s, %(client_message_id)s, %(mode)s, CAST(%(author)s AS jsonb), now()
    FROM numbered RETURNING {MESSAGE_COLUMNS}
), logged AS (
    INSERT INTO events (tenant_id, name, payload, correlation_id)
    SELECT %(tenant_id)s, e->>'name', e->'payload', %(correlation_id)s
    FROM said, jsonb_array_elements(CAST(%(events)s AS jsonb)) AS e
), told AS MATERIALIZED (
    SELECT pg_notify('xin_message', CAST(CAST(%(conversation_id)s AS uuid) AS text))
)
SELECT said.* FROM said, told
"""  # noqa: S608 - constants only

_OPEN_HANDOFF = """
INSERT INTO handoffs (tenant_id, id, conversation_id, requested_by, reason)
VALUES (%(tenant_id)s, %(id)s, %(conversation_id)s, %(by)s, %(reason)s) ON CONFLICT DO NOTHING
"""

_SETTLE_HANDOFF = """
UPDATE handoffs SET agent_id = CAST(%(agent_id)s AS uuid),
    answered_at = CASE WHEN CAST(%(agent_id)s AS uuid) IS NOT NULL THEN now() END,
    ended_at = CASE WHEN CAST(%(agent_id)s AS uuid) IS NULL THEN now() END
WHERE tenant_id = %(tenant_id)s AND conversation_id = %(conversation_id)s AND answered_at IS NULL AND ended_at IS NULL
RETURNING extract(epoch FROM now() - requested_at)
"""

_WAKE_QUEUE = """
SELECT pg_notify('xin_message', CAST(id AS text)) FROM (
    SELECT id FROM conversations WHERE tenant_id = %(tenant_id)s AND state = 'waiting'
    ORDER BY waiting_since, id LIMIT 500) AS queue
"""

_BY_CLIENT_ID = f"""
SELECT {MESSAGE_COLUMNS} FROM messages
WHERE tenant_id = %(tenant_id)s AND conversation_id = %(conversation_id)s AND client_message_id = %(client_message_id)s
"""  # noqa: S608 - constants only

_CONTACT = """
UPDATE conversations SET visitor = CAST(%(contact)s AS jsonb) || visitor
WHERE tenant_id = %(tenant_id)s AND id = %(id)s
"""

_ZONE = "SELECT timezone FROM tenants WHERE id = %(tenant_id)s"

# Of the last waits that ended with a person; the middle one, for a single night's wait would make any mean a lie.
_USUAL_WAIT = """
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY waited) FROM (
    SELECT extract(epoch FROM answered_at - requested_at) AS waited FROM handoffs
    WHERE tenant_id = %(tenant_id)s AND answered_at > now() - interval '14 days'
    ORDER BY answered_at DESC LIMIT 50) AS recent
"""


async def hold(session: TenantSession, conversation_id: UUID) -> Held | None:
    """Lock a conversation to the end of the transaction; None: there is none."""
    named = {"tenant_id": session.tenant_id, "id": conversation_id}
    if not await fetch(session, _LOCK, named):
        return None
    row = (await fetch(session, _READ, named))[0]
    assignee = Agent(*row[9:13]) if row[9] else None
    return Held(*(*row[:9], assignee, *row[13:]))


async def change_floor(
    session: TenantSession,
    conversation_id: UUID,
    state: str,
    *,
    assignee_id: UUID | None = None,
    since: datetime | None = None,
    reason: str | None = None,
    events: Sequence[EventRow],
) -> None:
    """Give a held conversation's floor to somebody else; replies that are on their way are withdrawn.

    Args:
        since: when its wait began, where that is not now.
    """
    values = {
        "tenant_id": session.tenant_id,
        "id": conversation_id,
        "state": state,
        "assignee_id": assignee_id,
        "since": since,
        "reason": reason,
        "events": as_json(events),
        "correlation_id": correlation.current(),
    }
    await fetch(session, _CHANGE, values)


async def append(
    session: TenantSession,
    held: Held,
    *,
    role: str,
    text: str,
    language: str,
    mode: str,
    agent: Agent | None = None,
    client_message_id: str | None = None,
    message_id: UUID,
    events: Sequence[EventRow] = (),
) -> MessageRow:
    """Add a message that is no reply of a turn to a held conversation."""
    values = {
        "tenant_id": session.tenant_id,
        "id": message_id,
        "conversation_id": held.id,
        "role": role,
        "text": text,
        "language": language,
        "mode": mode,
        "author": orjson.dumps(agent.as_author()).decode() if agent else None,
        "client_message_id": client_message_id,
        "events": as_json(events),
        "correlation_id": correlation.current(),
    }
    return MessageRow(*(await fetch(session, _APPEND, values))[0])


async def message_by_client_id(
    session: TenantReader, conversation_id: UUID, client_message_id: str
) -> MessageRow | None:
    """Return the message to which a client gave this id."""
    values = {
        "tenant_id": session.tenant_id,
        "conversation_id": conversation_id,
        "client_message_id": client_message_id,
    }
    rows = await fetch(session, _BY_CLIENT_ID, values)
    return MessageRow(*rows[0]) if rows else None


async def open_handoff(session: TenantSession, conversation_id: UUID, by: str, reason: str | None) -> None:
    """Begin to measure a wait."""
    values = {
        "tenant_id": session.tenant_id,
        "id": new_id(),
        "conversation_id": conversation_id,
        "by": by,
        "reason": reason,
    }
    await fetch(session, _OPEN_HANDOFF, values)


async def settle_handoff(session: TenantSession, conversation_id: UUID, agent_id: UUID | None) -> float | None:
    """End a wait, answered by an agent or (None) given up; return its seconds, None when nobody waited."""
    values = {"tenant_id": session.tenant_id, "conversation_id": conversation_id, "agent_id": agent_id}
    rows = await fetch(session, _SETTLE_HANDOFF, values)
    return float(rows[0][0]) if rows else None


async def wake_queue(session: TenantSession) -> None:
    """Have the pages of everybody who waits told of their new place."""
    await fetch(session, _WAKE_QUEUE, {"tenant_id": session.tenant_id})


async def note_contact(session: TenantSession, conversation_id: UUID, contact: dict[str, str]) -> None:
    """Keep how a visitor can be reached; what is known of the visitor already stays."""
    values = {"tenant_id": session.tenant_id, "id": conversation_id, "contact": orjson.dumps(contact).decode()}
    await fetch(session, _CONTACT, values)


async def time_zone(session: TenantReader) -> str:
    """Return the name of the tenant's time zone."""
    return str((await fetch(session, _ZONE, {"tenant_id": session.tenant_id}))[0][0])


async def usual_wait(session: TenantReader) -> float | None:
    """Return the seconds that visitors of the tenant lately waited for a person; None when none has."""
    rows = await fetch(session, _USUAL_WAIT, {"tenant_id": session.tenant_id})
    return None if rows[0][0] is None else float(rows[0][0])
