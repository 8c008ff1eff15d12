"""`/admin/tenants/{tenant_id}/budget`: how a tenant's budgets of models stand."""

from uuid import UUID

from fastapi import APIRouter

from chatbot.identity.dependencies import Caller, Db
from chatbot.identity.subject import Role
from chatbot.identity.tenants.service import require_tenant
from chatbot.llm.budgets import Limit
from chatbot.ops.budgets.schemas import BudgetView, LimitView
from chatbot.ops.budgets.standing import Standing, standing

router = APIRouter(prefix="/admin/tenants/{tenant_id}", tags=["data"])


@router.get("/budget")
async def get_budget(tenant_id: UUID, caller: Caller, db: Db) -> BudgetView:
    """How the budgets stand that the policy sets (`budgets`), today and this month in UTC."""
    async with db.tenant_reader(caller.reach(tenant_id, Role.VIEWER)) as session:
        await require_tenant(session)
        found = await standing(session)
    return BudgetView(day=found.day, level=found.level, limits=[_view(found, limit) for limit in found.limits])


def _view(found: Standing, limit: Limit) -> LimitView:
    money = limit.name.startswith("cost")
    unit = 1_000_000 if money else 1
    return LimitView(
        name=limit.name.replace("cost_micros", "usd"),
        most=limit.most / unit,
        spent=limit.spent / unit,
        percent=round(limit.share * 100, 1),
        level=found.level_of(limit),
    )
