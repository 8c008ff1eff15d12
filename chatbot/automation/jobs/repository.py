"""Jobs as operators read them."""

from uuid import UUID

from sqlalchemy import func, select

from chatbot.db.models import AutomationJob, AutomationRule
from chatbot.db.sessions import PlatformSession, TenantReader, TenantSession

_RULE = (AutomationRule.tenant_id == AutomationJob.tenant_id) & (AutomationRule.id == AutomationJob.rule_id)


async def tenant_of(session: PlatformSession, job_id: UUID) -> UUID | None:
    """Return whose job it is."""
    return (
        await session.execute(select(AutomationJob.tenant_id).where(AutomationJob.id == job_id))
    ).scalar_one_or_none()


async def page(
    session: TenantReader,
    *,
    rule_id: UUID | None,
    status: str | None,
    conversation_id: UUID | None,
    before: UUID | None,
    limit: int,
) -> list[AutomationJob]:
    """Return jobs, newest first."""
    query = select(AutomationJob).where(AutomationJob.tenant_id == session.tenant_id)
    if rule_id is None:  # deliveries of webhooks are listed with their webhook
        query = query.join(AutomationRule, _RULE).where(AutomationRule.kind == "rule")
    for column, wanted in (
        (AutomationJob.rule_id, rule_id),
        (AutomationJob.status, status),
        (AutomationJob.conversation_id, conversation_id),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    if before is not None:
        query = query.where(AutomationJob.id < before)
    return list(await session.scalars(query.order_by(AutomationJob.id.desc()).limit(limit)))


async def get(session: TenantReader, job_id: UUID) -> AutomationJob | None:
    """Return one job."""
    return await session.get(AutomationJob, (session.tenant_id, job_id))


async def lock(session: TenantSession, job_id: UUID) -> AutomationJob | None:
    """Return one job, locked to the end of the transaction."""
    return await session.get(AutomationJob, (session.tenant_id, job_id), with_for_update=True)


async def rule_names(session: TenantReader, rule_ids: set[UUID]) -> dict[UUID, str]:
    """Return the names of rules, of those that were removed too."""
    query = select(AutomationRule.id, AutomationRule.name).where(
        AutomationRule.tenant_id == session.tenant_id, AutomationRule.id.in_(rule_ids)
    )
    return {row.id: row.name for row in await session.execute(query)} if rule_ids else {}


async def counts(session: TenantReader) -> dict[str, int]:
    """Return how many jobs the tenant's rules have, by status; deliveries are counted with their webhook."""
    query = (
        select(AutomationJob.status, func.count())
        .join(AutomationRule, _RULE)
        .where(AutomationJob.tenant_id == session.tenant_id, AutomationRule.kind == "rule")
        .group_by(AutomationJob.status)
    )
    return {row[0]: row[1] for row in await session.execute(query)}


async def stuck(session: TenantReader, seconds: float) -> int:
    """Return how many jobs have been due for so long and have not ended."""
    query = select(func.count()).where(
        AutomationJob.tenant_id == session.tenant_id,
        AutomationJob.status.in_(("pending", "running")),
        AutomationJob.due_at < func.now() - func.make_interval(0, 0, 0, 0, 0, 0, seconds),
    )
    return int((await session.execute(query)).scalar_one())
