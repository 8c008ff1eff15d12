"""Conversations as agents see them: a page of a queue is one statement, and so are all counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from sqlalchemy import select

from chatbot.db.models import Conversation
from chatbot.db.sessions import PlatformSession, TenantReader, fetch
from chatbot.dialogue.repository import SHOWN_COLUMNS

_QUEUES: dict[str, LiteralString] = {
    "mine": "c.state = 'human' AND c.assignee_id = %(me)s",
    "unassigned": "c.state = 'waiting'",
    "waiting": "c.state = 'waiting'",
    "human": "c.state = 'human'",
    "bot": "c.state = 'bot'",
    "closed": "c.state = 'closed'",
    "all": "true",
}
_FILTERS: dict[str, LiteralString] = {
    "brand_id": "c.brand_id = %(brand_id)s",
    "channel_type": (
        "EXISTS (SELECT FROM channels t WHERE t.tenant_id = c.tenant_id AND t.id = c.channel_id"
        " AND t.channel_type = %(channel_type)s)"
    ),
    "assignee_id": "c.assignee_id = %(assignee_id)s",
    "tag": "%(tag)s = ANY(c.tags)",
    "ids": "c.id = ANY(%(ids)s)",
}

# The queue is in the order of waiting, all else by its last activity. Only the page's rows are looked at closely.
_PAGE: LiteralString = """
WITH page AS MATERIALIZED (
    SELECT c.*, {key} AS place FROM conversations c
    WHERE c.tenant_id = %(tenant_id)s AND {where} ORDER BY {order} LIMIT %(limit)s
)
SELECT c.id, c.tenant_id, c.brand_id, b.name, c.channel_id, h.channel_type, c.state, c.epoch, opening.text,
       c.visitor - 'subject', c.locale, a.id, a.name, a.avatar_url, c.tags, latest.seq, latest.role, latest.text,
       latest.created_at, c.last_seq, c.visitor_read_seq, c.agent_read_seq, news.count, c.waiting_since,
       c.handoff_reason, c.created_at, c.updated_at, c.closed_at, c.place, rating.csat
FROM page c
JOIN brands b ON b.tenant_id = c.tenant_id AND b.id = c.brand_id
JOIN channels h ON h.tenant_id = c.tenant_id AND h.id = c.channel_id
LEFT JOIN agents a ON a.tenant_id = c.tenant_id AND a.id = c.assignee_id
LEFT JOIN LATERAL (
    SELECT left(m.text, 120) AS text FROM messages m
    WHERE m.tenant_id = c.tenant_id AND m.conversation_id = c.id AND m.role = 'visitor' AND m.text <> ''
    ORDER BY m.seq LIMIT 1) opening ON true
LEFT JOIN LATERAL (
    SELECT m.seq, m.role, left(m.text, 200) AS text, m.created_at FROM messages m
    WHERE m.tenant_id = c.tenant_id AND m.conversation_id = c.id AND m.text <> ''
    ORDER BY m.seq DESC LIMIT 1) latest ON true
LEFT JOIN LATERAL (
    SELECT count(*) FROM messages m
    WHERE m.tenant_id = c.tenant_id AND m.conversation_id = c.id AND m.role = 'visitor'
      AND m.seq > c.agent_read_seq) news ON true
LEFT JOIN LATERAL (
    SELECT jsonb_build_object('score', r.score, 'comment', r.comment) AS csat FROM csat_ratings r
    WHERE r.tenant_id = c.tenant_id AND r.conversation_id = c.id ORDER BY r.closed_at DESC LIMIT 1) rating ON true
ORDER BY {order}
"""
_BY_WAITING: dict[str, LiteralString] = {
    "key": "c.waiting_since",
    "order": "c.waiting_since, c.id",
    "after": "(c.waiting_since, c.id) > (%(place)s, %(last)s)",
}
_BY_ACTIVITY: dict[str, LiteralString] = {
    "key": "c.updated_at",
    "order": "c.updated_at DESC, c.id DESC",
    "after": "(c.updated_at, c.id) < (%(place)s, %(last)s)",
}

_COUNTS = """
SELECT count(*) FILTER (WHERE state = 'human' AND assignee_id = %(me)s), count(*) FILTER (WHERE state = 'waiting'),
       count(*) FILTER (WHERE state = 'waiting'), count(*) FILTER (WHERE state = 'human'),
       count(*) FILTER (WHERE state = 'bot'), count(*) FILTER (WHERE state = 'closed'), count(*)
FROM conversations WHERE tenant_id = %(tenant_id)s
"""

_MESSAGES: LiteralString = f"""
SELECT {SHOWN_COLUMNS}, content, edited_at, deleted_at, (
    SELECT jsonb_build_object('words', max(d.last_error), 'status', CASE
        WHEN bool_or(d.status = 'dead' OR d.receipt = 'failed') THEN 'failed'
        WHEN bool_or(d.status = 'pending') THEN 'pending'
        WHEN bool_and(d.receipt = 'read') THEN 'read'
        WHEN bool_and(d.receipt IN ('delivered', 'read')) THEN 'delivered' ELSE 'sent' END)
    FROM deliveries d WHERE d.tenant_id = messages.tenant_id AND d.message_id = messages.id HAVING count(*) > 0)
FROM messages WHERE tenant_id = %(tenant_id)s AND conversation_id = %(conversation_id)s
"""  # noqa: S608 - constants only
_AFTER: LiteralString = f"{_MESSAGES} AND seq > %(seq)s ORDER BY seq LIMIT %(limit)s"
_BEFORE: LiteralString = f"{_MESSAGES} AND seq < %(seq)s ORDER BY seq DESC LIMIT %(limit)s"
_SOME: LiteralString = f"{_MESSAGES} AND id = ANY(%(ids)s)"

_TRACE = """
SELECT t.trace, q.text, m.usage FROM turn_traces t
JOIN messages m ON m.tenant_id = t.tenant_id AND m.id = t.id
LEFT JOIN messages q ON q.tenant_id = t.tenant_id AND q.id = t.question_id
WHERE t.tenant_id = %(tenant_id)s AND t.id = %(id)s AND t.conversation_id = %(conversation_id)s
"""


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of a list: the view's fields, and its place in the list's order."""

    fields: dict[str, Any]
    place: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which conversations are listed; what is None does not narrow.

    Attributes:
        me: whose queue `mine` is.
        after: the place and id of the last row of the page before.
    """

    queue: str
    me: UUID
    brand_id: UUID | None = None
    channel_type: str | None = None
    assignee_id: UUID | None = None
    tag: str | None = None
    ids: list[UUID] | None = None
    after: tuple[datetime, UUID] | None = None


async def tenant_of(session: PlatformSession, conversation_id: UUID) -> UUID | None:
    """Return whose conversation it is."""
    query = select(Conversation.tenant_id).where(Conversation.id == conversation_id)
    return (await session.execute(query)).scalar_one_or_none()


async def page(session: TenantReader, wanted: Wanted, limit: int) -> list[Listed]:
    """Return conversations of a queue."""
    order = _BY_WAITING if wanted.queue in ("waiting", "unassigned") else _BY_ACTIVITY
    values: dict[str, Any] = {"tenant_id": session.tenant_id, "me": wanted.me, "limit": limit}
    where = [_QUEUES[wanted.queue]]
    for name, condition in _FILTERS.items():
        if (value := getattr(wanted, name)) is not None:
            values[name] = value
            where.append(condition)
    if wanted.after:
        values["place"], values["last"] = wanted.after
        where.append(order["after"])
    statement = _PAGE.format(key=order["key"], order=order["order"], where=" AND ".join(where))
    return [_listed(row) for row in await fetch(session, statement, values)]


async def counts(session: TenantReader, me: UUID) -> tuple[Any, ...]:
    """Return how many conversations each queue holds: mine, unassigned, waiting, human, bot, closed, all."""
    return (await fetch(session, _COUNTS, {"tenant_id": session.tenant_id, "me": me}))[0]


async def messages(
    session: TenantReader, conversation_id: UUID, *, after: int | None, before: int | None, limit: int
) -> list[dict[str, Any]]:
    """Return messages in order: those after a number, else the last ones before a number."""
    values = {
        "tenant_id": session.tenant_id,
        "conversation_id": conversation_id,
        "limit": limit,
        "seq": after if after is not None else before,
    }
    rows = await fetch(session, _BEFORE if after is None else _AFTER, values)
    found = [_message(row) for row in rows]
    return found[::-1] if after is None else found


async def some_messages(session: TenantReader, conversation_id: UUID, ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Return some messages of a conversation."""
    values = {"tenant_id": session.tenant_id, "conversation_id": conversation_id, "ids": list(ids)}
    return [_message(row) for row in await fetch(session, _SOME, values)]


async def trace(
    session: TenantReader, conversation_id: UUID, message_id: UUID
) -> tuple[dict[str, Any], str | None, dict[str, Any]] | None:
    """Return a reply's trace, its question and its usage."""
    values = {"tenant_id": session.tenant_id, "id": message_id, "conversation_id": conversation_id}
    rows = await fetch(session, _TRACE, values)
    return (rows[0][0], rows[0][1], rows[0][2]) if rows else None


_MESSAGE_FIELDS = (
    "id", "conversation_id", "seq", "role", "status", "text", "language", "client_message_id", "reply_to", "mode",
    "citations", "handoff_offered", "usage", "created_at", "completed_at", "author", "attachments", "content",
    "edited_at", "deleted_at", "delivery",
)  # fmt: skip


def _message(row: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(_MESSAGE_FIELDS, row, strict=True))


_FIELDS = (
    "id", "tenant_id", "brand_id", "brand_name", "channel_id", "channel_type", "state", "epoch", "subject", "visitor",
    "locale",
)  # fmt: skip
_REST = (
    "last_seq", "visitor_read_seq", "agent_read_seq", "unread", "waiting_since", "handoff_reason", "created_at",
    "updated_at", "closed_at",
)  # fmt: skip


def _listed(row: Sequence[Any]) -> Listed:
    assignee = dict(zip(("id", "name", "avatar_url"), row[11:14], strict=True)) if row[11] else None
    latest = dict(zip(("seq", "role", "text", "created_at"), row[15:19], strict=True)) if row[15] else None
    fields = {
        **dict(zip(_FIELDS, row[:11], strict=True)),
        **dict(zip(_REST, row[19:28], strict=True)),
        "assignee": assignee,
        "tags": row[14],
        "last_message": latest,
        "csat": row[29],
    }
    return Listed(fields, row[28])
