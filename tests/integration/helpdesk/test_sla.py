"""The clocks of real tickets: promised by policy, stopped and resumed, found late once, listed."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from chatbot.apps.runtime import Runtime
from chatbot.core.clock import utcnow
from chatbot.core.ids import new_id
from chatbot.db.sessions import Database
from chatbot.dialogue.handoff.parts import Agent
from chatbot.helpdesk.tickets.schemas import ChangeTicket
from chatbot.helpdesk.tickets.service import NewTicket, TicketDesk, require
from chatbot.helpdesk.tickets.sweeper import sweep, sweeping
from chatbot.helpdesk.tickets.views import ticket_view
from tests.conftest import TenantRows, bearer, make_tenant
from tests.integration.helpdesk.tickets_kit import PROBLEM, desk_of, events

FRIDAY = datetime(2026, 11, 27, 16, tzinfo=UTC)
OFFICE = [{"day": day, "opens": "09:00", "closes": "17:00"} for day in ("mon", "tue", "wed", "thu", "fri")]


class Post:
    """A brand with an address to write from, until it is taken away."""

    there = True

    async def ready(self, *_: object) -> bool:
        return self.there

    async def post(self, *_: object) -> bool:
        return self.there


class Clockwork:
    """A desk whose time is told by the test."""

    def __init__(self, database: Database, tenant: TenantRows) -> None:
        self.now = FRIDAY
        self.database, self.tenant = database, tenant
        self.post = Post()
        self.desk = TicketDesk(self.post, clock=lambda: self.now)

    async def open(self, **fields: Any) -> Any:
        wanted = NewTicket("rule", "rule:1", PROBLEM, "Ann", "ann@example.com", **fields)
        async with self.database.tenant(self.tenant.id) as session:
            ticket = await self.desk.open(session, wanted)
        self.id = ticket.id
        return ticket_view(ticket, {}, self.now).sla

    async def change(self, **fields: Any) -> Any:
        async with self.database.tenant(self.tenant.id) as session:
            ticket = await self.desk.change(session, self.id, ChangeTicket(**fields), "test")
        return ticket_view(ticket, {}, self.now).sla

    async def respond(self) -> Any:
        async with self.database.tenant(self.tenant.id) as session:
            await self.desk.comment(session, self.id, "On it", Agent(new_id(), "Rosa"), public=True)
            return ticket_view(await require(session, self.id), {}, self.now).sla


@pytest.fixture
async def work(client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows) -> Clockwork:
    minutes = {"low": 480, "normal": 240, "high": 60, "urgent": 15}
    sla = {"first_response_minutes": minutes, "resolution_minutes": {**minutes, "normal": 600}}
    body = {"hours": {"open": OFFICE}, "sla": sla}
    assert (await client.put(f"/admin/policies/{tenant.id}", json=body, headers=bearer())).status_code == 200
    return Clockwork(runtime.database, tenant)


async def test_promises_are_counted_in_the_tenants_hours(work: Clockwork) -> None:
    sla = await work.open()
    assert sla.first_response_due_at == datetime(2026, 11, 30, 12, tzinfo=UTC)
    assert sla.resolution_due_at == datetime(2026, 12, 1, 10, tzinfo=UTC)
    assert sla.state == "ok"


async def test_pending_stops_the_clocks_and_an_answer_lets_them_run_on(work: Clockwork) -> None:
    await work.open()
    await work.respond()
    work.now = datetime(2026, 11, 30, 10, tzinfo=UTC)
    sla = await work.change(status="pending")
    assert (sla.resolution_due_at, sla.state) == (None, "paused")
    work.now = datetime(2026, 12, 4, 16, tzinfo=UTC)
    sla = await work.change(status="open")
    assert sla.resolution_due_at == datetime(2026, 12, 7, 16, tzinfo=UTC)
    assert sla.first_responded_at == FRIDAY


async def test_what_reached_nobody_is_no_response(work: Clockwork) -> None:
    await work.open()
    work.post.there = False
    sla = await work.respond()
    assert (sla.first_responded_at, sla.state) == (None, "ok")
    work.now, work.post.there = FRIDAY + timedelta(minutes=5), True
    assert (await work.respond()).first_responded_at == work.now


async def test_solved_in_time_is_met_and_opened_again_it_runs_on(work: Clockwork) -> None:
    await work.open()
    work.now = datetime(2026, 11, 30, 11, tzinfo=UTC)
    sla = await work.change(status="solved")
    assert (sla.first_responded_at, sla.resolved_at, sla.state) == (work.now, work.now, "met")
    work.now = datetime(2026, 12, 2, 9, tzinfo=UTC)
    sla = await work.change(status="open")
    assert (sla.resolved_at, sla.resolution_due_at) == (None, datetime(2026, 12, 2, 16, tzinfo=UTC))


async def test_another_priority_is_another_promise(work: Clockwork) -> None:
    await work.open()
    work.now = datetime(2026, 11, 27, 16, 30, tzinfo=UTC)
    assert (await work.change(priority="high")).first_response_due_at == datetime(2026, 11, 27, 17, tzinfo=UTC)


async def test_a_clock_that_begins_while_a_ticket_waits_stands_still(
    client: httpx.AsyncClient, work: Clockwork
) -> None:
    path = f"/admin/policies/{work.tenant.id}"
    promises = (await client.get(path, headers=bearer())).json()["sla"]
    await client.put(path, json={"sla": None}, headers=bearer())
    await work.open()
    await work.change(status="pending")
    assert (await client.put(path, json={"sla": promises}, headers=bearer())).status_code == 200
    sla = await work.change(priority="high")
    assert sla.first_response_due_at is None
    assert (await work.change(status="open")).first_response_due_at is not None


async def test_without_promises_no_clock_runs(client: httpx.AsyncClient, work: Clockwork) -> None:
    path = f"/admin/policies/{work.tenant.id}"
    assert (await client.put(path, json={"sla": None}, headers=bearer())).json()["sla"] is None
    assert await work.open() is None
    assert await work.change(status="pending") is None
    assert await work.change(status="solved") is None


async def test_a_breach_is_told_once_for_each_clock_and_listed(
    client: httpx.AsyncClient, work: Clockwork, runtime: Runtime
) -> None:
    desk = desk_of(client, work.tenant)
    work.now = utcnow() - timedelta(days=30)
    await work.open()
    await work.open(priority="low")
    await work.change(status="solved")
    stopped = await work.open()
    await work.change(status="pending")
    work.now = utcnow()
    await work.open()
    assert stopped.state == "ok"
    found = await asyncio.gather(*(sweep(runtime.database) for _ in range(4)))
    assert sum(found) == 2
    assert await sweep(runtime.database) == 0
    log = await events(runtime.database, work.tenant, "ticket.sla_breached")
    assert sorted((told["number"], told["clock"]) for _, told in log) == [(1, "first_response"), (1, "resolution")]
    assert await desk.numbers(sla="breached") == [1]
    assert (await desk.call("GET", f"/api/tickets?tenant_id={work.tenant.id}&sla=breached"))["items"][0]["sla"][
        "state"
    ] == "breached"


async def test_one_process_sweeps_for_all_and_another_takes_its_place(runtime: Runtime) -> None:
    tenant = await make_tenant(runtime.database, "Late")
    work = Clockwork(runtime.database, tenant)
    work.now = utcnow() - timedelta(days=30)
    async with sweeping(runtime.database, 0.05):
        async with sweeping(runtime.database, 0.05):
            await work.open()
            await _breaches(runtime.database, tenant, 2)
    async with sweeping(runtime.database, 0.05):
        await work.open()
        await _breaches(runtime.database, tenant, 4)


async def _breaches(database: Database, tenant: TenantRows, count: int) -> None:
    until = time.monotonic() + 60
    while len(await events(database, tenant, "ticket.sla_breached")) < count:
        assert time.monotonic() < until
        await asyncio.sleep(0.05)
