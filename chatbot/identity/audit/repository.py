"""Rows of the audit log, and the heads by which a chain has one writer at a time."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chatbot.db.models import User
from chatbot.db.sessions import PlatformSession, Transaction, fetch
from chatbot.identity.audit.chain import GENESIS, Link, Outcome

_LOCK = """
INSERT INTO audit_heads (tenant_id, hash) VALUES (%s, %s)
ON CONFLICT (tenant_id) DO UPDATE SET seq = audit_heads.seq RETURNING seq, hash
"""

_APPEND = """
WITH head AS (UPDATE audit_heads SET seq = %(seq)s, hash = %(hash)s WHERE tenant_id = %(tenant_id)s)
INSERT INTO audit_events (tenant_id, seq, occurred_at, actor, action, target, outcome, detail, ip, correlation_id,
                          previous_hash, hash)
VALUES (%(tenant_id)s, %(seq)s, %(occurred_at)s, %(actor)s, %(action)s, %(target)s, %(outcome)s, %(detail)s, %(ip)s,
        %(correlation_id)s, %(previous)s, %(hash)s)
"""

_COLUMNS = "seq, occurred_at, actor, action, target, outcome, detail::text, ip, correlation_id, previous_hash, hash"

_PAGE = f"""
SELECT {_COLUMNS} FROM audit_events
WHERE tenant_id = %(tenant_id)s
  AND (%(before)s::bigint IS NULL OR seq < %(before)s)
  AND (%(actor)s::text IS NULL OR actor = %(actor)s)
  AND (%(action)s::text IS NULL OR action = %(action)s)
  AND (%(target)s::text IS NULL OR target = %(target)s)
  AND (%(outcome)s::text IS NULL OR outcome = %(outcome)s)
  AND (%(since)s::timestamptz IS NULL OR occurred_at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR occurred_at < %(until)s)
ORDER BY seq DESC LIMIT %(limit)s
"""  # noqa: S608 - the columns above

_AFTER = f"SELECT {_COLUMNS} FROM audit_events WHERE tenant_id = %s AND seq > %s ORDER BY seq LIMIT %s"  # noqa: S608


@dataclass(frozen=True, slots=True)
class StoredLink:
    """A row as it is in the database: with the hashes that were written."""

    link: Link
    previous_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class Sought:
    """Which rows are looked for; None: whatever it is. `since` counts, `until` does not."""

    actor: str | None = None
    action: str | None = None
    target: str | None = None
    outcome: Outcome | None = None
    since: datetime | None = None
    until: datetime | None = None


async def lock_head(session: Transaction, tenant_id: UUID) -> tuple[int, str]:
    """Return number and hash of a chain's last row; nobody else adds one until the transaction ends."""
    ((seq, last),) = await fetch(session, _LOCK, (tenant_id, GENESIS))
    return int(seq), str(last)


async def append(session: Transaction, link: Link, *, previous: str) -> None:
    """Insert a row behind the head that is held, and move the head."""
    await fetch(session, _APPEND, {**asdict(link), "previous": previous, "hash": link.hash_after(previous)})


async def has_written(session: Transaction) -> bool:
    """Whether the transaction has changed, or locked, any row."""
    ((number,),) = await fetch(session, "SELECT pg_current_xact_id_if_assigned()::text")
    return number is not None


async def page(
    session: Transaction, tenant_id: UUID, sought: Sought, *, before: int | None, limit: int
) -> list[StoredLink]:
    """Return rows of a chain, newest first."""
    values = {**asdict(sought), "tenant_id": tenant_id, "before": before, "limit": limit}
    return [_stored(tenant_id, row) for row in await fetch(session, _PAGE, values)]


async def after(session: Transaction, tenant_id: UUID, seq: int, limit: int) -> list[StoredLink]:
    """Return rows of a chain behind a number, in order."""
    return [_stored(tenant_id, row) for row in await fetch(session, _AFTER, (tenant_id, seq, limit))]


async def heads(session: Transaction) -> dict[UUID, tuple[int, str]]:
    """Return number and hash of the last row of every chain, as they were noted."""
    rows = await fetch(session, "SELECT tenant_id, seq, hash FROM audit_heads ORDER BY tenant_id")
    return {tenant_id: (int(seq), str(last)) for tenant_id, seq, last in rows}


async def chains(session: Transaction) -> list[UUID]:
    """Return every chain that has a row or a head."""
    found = "SELECT tenant_id FROM audit_heads UNION SELECT tenant_id FROM audit_events ORDER BY tenant_id"
    return [row[0] for row in await fetch(session, found)]


async def names_of(session: PlatformSession, users: Collection[UUID]) -> dict[UUID, str]:
    """Return the names of people."""
    return dict((await session.execute(select(User.id, User.name).where(User.id.in_(users)))).tuples().all())


def _stored(tenant_id: UUID, row: tuple[Any, ...]) -> StoredLink:
    *fields, previous, own = row
    return StoredLink(Link(tenant_id, *fields), previous, own)
