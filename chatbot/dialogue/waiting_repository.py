"""The rows of messages that came without a waiting client: what nobody answered yet, and what changed afterwards."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from chatbot.db.sessions import TenantReader, TenantSession, fetch
from chatbot.dialogue.repository import MESSAGE_COLUMNS, MessageRow

# What the visitor said since the last reply of the bot or a person; of too much the newest, in order. What a rule says
# answers nothing: it comes of the platform's own accord, often between a question and its reply.
_WAITING = text(f"""
SELECT * FROM (
    SELECT {MESSAGE_COLUMNS} FROM messages
    WHERE tenant_id = :tenant_id AND conversation_id = :conversation_id AND role = 'visitor' AND deleted_at IS NULL
      AND seq > coalesce((
          SELECT max(coalesce(q.seq, r.seq)) FROM messages r
          LEFT JOIN messages q ON q.tenant_id = r.tenant_id AND q.id = r.reply_to
          WHERE r.tenant_id = :tenant_id AND r.conversation_id = :conversation_id AND r.role IN ('bot', 'agent')
            AND r.mode IS DISTINCT FROM 'rule'
            AND (r.status = 'streaming' OR r.status IN ('complete', 'interrupted') AND r.text <> '')), 0)
    ORDER BY seq DESC LIMIT :limit) AS newest
ORDER BY seq
""")  # noqa: S608 - constants only

_NEWEST = text("""
SELECT max(m.created_at), now(), c.channel_id
FROM conversations c
LEFT JOIN messages m ON m.tenant_id = c.tenant_id AND m.conversation_id = c.id AND m.role = 'visitor'
WHERE c.tenant_id = :tenant_id AND c.id = :conversation_id
GROUP BY c.channel_id
""")

_ANSWERS = text("""
SELECT created_at FROM messages
WHERE tenant_id = :tenant_id AND conversation_id = ANY(CAST(:conversations AS uuid[])) AND role = 'bot' AND text <> ''
  AND created_at > :since
""")

_REOPEN = """
WITH reopened AS (
    UPDATE conversations SET state = 'bot', epoch = epoch + 1, closed_at = NULL, assignee_id = NULL, assigned_at = NULL,
        handoff_reason = NULL, updated_at = now()
    WHERE tenant_id = %(tenant_id)s AND id = %(conversation_id)s AND state = 'closed'
    RETURNING id, brand_id, channel_id, epoch
), logged AS (
    INSERT INTO events (tenant_id, name, payload, correlation_id)
    SELECT %(tenant_id)s, 'conversation.reopened', jsonb_build_object(
        'conversation_id', id, 'brand_id', brand_id, 'channel_id', channel_id, 'state', 'bot', 'from_state', 'closed'
    ), %(correlation_id)s
    FROM reopened
)
SELECT epoch FROM reopened
"""

_CLOSE_STREAMING = text("""
UPDATE messages SET status = 'interrupted', text = '', completed_at = now()
WHERE tenant_id = :tenant_id AND conversation_id = :conversation_id AND status = 'streaming' AND content ? 'job'
""")

_RESERVE = text("""
WITH numbered AS (
    UPDATE conversations SET last_seq = last_seq + 1, updated_at = now()
    WHERE tenant_id = :tenant_id AND id = :conversation_id RETURNING last_seq, channel_id
)
INSERT INTO messages (tenant_id, id, conversation_id, channel_id, seq, role, status, text, reply_to, content)
SELECT :tenant_id, :reply_id, :conversation_id, channel_id, last_seq, 'bot', 'streaming', '', :question_id,
       '{"job": true}'
FROM numbered
""")

_EDIT = text("""
UPDATE messages SET text = :text, content = content || CAST(:content AS jsonb), edited_at = now()
WHERE tenant_id = :tenant_id AND channel_id = :channel_id AND provider_message_id = :provider_message_id
  AND role = 'visitor'
RETURNING id, conversation_id, pg_notify('xin_message', CAST(conversation_id AS text))
""")

_DELETE = text("""
UPDATE messages SET text = '', content = '{}', deleted_at = now()
WHERE tenant_id = :tenant_id AND channel_id = :channel_id AND provider_message_id = :provider_message_id
  AND role = 'visitor'
RETURNING id, conversation_id, pg_notify('xin_message', CAST(conversation_id AS text))
""")

_REACT = text("""
UPDATE messages SET content = jsonb_set(
    content, '{reactions}', coalesce(content->'reactions', '{}'::jsonb) || CAST(:reaction AS jsonb))
WHERE tenant_id = :tenant_id AND id = :message_id
RETURNING id, conversation_id, pg_notify('xin_message', CAST(conversation_id AS text))
""")

_BY_PROVIDER_ID = text("""
SELECT id FROM messages
WHERE tenant_id = :tenant_id AND channel_id = :channel_id AND provider_message_id = :provider_message_id LIMIT 1
""")


async def waiting_messages(session: TenantReader, conversation_id: UUID, limit: int) -> list[MessageRow]:
    """Return the visitor's messages that nobody has answered yet, in order; of more than `limit` the newest."""
    values = {"tenant_id": session.tenant_id, "conversation_id": conversation_id, "limit": limit}
    return [MessageRow(*row) for row in await session.execute(_WAITING, values)]


@dataclass(frozen=True, slots=True)
class Pulse:
    """When the visitor of a conversation last wrote, and the database's time now."""

    last: datetime | None
    now: datetime
    channel_id: UUID


async def pulse(session: TenantReader, conversation_id: UUID) -> Pulse | None:
    """Return how a conversation stands; None: there is none."""
    values = {"tenant_id": session.tenant_id, "conversation_id": conversation_id}
    row = (await session.execute(_NEWEST, values)).one_or_none()
    return Pulse(*row) if row else None


async def answers_since(session: TenantReader, conversations: Collection[UUID], since: datetime) -> list[datetime]:
    """Return when the bot answered in some conversations."""
    values = {"tenant_id": session.tenant_id, "conversations": list(conversations), "since": since}
    return list((await session.execute(_ANSWERS, values)).scalars())


async def reopen(session: TenantSession, conversation_id: UUID, correlation_id: str | None) -> int:
    """Give a closed conversation, which the caller holds, back to the bot with an entry in the event log.

    Returns:
        Its new epoch.
    """
    values = {
        "tenant_id": session.tenant_id,
        "conversation_id": conversation_id,
        "correlation_id": correlation_id,
    }
    epoch: int = (await fetch(session, _REOPEN, values))[0][0]
    return epoch


async def close_streaming(session: TenantSession, conversation_id: UUID) -> None:
    """Withdraw the replies of jobs that died; only the conversation's one job may.

    A reply that is being made for a request or a socket is none of them.
    """
    await session.execute(_CLOSE_STREAMING, {"tenant_id": session.tenant_id, "conversation_id": conversation_id})


async def reserve_reply(session: TenantSession, conversation_id: UUID, question_id: UUID, reply_id: UUID) -> None:
    """Keep the place of a reply."""
    await session.execute(
        _RESERVE,
        {
            "tenant_id": session.tenant_id,
            "conversation_id": conversation_id,
            "question_id": question_id,
            "reply_id": reply_id,
        },
    )


async def edit_message(
    session: TenantSession, channel_id: UUID, provider_message_id: str, new_text: str, content: dict[str, Any]
) -> tuple[UUID, UUID] | None:
    """Change what a visitor said; return the message's and the conversation's id, None when it is not known."""
    values = {"text": new_text, "content": orjson.dumps(content).decode()}
    return await _changed(session, _EDIT, channel_id, provider_message_id, values)


async def delete_message(
    session: TenantSession, channel_id: UUID, provider_message_id: str
) -> tuple[UUID, UUID] | None:
    """Take back what a visitor said, as they did; return as `edit_message`."""
    return await _changed(session, _DELETE, channel_id, provider_message_id, {})


async def react(session: TenantSession, message_id: UUID, by: str, emoji: str | None) -> tuple[UUID, UUID] | None:
    """Put a reaction on a message, or (None) take it away; return as `edit_message`."""
    values = {
        "tenant_id": session.tenant_id,
        "message_id": message_id,
        "reaction": orjson.dumps({by: emoji}).decode(),
    }
    row = (await session.execute(_REACT, values)).one_or_none()
    return (row[0], row[1]) if row else None


async def message_of_provider(session: TenantReader, channel_id: UUID, provider_message_id: str) -> UUID | None:
    """Return the visitor's message that the provider calls so."""
    values = {
        "tenant_id": session.tenant_id,
        "channel_id": channel_id,
        "provider_message_id": provider_message_id,
    }
    return (await session.execute(_BY_PROVIDER_ID, values)).scalar_one_or_none()


async def _changed(
    session: TenantSession, statement: Any, channel_id: UUID, provider_message_id: str, values: dict[str, Any]
) -> tuple[UUID, UUID] | None:
    known = {
        "tenant_id": session.tenant_id,
        "channel_id": channel_id,
        "provider_message_id": provider_message_id,
        **values,
    }
    row = (await session.execute(statement, known)).first()
    return (row[0], row[1]) if row else None
