"""A tenant goes out of service, comes back, or is purged: what changes in the rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select

from chatbot.db.models import Base, ChannelSecret, Tenant, WebhookSecret
from chatbot.db.sessions import PlatformSession, TenantReader, fetch

_PAUSE = """
WITH rested AS (
    INSERT INTO automation_switches AS s (tenant_id, paused_at, paused_by) VALUES (%(tenant_id)s, now(), %(by)s)
    ON CONFLICT (tenant_id) DO UPDATE SET paused_at = coalesce(s.paused_at, now()), paused_by = excluded.paused_by
), cancelled AS (
    UPDATE automation_jobs SET status = 'cancelled', reason = 'the tenant was taken out of service', finished_at = now()
    WHERE tenant_id = %(tenant_id)s AND status IN ('pending', 'running') RETURNING 1
), paused AS (
    UPDATE automation_rules SET state = 'paused', paused_because = 'the tenant was taken out of service',
                                next_fire_at = NULL
    WHERE tenant_id = %(tenant_id)s AND deleted_at IS NULL AND state = 'active' RETURNING 1
)
SELECT (SELECT count(*) FROM paused), (SELECT count(*) FROM cancelled)
"""

_KEYS = """
UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE tenant_id = %s
RETURNING id, name, key_hash
"""

# People of this tenant alone: of others' a session is good for the others.
_END_SESSIONS = """
UPDATE user_sessions s SET revoked_at = now()
FROM users u, memberships m
WHERE m.tenant_id = %(tenant_id)s AND u.id = m.user_id AND s.user_id = u.id AND s.revoked_at IS NULL
  AND NOT u.is_platform_admin AND NOT EXISTS (
    SELECT FROM memberships o JOIN tenants t ON t.id = o.tenant_id
    WHERE o.user_id = u.id AND o.tenant_id <> %(tenant_id)s AND t.deleted_at IS NULL)
RETURNING s.id
"""

_END_WORK = """
WITH invited AS (
    UPDATE invitations SET revoked_at = now() WHERE tenant_id = %(tenant_id)s AND accepted_at IS NULL
      AND revoked_at IS NULL
), reading AS (
    UPDATE ingestion_jobs SET status = 'cancelled', reason_code = 'removed', finished_at = now(),
                              reason = 'The tenant was taken out of service.'
    WHERE tenant_id = %(tenant_id)s AND status IN ('pending', 'running') RETURNING 1
), undelivered AS (
    UPDATE deliveries SET status = 'dead', last_error = 'the tenant was taken out of service', finished_at = now()
    WHERE tenant_id = %(tenant_id)s AND status = 'pending' RETURNING 1
), unqueued AS (
    DELETE FROM procrastinate_jobs WHERE args->>'tenant_id' = %(tenant_id)s::uuid::text AND status = 'todo' RETURNING 1
)
SELECT (SELECT count(*) FROM reading), (SELECT count(*) FROM undelivered), (SELECT count(*) FROM unqueued)
"""

# What ran when the tenant went out of service may have been put back into the queue since.
_UNQUEUE = "DELETE FROM procrastinate_jobs WHERE args->>'tenant_id' = %s::uuid::text AND status = 'todo' RETURNING 1"

_DELETE = "UPDATE tenants SET deleted_at = now() WHERE id = %s AND deleted_at IS NULL RETURNING deleted_at"

_KEEP = """
INSERT INTO decommissions (tenant_id, requested_by, receipt) VALUES (%(tenant_id)s, %(by)s, %(receipt)s::jsonb)
ON CONFLICT (tenant_id) DO UPDATE
SET requested_by = excluded.requested_by, receipt = excluded.receipt, created_at = now()
"""

_RECEIPTS = """
SELECT d.receipt FROM decommissions d JOIN tenants t ON t.id = d.tenant_id AND t.deleted_at IS NOT NULL
WHERE CAST(%(before)s AS uuid) IS NULL OR d.tenant_id < %(before)s
ORDER BY d.tenant_id DESC LIMIT %(limit)s
"""

_RESTORE = """
UPDATE tenants SET deleted_at = NULL WHERE id = %(tenant_id)s AND deleted_at > %(since)s RETURNING id
"""

# Without its credentials a messenger's channel is nothing: it is connected anew.
_RESTORE_CHANNELS = """
UPDATE channels SET deleted_at = NULL, enabled = true
WHERE tenant_id = %s AND id = ANY(%s::uuid[]) AND channel_type = 'web' RETURNING id
"""

_TENANT_FILES = """
SELECT blob_key FROM knowledge_sources WHERE tenant_id = %(tenant_id)s AND blob_key IS NOT NULL
UNION SELECT blob_key FROM attachments WHERE tenant_id = %(tenant_id)s AND blob_key IS NOT NULL
UNION SELECT parsed_key FROM ingestion_jobs WHERE tenant_id = %(tenant_id)s AND parsed_key IS NOT NULL
UNION SELECT file->>'blob_key' FROM ticket_comments, LATERAL jsonb_array_elements(files) AS file
      WHERE tenant_id = %(tenant_id)s AND file->>'blob_key' IS NOT NULL
"""

_EMBEDDED = """
SELECT DISTINCT b.brand_id, e.name FROM brand_statistics b, LATERAL jsonb_object_keys(b.embedded) AS e(name)
WHERE b.tenant_id = %s
"""

_SHOWN_AFTER_PURGE = frozenset({"decommissions"})

_ROWS_AT_ONCE = 20_000
"""So many are deleted well within the time that one statement has."""


@dataclass(frozen=True, slots=True)
class OldSecret:
    """A sealed secret that is about to be destroyed."""

    kind: str
    id: UUID
    of: UUID
    sealed: bytes


async def find_tenant(session: PlatformSession, tenant_id: UUID) -> Tenant | None:
    """Return a tenant, deleted or not."""
    return (await session.scalars(select(Tenant).where(Tenant.id == tenant_id))).one_or_none()


async def receipt_of(session: PlatformSession, tenant_id: UUID) -> dict[str, Any] | None:
    """Return the receipt of a tenant that was taken out of service."""
    rows = await fetch(session, "SELECT receipt FROM decommissions WHERE tenant_id = %s", (tenant_id,))
    return rows[0][0] if rows else None


async def receipts(session: PlatformSession, *, before: UUID | None, limit: int) -> list[dict[str, Any]]:
    """Return receipts of tenants that are out of service, newest tenant first."""
    return [row[0] for row in await fetch(session, _RECEIPTS, {"before": before, "limit": limit})]


async def rest(session: PlatformSession, tenant_id: UUID, by: str) -> tuple[int, int]:
    """Have all rules rest; return how many were active, and how many jobs were cancelled."""
    rows = await fetch(session, _PAUSE, {"tenant_id": tenant_id, "by": by[:200]})
    return rows[0][0], rows[0][1]


async def channels(session: PlatformSession, tenant_id: UUID) -> list[UUID]:
    """Return the tenant's living channels."""
    living = "SELECT id FROM channels WHERE tenant_id = %s AND deleted_at IS NULL ORDER BY id"
    return [row[0] for row in await fetch(session, living, (tenant_id,))]


async def secrets(session: PlatformSession, tenant_id: UUID) -> list[OldSecret]:
    """Return the tenant's sealed secrets."""
    of_channels = select(ChannelSecret).where(ChannelSecret.tenant_id == tenant_id)
    of_webhooks = select(WebhookSecret).where(WebhookSecret.tenant_id == tenant_id)
    return [
        *(OldSecret(f"channel_{row.purpose}", row.id, row.channel_id, row.sealed)
          for row in await session.scalars(of_channels)),
        *(OldSecret("webhook", row.id, row.id, row.sealed) for row in await session.scalars(of_webhooks)),
    ]  # fmt: skip


async def destroy_secrets(session: PlatformSession, tenant_id: UUID) -> None:
    """Delete the tenant's sealed secrets."""
    await fetch(session, "DELETE FROM channel_secrets WHERE tenant_id = %s", (tenant_id,))
    await fetch(session, "DELETE FROM webhook_secrets WHERE tenant_id = %s", (tenant_id,))


async def revoke_keys(session: PlatformSession, tenant_id: UUID) -> list[tuple[UUID, str, str]]:
    """Revoke every API key; return id, name and hash of each."""
    return [(row[0], row[1], row[2]) for row in await fetch(session, _KEYS, (tenant_id,))]


async def end_sessions(session: PlatformSession, tenant_id: UUID) -> int:
    """End the sessions of people who belong to no other tenant; return how many."""
    return len(await fetch(session, _END_SESSIONS, {"tenant_id": tenant_id}))


async def end_work(session: PlatformSession, tenant_id: UUID) -> dict[str, int]:
    """Cancel what waits to be done; return how much by kind."""
    row = (await fetch(session, _END_WORK, {"tenant_id": tenant_id}))[0]
    return dict(zip(("ingestion_jobs", "deliveries", "queued_tasks"), row, strict=True))


async def mark_deleted(session: PlatformSession, tenant_id: UUID) -> datetime | None:
    """Delete a tenant softly; return when, None when it is gone already."""
    rows = await fetch(session, _DELETE, (tenant_id,))
    return rows[0][0] if rows else None


async def keep(session: PlatformSession, tenant_id: UUID, by: str, receipt: Mapping[str, Any]) -> None:
    """Store a receipt."""
    values = {"tenant_id": tenant_id, "by": by[:200], "receipt": orjson.dumps(dict(receipt)).decode()}
    await fetch(session, _KEEP, values)


async def restore(session: PlatformSession, tenant_id: UUID, since: datetime, channel_ids: Sequence[str]) -> bool:
    """Bring a tenant back that was deleted after a moment, with its web chats of these channels; False: too late."""
    if not await fetch(session, _RESTORE, {"tenant_id": tenant_id, "since": since}):
        return False
    await fetch(session, _RESTORE_CHANNELS, (tenant_id, list(channel_ids)))
    return True


async def to_purge(session: PlatformSession, before: datetime) -> list[UUID]:
    """Return tenants that were deleted before a moment and still have data."""
    query = """
SELECT t.id FROM tenants t JOIN decommissions d ON d.tenant_id = t.id
WHERE t.deleted_at < %s AND NOT d.receipt ? 'purged_at'"""
    return [row[0] for row in await fetch(session, query, (before,))]


async def files(session: PlatformSession, tenant_id: UUID) -> list[str]:
    """Return the keys of every stored file of a tenant, its archive apart."""
    return [row[0] for row in await fetch(session, _TENANT_FILES, {"tenant_id": tenant_id})]


async def embedded(session: TenantReader) -> list[tuple[UUID, str]]:
    """Return each brand and embedder whose vectors are stored somewhere."""
    return [(row[0], row[1]) for row in await fetch(session, _EMBEDDED, (session.tenant_id,))]


async def purge(session: PlatformSession, tenant_id: UUID) -> dict[str, int]:
    """Remove every row of a tenant but its name, the receipt and the audit log; return how many by table."""
    removed: dict[str, int] = {}
    await fetch(session, "UPDATE tenants SET default_brand_id = NULL, metadata = '{}' WHERE id = %s", (tenant_id,))
    for table in reversed(Base.metadata.sorted_tables):
        owned = any(key.column.table.name == "tenants" for key in table.foreign_keys)
        if not owned or table.name in _SHOWN_AFTER_PURGE:
            continue
        some = f"SELECT ctid FROM {table.name} WHERE tenant_id = %s LIMIT {_ROWS_AT_ONCE}"  # noqa: S608
        change = f"WITH gone AS (DELETE FROM {table.name} WHERE ctid IN ({some}) RETURNING 1) SELECT count(*) FROM gone"  # noqa: S608
        while gone := (await fetch(session, change, (tenant_id,)))[0][0]:
            removed[table.name] = removed.get(table.name, 0) + gone
    await fetch(session, _UNQUEUE, (tenant_id,))
    await fetch(
        session,
        "UPDATE decommissions SET receipt = receipt || jsonb_build_object('purged_at', now()) WHERE tenant_id = %s",
        (tenant_id,),
    )
    return removed
