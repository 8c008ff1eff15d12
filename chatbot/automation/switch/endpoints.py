"""`/admin/automation`: how a tenant's automation stands, its switch, the secret that signs its webhooks."""

from uuid import UUID

from fastapi import APIRouter, Depends, Request

from chatbot.automation.running import secrets
from chatbot.automation.switch import repository
from chatbot.automation.switch.schemas import AutomationOps, AutomationView, NewWebhookSecret, OfTenant
from chatbot.automation.switch.service import everywhere, overview, require_own
from chatbot.core.web import page_for_browsers
from chatbot.helpdesk.dependencies import Agents
from chatbot.identity.audit.acting import note
from chatbot.identity.dependencies import Caller, Db, Secrets
from chatbot.identity.subject import Role
from chatbot.identity.tenants.service import require_tenant

router = APIRouter(prefix="/admin/automation", tags=["automation"])
ops = APIRouter(tags=["automation"])

_TARGET = "automation"
"""What the audit log calls the switch and the secret of all rules."""


async def _console_for_browsers(request: Request) -> None:
    """Asked before who is calling is: a browser that follows a link brings no token; the page there signs it in."""
    page_for_browsers(request, "/console/automation")


@ops.get(
    "/ops/automation",
    dependencies=[Depends(_console_for_browsers)],
    responses={303: {"description": "To the same as a page of the console, for who accepts HTML."}},
)
async def automation_ops(caller: Caller, db: Db) -> AutomationOps:
    """Schedules and next runs, queue depth, stuck and failed jobs, who rests: of all tenants that one reaches."""
    async with db.platform() as session:
        return await everywhere(session, caller)


@ops.post("/ops/automation/pause")
async def pause_everywhere(caller: Caller, db: Db, agents: Agents) -> AutomationOps:
    """Let all rules and webhooks of all tenants rest. What happens meanwhile waits."""
    caller.require_platform_admin()
    by = (await agents.agent(caller)).name
    async with db.platform() as session:
        note(target=_TARGET, detail={"tenants": await repository.rest_everywhere(session, by)})
        return await everywhere(session, caller)


@ops.post("/ops/automation/resume")
async def resume_everywhere(caller: Caller, db: Db) -> AutomationOps:
    """Wake all tenants that were paused together; one that a tenant has paused itself goes on resting."""
    caller.require_platform_admin()
    async with db.platform() as session:
        note(target=_TARGET, detail={"tenants": await repository.wake_everywhere(session)})
        return await everywhere(session, caller)


@router.get("")
async def get_automation(tenant_id: UUID, caller: Caller, db: Db) -> AutomationView:
    """Schedules, queue depth, what is stuck or failed, and whether all rules rest."""
    async with db.tenant_reader(caller.reach(tenant_id, Role.VIEWER)) as session:
        return await overview(session)


@router.post("/pause")
async def pause_all(body: OfTenant, caller: Caller, db: Db, agents: Agents) -> AutomationView:
    """Let all rules of a tenant rest; what happens meanwhile waits, and jobs stop before their next step."""
    caller.reach(body.tenant_id, Role.TENANT_ADMIN)
    by = (await agents.agent(caller)).name
    async with db.tenant(body.tenant_id) as session:
        await require_own(session)
        note(target=_TARGET)
        await repository.rest(session, by)
        return await overview(session)


@router.post("/resume")
async def resume_all(body: OfTenant, caller: Caller, db: Db) -> AutomationView:
    """Wake all rules of a tenant; what happened meanwhile is held against them now."""
    async with db.tenant(caller.reach(body.tenant_id, Role.TENANT_ADMIN)) as session:
        await require_own(session)
        note(target=_TARGET)
        await repository.wake(session)
        return await overview(session)


@router.post("/webhook_secret")
async def new_webhook_secret(body: OfTenant, caller: Caller, db: Db, vault: Secrets) -> NewWebhookSecret:
    """Make the secret that signs the webhooks of a tenant's rules anew; what is sent from now on is signed by it."""
    async with db.tenant(caller.reach(body.tenant_id, Role.TENANT_ADMIN)) as session:
        await require_tenant(session)
        note(target=_TARGET)
        return NewWebhookSecret(secret=await secrets.rotate(session, vault, session.tenant_id))
