"""How automation stands for operators of very many tenants."""

from chatbot.core.ids import new_id
from chatbot.db.models import AutomationJob, AutomationRule, Tenant
from tests.integration.automation.conftest import Automation

MANY = 230
"""More than are listed."""


async def test_the_totals_are_of_all_tenants(idle: Automation) -> None:
    async with idle.whole.runtime.database.platform() as session:
        tenants = [new_id() for _ in range(MANY)]
        session.add_all(
            Tenant(id=tenant, name="One of many", timezone="UTC", attributes={}, embed_theme={}) for tenant in tenants
        )
        await session.flush()
        for tenant in tenants:
            rule = new_id()
            session.add(
                AutomationRule(
                    tenant_id=tenant, id=rule, name="A rule", trigger={"type": "event", "name": "message.received"},
                    conditions={"all": []}, actions=[], created_by="test",
                )
            )  # fmt: skip
            await session.flush()
            session.add_all(
                AutomationJob(
                    tenant_id=tenant, id=new_id(), rule_id=rule, rule_version=1, firing=status, actions=[],
                    status=status,
                )
                for status in ("failed", "pending", "succeeded")
            )  # fmt: skip
    ops = await idle.whole.ask("GET", "/ops/automation")
    assert len(ops["tenants"]) == 200
    assert (ops["waiting"], ops["stuck"], ops["failed"]) == (MANY, 0, MANY)
