"""Jobs: read, tried again, cancelled."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import procrastinate

from chatbot.automation.jobs import repository
from chatbot.automation.jobs.schemas import RuleJobView
from chatbot.automation.queueing import run_later
from chatbot.automation.rules.repository import now
from chatbot.core.errors import Conflict, NotFound
from chatbot.db.models import AutomationJob
from chatbot.db.sessions import Database, TenantReader, TenantSession
from chatbot.identity.subject import Role, Subject

STUCK_SECONDS = 600.0
"""A job that has been due for so long and has not ended is stuck."""


class JobEnded(Conflict):
    """The job has ended in a way that does not allow this."""

    code = "job_ended"
    title = "This job has ended"


class JobWaits(Conflict):
    """The job is where its rule tells it to wait."""

    code = "job_waits"
    title = "This job waits as its rule says"


async def reach(database: Database, subject: Subject, job_id: UUID, at_least: Role) -> UUID:
    """Return the tenant of a job that the subject reaches with a role.

    Raises:
        NotFound: no such job, or one of a tenant that is none of the subject's.
        Forbidden: too low a role.
    """
    async with database.platform() as session:
        tenant_id = await repository.tenant_of(session, job_id)
    return subject.reach(tenant_id, at_least, "job")


async def views(session: TenantReader, jobs: Sequence[AutomationJob]) -> list[RuleJobView]:
    """Return jobs as operators see them."""
    names = await repository.rule_names(session, {job.rule_id for job in jobs})
    return [_view(job, names.get(job.rule_id, "")) for job in jobs]


async def one(session: TenantReader, job_id: UUID) -> RuleJobView:
    """Return one job.

    Raises:
        NotFound: there is none.
    """
    job = await repository.get(session, job_id)
    if job is None:
        raise NotFound("no such job")
    return (await views(session, [job]))[0]


async def retry(session: TenantSession, jobs: procrastinate.App, job_id: UUID) -> RuleJobView:
    """Try a job again now, from the step at which it stopped: one that has ended, waits for its next try, or is stuck.

    Raises:
        NotFound: there is none.
        JobEnded: it succeeded; there is nothing to try.
        JobWaits: it waits because its rule says so.
    """
    job, moment = await _locked(session, job_id), await now(session)
    if job.status == "succeeded":
        raise JobEnded("a job that succeeded is not tried again")
    if job.status == "pending" and job.due_at > moment and _waits_by_rule(job):
        raise JobWaits(f"its rule lets it go on at {job.due_at:%Y-%m-%d %H:%M} UTC")
    if job.status != "running" or _stuck(job, moment):
        if job.status in ("failed", "cancelled"):
            job.attempts, job.started_at = 0, None
        job.status, job.reason, job.finished_at, job.due_at = "pending", None, None, moment
        await session.flush()
        await run_later(jobs, session, [job.id])
    return (await views(session, [job]))[0]


async def cancel(session: TenantSession, job_id: UUID) -> RuleJobView:
    """Cancel a job before its next step.

    Raises:
        NotFound: there is none.
        JobEnded: it has ended already.
    """
    job = await _locked(session, job_id)
    if job.status in ("succeeded", "failed"):
        raise JobEnded(f"the job has {job.status}")
    if job.status != "cancelled":
        job.status, job.finished_at, job.reason = "cancelled", await now(session), "Somebody cancelled it."
        await session.flush()
    return (await views(session, [job]))[0]


def _stuck(job: AutomationJob, moment: datetime) -> bool:
    return moment - job.due_at > timedelta(seconds=STUCK_SECONDS)


def _waits_by_rule(job: AutomationJob) -> bool:
    return job.step > 0 and bool(job.actions[job.step - 1]["type"] == "wait") and not job.reason


async def _locked(session: TenantSession, job_id: UUID) -> AutomationJob:
    job = await repository.lock(session, job_id)
    if job is None:
        raise NotFound("no such job")
    return job


def _view(job: AutomationJob, rule_name: str) -> RuleJobView:
    fields: dict[str, Any] = {name: getattr(job, name) for name in RuleJobView.model_fields if name != "rule_name"}
    return RuleJobView(**fields, rule_name=rule_name)
