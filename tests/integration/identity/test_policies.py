"""Policies: defaults, versions, optimistic saves, clear errors."""

import asyncio
from datetime import UTC, datetime

import httpx
import pytest

from chatbot.apps.runtime import Runtime
from chatbot.db.models import PolicyVersion
from chatbot.identity.policies import service
from chatbot.identity.policies.hours import OpeningHours
from chatbot.identity.policies.schemas import RetrievalConfig, TenantPolicy
from chatbot.identity.subject import Role
from chatbot.identity.tenants.service import require_tenant
from tests.conftest import TenantRows, bearer


async def test_without_a_saved_version_the_defaults_hold(
    client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows
) -> None:
    viewer = bearer(Role.VIEWER, tenant.id)
    policy = (await client.get(f"/admin/policies/{tenant.id}", headers=viewer)).json()
    assert (policy["version"], policy["smart_mode"], policy["default_language"]) == (0, True, "en")
    retrieval = (await client.get(f"/admin/policies/{tenant.id}/retrieval_config", headers=viewer)).json()
    assert retrieval == RetrievalConfig().model_dump(mode="json") | {
        "version": 0, "updated_at": None, "updated_by": None,
    }  # fmt: skip


async def test_a_save_is_a_new_version_in_force_at_once(
    client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows, other_tenant: TenantRows
) -> None:
    admin, path = bearer(Role.TENANT_ADMIN, tenant.id), f"/admin/policies/{tenant.id}"
    first = await client.put(path, json={"smart_mode": False, "budgets": {"usd_per_day": 2.5}}, headers=admin)
    assert (first.status_code, first.json()["version"], first.json()["updated_by"]) == (200, 1, "cli")
    body = {"languages": ["fa", "es"], "default_language": "fa", "persona": {"name": "Sara"}}
    second = await client.put(path, json=body, headers=admin)
    assert (second.json()["version"], second.json()["smart_mode"]) == (2, True)
    assert (await client.get(path, headers=admin)).json() == second.json()
    async with runtime.database.tenant_reader(tenant.id) as session:
        assert (await service.current_policy(session)).persona.name == "Sara"
    async with runtime.database.tenant_reader(other_tenant.id) as session:
        assert await service.current_policy(session) == TenantPolicy()


async def test_what_was_read_can_be_saved_again(
    client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows
) -> None:
    admin, path = bearer(), f"/admin/policies/{tenant.id}/retrieval_config"
    read = (await client.get(path, headers=admin)).json()
    saved = await client.put(path, json=read | {"hybrid_weight": 0.25}, headers=admin)
    assert (saved.status_code, saved.json()["hybrid_weight"], saved.json()["version"]) == (200, 0.25, 1)
    for path in (f"/admin/policies/{tenant.id}/retrieval_config", f"/admin/policies/{tenant.id}"):
        await client.put(path, json={}, headers=admin)
        read = (await client.get(path, headers=admin)).json()
        assert read["updated_at"]
        assert read["updated_by"]
        again = await client.put(path, json=read | {"updated_by": "somebody else"}, headers=admin)
        assert again.status_code == 200, again.text
        assert (again.json()["version"], again.json()["updated_by"]) == (read["version"] + 1, "cli")
        assert (await client.put(path, json=read, headers=admin)).status_code == 409
        assert (await client.put(path, json={"updated_by_whom": "x"}, headers=admin)).status_code == 422


async def test_an_outdated_save_is_refused(client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows) -> None:
    admin, path = bearer(), f"/admin/policies/{tenant.id}/retrieval_config"
    assert (await client.put(path, json={"version": 0}, headers=admin)).json()["version"] == 1
    assert (await client.put(path, json={"version": 0}, headers=admin)).status_code == 409
    assert (await client.put(path, json={}, headers=admin | {"If-Match": '"0"'})).status_code == 409
    assert (await client.put(path, json={}, headers=admin | {"If-Match": "x"})).status_code == 422
    assert (await client.put(path, json={}, headers=admin | {"If-Match": 'W/"1"'})).json()["version"] == 2
    assert (await client.put(path, json={}, headers=admin)).json()["version"] == 3


async def test_of_saves_at_once_each_version_is_one(
    client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows
) -> None:
    admin, path = bearer(), f"/admin/policies/{tenant.id}"
    answers = await asyncio.gather(*(client.put(path, json={"version": 0}, headers=admin) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]


@pytest.mark.parametrize(
    ("document", "body", "field"),
    [
        ("/retrieval_config", {"hybrid_weight": 1.1}, "hybrid_weight"),
        ("/retrieval_config", {"min_score": -0.1}, "min_score"),
        ("/retrieval_config", {"max_documents": 0}, "max_documents"),
        ("/retrieval_config", {"max_documents": 21}, "max_documents"),
        ("/retrieval_config", {"context_budget_tokens": 255}, "context_budget_tokens"),
        ("/retrieval_config", {"filters": {"visibility": ["secret"]}}, "filters.visibility.0"),
        ("/retrieval_config", {"filters": {"owner": "x"}}, "filters.owner"),
        ("/retrieval_config", {"tenant_id": "x"}, "tenant_id"),
        ("", {"languages": ["English"]}, "languages.0"),
        ("", {"persona": {"name": "x" * 201}}, "persona.name"),
        ("", {"persona": {"greeting": {"??": "hi"}}}, "persona.greeting.??"),
        ("", {"hours": {"open": [{"day": "mon", "opens": "9:00", "closes": "17:00"}]}}, "hours.open.0.opens"),
        ("", {"hours": {"open": [{"day": "mon", "opens": "17:00", "closes": "09:00"}]}}, "hours.open.0"),
        ("", {"hours": {"timezone": "Mars/Base"}}, "hours.timezone"),
        ("", {"budgets": {"tokens_per_day": -1}}, "budgets.tokens_per_day"),
        ("", {"retention": {"transcripts_hours": 0}}, "retention.transcripts_hours"),
        ("", {"default_language": "fa", "languages": ["en"]}, "default_language"),
    ],
)
async def test_bad_policies_are_refused_by_field(
    client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows, document: str, body: dict[str, object], field: str
) -> None:
    answer = await client.put(f"/admin/policies/{tenant.id}{document}", json=body, headers=bearer())
    assert answer.status_code == 422
    assert field in [item["field"] for item in answer.json()["errors"]]


async def test_a_field_that_is_no_longer_accepted_does_not_stop_turns(runtime: Runtime, tenant: TenantRows) -> None:
    async with runtime.database.tenant(tenant.id) as session:
        stored = {"smart_mode": False, "of_an_older_release": 1, "default_language": 7}
        session.add(PolicyVersion(tenant_id=tenant.id, kind="policy", version=1, document=stored, created_by="test"))
    async with runtime.database.tenant_reader(tenant.id) as session:
        policy = await service.current_policy(session)
    assert (policy.smart_mode, policy.default_language) == (False, "en")


async def test_a_limit_above_the_hard_one_is_refused(
    client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows
) -> None:
    path = f"/admin/policies/{tenant.id}"
    for limit, status in ((8_000, 200), (8_001, 422)):
        saved = await client.put(path, json={"guardrails": {"max_message_chars": limit}}, headers=bearer())
        assert saved.status_code == status
    assert saved.json()["errors"][0]["field"] == "guardrails.max_message_chars"


async def test_opening_hours_are_the_policys_in_its_own_zone_or_the_tenants(
    client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows
) -> None:
    await client.patch(f"/admin/tenants/{tenant.id}", json={"timezone": "Asia/Tehran"}, headers=bearer())
    spans = [{"day": "mon", "opens": "22:00", "closes": "24:00"}]
    sunday = datetime(2026, 11, 29, tzinfo=UTC)
    for zone, opens in ((None, (18, 30)), ("Europe/Madrid", (21, 0))):
        body = {"hours": {"open": spans, "timezone": zone}}
        assert (await client.put(f"/admin/policies/{tenant.id}", json=body, headers=bearer())).status_code == 200
        async with runtime.database.tenant_reader(tenant.id) as session:
            policy, shop = await service.current_policy(session), await require_tenant(session)
        hours = OpeningHours.of(policy.hours, shop.timezone)
        assert hours.next_open(sunday) == datetime(2026, 11, 30, *opens, tzinfo=UTC)
