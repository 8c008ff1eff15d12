"""`/admin/automation/jobs`: what rules have done, and what of it can be tried again or stopped."""

from uuid import UUID

from fastapi import APIRouter

from chatbot.automation.addresses import actions_seen_by
from chatbot.automation.jobs import repository, service
from chatbot.automation.jobs.schemas import JobStatus, RuleJobView
from chatbot.core.paging import Cursor, Limit, before_id, cut_page
from chatbot.core.schemas import Page
from chatbot.identity.dependencies import Caller, Db, Queue
from chatbot.identity.subject import Role, Subject
from chatbot.identity.tenants.service import require_tenant

router = APIRouter(prefix="/admin/automation/jobs", tags=["automation"])


@router.get("")
async def list_jobs(
    tenant_id: UUID,
    caller: Caller,
    db: Db,
    rule_id: UUID | None = None,
    status: JobStatus | None = None,
    conversation_id: UUID | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[RuleJobView]:
    """The jobs of a tenant's rules, newest first; below the administrators' role with scheme and host of addresses."""
    async with db.tenant_reader(caller.reach(tenant_id, Role.VIEWER)) as session:
        await require_tenant(session)
        rows = await repository.page(
            session, rule_id=rule_id, status=status, conversation_id=conversation_id, before=before_id(cursor),
            limit=limit + 1,
        )  # fmt: skip
        page, following = cut_page(rows, limit)
        items = [_seen_by(caller, view) for view in await service.views(session, page)]
        return Page(items=items, next_cursor=following)


@router.get("/{job_id}")
async def get_job(job_id: UUID, caller: Caller, db: Db) -> RuleJobView:
    """One job, with what came of each step."""
    async with db.tenant_reader(await service.reach(db, caller, job_id, Role.VIEWER)) as session:
        return _seen_by(caller, await service.one(session, job_id))


@router.post("/{job_id}/retry")
async def retry_job(job_id: UUID, caller: Caller, db: Db, jobs: Queue) -> RuleJobView:
    """Try a job again now, from the step at which it stopped; its status is `pending` then.

    Also one that waits for its next try, or that is stuck.
    """
    async with db.tenant(await service.reach(db, caller, job_id, Role.TENANT_ADMIN)) as session:
        return await service.retry(session, jobs, job_id)


@router.post("/{job_id}/cancel")
async def cancel_job(job_id: UUID, caller: Caller, db: Db) -> RuleJobView:
    """Cancel a job before its next step; its status is `cancelled` then."""
    async with db.tenant(await service.reach(db, caller, job_id, Role.TENANT_ADMIN)) as session:
        return await service.cancel(session, job_id)


def _seen_by(caller: Subject, view: RuleJobView) -> RuleJobView:
    return view.model_copy(update={"actions": actions_seen_by(caller, view.tenant_id, view.actions)})
