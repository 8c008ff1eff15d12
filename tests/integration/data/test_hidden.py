"""What visitors write of themselves does not reach models, traces or gaps; people still see it."""

import orjson
from sqlalchemy import text

from tests.conftest import TenantRows
from tests.integration.dialogue.conftest import model, shop, smart
from tests.integration.dialogue.model_server import ModelServer
from tests.integration.dialogue.platform import Platform

EMAIL, PHONE = "ada@example.com", "+49 30 1234567"


async def test_a_model_sees_no_address(smart: Platform, shop: TenantRows, model: ModelServer) -> None:
    first = await smart.ask(shop, f"How do I get a refund to my card? {EMAIL} {PHONE}")
    await smart.ask(shop, "And how long does it take?", conversation_id=first["conversation_id"])
    sent = orjson.dumps(model.requests).decode()
    assert EMAIL not in sent
    assert PHONE not in sent
    assert sent.count("[email]") >= 2  # in the question, and in the history of the next one
    async with smart.database.tenant_reader(shop.id) as session:
        traces = (await session.execute(text("SELECT string_agg(trace::text, '') FROM turn_traces"))).scalar_one()
        said = (await session.execute(text("SELECT text FROM messages WHERE role = 'visitor' ORDER BY seq"))).scalars()
        assert EMAIL in next(iter(said))
    assert EMAIL not in traces


async def test_a_gap_names_nobody(smart: Platform, shop: TenantRows) -> None:
    await smart.ask(shop, f"Which football club does {EMAIL} support?")
    async with smart.database.tenant_reader(shop.id) as session:
        asked = (await session.execute(text("SELECT question FROM knowledge_gaps"))).scalars().all()
    assert asked == ["Which football club does [email] support?"]


async def test_a_tenant_may_want_it_otherwise(smart: Platform, shop: TenantRows, model: ModelServer) -> None:
    async with smart.database.tenant(shop.id) as session:
        await session.execute(
            text(
                "INSERT INTO policy_versions (tenant_id, kind, version, document, created_by) VALUES "
                "(:tenant, 'policy', 1, '{\"guardrails\": {\"hide_personal_data\": false}}', 'test')"
            ),
            {"tenant": shop.id},
        )
    first = await smart.ask(shop, f"My address is {EMAIL}")
    await smart.ask(shop, "How do I get a refund to my card?", conversation_id=first["conversation_id"])
    assert EMAIL in orjson.dumps(model.requests).decode()


__all__ = ["model", "shop", "smart"]
