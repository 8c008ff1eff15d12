"""Webhooks in the database: rules of a kind of their own, which tell one address of some events."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import func, select

from chatbot.db.models import AutomationJob, AutomationRule
from chatbot.db.sessions import PlatformSession, TenantReader, TenantSession

_LIVE = (AutomationRule.deleted_at.is_(None), AutomationRule.kind == "webhook")


async def tenant_of(session: PlatformSession, webhook_id: UUID) -> UUID | None:
    """Return whose webhook it is."""
    query = select(AutomationRule.tenant_id).where(AutomationRule.id == webhook_id, *_LIVE)
    return (await session.execute(query)).scalar_one_or_none()


async def get(session: TenantReader, webhook_id: UUID) -> AutomationRule | None:
    """Return a webhook of the session's tenant."""
    query = select(AutomationRule).where(
        AutomationRule.tenant_id == session.tenant_id, AutomationRule.id == webhook_id, *_LIVE
    )
    return (await session.scalars(query)).one_or_none()


async def lock(session: TenantSession, webhook_id: UUID) -> AutomationRule | None:
    """Return a webhook, locked to the end of the transaction."""
    query = select(AutomationRule).where(
        AutomationRule.tenant_id == session.tenant_id, AutomationRule.id == webhook_id, *_LIVE
    )
    return (await session.scalars(query.with_for_update())).one_or_none()


async def page(session: TenantReader, *, before: UUID | None, limit: int) -> list[AutomationRule]:
    """Return webhooks, newest first."""
    query = select(AutomationRule).where(AutomationRule.tenant_id == session.tenant_id, *_LIVE)
    if before is not None:
        query = query.where(AutomationRule.id < before)
    return list(await session.scalars(query.order_by(AutomationRule.id.desc()).limit(limit)))


async def count(session: TenantReader) -> int:
    """Return how many webhooks the tenant has."""
    query = select(func.count()).select_from(AutomationRule)
    return int((await session.execute(query.where(AutomationRule.tenant_id == session.tenant_id, *_LIVE))).scalar_one())


async def loads(session: TenantReader, webhook_ids: Collection[UUID]) -> dict[UUID, dict[str, int]]:
    """Return how many deliveries of webhooks have not ended or were given up, by status."""
    query = (
        select(AutomationJob.rule_id, AutomationJob.status, func.count())
        .where(
            AutomationJob.tenant_id == session.tenant_id,
            AutomationJob.rule_id.in_(webhook_ids),
            AutomationJob.status.in_(("pending", "running", "failed")),
        )
        .group_by(AutomationJob.rule_id, AutomationJob.status)
    )
    found: dict[UUID, dict[str, int]] = {}
    for row in await session.execute(query) if webhook_ids else ():
        found.setdefault(row[0], {})[row[1]] = row[2]
    return found


async def delivery(session: TenantSession, webhook_id: UUID, delivery_id: UUID) -> AutomationJob | None:
    """Return a delivery of a webhook, locked to the end of the transaction."""
    job = await session.get(AutomationJob, (session.tenant_id, delivery_id), with_for_update=True)
    return job if job is not None and job.rule_id == webhook_id else None
