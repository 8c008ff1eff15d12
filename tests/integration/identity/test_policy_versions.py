"""The history of policies: what each save changed, and an earlier one in force again."""

from typing import Any

import httpx

from chatbot.apps.runtime import Runtime
from chatbot.identity.subject import Role
from tests.conftest import TenantRows, bearer


class Policies:
    """A tenant's policies, called as its administrator."""

    def __init__(self, client: httpx.AsyncClient, tenant: TenantRows) -> None:
        self.client = client
        self.path = f"/admin/policies/{tenant.id}"
        self.admin = bearer(Role.TENANT_ADMIN, tenant.id)

    async def save(self, **document: Any) -> None:
        assert (await self.client.put(self.path, json=document, headers=self.admin)).status_code == 200

    async def read(self, rest: str, **params: Any) -> Any:
        answer = await self.client.get(f"{self.path}/versions{rest}", params=params, headers=self.admin)
        assert answer.status_code == 200, answer.text
        return answer.json()


async def test_each_save_says_what_it_changed(client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows) -> None:
    policies = Policies(client, tenant)
    assert await policies.read("") == {"items": [], "next_cursor": None}
    await policies.save(smart_mode=False, persona={"tone": "dry"})
    await policies.save(smart_mode=False, persona={"tone": "warm", "greeting": {"en": "Hello"}})
    await policies.save(persona={"tone": "warm", "greeting": {"en": "Hi"}})
    page = await policies.read("", limit=2)
    assert [(item["version"], item["changed"], item["created_by"]) for item in page["items"]] == [
        (3, ["persona.greeting.en", "smart_mode"], "cli"),
        (2, ["persona.greeting.en", "persona.tone"], "cli"),
    ]
    last = await policies.read("", limit=2, cursor=page["next_cursor"])
    assert [(item["version"], item["changed"]) for item in last["items"]] == [(1, ["persona.tone", "smart_mode"])]
    assert last["next_cursor"] is None
    saved = await policies.read("/2")
    assert (saved["version"], saved["kind"], saved["document"]["persona"]["tone"]) == (2, "policy", "warm")
    assert saved["document"]["default_language"] == "en"


async def test_an_earlier_version_is_in_force_again_as_the_newest(
    client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows
) -> None:
    policies = Policies(client, tenant)
    await policies.save(persona={"name": "Sara"})
    await policies.save(persona={"name": "Nils"}, smart_mode=False)
    restored = await client.post(f"{policies.path}/versions/1/restore", headers=policies.admin)
    assert restored.status_code == 200
    assert (restored.json()["version"], restored.json()["changed"]) == (3, ["persona.name", "smart_mode"])
    held = (await client.get(policies.path, headers=policies.admin)).json()
    assert (held["version"], held["persona"]["name"], held["smart_mode"]) == (3, "Sara", True)


async def test_the_two_documents_have_histories_of_their_own(
    client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows
) -> None:
    policies = Policies(client, tenant)
    await policies.save(smart_mode=False)
    body = {"filters": {"tags": ["faq"]}, "min_score": 0.5}
    answer = await client.put(f"{policies.path}/retrieval_config", json=body, headers=policies.admin)
    assert answer.status_code == 200
    [entry] = (await policies.read("", kind="retrieval_config"))["items"]
    assert (entry["version"], entry["changed"]) == (1, ["filters.tags", "min_score"])
    saved = await policies.read("/1", kind="retrieval_config")
    assert saved["document"]["filters"] == {"tags": ["faq"], "visibility": ["public"]}


async def test_only_administrators_restore_and_unknown_versions_are_not_found(
    client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows
) -> None:
    policies = Policies(client, tenant)
    await policies.save(smart_mode=False)
    viewer = bearer(Role.VIEWER, tenant.id)
    assert (await client.get(f"{policies.path}/versions/1", headers=viewer)).status_code == 200
    assert (await client.post(f"{policies.path}/versions/1/restore", headers=viewer)).status_code == 403
    assert (await client.post(f"{policies.path}/versions/2/restore", headers=policies.admin)).status_code == 404
    assert (await client.get(f"{policies.path}/versions/1?kind=retrieval_config", headers=viewer)).status_code == 404
    for wrong in ("0", "x", "9" * 30):
        assert (await client.get(f"{policies.path}/versions/{wrong}", headers=viewer)).status_code == 422
    assert (await client.get(f"{policies.path}/versions?cursor=x", headers=viewer)).status_code == 422
