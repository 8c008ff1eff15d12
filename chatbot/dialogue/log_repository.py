"""The event log of a tenant: written with what happened, read in pieces, each with its horizon."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from chatbot.core import correlation
from chatbot.db.sessions import TenantReader, TenantSession, fetch

_APPEND = """
INSERT INTO events (tenant_id, name, payload, correlation_id)
SELECT %(tenant_id)s, e->>'name', e->'payload', %(correlation_id)s
FROM jsonb_array_elements(CAST(%(events)s AS jsonb)) AS e
"""

_NEWS = """
WITH horizon AS (SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint) AS txid)
SELECT h.txid, e.id, e.txid, e.name, e.payload, e.occurred_at FROM horizon h
LEFT JOIN LATERAL (
    SELECT id, txid, name, payload, occurred_at FROM events
    WHERE tenant_id = %(tenant_id)s AND (txid, id) > (%(txid)s, %(id)s) ORDER BY txid, id LIMIT %(limit)s
) e ON true
"""

_CURSOR = "SELECT txid, event_id FROM log_cursors WHERE tenant_id = %(tenant_id)s AND reader = %(reader)s"

_MOVE = """
INSERT INTO log_cursors (tenant_id, reader, txid, event_id)
VALUES (%(tenant_id)s, %(reader)s, %(txid)s, %(event_id)s)
ON CONFLICT (tenant_id, reader) DO UPDATE SET txid = excluded.txid, event_id = excluded.event_id
"""


@dataclass(frozen=True, slots=True)
class EventRow:
    """An entry for the event log."""

    name: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the event log."""

    id: int
    txid: int
    name: str
    payload: dict[str, Any]
    occurred_at: datetime


async def append(session: TenantSession, events: Sequence[EventRow]) -> None:
    """Append entries to the event log; ids and times are written as text."""
    if events:
        values = {
            "tenant_id": session.tenant_id, "events": as_json(events), "correlation_id": correlation.current()
        }  # fmt: skip
        await fetch(session, _APPEND, values)


def as_json(events: Sequence[EventRow]) -> str:
    """Return entries as statements that write more than events take them."""
    return orjson.dumps([{"name": event.name, "payload": event.payload} for event in events]).decode()


async def entries_after(session: TenantReader, txid: int, event_id: int, limit: int) -> tuple[int, list[Entry]]:
    """Return entries behind a place, by transaction and then by number, and the horizon.

    The horizon is the number of the oldest transaction that still runs: what stands before it is final, what stands
    behind it is not all there yet.
    """
    values = {"tenant_id": session.tenant_id, "txid": txid, "id": event_id, "limit": limit}
    rows = await fetch(session, _NEWS, values)
    return rows[0][0], [Entry(*row[1:]) for row in rows if row[1] is not None]


async def cursor(session: TenantReader, reader: str) -> tuple[int, int]:
    """Return how far a reader has come: `(txid, id)`, zeros at first."""
    rows = await fetch(session, _CURSOR, {"tenant_id": session.tenant_id, "reader": reader})
    return (rows[0][0], rows[0][1]) if rows else (0, 0)


async def move_cursor(session: TenantSession, reader: str, entry: Entry) -> None:
    """Note that a reader has come up to an entry."""
    values = {
        "tenant_id": session.tenant_id,
        "reader": reader,
        "txid": entry.txid,
        "event_id": entry.id,
    }
    await fetch(session, _MOVE, values)
