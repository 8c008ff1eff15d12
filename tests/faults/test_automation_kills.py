"""Jobs of rules while their worker is killed with -9 between sending and noting it; schedulers whose clocks differ."""

import asyncio
import os
import shutil
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from chatbot.apps.runtime import Runtime
from chatbot.automation.firing.dispatcher import Dispatcher
from chatbot.automation.rules.schemas import CreateRule
from chatbot.automation.rules.service import create
from chatbot.automation.running.runner import delivery_id_of
from chatbot.core import correlation
from chatbot.core.settings import Settings
from chatbot.db.sessions import fetch
from chatbot.dialogue.log_repository import EventRow, append
from chatbot.identity.subject import Role, Subject
from tests.conftest import TenantRows
from tests.faults.fleet import Member, shared_variables
from tests.faults.workers import Workers
from tests.ports import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

_KILLS = int(os.environ.get("XIN_TEST_KILLS", "30"))
"""`make test-faults` kills 200 times."""
_EVENTS = _KILLS + 40
_SETTLE_SECONDS = 400
_JOBS = "SELECT id, firing, status, attempts FROM automation_jobs WHERE tenant_id = %(tenant_id)s"
_DUE = "UPDATE automation_rules SET next_fire_at = now() - interval '1 second' WHERE tenant_id = %(tenant_id)s"
_FIRED = "SELECT count(*) FROM automation_jobs WHERE tenant_id = %(tenant_id)s"


@dataclass
class Target:
    """Takes webhooks; those of the first workers kill the worker that sent them, before they are answered."""

    workers: Workers
    kills: int
    url: str = ""
    times: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))

    async def take(self, request: web.Request) -> web.Response:
        """Count a webhook by its id."""
        await request.read()
        self.times[UUID(request.headers["webhook-id"])] += 1
        sender = self.workers.kills  # all that is under way now comes from the worker that runs after so many kills
        if sender < self.kills:
            await asyncio.to_thread(self.workers.kill, sender)
        return web.Response()


@asynccontextmanager
async def target(workers: Workers, kills: int) -> AsyncIterator[Target]:
    """Serve a target."""
    found = Target(workers, kills)
    app = web.Application()
    app.router.add_post("/", found.take)
    async with TestServer(app) as server:
        found.url = str(server.make_url("/"))
        yield found


def _variables(settings: Settings, database_url: str, data_dir: Path) -> Mapping[str, str]:
    return {
        **shared_variables(database_url, settings, data_dir),
        "AUTOMATION_METRICS_PORT": str(free_port()),
        "AUTOMATION_CONCURRENCY": "2",
    }


async def _rule(runtime: Runtime, tenant: TenantRows, **fields: Any) -> None:
    wanted = CreateRule.model_validate({"tenant_id": tenant.id, "name": "Told", **fields})
    async with runtime.database.tenant(tenant.id) as session:
        await create(session, Subject("test", Role.PLATFORM_ADMIN), wanted)


async def _happens(runtime: Runtime, tenant: TenantRows, event: EventRow) -> None:
    """Write an event as a request of its own does."""
    correlation.begin(None)
    async with runtime.database.tenant(tenant.id) as session:
        await append(session, [event])


async def _jobs(runtime: Runtime, tenant: TenantRows) -> list[tuple[UUID, str, str, int]]:
    async with runtime.database.tenant_reader(tenant.id) as session:
        return [(row[0], row[1], row[2], row[3]) for row in await fetch(session, _JOBS, {"tenant_id": tenant.id})]


async def test_a_worker_killed_between_sending_and_noting(
    runtime: Runtime, tenant: TenantRows, database_url: str, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.monotonic()
    workers = Workers(_variables(runtime.settings, database_url, data_dir), data_dir / "automation.log")
    async with target(workers, _KILLS) as receiver:
        await _rule(
            runtime, tenant, trigger={"type": "event", "name": "agent.presence"},
            actions=[{"type": "webhook", "url": receiver.url}],
        )  # fmt: skip
        happened = [EventRow("agent.presence", {"agent_name": str(number)}) for number in range(_EVENTS)]
        for event in happened[:_KILLS]:
            await _happens(runtime, tenant, event)
        await Dispatcher(runtime.database, runtime.jobs).round()
        workers.start()
        try:
            for event in happened[_KILLS:]:  # the workers' own dispatchers are killed too
                await _happens(runtime, tenant, event)
                await asyncio.sleep(0.5)
            until = time.monotonic() + _SETTLE_SECONDS
            jobs: list[tuple[UUID, str, str, int]] = []
            while len(jobs) < _EVENTS or any(job[2] != "succeeded" for job in jobs):
                assert time.monotonic() < until, (data_dir / "automation.log").read_text(errors="replace")[-3000:]
                await asyncio.sleep(1)
                jobs = await _jobs(runtime, tenant)
        finally:
            workers.stop()
    sent = sum(receiver.times.values())
    with capsys.disabled():
        print(f"\n{_EVENTS} firings, {workers.kills} kills, {sent} webhooks, {time.monotonic() - began:.0f} s")
    assert workers.kills == _KILLS
    assert len(jobs) == len({job[1] for job in jobs}) == _EVENTS, "each firing has one job"
    assert set(receiver.times) == {delivery_id_of(job[0], 0) for job in jobs}, "sent again, a webhook has the same id"
    assert sent - len(receiver.times) >= _KILLS, "what was cut was sent again"


@pytest.mark.skipif(not shutil.which("faketime"), reason="needs faketime (on Debian: apt-get install faketime)")
async def test_schedulers_whose_clocks_differ_fire_once(
    runtime: Runtime, tenant: TenantRows, database_url: str, data_dir: Path
) -> None:
    await _rule(
        runtime, tenant, trigger={"type": "cron", "cron": "0 0 1 1 *"}, actions=[{"type": "wait", "minutes": 1}]
    )
    members = []
    for number, shift in enumerate((None, "+10m", "-10m")):
        variables = dict(_variables(runtime.settings, database_url, data_dir))
        port = int(variables["AUTOMATION_METRICS_PORT"])
        member = Member("automation-worker", port, variables, data_dir / f"automation-{number}.log", clock=shift)
        members.append(member)
    try:
        await asyncio.gather(*(member.start() for member in members))
        for firing in (1, 2, 3):
            async with runtime.database.tenant(tenant.id) as session:
                await fetch(session, _DUE, {"tenant_id": tenant.id})
            async with asyncio.timeout(60):
                while len(await _jobs(runtime, tenant)) < firing:  # noqa: ASYNC110 - rows of other processes
                    await asyncio.sleep(0.1)
            await asyncio.sleep(4)  # who would fire it again does so now
            assert len(await _jobs(runtime, tenant)) == firing
    finally:
        await asyncio.gather(*(member.stop() for member in members))
