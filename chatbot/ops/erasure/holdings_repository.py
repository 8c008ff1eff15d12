"""Every table, and what it may hold of a visitor. A new table fails the catalogue test until it stands here.

A statement of how to find is used to count, to scrub and to delete, so that what is told beforehand is what goes.
They run across tenants, for the event log and the queue give up rows to nobody else, and each names the tenant.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import LiteralString
from uuid import UUID

from chatbot.db.sessions import PlatformSession, fetch


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose data is meant.

    Attributes:
        subjects: who they are in conversations (`visitor:…`, `telegram:…`).
        needles: what is theirs alone wherever it stands, in lower case: addresses, telephone numbers, subjects.
    """

    tenant_id: UUID
    conversations: Sequence[UUID] = ()
    tickets: Sequence[UUID] = ()
    subjects: Sequence[str] = ()
    needles: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Holding:
    """A table's rows of a scope.

    Attributes:
        by_id: the condition by the scope's ids.
        by_words: another, which reads every row of the tenant: for erasing only.
        aged: whether the rows go with a conversation or ticket that has become too old.
        scrub: what is set in place of deleting; None: the rows go.
        tenant: how a row tells its tenant.
    """

    table: LiteralString
    by_id: LiteralString = "false"
    by_words: LiteralString = "false"
    aged: bool = True
    scrub: LiteralString | None = None
    tenant: LiteralString = "tenant_id = %(tenant_id)s"

    def change(self, *, words: bool = True) -> LiteralString:
        """Return the statement that removes, and counts what it has removed."""
        verb = f"UPDATE {self.table} SET {self.scrub}" if self.scrub else f"DELETE FROM {self.table}"  # noqa: S608
        where = self._where(words)
        return f"WITH gone AS ({verb} WHERE {where} RETURNING 1) SELECT count(*) FROM gone"  # noqa: S608

    def count(self) -> LiteralString:
        """Return the statement that counts what `change` would remove."""
        return f"SELECT count(*) FROM {self.table} WHERE {self._where(words=True)}"  # noqa: S608 - constants only

    def _where(self, words: bool) -> LiteralString:
        return f"{self.tenant} AND ({self.by_id}{f' OR {self.by_words}' if words else ''})"


_OF_CONVERSATION = "conversation_id = ANY(%(conversations)s::uuid[])"
_MESSAGES = f"(SELECT id FROM messages WHERE tenant_id = %(tenant_id)s AND {_OF_CONVERSATION})"  # noqa: S608
_OF_MESSAGE = f"message_id IN {_MESSAGES}"
_NAMES = "%(conversations)s::uuid[]::text[]"
_TICKETS = "%(tickets)s::uuid[]::text[]"
_THREADS = f"""(SELECT channel_id, thread FROM inbound_events
                WHERE tenant_id = %(tenant_id)s AND ({_OF_CONVERSATION} OR {_OF_MESSAGE}))"""  # noqa: S608
_LANES = f"""lane = ANY({_NAMES}) OR lane LIKE 'ticket:%%' AND split_part(lane, ':', 2) = ANY({_TICKETS})
             OR lane LIKE 'transcript:%%' AND split_part(lane, ':', 2) = ANY({_NAMES})"""


def _says(*columns: LiteralString) -> LiteralString:
    """Whether one of the needles stands in a row, as a whole: a last resort, for rows that no id leads to."""
    said = " || ' ' || ".join(f"coalesce({column}::text, '')" for column in columns)
    return f"EXISTS (SELECT FROM unnest(%(patterns)s::text[]) AS n WHERE lower({said}) ~ n)"


_DELIVERED = f"{_OF_CONVERSATION} OR {_OF_MESSAGE}"
_DELIVERED_OTHERWISE = f"{_LANES} OR {_says('body', 'last_error')}"
_DELIVERIES = "delivery_id IN (SELECT id FROM deliveries WHERE tenant_id = %(tenant_id)s AND ({}))"

_PAST_ID: LiteralString = (
    "'past:' || left(encode(sha256(convert_to(inbound_events.provider_event_id, 'UTF8')), 'hex'), 40)"
)

# One that came again while it was just being forgotten has left its id before.
PAST_EVENT: LiteralString = (
    "provider_event_id = CASE WHEN EXISTS (SELECT FROM inbound_events p WHERE p.tenant_id = inbound_events.tenant_id "
    f"AND p.channel_id = inbound_events.channel_id AND p.provider_event_id = {_PAST_ID}) "
    f"THEN 'past:' || inbound_events.id ELSE {_PAST_ID} END, "
    "kind = 'past', thread = '', context = '{}', payload = '{}', conversation_id = NULL, message_id = NULL, "
    "occurred_at = NULL"
)
"""What is left of an event: that it came. Not every provider signs a time, and a request that was kept somewhere must
not count again when its event is gone here. The inbox asks for the same hash."""

HOLDINGS: tuple[Holding, ...] = (
    Holding("message_terms", _OF_MESSAGE),
    Holding("turn_traces", _OF_CONVERSATION),
    Holding("csat_ratings", _OF_CONVERSATION),
    Holding("notes", _OF_CONVERSATION),
    Holding("handoffs", _OF_CONVERSATION),
    Holding("automation_variables", "id = ANY(%(conversations)s::uuid[])"),
    Holding(
        "automation_jobs",
        _OF_CONVERSATION,
        f"event->'payload'->>'ticket_id' = ANY({_TICKETS}) OR {_says('event', 'actions', 'results', 'reason')}",
        aged=False,
    ),
    Holding("knowledge_gaps", _OF_CONVERSATION, _says("question"), aged=False),
    Holding("gap_groups", "id = ANY(%(emptied_groups)s::uuid[])", aged=False),
    Holding("delivery_attempts", _DELIVERIES.format(_DELIVERED), _DELIVERIES.format(_DELIVERED_OTHERWISE)),
    Holding("deliveries", _DELIVERED, _DELIVERED_OTHERWISE),
    Holding(
        "events",
        f"payload->>'conversation_id' = ANY({_NAMES}) OR payload->>'ticket_id' = ANY({_TICKETS})",
        f"(payload->>'channel_id', payload->>'thread') IN (SELECT channel_id::text, thread FROM {_THREADS} AS t) "  # noqa: S608
        f"OR {_says('payload')}",
        aged=False,
    ),
    Holding(
        "inbound_events",
        _OF_MESSAGE,
        f"{_OF_CONVERSATION} OR (channel_id, thread) IN {_THREADS} OR {_says('thread', 'context', 'payload')}",
        scrub=PAST_EVENT,
    ),
    Holding("attachments", f"{_OF_CONVERSATION} OR {_OF_MESSAGE}"),
    Holding("usage_records", _OF_MESSAGE, aged=False, scrub="message_id = NULL"),
    Holding("ticket_comments", "ticket_id = ANY(%(tickets)s::uuid[])"),
    Holding("tickets", "id = ANY(%(tickets)s::uuid[])"),
    Holding("messages", _OF_CONVERSATION),
    Holding("conversations", "id = ANY(%(conversations)s::uuid[])"),
    Holding("visitors", "subject = ANY(%(subjects)s::text[])", _says("fields"), aged=False),
    Holding(
        "channel_states", by_words=_says("last_error", "findings"), aged=False,
        scrub="last_error = NULL, findings = '[]'",
    ),
    Holding(
        "procrastinate_jobs",
        f"args->>'conversation_id' = ANY({_NAMES}) OR args->>'lane' = ANY({_NAMES})",
        _says("args"),
        aged=False,
        tenant="args->>'tenant_id' = %(tenant_id)s::uuid::text AND status <> 'doing'",
    ),
)  # fmt: skip
"""In the order in which they go: what refers to a row goes before it."""

NOTHING_OF_VISITORS: Mapping[str, str] = {
    **dict.fromkeys(("tenants", "brands", "channels", "policy_versions"), "what administrators set"),
    **dict.fromkeys(("channel_secrets", "webhook_secrets", "api_keys"), "sealed secrets and hashes"),
    **dict.fromkeys(("users", "memberships", "user_sessions", "invitations", "password_resets"), "people of a tenant"),
    **dict.fromkeys(("agents", "canned_replies"), "people of a tenant, and what they wrote for all"),
    **dict.fromkeys(
        ("knowledge_sources", "ingestion_jobs", "passages", "passage_vectors", "term_statistics", "brand_statistics"),
        "knowledge is a tenant's own; an answer written to a gap is published by whoever writes it",
    ),
    **dict.fromkeys(("automation_rules", "automation_switches"), "what administrators set"),
    **dict.fromkeys(
        ("daily_usage", "budget_alerts", "daily_statistics", "statistics_progress", "ticket_counters"), "numbers"
    ),
    **dict.fromkeys(("log_cursors", "audit_heads"), "places in logs"),
    "audit_events": "who of a tenant's people did what to which id: names of fields, never what stood in them",
    **dict.fromkeys(("erasures", "retention_runs", "decommissions"), "counts and hashes"),
    **dict.fromkeys(
        ("procrastinate_events", "procrastinate_periodic_defers", "procrastinate_workers"), "the queue's own numbers"
    ),
}
"""The other tables, and why there is nothing in them."""

# A group of questions goes when nobody else asked; else it is shown by the first of the questions that stay.
_EMPTIED = f"""
SELECT g.id FROM gap_groups g WHERE g.tenant_id = %(tenant_id)s
  AND (EXISTS (SELECT FROM knowledge_gaps k WHERE k.tenant_id = g.tenant_id AND k.group_id = g.id
               AND ({_OF_CONVERSATION} OR {_says("k.question")})) OR {_says("g.question")})
  AND NOT EXISTS (SELECT FROM knowledge_gaps k WHERE k.tenant_id = g.tenant_id AND k.group_id = g.id
                  AND (k.conversation_id IS NULL OR k.conversation_id <> ALL(%(conversations)s::uuid[]))
                  AND NOT {_says("k.question")})
"""  # noqa: S608 - constants only

_SHOWN_ANEW = """
UPDATE gap_groups g SET question = first.question, asked = first.asked
FROM (SELECT DISTINCT ON (k.group_id) k.group_id, k.question, count(*) OVER (PARTITION BY k.group_id) AS asked
      FROM knowledge_gaps k WHERE k.tenant_id = %(tenant_id)s AND k.group_id = ANY(%(groups)s::uuid[])
      ORDER BY k.group_id, k.created_at) AS first
WHERE g.tenant_id = %(tenant_id)s AND g.id = first.group_id
"""

_TOUCHED = f"""
SELECT DISTINCT group_id FROM knowledge_gaps
WHERE tenant_id = %(tenant_id)s AND group_id IS NOT NULL AND ({_OF_CONVERSATION} OR {_says("question")})
"""  # noqa: S608 - constants only

# One that is just being fetched may be stored before its row is gone: under a key that its row tells of only then.
_FILES = f"""
SELECT coalesce(blob_key, 'attachments/' || tenant_id || '/' || id) FROM attachments
WHERE tenant_id = %(tenant_id)s AND (blob_key IS NOT NULL OR status = 'pending')
  AND ({_OF_CONVERSATION} OR {_OF_MESSAGE})
UNION
SELECT file->>'blob_key' FROM ticket_comments, LATERAL jsonb_array_elements(files) AS file
WHERE tenant_id = %(tenant_id)s AND ticket_id = ANY(%(tickets)s::uuid[]) AND file->>'blob_key' IS NOT NULL
"""  # noqa: S608 - constants only


async def counted(session: PlatformSession, scope: Scope) -> dict[str, int]:
    """Count what `remove` would remove, by table; tables with nothing are left out."""
    values = await _values(session, scope)
    found = {holding.table: (await fetch(session, holding.count(), values))[0][0] for holding in HOLDINGS}
    return {table: count for table, count in found.items() if count}


async def remove(session: PlatformSession, scope: Scope) -> dict[str, int]:
    """Remove everything in the scope; return how many rows of each table were removed or scrubbed."""
    values = await _values(session, scope)
    groups = [row[0] for row in await fetch(session, _TOUCHED, values)]
    found = {holding.table: (await fetch(session, holding.change(), values))[0][0] for holding in HOLDINGS}
    await fetch(session, _SHOWN_ANEW, {**values, "groups": groups})
    return {table: count for table, count in found.items() if count}


async def remove_aged(session: PlatformSession, scope: Scope) -> dict[str, int]:
    """Remove conversations and tickets that became too old, with what goes with them; return as `remove`."""
    statements = {holding.table: holding.change(words=False) for holding in HOLDINGS if holding.aged}
    values = _plain(scope)
    return {table: (await fetch(session, change, values))[0][0] for table, change in statements.items()}


async def files_of(session: PlatformSession, scope: Scope) -> list[str]:
    """Return the keys of every stored file in the scope."""
    return [row[0] for row in await fetch(session, _FILES, _plain(scope))]


async def _values(session: PlatformSession, scope: Scope) -> dict[str, object]:
    values = _plain(scope)
    return {**values, "emptied_groups": [row[0] for row in await fetch(session, _EMPTIED, values)]}


def _plain(scope: Scope) -> dict[str, object]:
    plain = {name: value if name == "tenant_id" else list(value) for name, value in asdict(scope).items()}
    return {**plain, "patterns": [_pattern(needle) for needle in scope.needles]}


def _pattern(needle: str) -> str:
    """A needle as a regular expression of PostgreSQL that finds it, but not what only begins or ends with it.

    Else whoever is `visitor:42`, or writes from `ann@example.com`, takes along `visitor:420` and `joann@example.com`.
    """
    escaped = re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", needle)
    return rf"(?<![[:alnum:]_.@+-]){escaped}(?![[:alnum:]_-]|\.[[:alnum:]])"
