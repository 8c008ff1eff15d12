"""Operators see every stage of a retrieval through the API, and only of their own tenant."""

import aiohttp

from chatbot.apps.runtime import Runtime
from chatbot.identity.cli_token import mint
from chatbot.identity.subject import Role
from tests.conftest import TenantRows
from tests.integration.knowledge.test_retrieval import add

PATH = "/admin/diagnostics/retrieval"


async def test_every_stage_is_reported(
    api: aiohttp.ClientSession, runtime: Runtime, tenant: TenantRows, other_tenant: TenantRows
) -> None:
    await add(runtime.database, tenant, "Returns", ["Unused items can be returned within 30 days."])
    headers = {"Authorization": f"Bearer {mint(runtime.settings, Role.TENANT_ADMIN, tenant.id)}"}
    body = {"tenant_id": str(tenant.id), "brand_id": str(tenant.brand_id), "query": "Can I return unused items?"}
    async with api.post(PATH, json=body, headers=headers) as answer:
        assert answer.status == 200
        report = await answer.json()
    assert report["results"][0]["title"] == report["results"][0]["external_id"] == "Returns"
    assert {"rank", "source_id", "url", "passage", "score", "lexical_score", "vector_score"} <= set(
        report["results"][0]
    )
    assert report["answerable"]
    assert 0 <= report["evidence"] <= 1
    assert [stage["name"] for stage in report["stages"]][:2] == ["normalise", "lexical"]
    for wrong in ({"tenant_id": str(other_tenant.id)}, {"brand_id": str(other_tenant.brand_id)}):
        async with api.post(PATH, json=body | wrong, headers=headers) as answer:
            assert answer.status == 404
    async with api.post(PATH, json=body | {"limit": 101}, headers=headers) as answer:
        assert answer.status == 422


async def test_settings_of_one_call_change_it_alone(
    api: aiohttp.ClientSession, runtime: Runtime, tenant: TenantRows
) -> None:
    await add(runtime.database, tenant, "Returns", ["Unused items can be returned within 30 days."])
    headers = {"Authorization": f"Bearer {mint(runtime.settings, Role.TENANT_ADMIN, tenant.id)}"}
    body = {"tenant_id": str(tenant.id), "query": "Can I return unused items?"}
    saved = {"hybrid_weight": 0.4, "max_documents": 3}
    async with api.put(f"/admin/policies/{tenant.id}/retrieval_config", json=saved, headers=headers) as answer:
        assert answer.status == 200

    async def report(**more: object) -> dict[str, object]:
        async with api.post(PATH, json={**body, **more}, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            read: dict[str, object] = await answer.json()
            return read

    strict = await report(config={"min_score": 1.0})
    assert strict["answerable"] is False
    assert strict["config"] == {
        **saved, "min_score": 1.0, "context_budget_tokens": 3000, "fallback_llm": None,
        "filters": {"tags": [], "visibility": ["public"]},
    }  # fmt: skip
    plain = await report()
    assert plain["answerable"] is True
    assert plain["config"] == {**strict["config"], "min_score": 0.3}  # type: ignore[dict-item]
    for wrong in ({"min_score": 2}, {"unknown": 1}):
        async with api.post(PATH, json={**body, "config": wrong}, headers=headers) as answer:
            assert answer.status == 422
