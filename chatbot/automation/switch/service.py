"""How automation stands: of one tenant, and of all that somebody reaches."""

from collections.abc import Iterable
from typing import Any, TypeVar

from chatbot.automation.jobs import repository as jobs
from chatbot.automation.jobs.service import STUCK_SECONDS
from chatbot.automation.rules import repository as rules
from chatbot.automation.switch import repository
from chatbot.automation.switch.schemas import (
    AutomationOps,
    AutomationView,
    RuleLoad,
    Schedule,
    TenantLoad,
    TroubledJob,
    Upcoming,
)
from chatbot.core.errors import Conflict
from chatbot.core.schemas import ResponseBody
from chatbot.db.sessions import PlatformSession, TenantReader
from chatbot.identity.subject import Role, Subject
from chatbot.identity.tenants.service import require_tenant

View = TypeVar("View", bound=ResponseBody)


async def require_own(session: TenantReader) -> None:
    """Refuse while operations let everybody's automation rest: a tenant neither ends that nor changes whose it is.

    Raises:
        NotFound: no such tenant.
        Conflict: they do.
    """
    await require_tenant(session)
    switch = await rules.switch(session)
    if switch and switch.paused_at and (switch.paused_by or "").startswith(repository.BY_OPERATIONS):
        raise Conflict("operations have paused all automation; it goes on when they resume it")


async def overview(session: TenantReader) -> AutomationView:
    """Return how the automation of the session's tenant stands.

    Raises:
        NotFound: no such tenant.
    """
    await require_tenant(session)
    switch = await rules.switch(session)
    return AutomationView(
        tenant_id=session.tenant_id,
        paused_at=switch.paused_at if switch else None,
        paused_by=switch.paused_by if switch else None,
        rules=await repository.rules_by_state(session),
        jobs=await jobs.counts(session),
        stuck=await jobs.stuck(session, STUCK_SECONDS),
        behind=await repository.behind(session),
        schedules=[
            Upcoming(rule_id=rule.id, name=rule.name, cron=rule.trigger["cron"], next_fire_at=rule.next_fire_at)
            for rule in await repository.schedules(session)
        ],
    )


async def everywhere(session: PlatformSession, caller: Subject) -> AutomationOps:
    """Return what automation has to do for all tenants that the caller reaches."""
    only = None if caller.role is Role.PLATFORM_ADMIN else caller.tenants()
    waiting, stuck, failed = await repository.totals(session, only, STUCK_SECONDS)
    return AutomationOps(
        waiting=waiting,
        stuck=stuck,
        failed=failed,
        tenants=_views(TenantLoad, await repository.loads(session, only, STUCK_SECONDS)),
        schedules=_views(Schedule, await repository.schedules_of(session, only)),
        rules=_views(RuleLoad, await repository.rule_loads(session, only, STUCK_SECONDS)),
        troubled=_views(TroubledJob, await repository.troubled(session, only, STUCK_SECONDS)),
    )


def _views(kind: type[View], rows: Iterable[tuple[Any, ...]]) -> list[View]:
    return [kind(**dict(zip(kind.model_fields, row, strict=True))) for row in rows]
