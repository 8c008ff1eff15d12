"""Budgets by day and month: warned of once, a cheaper model, then the knowledge alone; embeddings count too."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from chatbot.apps.runtime import Runtime
from chatbot.core.settings import Settings
from chatbot.db.sessions import Database
from chatbot.identity.mail import Letter
from chatbot.identity.subject import Role
from chatbot.knowledge.embedding.remote import RemoteEmbedder
from chatbot.llm.budgets import Budget, Ledger
from chatbot.llm.embeddings import OpenAIEmbeddings
from chatbot.llm.errors import EmbeddingsUnavailable
from chatbot.llm.metering import on_account
from chatbot.ops.budgets.watch import BudgetWatch
from tests.conftest import TenantRows, bearer
from tests.integration.dialogue.conftest import model, plain, shop, smart
from tests.integration.dialogue.model_server import ModelServer
from tests.integration.dialogue.platform import Platform
from tests.integration.identity.people import make_person
from tests.integration.llm.conftest import client as model_client
from tests.integration.llm.conftest import server
from tests.integration.llm.model_server import ModelServer as EmbeddingServer
from tests.integration.llm.test_embeddings import vectors

REFUND = "How do I get a refund?"
MONTH = "date_trunc('month', (now() AT TIME ZONE 'UTC'))::date"


async def set_budget(database: Database, tenant: TenantRows, **budgets: Any) -> None:
    async with database.tenant(tenant.id) as session:
        await session.execute(
            text(
                "INSERT INTO policy_versions (tenant_id, kind, version, document, created_by) "
                "SELECT :tenant, 'policy', coalesce(max(version), 0) + 1, "
                "jsonb_build_object('budgets', CAST(:budgets AS jsonb)), 'test' "
                "FROM policy_versions WHERE tenant_id = :tenant"
            ),
            {"tenant": tenant.id, "budgets": _json(budgets)},
        )


async def spend(database: Database, tenant: TenantRows, tokens: int, cost: int = 0, *, day: str = "today") -> None:
    """Spend on this UTC day, or (`month`) on the month's first."""
    on = MONTH if day == "month" else "(now() AT TIME ZONE 'UTC')::date"
    async with database.tenant(tenant.id) as session:
        await session.execute(
            text(
                "INSERT INTO daily_usage AS d (tenant_id, day, tokens, cost_micros) "
                f"VALUES (:tenant, {on}, :tokens, :cost) "
                "ON CONFLICT (tenant_id, day) DO UPDATE SET tokens = d.tokens + excluded.tokens, "
                "cost_micros = d.cost_micros + excluded.cost_micros"
            ),
            {"tenant": tenant.id, "tokens": tokens, "cost": cost},
        )


@pytest.mark.parametrize("span", ["day", "month"])
async def test_from_the_model_to_a_cheaper_one_to_the_knowledge(
    span: str, smart: Platform, shop: TenantRows, model: ModelServer
) -> None:
    limits = {f"tokens_per_{span}": 1_000_000, "degrade_percent": 50, "degrade_model": "cheaper"}
    await set_budget(smart.database, shop, **limits)
    assert (await smart.ask(shop, REFUND))["mode"] == "model"
    assert {call["model"] for call in model.requests} != {"cheaper"}
    model.requests.clear()
    await spend(smart.database, shop, 600_000, day="month" if span == "month" else "today")
    assert (await smart.ask(shop, REFUND))["mode"] == "model"
    assert {call["model"] for call in model.requests} == {"cheaper"}
    await set_budget(smart.database, shop, **{**limits, "degrade_model": None})
    assert (await smart.ask(shop, REFUND))["mode"] == "extractive"
    await set_budget(smart.database, shop, **{**limits, "degrade_percent": None})
    assert (await smart.ask(shop, REFUND))["mode"] == "model"
    await spend(smart.database, shop, 600_000)
    assert (await smart.ask(shop, REFUND))["mode"] == "extractive"


class Post:
    """Keeps letters in place of a mail server."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []

    async def post(self, _session: object, _brand: object, letter: Letter) -> bool:
        self.letters.append(letter)
        return True

    async def ready(self, _session: object, _brand: object) -> bool:
        return True

    async def hand_over(self, _tenant: object, _brand: object, _letter: Letter) -> bool:
        return True


async def test_administrators_are_told_of_each_level_once(runtime: Runtime, tenant: TenantRows) -> None:
    database, post = runtime.database, Post()
    admin = await make_person(database, {tenant.id: "tenant_admin"})
    await make_person(database, {tenant.id: "agent"})
    watch = BudgetWatch(database, post)
    await set_budget(database, tenant, usd_per_month=10, warn_percent=80, degrade_percent=90)
    await spend(database, tenant, 1, 7_900_000)
    assert await watch.look_at(tenant.id) == 0
    await spend(database, tenant, 1, 200_000)
    assert await watch.look_at(tenant.id) == 1
    assert await watch.look_at(tenant.id) == 0
    await spend(database, tenant, 1, 1_000_000)
    await spend(database, tenant, 1, 2_000_000)
    assert await watch.look_at(tenant.id) == 1
    assert [(letter.to, letter.subject) for letter in post.letters] == [
        (admin.email, "81% of the model budget of Acme is used"),
        (admin.email, "100% of the model budget of Acme is used"),
    ]
    assert "81% of 10 US dollars a month is used." in post.letters[0].text
    assert "from the knowledge alone" in post.letters[1].text
    async with database.tenant_reader(tenant.id) as session:
        events = await session.execute(text("SELECT payload FROM events WHERE name = 'budget.reached' ORDER BY id"))
        assert [payload["level"] for payload in events.scalars()] == ["warn", "stop"]


async def test_how_it_stands_is_shown(client: httpx.AsyncClient, database: Database, tenant: TenantRows) -> None:
    path = f"/admin/tenants/{tenant.id}/budget"
    assert (await client.get(path, headers=bearer())).json()["level"] == "ok"
    await set_budget(database, tenant, tokens_per_day=1000, usd_per_day=2)
    await spend(database, tenant, 850, 1_000_000)
    shown = (await client.get(path, headers=bearer(Role.VIEWER, tenant.id))).json()
    assert shown["level"] == "warn"
    assert shown["limits"] == [
        {"name": "tokens_per_day", "most": 1000, "spent": 850, "percent": 85.0, "level": "warn"},
        {"name": "usd_per_day", "most": 2, "spent": 1, "percent": 50.0, "level": "ok"},
    ]


async def test_embeddings_are_on_the_tenants_account(
    server: EmbeddingServer, model_client: Any, tenant: TenantRows, settings: Settings
) -> None:
    server.then(vectors())
    embeddings = OpenAIEmbeddings(model_client, "embedder")
    with on_account(Ledger(tenant.id)) as ledger:
        await embeddings(["a" * 400, "b" * 400])
    assert [(call.purpose.value, call.usage.input_tokens, call.usage.estimated) for call in ledger.calls] == [
        ("embed", 200, True)
    ]
    with on_account(Ledger(tenant.id, Budget(tokens_per_day=0))), pytest.raises(EmbeddingsUnavailable):
        await embeddings(["a"])
    await embeddings(["on nobody's account"])
    assert len(ledger.calls) == 1


async def test_the_retrieval_bench_is_on_the_tenants_account(
    server: EmbeddingServer, model_client: Any, client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows
) -> None:
    server.then(vectors())
    runtime.retriever.embedders = (RemoteEmbedder("far", OpenAIEmbeddings(model_client, "embedder")),)
    ask = {"tenant_id": str(tenant.id), "query": REFUND}
    assert (await client.post("/admin/diagnostics/retrieval", json=ask, headers=bearer())).status_code == 200
    await set_budget(runtime.database, tenant, tokens_per_day=1)  # less than that was
    assert (await client.post("/admin/diagnostics/retrieval", json=ask, headers=bearer())).status_code == 200
    assert len(server.calls) == 1
    assert await booked_calls(runtime.database, tenant) == ["embed"]


async def booked_calls(database: Database, tenant: TenantRows) -> list[str]:
    async with database.tenant_reader(tenant.id) as session:
        return list((await session.execute(text("SELECT purpose FROM usage_records"))).scalars())


def _json(value: Any) -> str:
    return httpx.Request("POST", "http://x", json=value).content.decode()


__all__ = ["model", "model_client", "plain", "server", "shop", "smart"]
