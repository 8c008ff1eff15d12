"""Dry runs: `POST /admin/automation/test` for a rule that is not saved, `…/rules/{id}/simulate` for one that is."""

from uuid import UUID

from fastapi import APIRouter

from chatbot.automation.rules import service as rules
from chatbot.automation.rules.references import require_known
from chatbot.automation.trials.schemas import Against, TestRule, Trial
from chatbot.automation.trials.service import try_rule, try_saved_rules, unsaved
from chatbot.identity.brands.service import get_brand
from chatbot.identity.dependencies import Caller, Db
from chatbot.identity.subject import Role

router = APIRouter(prefix="/admin/automation", tags=["automation"])


@router.post("/test")
async def test_rule(body: TestRule, caller: Caller, db: Db) -> Trial:
    """What a rule would do, before it is saved; without a `rule`, which saved rules an event starts. No effect."""
    async with db.tenant_reader(caller.reach(body.tenant_id, Role.TENANT_ADMIN)) as session:
        if body.brand_id is not None:
            await get_brand(session, body.brand_id)
        if body.rule is None:
            assert body.event
            return await try_saved_rules(session, body.event, body.brand_id)
        await require_known(session, body.rule)
        return await try_rule(session, unsaved(session.tenant_id, body.brand_id, body.rule), body.rule, body)


@router.post("/rules/{rule_id}/simulate")
async def simulate_rule(rule_id: UUID, caller: Caller, db: Db, body: Against | None = None) -> Trial:
    """What a rule would do, or would have done; no effect."""
    async with db.tenant_reader(await rules.reach(db, caller, rule_id, Role.TENANT_ADMIN)) as session:
        rule = await rules.require(session, rule_id)
        return await try_rule(session, rule, rules.document_of(rule), body or Against())
