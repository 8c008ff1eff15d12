"""The rows of conversations, messages, traces and events: a statement or two for each step of a turn."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from chatbot.db.driver import Command
from chatbot.db.sessions import PlatformSession, TenantReader, TenantSession, fetch, fetch_all
from chatbot.dialogue.log_repository import EventRow, as_json

MESSAGE_COLUMNS = (
    "id, conversation_id, seq, role, status, text, language, client_message_id, reply_to, mode, citations, "
    "handoff_offered, usage, created_at, completed_at, author"
)
SHOWN_COLUMNS = f"""{MESSAGE_COLUMNS}, CASE WHEN role IN ('visitor', 'agent') THEN (
    SELECT jsonb_agg(jsonb_build_object('id', a.id, 'name', a.name, 'mime', a.mime, 'size', a.size, 'status', a.status)
                     ORDER BY a.id)
    FROM attachments a WHERE a.tenant_id = messages.tenant_id AND a.message_id = messages.id) END"""  # noqa: S608
"""Those that clients are shown: with the files of a message, which a turn does not look at."""


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """A conversation, locked by the transaction that read it; `voice` is what its channel's bot has of its own."""

    id: UUID
    brand_id: UUID
    channel_id: UUID
    state: str
    epoch: int
    last_seq: int
    owner: str
    locale: str | None
    created: bool
    voice: dict[str, Any] | None
    channel_type: str


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message as clients see it.

    Attributes:
        reply_to: the id of the question that a reply answers.
        author: the agent who wrote it: id, name, avatar_url.
        attachments: its files: id, name, mime, size, status; None also where they were not asked for.
    """

    id: UUID
    conversation_id: UUID
    seq: int
    role: str
    status: str
    text: str
    language: str | None
    client_message_id: str | None
    reply_to: UUID | None
    mode: str | None
    citations: list[dict[str, Any]]
    handoff_offered: bool
    usage: dict[str, Any]
    created_at: datetime
    completed_at: datetime | None
    author: dict[str, Any] | None = None
    attachments: list[dict[str, Any]] | None = None


_OPEN = """
INSERT INTO conversations AS c (tenant_id, id, brand_id, channel_id, session_key, visitor, locale)
SELECT b.tenant_id, %(id)s, b.id, ch.id, %(session_key)s, CAST(%(visitor)s AS jsonb), CAST(%(locale)s AS text)
FROM tenants t
JOIN brands b ON b.tenant_id = t.id AND b.id = coalesce(CAST(%(brand_id)s AS uuid), t.default_brand_id)
JOIN LATERAL (
    SELECT id FROM channels
    WHERE tenant_id = b.tenant_id AND brand_id = b.id AND enabled
      AND CASE WHEN CAST(%(channel_id)s AS uuid) IS NULL THEN channel_type = 'web' ELSE id = %(channel_id)s END
    ORDER BY created_at, id LIMIT 1
) ch ON true
WHERE t.id = %(tenant_id)s AND t.deleted_at IS NULL
ON CONFLICT (tenant_id, channel_id, session_key) DO UPDATE SET updated_at = now()
RETURNING c.id, c.brand_id, c.channel_id, c.state, c.epoch, c.last_seq,
          coalesce(c.visitor->>'subject', '') AS owner, c.locale, c.id = %(id)s AS created,
          (SELECT configuration->'bot' FROM channels WHERE tenant_id = c.tenant_id AND id = c.channel_id) AS voice,
          (SELECT channel_type FROM channels WHERE tenant_id = c.tenant_id AND id = c.channel_id) AS channel_type
"""

_LOCK = """
SELECT id, brand_id, channel_id, state, epoch, last_seq, coalesce(visitor->>'subject', '') AS owner, locale,
       false AS created,
       (SELECT configuration->'bot' FROM channels WHERE tenant_id = c.tenant_id AND id = c.channel_id) AS voice,
       (SELECT channel_type FROM channels WHERE tenant_id = c.tenant_id AND id = c.channel_id) AS channel_type
FROM conversations c WHERE tenant_id = %(tenant_id)s AND id = %(id)s FOR UPDATE
"""

_RECENT = f"""
SELECT {MESSAGE_COLUMNS} FROM messages
WHERE tenant_id = %(tenant_id)s AND conversation_id = %(conversation_id)s AND seq > %(after)s
ORDER BY seq LIMIT %(limit)s
"""  # noqa: S608 - constants only

_LAST = f"""
SELECT {MESSAGE_COLUMNS} FROM messages
WHERE tenant_id = %(tenant_id)s AND conversation_id = %(id)s
  AND seq > (SELECT last_seq FROM conversations WHERE tenant_id = %(tenant_id)s AND id = %(id)s) - %(limit)s
ORDER BY seq
"""  # noqa: S608 - constants only

_SHOWN = f"""
SELECT {SHOWN_COLUMNS} FROM messages
WHERE tenant_id = %(tenant_id)s AND conversation_id = %(conversation_id)s AND seq > %(after)s
ORDER BY seq LIMIT %(limit)s
"""  # noqa: S608 - constants only

_REPEATED = f"""
SELECT {MESSAGE_COLUMNS} FROM messages WHERE tenant_id = %(tenant_id)s AND (
    (conversation_id = %(conversation_id)s AND client_message_id = CAST(%(client_message_id)s AS text))
    OR (channel_id = %(channel_id)s AND provider_event_id = CAST(%(provider_event_id)s AS text))
) LIMIT 1
"""  # noqa: S608 - constants only

_REPLY_TO = f"""
SELECT {MESSAGE_COLUMNS} FROM messages
WHERE tenant_id = %(tenant_id)s AND conversation_id = %(conversation_id)s AND reply_to = %(question_id)s LIMIT 1
"""  # noqa: S608 - constants only

_ONE = f"""
SELECT {MESSAGE_COLUMNS} FROM messages WHERE tenant_id = %(tenant_id)s AND id = %(id)s
"""  # noqa: S608 - constants only

# One statement: the sequence numbers, the question, the place of its reply and the events belong together.
_ACCEPT = """
WITH question AS (
    INSERT INTO messages (tenant_id, id, conversation_id, channel_id, seq, role, status, text, language,
                          client_message_id, provider_event_id, provider_message_id, content, completed_at)
    VALUES (%(tenant_id)s, %(question_id)s, %(conversation_id)s, %(channel_id)s, %(seq)s, 'visitor', 'complete',
            %(text)s, %(language)s,
            %(client_message_id)s, %(provider_event_id)s, %(provider_message_id)s, CAST(%(content)s AS jsonb), now())
    ON CONFLICT DO NOTHING RETURNING id
), reply AS (
    INSERT INTO messages (tenant_id, id, conversation_id, channel_id, seq, role, status, text, reply_to)
    SELECT %(tenant_id)s, CAST(%(reply_id)s AS uuid), %(conversation_id)s, %(channel_id)s, %(seq)s + 1,
           'bot', 'streaming', '', id
    FROM question WHERE CAST(%(reply_id)s AS uuid) IS NOT NULL
), numbered AS (
    UPDATE conversations SET last_seq = %(last_seq)s, updated_at = now()
    WHERE tenant_id = %(tenant_id)s AND id = %(conversation_id)s AND EXISTS (SELECT FROM question)
), logged AS (
    INSERT INTO events (tenant_id, name, payload, correlation_id)
    SELECT %(tenant_id)s, e->>'name', e->'payload', %(correlation_id)s
    FROM question, jsonb_array_elements(CAST(%(events)s AS jsonb)) AS e
)
SELECT id, pg_notify('xin_message', CAST(CAST(%(conversation_id)s AS uuid) AS text)) FROM question
"""

# One statement, for the same reason. Nothing of it happens when the floor has been taken in the meantime.
_COMMIT = """
WITH floor AS (
    UPDATE conversations SET updated_at = now()
    WHERE tenant_id = %(tenant_id)s AND id = %(conversation_id)s AND epoch = %(epoch)s AND state = 'bot' RETURNING id
), reply AS (
    UPDATE messages SET status = %(status)s, text = %(text)s, language = %(language)s, mode = %(mode)s,
        citations = CAST(%(citations)s AS jsonb), handoff_offered = %(handoff_offered)s,
        usage = CAST(%(usage)s AS jsonb), completed_at = now()
    FROM floor WHERE messages.tenant_id = %(tenant_id)s AND messages.id = %(reply_id)s AND messages.status = 'streaming'
    RETURNING messages.id
), traced AS (
    INSERT INTO turn_traces (tenant_id, id, conversation_id, question_id, trace)
    SELECT %(tenant_id)s, id, %(conversation_id)s, %(question_id)s, CAST(%(trace)s AS jsonb) FROM reply
), logged AS (
    INSERT INTO events (tenant_id, name, payload, correlation_id)
    SELECT %(tenant_id)s, e->>'name', e->'payload', %(correlation_id)s
    FROM reply, jsonb_array_elements(CAST(%(events)s AS jsonb)) AS e
)
SELECT id, pg_notify('xin_message', CAST(id AS text)),
       pg_notify('xin_message', CAST(CAST(%(conversation_id)s AS uuid) AS text)) FROM reply
"""

_WITHDRAW = """
WITH reply AS (
    UPDATE messages SET status = 'interrupted', text = '', mode = %(mode)s, completed_at = now()
    WHERE tenant_id = %(tenant_id)s AND id = %(id)s AND status = 'streaming' RETURNING id, conversation_id
)
SELECT id, pg_notify('xin_message', CAST(id AS text)),
       pg_notify('xin_message', CAST(conversation_id AS text)) FROM reply
"""

_FLUSH = """
WITH reply AS (
    UPDATE messages SET text = %(text)s, touched_at = now()
    WHERE tenant_id = %(tenant_id)s AND id = %(id)s AND status = 'streaming' RETURNING id
)
SELECT pg_notify('xin_message', CAST(id AS text)) FROM reply
"""

_NOTIFY = "SELECT pg_notify('xin_message', %(payload)s)"

_TOUCH = "UPDATE messages SET touched_at = now() WHERE id = ANY(%(ids)s) AND status = 'streaming'"

# What a job's reply says so far was sent to nobody: the job, once it is taken over, begins it anew.
_SWEEP = """
WITH dead AS (
    UPDATE messages SET status = 'interrupted', completed_at = now(),
        text = CASE WHEN content ? 'job' THEN '' ELSE text END
    WHERE status = 'streaming' AND created_at < now() - make_interval(secs => %(silent)s)
      AND coalesce(touched_at, created_at) < now() - make_interval(secs => %(silent)s)
    RETURNING id, conversation_id
)
SELECT id, pg_notify('xin_message', CAST(id AS text)), pg_notify('xin_message', CAST(conversation_id AS text)) FROM dead
"""


async def open_conversation(
    session: TenantSession,
    *,
    new_id: UUID,
    brand_id: UUID | None,
    channel_id: UUID | None,
    session_key: str,
    visitor: dict[str, Any],
    locale: str | None,
) -> ConversationRow | None:
    """Find or create the conversation of a session and lock it; None: no such brand, or no such channel of it."""
    values = {
        "tenant_id": session.tenant_id,
        "id": new_id,
        "brand_id": brand_id,
        "channel_id": channel_id,
        "session_key": session_key,
        "visitor": _json(visitor),
        "locale": locale,
    }
    row = _first(await fetch(session, _OPEN, values))
    return ConversationRow(*row) if row else None


async def lock_conversation(session: TenantSession, conversation_id: UUID) -> ConversationRow | None:
    """Lock a conversation by its id."""
    row = _first(await fetch(session, _LOCK, {"tenant_id": session.tenant_id, "id": conversation_id}))
    return ConversationRow(*row) if row else None


async def lock_with_last(
    session: TenantSession, conversation_id: UUID, limit: int
) -> tuple[ConversationRow | None, list[MessageRow]]:
    """Lock a conversation by its id, and read its last messages, in order, as they are then."""
    values = {"tenant_id": session.tenant_id, "id": conversation_id}
    found, last = await fetch_all(session, [Command(_LOCK, values), Command(_LAST, {**values, "limit": limit})])
    return (ConversationRow(*found[0]) if found else None), [MessageRow(*row) for row in last]


async def messages_after(session: TenantReader, conversation_id: UUID, after_seq: int, limit: int) -> list[MessageRow]:
    """Return messages with a greater sequence number, in order."""
    values = {
        "tenant_id": session.tenant_id,
        "conversation_id": conversation_id,
        "after": after_seq,
        "limit": limit,
    }
    return [MessageRow(*row) for row in await fetch(session, _RECENT, values)]


async def shown_after(session: TenantReader, conversation_id: UUID, after_seq: int, limit: int) -> list[MessageRow]:
    """Return messages with a greater sequence number as clients are shown them, in order."""
    values = {
        "tenant_id": session.tenant_id,
        "conversation_id": conversation_id,
        "after": after_seq,
        "limit": limit,
    }
    return [MessageRow(*row) for row in await fetch(session, _SHOWN, values)]


async def repeated_message(
    session: TenantReader,
    conversation: ConversationRow,
    client_message_id: str | None,
    provider_event_id: str | None,
) -> MessageRow | None:
    """Return the stored message of the same client or provider id."""
    values = {
        "tenant_id": session.tenant_id,
        "conversation_id": conversation.id,
        "channel_id": conversation.channel_id,
        "client_message_id": client_message_id,
        "provider_event_id": provider_event_id,
    }
    row = _first(await fetch(session, _REPEATED, values))
    return MessageRow(*row) if row else None


async def reply_to(session: TenantReader, question: MessageRow) -> MessageRow | None:
    """Return the bot's reply to a question; None: a person's turn, or the conversation was closed."""
    values = {
        "tenant_id": session.tenant_id,
        "conversation_id": question.conversation_id,
        "question_id": question.id,
    }
    row = _first(await fetch(session, _REPLY_TO, values))
    return MessageRow(*row) if row else None


async def message(session: TenantReader, message_id: UUID) -> MessageRow | None:
    """Return one message."""
    row = _first(await fetch(session, _ONE, {"tenant_id": session.tenant_id, "id": message_id}))
    return MessageRow(*row) if row else None


async def insert_question(
    session: TenantSession, conversation: ConversationRow, values: dict[str, Any], events: Sequence[EventRow]
) -> bool:
    """Store a visitor's message, the place of its reply (`reply_id`, may be None) and events.

    Returns:
        False when the same client or provider id is stored already; nothing was written then.
    """
    seq = conversation.last_seq + 1
    rows = await fetch(
        session,
        _ACCEPT,
        {
            **values,
            "content": _json(values["content"]),
            "tenant_id": session.tenant_id,
            "conversation_id": conversation.id,
            "channel_id": conversation.channel_id,
            "seq": seq,
            "last_seq": seq + (1 if values["reply_id"] else 0),
            "events": as_json(events),
        },
    )
    return bool(rows)


async def commit_reply(session: TenantSession, values: dict[str, Any], events: Sequence[EventRow]) -> bool:
    """Complete a reply with its trace and events, if the conversation's epoch is still the turn's.

    Returns:
        False when somebody else has taken the floor, or the reply was closed already; nothing was written then.
    """
    rows = await fetch(
        session,
        _COMMIT,
        {
            **values,
            "tenant_id": session.tenant_id,
            "citations": _json(values["citations"]),
            "usage": _json(values["usage"]),
            "trace": _json(values["trace"]),
            "events": as_json(events),
        },
    )
    return bool(rows)


async def withdraw_reply(session: TenantSession, reply_id: UUID, mode: str | None) -> bool:
    """Close a reply that must not be shown, with no text; return whether it was open."""
    rows = await fetch(session, _WITHDRAW, {"tenant_id": session.tenant_id, "id": reply_id, "mode": mode})
    return bool(rows)


async def flush_reply(session: TenantSession, reply_id: UUID, so_far: str) -> None:
    """Store what a streaming reply says so far."""
    await fetch(session, _FLUSH, {"tenant_id": session.tenant_id, "id": reply_id, "text": so_far})


async def tell_reader(session: TenantReader, payload: str) -> None:
    """Tell the process that makes a reply that it is read."""
    await fetch(session, _NOTIFY, {"payload": payload})


async def touch_replies(session: PlatformSession, reply_ids: list[UUID]) -> None:
    """Say that this process still works on these replies."""
    await fetch(session, _TOUCH, {"ids": reply_ids})


async def sweep_replies(session: PlatformSession, silent_seconds: float) -> int:
    """Close replies whose process has been silent for so long; return how many."""
    return len(await fetch(session, _SWEEP, {"silent": silent_seconds}))


def _first(rows: list[tuple[Any, ...]]) -> tuple[Any, ...] | None:
    return rows[0] if rows else None


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
