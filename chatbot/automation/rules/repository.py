"""Rules in the database."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update

from chatbot.db.models import AutomationRule, AutomationSwitch
from chatbot.db.sessions import PlatformSession, TenantReader, TenantSession, fetch

_DUE = """
SELECT tenant_id, id FROM (
    SELECT r.tenant_id, r.id, r.next_fire_at,
           row_number() OVER (PARTITION BY r.tenant_id ORDER BY r.next_fire_at, r.id) AS place
    FROM automation_rules r LEFT JOIN automation_switches s ON s.tenant_id = r.tenant_id
    WHERE r.state = 'active' AND r.deleted_at IS NULL AND r.next_fire_at <= now() AND s.paused_at IS NULL
      AND r.tenant_id <> ALL(CAST(%(but)s AS uuid[]))
) overdue
WHERE place <= %(each)s ORDER BY place, next_fire_at LIMIT %(limit)s
"""

_LIVE = (AutomationRule.deleted_at.is_(None), AutomationRule.kind == "rule")


async def now(session: TenantReader) -> datetime:
    """Return the database's time: processes whose clocks differ agree on it."""
    found: datetime = (await fetch(session, "SELECT now()"))[0][0]
    return found


async def tenant_of(session: PlatformSession, rule_id: UUID) -> UUID | None:
    """Return whose rule it is."""
    return (
        await session.execute(select(AutomationRule.tenant_id).where(AutomationRule.id == rule_id, *_LIVE))
    ).scalar_one_or_none()


async def get(session: TenantReader, rule_id: UUID) -> AutomationRule | None:
    """Return a rule of the session's tenant."""
    query = select(AutomationRule).where(
        AutomationRule.tenant_id == session.tenant_id, AutomationRule.id == rule_id, *_LIVE
    )
    return (await session.scalars(query)).one_or_none()


async def lock(session: TenantSession, rule_id: UUID) -> AutomationRule | None:
    """Return a rule, locked to the end of the transaction."""
    query = select(AutomationRule).where(
        AutomationRule.tenant_id == session.tenant_id, AutomationRule.id == rule_id, *_LIVE
    )
    return (await session.scalars(query.with_for_update())).one_or_none()


async def page(session: TenantReader, *, state: str | None, before: UUID | None, limit: int) -> list[AutomationRule]:
    """Return rules, newest first."""
    query = select(AutomationRule).where(AutomationRule.tenant_id == session.tenant_id, *_LIVE)
    if state is not None:
        query = query.where(AutomationRule.state == state)
    if before is not None:
        query = query.where(AutomationRule.id < before)
    return list(await session.scalars(query.order_by(AutomationRule.id.desc()).limit(limit)))


async def active(session: TenantReader, kinds: Sequence[str]) -> list[AutomationRule]:
    """Return the active rules whose trigger is of one of these kinds, oldest first; subscriptions of webhooks too."""
    query = select(AutomationRule).where(
        AutomationRule.tenant_id == session.tenant_id,
        AutomationRule.state == "active",
        AutomationRule.deleted_at.is_(None),
        AutomationRule.trigger["type"].astext.in_(kinds),
    )
    return list(await session.scalars(query.order_by(AutomationRule.id)))


async def on_events(session: TenantReader) -> list[AutomationRule]:
    """Return the rules that wait for events, those that rest too, oldest first."""
    query = select(AutomationRule).where(
        AutomationRule.tenant_id == session.tenant_id, *_LIVE, AutomationRule.trigger["type"].astext == "event"
    )
    return list(await session.scalars(query.order_by(AutomationRule.id)))


async def count(session: TenantReader) -> int:
    """Return how many rules the tenant has."""
    query = select(func.count()).select_from(AutomationRule)
    return int((await session.execute(query.where(AutomationRule.tenant_id == session.tenant_id, *_LIVE))).scalar_one())


async def due(
    session: PlatformSession, *, each: int, limit: int, but: Collection[UUID] = ()
) -> list[tuple[UUID, UUID]]:
    """Return rules whose time has come by the database's clock, with their tenants; whoever fires one locks it then.

    Args:
        each: how many of one tenant at most, the longest overdue first; every tenant's first comes before any second.
        but: tenants that are left alone.
    """
    values = {"each": each, "limit": limit, "but": list(but)}
    return [(row[0], row[1]) for row in await fetch(session, _DUE, values)]


async def mark_fired(session: TenantSession, rule_ids: Sequence[UUID], at: datetime) -> None:
    """Note when rules fired last."""
    await session.execute(
        update(AutomationRule)
        .where(AutomationRule.tenant_id == session.tenant_id, AutomationRule.id.in_(rule_ids))
        .values(last_fired_at=at, updated_at=AutomationRule.updated_at)
    )


async def move_on(session: TenantSession, rule_id: UUID, **place: datetime | None) -> None:
    """Note how far a rule's silences were looked at (`seen_until`), or when its time comes next (`next_fire_at`)."""
    await session.execute(
        update(AutomationRule)
        .where(AutomationRule.tenant_id == session.tenant_id, AutomationRule.id == rule_id)
        .values(**place, updated_at=AutomationRule.updated_at)  # nobody has changed the rule
    )


async def switch(session: TenantReader) -> AutomationSwitch | None:
    """Return the tenant's switch, if it was ever used."""
    return await session.get(AutomationSwitch, session.tenant_id)
