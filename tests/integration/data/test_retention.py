"""Retention: a dry run counts what a run removes; nothing of it is left, and nothing else goes."""

import os
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from chatbot.apps.data_parts import daily_retention, data_places
from chatbot.apps.runtime import Runtime
from chatbot.core.clock import utcnow
from chatbot.core.settings import Settings
from chatbot.db.models import KnowledgeSource
from chatbot.db.sessions import PlatformSession
from chatbot.identity.subject import Role
from chatbot.ops.analytics.keeping import Keeper
from chatbot.ops.retention import repository
from chatbot.ops.retention.service import Retention
from tests.conftest import TenantRows, bearer, make_tenant
from tests.integration.data.canary import CANARY, Planted, found_in_files, found_in_tables, plant
from tests.integration.identity.people import make_person

AGED = {
    "conversations": "updated_at",
    "messages": "created_at",
    "attachments": "created_at",
    "tickets": "updated_at",
    "ticket_comments": "created_at",
    "knowledge_gaps": "created_at",
    "gap_groups": "last_asked_at",
    "events": "occurred_at",
    "inbound_events": "received_at",
    "deliveries": "created_at",
    "turn_traces": "created_at",
    "automation_jobs": "created_at",
}


def make_old(database_url: str, tenant_id: UUID, days: int) -> None:
    """Have everything of a tenant happened so many days earlier."""
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute("SET session_replication_role = replica")  # no trigger touches a row
        for table, column in AGED.items():
            owner.execute(
                f"UPDATE {table} SET {column} = {column} - make_interval(days => %s) WHERE tenant_id = %s",
                (days, tenant_id),
            )
        owner.execute("UPDATE automation_jobs SET status = 'succeeded' WHERE tenant_id = %s", (tenant_id,))
        owner.execute("UPDATE tickets SET status = 'solved' WHERE tenant_id = %s AND number = 1", (tenant_id,))


def removed(report: dict[str, Any]) -> dict[str, dict[str, int]]:
    return {each["kind"]: each["removed"] for each in report["kinds"]}


async def _planted(runtime: Runtime, tenant: TenantRows, word: str = CANARY) -> Planted:
    planted = await plant(runtime.database, tenant, word=word)
    for key in planted.files:
        await runtime.blobs.put(key, word.encode())
    return planted


async def test_a_run_removes_what_the_dry_run_counted(
    database_url: str, runtime: Runtime, client: httpx.AsyncClient, tenant: TenantRows, settings: Settings
) -> None:
    await _planted(runtime, tenant)
    neighbour = await make_tenant(runtime.database)
    await _planted(runtime, neighbour, "nebenan5521")
    make_old(database_url, tenant.id, 100)
    make_old(database_url, neighbour.id, 100)
    export = settings.folder("transcripts") / str(tenant.id) / "talk.jsonl"
    export.parent.mkdir(parents=True)
    export.write_text(CANARY)
    os.utime(export, (0, 0))
    before = found_in_tables(database_url, "nebenan5521")
    path = f"/admin/tenants/{tenant.id}/retention/runs"

    dry = await client.post(path, json={"dry_run": True}, headers=bearer())
    assert dry.status_code == 200, dry.text
    ran = await client.post(path, json={}, headers=bearer())
    assert removed(ran.json()) == removed(dry.json())
    assert removed(ran.json()) == {
        "uploads": {"files": 2},
        "tickets": {"tickets": 1, "ticket_comments": 1, "knowledge_gaps": 1, "exported_files": 0},
        "logs": {
            "events": 3,
            "inbound_events": 2,
            "inbound_payloads": 1,
            "inbound_ids": 0,
            "deliveries": 2,
            "turn_traces": 1,
            "automation_jobs": 1,
        },
        "transcripts": {"conversations": 1, "messages": 2, "visitors": 0, "exported_files": 1},
    }
    # The open ticket stays, with all that is known of its requester; so does what a form said of a visitor.
    left = {place.partition(".")[0] for place in found_in_tables(database_url)}
    assert left == {"tickets", "visitors", "channel_states"}
    assert found_in_files(settings.data_dir) == []
    assert found_in_tables(database_url, "nebenan5521") == before
    again = await client.post(path, json={"dry_run": True}, headers=bearer())
    assert not any(count for counts in removed(again.json()).values() for count in counts.values())
    listed = (await client.get(path, headers=bearer())).json()["items"]
    assert listed == [ran.json()]
    assert (await client.get(path.removesuffix("/runs"), headers=bearer())).json()["last_run"] == ran.json()


async def test_scores_stay_as_figures(
    database_url: str, runtime: Runtime, client: httpx.AsyncClient, tenant: TenantRows
) -> None:
    await _planted(runtime, tenant)
    make_old(database_url, tenant.id, 3)
    await client.post(f"/admin/tenants/{tenant.id}/retention/runs", json={}, headers=bearer())
    report = (await client.get(f"/admin/analytics?tenant_id={tenant.id}", headers=bearer())).json()
    assert (report["totals"]["csat_count"], report["totals"]["csat_average"]) == (1, 1.0)
    async with runtime.database.tenant_reader(tenant.id) as session:
        rows = await session.execute(text("SELECT conversation_id, comment FROM csat_ratings"))
        assert rows.all() == [(None, None)]


async def test_what_holds_is_the_policys(client: httpx.AsyncClient, tenant: TenantRows) -> None:
    path = f"/admin/tenants/{tenant.id}/retention"
    usual = (await client.get(path, headers=bearer())).json()
    assert usual["usual"] == {"uploads_days": 30, "transcripts_hours": 48, "tickets_days": 90, "logs_days": 7}
    policy = {"retention": {"transcripts_hours": 1, "logs_days": 400}}
    await client.put(f"/admin/policies/{tenant.id}", json=policy, headers=bearer())
    held = (await client.get(path, headers=bearer())).json()
    assert (held["transcripts_hours"], held["logs_days"], held["uploads_days"]) == (1, 400, 30)
    assert held["last_run"] is None


async def test_who_a_person_is_at_and_knowledge_never_go_by_age(
    database_url: str, runtime: Runtime, client: httpx.AsyncClient, tenant: TenantRows
) -> None:
    await _planted(runtime, tenant)
    make_old(database_url, tenant.id, 1000)
    async with runtime.database.tenant(tenant.id) as session:
        session.add(
            KnowledgeSource(tenant_id=tenant.id, brand_id=tenant.brand_id, kind="text", title="Old", blob_key="k")
        )
        await session.execute(text("UPDATE conversations SET state = 'human', updated_at = '2001-01-01'"))
        await session.execute(text("UPDATE knowledge_sources SET created_at = '2001-01-01', updated_at = '2001-01-01'"))
    await runtime.blobs.put("k", b"knowledge")
    ran = await client.post(f"/admin/tenants/{tenant.id}/retention/runs", json={}, headers=bearer())
    assert removed(ran.json())["transcripts"]["conversations"] == 0
    assert await runtime.blobs.get("k") == b"knowledge"
    async with runtime.database.tenant_reader(tenant.id) as session:
        assert (await session.execute(text("SELECT count(*) FROM knowledge_sources"))).scalar_one() == 1
        # A reply of the person at it still finds the visitor's thread.
        assert (await session.execute(text("SELECT thread, payload FROM inbound_events"))).all() == [
            (f"thread-{CANARY}", {})
        ]


async def test_many_go_in_batches(database_url: str, runtime: Runtime, tenant: TenantRows) -> None:
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute(
            "INSERT INTO events (tenant_id, name, payload, occurred_at) "
            "SELECT %s, 'message.received', '{}', now() - interval '8 days' FROM generate_series(1, 2500)",
            (tenant.id,),
        )
    report = await Retention(runtime.database, runtime.settings, data_places(runtime)).run(tenant.id, "cli")
    assert {each.kind: each.removed for each in report.kinds}["logs"]["events"] == 2500


async def test_it_runs_once_a_day_by_itself_and_clears_logs(
    runtime: Runtime, tenant: TenantRows, settings: Settings
) -> None:
    daily = daily_retention(runtime, Keeper(runtime.database))
    assert await daily.catch_up() == 0  # the tenant is younger than a day
    rotated = _old(settings.folder("logs") / "orchestrator.log.2001-01-01")
    present = _old(settings.folder("logs") / "orchestrator.log")
    tomorrow = utcnow() + timedelta(days=1, minutes=1)
    assert await daily.catch_up(tomorrow) >= 1
    assert await daily.catch_up(tomorrow) == 0
    assert not rotated.exists()
    assert present.exists()
    async with runtime.database.tenant_reader(tenant.id) as session:
        started = (await session.execute(text("SELECT started_by FROM retention_runs"))).scalars().all()
    assert started == ["platform"]


async def test_a_tenant_whose_run_breaks_keeps_no_other_from_its_own(
    runtime: Runtime, tenant: TenantRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = await make_tenant(runtime.database)
    run = Retention.run

    async def breaks(self: Retention, tenant_id: UUID, started_by: str, now: datetime | None = None) -> Any:
        if tenant_id == broken.id:
            raise IntegrityError("DELETE", None, Exception("a row that something refers to"))
        return await run(self, tenant_id, started_by, now)

    monkeypatch.setattr(Retention, "run", breaks)
    monkeypatch.setattr(repository, "due", _due(broken.id, tenant.id))
    await daily_retention(runtime, Keeper(runtime.database)).catch_up()
    async with runtime.database.tenant_reader(tenant.id) as session:
        runs = await session.execute(text("SELECT count(*) FROM retention_runs WHERE finished_at IS NOT NULL"))
    assert runs.scalar_one() == 1


def _due(*tenant_ids: UUID) -> Callable[..., Awaitable[list[UUID]]]:
    async def due(_session: PlatformSession, _before: datetime) -> list[UUID]:
        return list(tenant_ids)

    return due


async def test_days_cut_anew_keep_the_figures_of_rows_that_are_gone(
    database_url: str, runtime: Runtime, tenant: TenantRows
) -> None:
    keeper = Keeper(runtime.database)
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute("UPDATE tenants SET created_at = created_at - interval '10 days' WHERE id = %s", (tenant.id,))
        await keeper.catch_up()
        owner.execute(
            "INSERT INTO daily_statistics (tenant_id, id, day, messages) "
            "VALUES (%s, gen_random_uuid(), (now() - interval '6 days')::date, 77)",
            (tenant.id,),
        )
        await Retention(runtime.database, runtime.settings, data_places(runtime)).run(tenant.id, "cli")
        # The policy keeps transcripts for a year from now on, so the next run removes nothing.
        owner.execute(
            "INSERT INTO retention_runs (tenant_id, id, started_by, started_at, finished_at, cutoffs) "
            "SELECT tenant_id, gen_random_uuid(), started_by, now(), now(), "
            "jsonb_build_object('transcripts', now() - interval '1 year', 'tickets', now() - interval '1 year') "
            "FROM retention_runs WHERE tenant_id = %s",
            (tenant.id,),
        )
        owner.execute("UPDATE tenants SET timezone = 'Asia/Tehran' WHERE id = %s", (tenant.id,))
        await keeper.catch_up()
        kept = owner.execute("SELECT sum(messages) FROM daily_statistics WHERE tenant_id = %s", (tenant.id,)).fetchone()
    assert kept == (77,)


async def test_who_may_run_it(client: httpx.AsyncClient, tenant: TenantRows, other_tenant: TenantRows) -> None:
    path = f"/admin/tenants/{tenant.id}/retention"
    for call in (client.get(path, headers=bearer(Role.AGENT, tenant.id)),):
        assert (await call).status_code == 403
    stranger = bearer(Role.TENANT_ADMIN, other_tenant.id)
    assert (await client.post(f"{path}/runs", json={}, headers=stranger)).status_code == 404


def _old(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("line\n")
    os.utime(path, (0, 0))
    return path


async def test_what_cannot_be_restored_any_more_is_purged(
    database_url: str, runtime: Runtime, tenant: TenantRows
) -> None:
    gone, kept = await make_person(runtime.database, {tenant.id: "agent"}), await make_person(runtime.database)
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute("UPDATE users SET deleted_at = now() - interval '31 days' WHERE id = %s", (gone.id,))
        owner.execute("UPDATE users SET deleted_at = now() - interval '29 days' WHERE id = %s", (kept.id,))
        owner.execute("UPDATE channels SET deleted_at = now() - interval '31 days' WHERE id = %s", (tenant.channel_id,))
        await daily_retention(runtime, Keeper(runtime.database)).catch_up()
        left = owner.execute("SELECT id FROM users WHERE id = ANY(%s)", ([gone.id, kept.id],)).fetchall()
        channels = owner.execute("SELECT count(*) FROM channels WHERE tenant_id = %s", (tenant.id,)).fetchone()
    assert left == [(kept.id,)]
    assert channels == (0,)
