"""A policy is tried before it is saved: the real stages by the given documents, and nothing stored but the cost."""

from typing import Any

from sqlalchemy import text

from chatbot.db.models import Base, PolicyVersion
from chatbot.identity.subject import Role
from chatbot.identity.tokens import issue_admin_token
from tests.conftest import TenantRows
from tests.integration.dialogue.model_server import ModelServer
from tests.integration.dialogue.platform import KEYS, Platform

IPHONE = "How do I reset my password on iPhone?"
BOOKED = {"usage_records", "daily_usage"}


async def attempt(
    platform: Platform, tenant: TenantRows, status: int = 200, role: Role = Role.TENANT_ADMIN, **body: Any
) -> Any:
    claims = {"role": role.value, "tenant_id": str(tenant.id)}
    headers = {"Authorization": f"Bearer {issue_admin_token(KEYS, subject='cli', claims=claims)}"}
    url = f"{platform.url}/admin/policies/{tenant.id}/try"
    async with platform.http.post(url, json={"message": IPHONE, **body}, headers=headers) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def stored(platform: Platform) -> dict[str, int]:
    """Count the rows of every table."""
    async with platform.database.platform() as session:
        return {
            name: (await session.execute(text(f"SELECT count(*) FROM {name}"))).scalar_one()
            for name in Base.metadata.tables
        }


def differing(before: dict[str, int], after: dict[str, int]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


async def test_a_tried_question_is_answered_as_a_visitors_would_be(plain: Platform, shop: TenantRows) -> None:
    before = await stored(plain)
    tried = await attempt(plain, shop)
    assert differing(before, await stored(plain)) == set()
    asked = await plain.ask(shop, IPHONE)
    same = ("answer", "mode", "citations", "handoff_offered", "status", "usage")
    assert {name: tried[name] for name in same} == {name: asked[name] for name in same}
    trace = tried["trace"]
    assert (trace["question"], trace["query"], trace["prompt"], trace["model"]) == (IPHONE, IPHONE, None, None)
    best = trace["passages"][0]
    assert (best["title"], best["cited"], best["cut"]) == ("Reset your password on iPhone", True, None)
    assert best["lexical_score"] > 0
    assert "Tap Account" in best["passage"]
    assert trace["evidence"] >= 0.3
    assert {"decide", "retrieve", "generate"} <= set(trace["milliseconds"])


async def test_the_given_documents_decide_and_are_not_saved(plain: Platform, shop: TenantRows) -> None:
    before = await stored(plain)
    unsure = await attempt(
        plain, shop, retrieval_config={"min_score": 1.0}, policy={"no_answer_reply": {"en": "Ask my aunt."}}
    )
    assert (unsure["mode"], unsure["answer"][:12]) == ("no_answer", "Ask my aunt.")
    spanish = await attempt(plain, shop, policy={"languages": ["es"], "default_language": "es"}, message="hello")
    assert spanish["answer"].startswith("¡Hola!")
    silent = await attempt(plain, shop, policy={"guardrails": {"blocked_topics": ["password"]}})
    assert (silent["mode"], silent["citations"]) == ("no_answer", [])
    assert differing(before, await stored(plain)) == set()
    assert (await attempt(plain, shop))["mode"] == "extractive"


async def test_model_calls_are_booked_and_the_rest_is_not(
    smart: Platform, shop: TenantRows, model: ModelServer
) -> None:
    before = await stored(smart)
    tried = await attempt(smart, shop, policy={"persona": {"name": "Nils", "tone": "like a sailor"}})
    assert (tried["mode"], tried["usage"]["output_tokens"]) == ("model", tried["trace"]["usage"]["output_tokens"])
    assert "You are Nils" in model.requests[-1]["messages"][0]["content"]
    assert "You are Nils" in tried["trace"]["prompt"]
    assert "Tap Account" in tried["trace"]["prompt"]
    assert differing(before, await stored(smart)) == BOOKED


async def test_the_budget_in_force_holds_whatever_the_tried_policy_says(
    smart: Platform, shop: TenantRows, model: ModelServer
) -> None:
    async with smart.database.tenant(shop.id) as session:
        session.add(
            PolicyVersion(
                tenant_id=shop.id, kind="policy", version=1, document={"budgets": {"tokens_per_day": 0}}, created_by="t"
            )
        )
    tried = await attempt(smart, shop, policy={"budgets": {"tokens_per_day": None}})
    assert tried["mode"] == "extractive"
    assert model.requests == []


async def test_who_may_try_and_what_is_refused(plain: Platform, shop: TenantRows, other_tenant: TenantRows) -> None:
    await attempt(plain, shop, 403, Role.AGENT)
    await attempt(plain, shop, 404, brand_id=str(other_tenant.brand_id))
    await attempt(plain, shop, 422, message="")
    await attempt(plain, shop, 422, policy={"unknown": 1})
    await attempt(plain, shop, 422, policy={"guardrails": {"max_message_chars": 100}}, message="x" * 101)
