"""Leases of listening channels, and how they live, in the database.

Rows are locked in the order of their ids everywhere, so that two statements never wait crosswise.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast
from uuid import UUID

import orjson
from sqlalchemy import CursorResult, text

from chatbot.channels.bots.states import BotReport
from chatbot.db.sessions import PlatformSession, TenantReader, TenantSession

_ASKED = "unnest(CAST(:tenants AS uuid[]), CAST(:ids AS uuid[])) AS asked(tenant_id, id)"

# `xmin` is another one after every change of a row: what says when an opened channel must be opened again. Those that
# another manager holds are none of ours to look at.
_LOOK = text("""
SELECT c.tenant_id, c.id, c.xmin::text || coalesce(s.secrets, ''), l.lease_owner IS NOT DISTINCT FROM :owner
FROM channels c JOIN tenants t ON t.id = c.tenant_id
JOIN channel_states l ON l.tenant_id = c.tenant_id AND l.id = c.id
CROSS JOIN LATERAL (
    SELECT string_agg(' ' || s.id::text || ' ' || s.xmin::text, '' ORDER BY s.id) AS secrets FROM channel_secrets s
    WHERE s.tenant_id = c.tenant_id AND s.channel_id = c.id AND (s.expires_at IS NULL OR s.expires_at > now())
) s
WHERE c.deleted_at IS NULL AND c.enabled AND t.deleted_at IS NULL AND c.channel_type = ANY(CAST(:types AS text[]))
  AND (l.lease_owner IS NULL OR l.lease_owner = :owner OR l.lease_until < now())
ORDER BY c.id
""")

# Those that end soon are prolonged, the others are left alone: most looks write nothing.
_HOLD = text(f"""
WITH ending AS (
    SELECT s.tenant_id, s.id FROM channel_states s JOIN {_ASKED} USING (tenant_id, id)
    WHERE s.lease_owner = :owner AND s.lease_until < now() + make_interval(secs => :enough)
    ORDER BY s.id FOR NO KEY UPDATE OF s
), prolonged AS (
    UPDATE channel_states s SET lease_until = now() + make_interval(secs => :seconds)
    FROM ending e WHERE s.tenant_id = e.tenant_id AND s.id = e.id
    RETURNING s.id, s.state
)
SELECT s.id, s.state FROM channel_states s JOIN {_ASKED} USING (tenant_id, id)
WHERE s.lease_owner = :owner AND s.lease_until >= now() + make_interval(secs => :enough)
UNION ALL SELECT id, state FROM prolonged
""")  # noqa: S608 - constants only

# What another manager claims at this moment is passed over.
_CLAIM = text(f"""
WITH free AS (
    SELECT s.tenant_id, s.id FROM channel_states s JOIN {_ASKED} USING (tenant_id, id)
    WHERE s.lease_owner IS NULL OR s.lease_until < now()
    ORDER BY s.id LIMIT :room FOR NO KEY UPDATE OF s SKIP LOCKED
)
UPDATE channel_states s
SET lease_owner = :owner, lease_until = now() + make_interval(secs => :seconds), state = 'starting'
FROM free f WHERE s.tenant_id = f.tenant_id AND s.id = f.id
RETURNING s.id
""")  # noqa: S608 - constants only

_RELEASE = text("""
WITH own AS (SELECT tenant_id, id FROM channel_states WHERE lease_owner = :owner ORDER BY id FOR NO KEY UPDATE)
UPDATE channel_states s SET lease_owner = NULL, lease_until = NULL
FROM own o WHERE s.tenant_id = o.tenant_id AND s.id = o.id
""")

_CURSOR = text("""
SELECT cursor FROM channel_states WHERE tenant_id = :tenant_id AND id = :channel_id AND lease_owner = :owner
""")

# A channel that its test found dead stays so while its bot runs on; one whose test has found nothing wrong since the
# bot died (`idle`) is not dead again by that same death.
_REPORT = text("""
WITH told AS (
    SELECT * FROM jsonb_to_recordset(CAST(:reports AS jsonb)) AS r(
        tenant_id uuid, channel_id uuid, state text, since timestamptz, alive_at timestamptz, last_error text,
        last_error_at timestamptz, errors bigint, rate_limited bigint, restarts bigint)
), before AS (
    SELECT s.tenant_id, s.id, s.state FROM channel_states s
    JOIN told r ON s.tenant_id = r.tenant_id AND s.id = r.channel_id
    WHERE s.lease_owner = :owner ORDER BY s.id FOR NO KEY UPDATE OF s
)
UPDATE channel_states s SET
    state = CASE
        WHEN s.state = 'dead' AND r.state = 'running' THEN s.state
        WHEN s.state = 'idle' AND r.state = 'dead' AND r.since < s.checked_at THEN s.state
        ELSE r.state
    END,
    alive_at = greatest(s.alive_at, r.alive_at),
    last_error = CASE WHEN r.last_error_at > coalesce(s.last_error_at, '-infinity')
        THEN r.last_error ELSE s.last_error END,
    last_error_at = greatest(s.last_error_at, r.last_error_at),
    errors = s.errors + r.errors,
    rate_limited = s.rate_limited + r.rate_limited,
    restarts = s.restarts + r.restarts
FROM told r JOIN before b ON b.tenant_id = r.tenant_id AND b.id = r.channel_id
WHERE s.tenant_id = b.tenant_id AND s.id = b.id
RETURNING s.id, b.state, s.state
""")

_DEAD = text("""
UPDATE channel_states SET state = 'dead' WHERE tenant_id = :tenant_id AND id = :channel_id AND state <> 'dead'
""")

_WELL = text("""
UPDATE channel_states SET state = 'idle' WHERE tenant_id = :tenant_id AND id = :channel_id AND state = 'dead'
""")


@dataclass(frozen=True, slots=True)
class Lease:
    """Who holds channels, and for how long from now on; one with more than `enough` seconds left is not prolonged."""

    owner: str
    seconds: float
    enough: float


Ids = Sequence[tuple[UUID, UUID]]
"""`(tenant_id, channel_id)`s."""


class Seen(NamedTuple):
    """A channel that is the owner's, or nobody's; `version` changes with it and with the secrets that count."""

    tenant_id: UUID
    channel_id: UUID
    version: str
    ours: bool


async def look(session: PlatformSession, owner: str, channel_types: Collection[str]) -> list[Seen]:
    """Return the channels of some types that are switched on and that nobody but the owner holds; no secret is read."""
    rows = await session.execute(_LOOK, {"owner": owner, "types": list(channel_types)})
    return [Seen(*row) for row in rows]


async def hold(session: PlatformSession, lease: Lease, channels: Ids) -> dict[UUID, str]:
    """Keep those of the channels that the owner holds; return them with their states."""
    values = {**_asked(channels), "owner": lease.owner, "seconds": lease.seconds, "enough": lease.enough}
    return {row[0]: row[1] for row in await session.execute(_HOLD, values)}


async def claim(session: PlatformSession, lease: Lease, channels: Ids, room: int) -> set[UUID]:
    """Take at most so many of the channels that nobody holds."""
    values = {**_asked(channels), "owner": lease.owner, "seconds": lease.seconds, "room": room}
    return set((await session.execute(_CLAIM, values)).scalars())


async def release(session: PlatformSession, owner: str) -> None:
    """Let go of every channel of an owner."""
    await session.execute(_RELEASE, {"owner": owner})


async def leased_cursor(session: TenantReader, channel_id: UUID, owner: str) -> Mapping[str, Any] | None:
    """Return how far a channel has come; None when it is not the owner's any more."""
    values = {"tenant_id": session.tenant_id, "channel_id": channel_id, "owner": owner}
    return (await session.execute(_CURSOR, values)).scalar_one_or_none()


async def save_reports(
    session: PlatformSession | TenantSession, owner: str, reports: Sequence[BotReport]
) -> list[tuple[UUID, str, str]]:
    """Store how bots live, each channel once; return `(channel_id, state before, state now)` of those still held."""
    values = {"reports": orjson.dumps(reports).decode(), "owner": owner}
    return [(row[0], row[1], row[2]) for row in await session.execute(_REPORT, values)]


async def mark_dead(session: TenantSession, channel_id: UUID) -> bool:
    """Call a channel dead; return whether it was not before."""
    return await _changed(session, _DEAD, channel_id)


async def mark_well(session: TenantSession, channel_id: UUID) -> bool:
    """Call a channel dead no more; return whether it was."""
    return await _changed(session, _WELL, channel_id)


async def _changed(session: TenantSession, statement: Any, channel_id: UUID) -> bool:
    values = {"tenant_id": session.tenant_id, "channel_id": channel_id}
    return cast("CursorResult[Any]", await session.execute(statement, values)).rowcount > 0


def _asked(channels: Ids) -> dict[str, list[UUID]]:
    return {"tenants": [tenant_id for tenant_id, _ in channels], "ids": [channel_id for _, channel_id in channels]}
