"""Tenants with budgets, who is told of them, and what was told already."""

from datetime import date
from uuid import UUID

from chatbot.db.sessions import PlatformSession, TenantSession, fetch

# Of those without a saved policy none is limited: nobody has set a budget for them.
_LIMITED = """
SELECT t.id FROM tenants t JOIN LATERAL (
    SELECT document->'budgets' AS budgets FROM policy_versions p
    WHERE p.tenant_id = t.id AND p.kind = 'policy' ORDER BY version DESC LIMIT 1) AS saved ON true
WHERE t.deleted_at IS NULL AND budgets IS NOT NULL
  AND EXISTS (SELECT FROM daily_usage u WHERE u.tenant_id = t.id AND u.day >= date_trunc('month', %s::date)::date)
ORDER BY t.id
"""

_TELL = """
INSERT INTO budget_alerts (tenant_id, limit_name, period, level) VALUES (%s, %s, %s, %s)
ON CONFLICT DO NOTHING RETURNING level
"""

_ADMINISTRATORS = """
SELECT u.email, u.name, u.locale FROM users u JOIN memberships m ON m.user_id = u.id
WHERE m.tenant_id = %s AND m.role = 'tenant_admin' AND u.status = 'active' AND u.deleted_at IS NULL ORDER BY u.id
"""


async def limited_tenants(session: PlatformSession, day: date) -> list[UUID]:
    """Return tenants that have set budgets and spent something this month."""
    return [row[0] for row in await fetch(session, _LIMITED, (day,))]


async def note_told(session: TenantSession, limit: str, period: date, level: str) -> bool:
    """Note that a level is told of; False when it was before."""
    return bool(await fetch(session, _TELL, (session.tenant_id, limit, period, level)))


async def administrators(session: PlatformSession, tenant_id: UUID) -> list[tuple[str, str, str | None]]:
    """Return address, name and language of a tenant's administrators."""
    return [(row[0], row[1], row[2]) for row in await fetch(session, _ADMINISTRATORS, (tenant_id,))]
