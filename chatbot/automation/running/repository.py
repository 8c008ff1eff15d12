"""Jobs while they run, and what rules leave in conversations."""

from uuid import UUID

import orjson
from sqlalchemy import select

from chatbot.db.models import AutomationJob, AutomationRule, AutomationSwitch, WebhookSecret
from chatbot.db.sessions import PlatformSession, TenantReader, TenantSession, fetch

_SET_VARIABLE = """
INSERT INTO automation_variables (tenant_id, id, values) VALUES (%(tenant_id)s, %(id)s, CAST(%(values)s AS jsonb))
ON CONFLICT (tenant_id, id) DO UPDATE SET values = automation_variables.values || excluded.values
"""

_TAGS = "SELECT tags FROM conversations WHERE tenant_id = %(tenant_id)s AND id = %(id)s"

_LANGUAGES = "SELECT locale FROM conversations WHERE tenant_id = %(tenant_id)s AND id = %(id)s"

_DEPTH = """
SELECT count(*), coalesce(extract(epoch FROM now() - min(due_at) FILTER (WHERE due_at <= now())), 0)
FROM automation_jobs WHERE status IN ('pending', 'running')
"""

_KEEP = """
INSERT INTO webhook_secrets (tenant_id, id, sealed, key_id)
VALUES (%(tenant_id)s, %(id)s, %(sealed)s, %(key_id)s)
ON CONFLICT (tenant_id, id) DO UPDATE
SET sealed = CASE WHEN %(replace)s THEN excluded.sealed ELSE webhook_secrets.sealed END,
    key_id = CASE WHEN %(replace)s THEN excluded.key_id ELSE webhook_secrets.key_id END
RETURNING sealed
"""


async def lock(session: TenantSession, job_id: UUID) -> AutomationJob | None:
    """Return a job, locked to the end of the transaction."""
    query = select(AutomationJob).where(AutomationJob.tenant_id == session.tenant_id, AutomationJob.id == job_id)
    return (await session.scalars(query.with_for_update())).one_or_none()


async def rule_of(session: TenantReader, rule_id: UUID) -> AutomationRule | None:
    """Return the rule of a job, also one that was removed."""
    return await session.get(AutomationRule, (session.tenant_id, rule_id))


async def resting(session: TenantReader) -> bool:
    """Whether all rules of the tenant rest."""
    switch = await session.get(AutomationSwitch, session.tenant_id)
    return switch is not None and switch.paused_at is not None


async def tags_of(session: TenantReader, conversation_id: UUID) -> list[str]:
    """Return the tags of a conversation."""
    rows = await fetch(session, _TAGS, {"tenant_id": session.tenant_id, "id": conversation_id})
    return list(rows[0][0]) if rows else []


async def set_variable(session: TenantSession, conversation_id: UUID, name: str, value: str) -> None:
    """Remember a value in a conversation."""
    values = orjson.dumps({name: value}).decode()
    await fetch(session, _SET_VARIABLE, {"tenant_id": session.tenant_id, "id": conversation_id, "values": values})


async def depth(session: PlatformSession) -> tuple[int, float]:
    """Return how many jobs wait or run, and the age in seconds of the oldest that is due."""
    row = (await fetch(session, _DEPTH))[0]
    return int(row[0]), float(row[1])


async def secret(session: TenantReader, of: UUID) -> WebhookSecret | None:
    """Return the secret of a webhook, or of the tenant's rules."""
    return await session.get(WebhookSecret, (session.tenant_id, of))


async def keep_secret(session: TenantSession, of: UUID, sealed: bytes, key_id: str, *, replace: bool) -> bytes:
    """Keep a sealed secret where there is none, or in place of another; return the one that counts."""
    values = {"tenant_id": session.tenant_id, "id": of, "sealed": sealed, "key_id": key_id, "replace": replace}
    found: bytes = (await fetch(session, _KEEP, values))[0][0]
    return found
