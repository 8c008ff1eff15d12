"""Figures by day of the tenant's time zone: the same from the rows and as they are kept, and as CSV."""

import asyncio
import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from chatbot.apps.runtime import Runtime
from chatbot.core.clock import utcnow
from chatbot.core.ids import new_id
from chatbot.identity.subject import Role
from chatbot.ops.analytics.histogram import histogram, percentile
from chatbot.ops.analytics.keeping import Keeper
from tests.conftest import TenantRows, bearer
from tests.integration.insight.history import History

TEHRAN = "Asia/Tehran"  # 3 h 30 min ahead of UTC
MIDNIGHT = datetime(2026, 3, 9, 20, 30, tzinfo=UTC)  # where the 10th of March begins there
SECOND = timedelta(seconds=1)


@pytest.fixture
async def past(runtime: Runtime, tenant: TenantRows) -> History:
    """Two days of a tenant in Tehran, whose first second and last are told apart."""
    history = History(runtime.database, tenant)
    await history.begin(TEHRAN, MIDNIGHT - timedelta(days=40))
    await history.conversation(MIDNIGHT - SECOND, mode="model", tokens=99)
    await history.conversation(MIDNIGHT, gap="Why?", mode="no_answer", rated=2)
    await history.conversation(MIDNIGHT + timedelta(hours=1), waits=20, writes=(60, 90), closes=True, rated=5)
    await history.conversation(MIDNIGHT + timedelta(hours=2), waits=40, writes=(600,), telegram=True, closes=True)
    async with runtime.database.platform() as session:
        session.add(history.usage(MIDNIGHT, 9))
    return history


async def read(client: httpx.AsyncClient, tenant: TenantRows, status: int = 200, **params: str) -> Any:
    asked = {"tenant_id": str(tenant.id), "from": "2026-03-09", "to": "2026-03-10", **params}
    answer = await client.get("/admin/analytics", params=asked, headers=bearer(Role.VIEWER, tenant.id))
    assert answer.status_code == status, answer.text
    return answer.json()


async def kept(runtime: Runtime, tenant_id: UUID) -> list[tuple[Any, ...]]:
    async with runtime.database.tenant_reader(tenant_id) as session:
        rows = await session.execute(text("SELECT * FROM daily_statistics ORDER BY day, channel_type, conversations"))
        return [tuple(value for name, value in row._mapping.items() if name != "id") for row in rows]


async def test_days_are_those_of_the_tenants_time_zone(
    client: httpx.AsyncClient, past: History, tenant: TenantRows
) -> None:
    told = await read(client, tenant)
    assert told["timezone"] == TEHRAN
    before, day = told["days"]
    assert (before["day"], before["conversations"], before["messages"], before["tokens"]) == ("2026-03-09", 1, 2, 100)
    assert (day["day"], day["conversations"], day["messages"], day["answered_by_bot"]) == ("2026-03-10", 3, 9, 2)
    assert (day["no_answer"], day["gaps"], day["handed_over"], day["closed"]) == (2, 1, 2, 2)
    assert (day["csat_count"], day["csat_average"], day["tokens"], day["cost_usd"]) == (2, 3.5, 10, 0.0005)
    assert day["first_response_seconds_p50"] == pytest.approx(60, rel=0.03)
    assert day["first_response_seconds_p95"] == pytest.approx(600, rel=0.03)
    assert day["handoff_wait_seconds_p50"] == pytest.approx(20, rel=0.03)
    assert before["first_response_seconds_p50"] is None
    assert (told["totals"]["messages"], told["totals"]["tokens"]) == (11, 110)
    by_channel = {item["channel_type"]: item for item in told["channels"]}
    assert (by_channel["web"]["conversations"], by_channel["telegram"]["conversations"]) == (3, 1)
    assert by_channel["telegram"]["handoff_wait_seconds_p50"] == pytest.approx(40, rel=0.03)


async def test_kept_figures_are_those_of_the_rows_and_counting_twice_changes_nothing(
    client: httpx.AsyncClient, runtime: Runtime, past: History, tenant: TenantRows
) -> None:
    counted = await read(client, tenant)
    keeper = Keeper(runtime.database)
    assert await keeper.catch_up() >= 1
    first = await kept(runtime, tenant.id)
    assert len(first) == 4  # a day with the web alone; one with the web, Telegram, and what belongs to neither
    assert await read(client, tenant) == counted
    async with runtime.database.platform() as session:
        await session.execute(text("DELETE FROM messages WHERE tenant_id = :t"), {"t": tenant.id})
    assert await read(client, tenant) == counted
    await keeper.catch_up()
    assert await kept(runtime, tenant.id) == first


async def test_a_day_is_kept_a_while_after_its_end_and_until_then_counted(
    client: httpx.AsyncClient, runtime: Runtime, past: History, tenant: TenantRows
) -> None:
    ends = MIDNIGHT + timedelta(days=1)
    keeper = Keeper(runtime.database)
    await keeper.catch_up(ends + timedelta(minutes=14))
    assert {row[0].isoformat() for row in await kept(runtime, tenant.id)} == {"2026-03-09"}
    await past.conversation(ends - SECOND)
    assert (await read(client, tenant))["days"][1]["conversations"] == 4
    await keeper.catch_up(ends + timedelta(minutes=16))
    assert {row[0].isoformat() for row in await kept(runtime, tenant.id)} == {"2026-03-09", "2026-03-10"}
    assert (await read(client, tenant))["days"][1]["conversations"] == 4


async def test_another_time_zone_cuts_the_days_anew(
    client: httpx.AsyncClient, runtime: Runtime, past: History, tenant: TenantRows
) -> None:
    keeper = Keeper(runtime.database)
    await keeper.catch_up()
    async with runtime.database.platform() as session:
        await session.execute(text("UPDATE tenants SET timezone = 'UTC' WHERE id = :t"), {"t": tenant.id})
    counted = await read(client, tenant)
    assert [day["conversations"] for day in counted["days"]] == [4, 0]
    await keeper.catch_up()
    assert await read(client, tenant) == counted


async def test_two_keepers_at_once_keep_a_day_once(runtime: Runtime, past: History, tenant: TenantRows) -> None:
    await asyncio.gather(*(Keeper(runtime.database).catch_up() for _ in range(4)))
    assert len(await kept(runtime, tenant.id)) == 4


async def test_a_report_is_narrowed_to_a_brand_or_a_kind_of_channel(
    client: httpx.AsyncClient, past: History, tenant: TenantRows, other_tenant: TenantRows
) -> None:
    for narrow in ({"channel_type": "telegram"}, {"brand_id": str(past.second_brand)}):
        totals = (await read(client, tenant, **narrow))["totals"]
        assert (totals["conversations"], totals["messages"], totals["tokens"], totals["closed"]) == (1, 3, 0, 1)
    await read(client, tenant, 404, brand_id=str(other_tenant.brand_id))
    await read(client, tenant, 404, tenant_id=str(other_tenant.id))
    await read(client, tenant, 422, channel_type="pigeon")


async def test_the_last_thirty_days_are_usual_and_a_year_is_most(
    client: httpx.AsyncClient, past: History, tenant: TenantRows
) -> None:
    await past.conversation(utcnow())
    asked, viewer = {"tenant_id": str(tenant.id)}, bearer(Role.VIEWER, tenant.id)
    told = (await client.get("/admin/analytics", params=asked, headers=viewer)).json()
    assert len(told["days"]) == 30
    assert told["days"][-1]["conversations"] == 1
    await read(client, tenant, **{"from": "2025-03-10"})
    for wrong in ({"from": "2025-03-09"}, {"from": "2026-03-11"}, {"from": "x"}, {"to": "1999-12-31"}):
        await read(client, tenant, 422, **wrong)
    assert (await read(client, tenant, **{"from": "2999-12-30", "to": "2999-12-31"}))["totals"]["messages"] == 0


async def test_the_report_as_csv(client: httpx.AsyncClient, past: History, tenant: TenantRows) -> None:
    asked = {"tenant_id": str(tenant.id), "from": "2026-03-09", "to": "2026-03-10"}
    answer = await client.get("/admin/analytics/export", params=asked, headers=bearer(Role.VIEWER, tenant.id))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="analytics-2026-03-09-2026-03-10.csv"'
    lines = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert [(line["day"], line["channel_type"], line["conversations"]) for line in lines] == [
        ("2026-03-09", "web", "1"),
        ("2026-03-10", "", "0"),
        ("2026-03-10", "telegram", "1"),
        ("2026-03-10", "web", "2"),
    ]
    assert lines[0]["first_response_seconds_p50"] == ""


async def test_a_day_without_midnight_and_one_of_23_hours(
    client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows
) -> None:
    """In Beirut clocks go from midnight to one on the 29th of March 2026: the day begins at one, 22:00 in UTC."""
    history = History(runtime.database, tenant)
    await history.begin("Asia/Beirut", datetime(2026, 3, 1, tzinfo=UTC))
    skipped = datetime(2026, 3, 28, 22, tzinfo=UTC)
    for at in (skipped - SECOND, skipped, skipped + timedelta(hours=23) - SECOND, skipped + timedelta(hours=23)):
        await history.conversation(at)
    told = await read(client, tenant, **{"from": "2026-03-28", "to": "2026-03-30"})
    assert [day["conversations"] for day in told["days"]] == [1, 2, 1]


def test_percentiles_of_histograms_are_near_the_real_ones_and_add_up() -> None:
    waits = [0.2, 1.0, 3.7, 12.5, 90.0, 91.0, 5000.0, 86400.0]
    for share, real in ((0.5, 12.5), (0.95, 86400.0), (0.25, 1.0)):
        assert percentile(histogram(waits), share) == pytest.approx(real, rel=0.026)
    halves = histogram(waits[:3]) + histogram(waits[3:])
    assert percentile(halves, 0.75) == percentile(histogram(waits), 0.75)
    assert percentile({}, 0.5) is None


async def test_the_cost_of_trials_belongs_to_no_channel(
    client: httpx.AsyncClient, past: History, tenant: TenantRows
) -> None:
    told = await read(client, tenant)
    assert sum(item["tokens"] for item in told["channels"]) == 100
    assert told["totals"]["tokens"] == 110
    assert (await read(client, tenant, 404, brand_id=str(new_id())))["code"] == "brand_not_found"
