"""Deleted tenants, people, channels, rules and webhooks, and the way back of the last three."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from chatbot.db.sessions import PlatformSession, TenantSession, fetch

Kind = Literal["tenant", "user", "channel", "rule", "webhook"]

_DELETED = """
SELECT kind, id, tenant_id, name, deleted_at FROM (
    SELECT 'tenant' AS kind, id, id AS tenant_id, name, deleted_at FROM tenants
    WHERE deleted_at IS NOT NULL AND CAST(%(tenant_id)s AS uuid) IS NULL
    UNION ALL
    SELECT 'user', u.id, NULL, u.name, u.deleted_at FROM users u
    WHERE u.deleted_at IS NOT NULL AND (CAST(%(tenant_id)s AS uuid) IS NULL OR EXISTS (
        SELECT FROM memberships m WHERE m.user_id = u.id AND m.tenant_id = %(tenant_id)s))
    UNION ALL
    SELECT 'channel', c.id, c.tenant_id, c.display_name, c.deleted_at
    FROM channels c JOIN tenants t ON t.id = c.tenant_id AND t.deleted_at IS NULL
    WHERE c.deleted_at IS NOT NULL AND (CAST(%(tenant_id)s AS uuid) IS NULL OR c.tenant_id = %(tenant_id)s)
    UNION ALL
    SELECT r.kind, r.id, r.tenant_id, CASE r.kind WHEN 'webhook' THEN r.actions->0->>'url' ELSE r.name END, r.deleted_at
    FROM automation_rules r JOIN tenants t ON t.id = r.tenant_id AND t.deleted_at IS NULL
    WHERE r.deleted_at IS NOT NULL AND (CAST(%(tenant_id)s AS uuid) IS NULL OR r.tenant_id = %(tenant_id)s)
) AS gone
WHERE deleted_at > %(since)s AND (CAST(%(before)s AS uuid) IS NULL OR id < %(before)s)
ORDER BY id DESC LIMIT %(limit)s
"""

_CHANNEL_OF = """
SELECT tenant_id, coalesce(configuration->'allowed_origins', '[]') FROM channels
WHERE id = %s AND deleted_at IS NOT NULL
"""
_RULE_OF = "SELECT tenant_id FROM automation_rules WHERE id = %s AND kind = %s AND deleted_at IS NOT NULL"

_RESTORE = """
UPDATE channels SET deleted_at = NULL, enabled = channel_type = 'web'
WHERE tenant_id = %(tenant_id)s AND id = %(id)s AND deleted_at > %(since)s RETURNING id
"""

_RESTORE_RULE = """
UPDATE automation_rules SET deleted_at = NULL, state = 'paused', paused_because = 'It was brought back.'
WHERE tenant_id = %(tenant_id)s AND id = %(id)s AND deleted_at > %(since)s RETURNING id
"""

# The secrets that counted when it was deleted: of each purpose the newest.
_REVIVE = """
UPDATE channel_secrets SET expires_at = NULL WHERE tenant_id = %(tenant_id)s AND id IN (
    SELECT DISTINCT ON (purpose) id FROM channel_secrets
    WHERE tenant_id = %(tenant_id)s AND channel_id = %(id)s ORDER BY purpose, created_at DESC, id DESC)
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Deleted:
    """Something that was deleted; a person is of no single tenant."""

    kind: Kind
    id: UUID
    tenant_id: UUID | None
    name: str
    deleted_at: datetime


async def deleted(
    session: PlatformSession, tenant_id: UUID | None, since: datetime, *, before: UUID | None, limit: int
) -> list[Deleted]:
    """Return what was deleted after a moment: of a tenant, or (None) everywhere, with tenants too."""
    values = {"tenant_id": tenant_id, "since": since, "before": before, "limit": limit}
    return [Deleted(*row) for row in await fetch(session, _DELETED, values)]


async def deleted_channel(session: PlatformSession, channel_id: UUID) -> tuple[UUID | None, list[str]]:
    """Return whose a deleted channel is (None: there is none), and the web pages to which its bot was shown."""
    rows = await fetch(session, _CHANNEL_OF, (channel_id,))
    return (rows[0][0], rows[0][1]) if rows else (None, [])


async def tenant_of_deleted_rule(session: PlatformSession, rule_id: UUID, kind: Kind) -> UUID | None:
    """Return whose a deleted rule or webhook is."""
    rows = await fetch(session, _RULE_OF, (rule_id, kind))
    return rows[0][0] if rows else None


async def restore_rule(session: TenantSession, rule_id: UUID, since: datetime) -> bool:
    """Bring a rule or webhook back that was deleted after a moment, paused; False: it is too late."""
    values = {"tenant_id": session.tenant_id, "id": rule_id, "since": since}
    return bool(await fetch(session, _RESTORE_RULE, values))


async def restore_channel(session: TenantSession, channel_id: UUID, since: datetime) -> bool:
    """Bring a channel back that was deleted after a moment, with the secrets of then; False: it is too late."""
    values = {"tenant_id": session.tenant_id, "id": channel_id, "since": since}
    if not await fetch(session, _RESTORE, values):
        return False
    await fetch(session, _REVIVE, values)
    return True
