"""A whole platform with its automation worker, rules made by API, and a program that takes webhooks."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from chatbot.apps.automation_worker import automating
from chatbot.channels.outbox import schedule
from chatbot.core.settings import Settings
from chatbot.db.sessions import TenantSession, fetch
from tests.conftest import TenantRows
from tests.integration.channels.conftest import Receiver, receiver
from tests.integration.helpdesk.conftest import Caller, Hire, Person, hire
from tests.whole import Whole, whole_platform

ENDED = ("succeeded", "failed", "cancelled")

_QUEUE_NOW = text("UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE status = 'todo'")
_JOBS_NOW = "UPDATE automation_jobs SET due_at = now() WHERE tenant_id = %(tenant_id)s AND status = 'pending'"


@dataclass
class Automation:
    """The automation API of a platform whose worker runs."""

    whole: Whole

    async def rule(self, trigger: Any, actions: list[Any], **fields: Any) -> dict[str, Any]:
        """Write a rule."""
        body = {
            "tenant_id": str(self.whole.tenant.id), "name": fields.pop("name", "A rule"), "trigger": trigger,
            "actions": actions, **fields,
        }  # fmt: skip
        made: dict[str, Any] = await self.whole.ask("POST", "/admin/automation/rules", body, status=201)
        return made

    async def on(self, event: str, *actions: Any, **fields: Any) -> dict[str, Any]:
        """Write a rule that an event starts."""
        return await self.rule({"type": "event", "name": event}, list(actions), **fields)

    async def jobs(self, **wanted: str) -> list[dict[str, Any]]:
        """The tenant's jobs, oldest first."""
        asked = "".join(f"&{name}={value}" for name, value in wanted.items())
        path = f"/admin/automation/jobs?tenant_id={self.whole.tenant.id}&limit=200{asked}"
        found: list[dict[str, Any]] = (await self.whole.ask("GET", path))["items"]
        return found[::-1]

    async def ended(self, count: int = 1, **wanted: str) -> list[dict[str, Any]]:
        """Wait until so many jobs have ended."""
        return await self.until(
            lambda jobs: len(jobs) >= count and all(job["status"] in ENDED for job in jobs), **wanted
        )

    async def until(self, found: Any, seconds: float = 90, **wanted: str) -> list[dict[str, Any]]:
        """Wait until the jobs are as asked for."""
        end = time.monotonic() + seconds
        while not found(jobs := await self.jobs(**wanted)):
            assert time.monotonic() < end, [(job["status"], job["reason"], job["results"]) for job in jobs]
            await asyncio.sleep(0.05)
        return jobs

    async def act(self, job: dict[str, Any], how: str, *, status: int = 200) -> Any:
        """Retry or cancel a job."""
        return await self.whole.ask("POST", f"/admin/automation/jobs/{job['id']}/{how}", status=status)

    async def run_what_waits(self) -> None:
        """Let the time come for all that waits, as if the clock had gone on."""
        async with self.session() as session:
            await fetch(session, _JOBS_NOW, {"tenant_id": session.tenant_id})
        async with self.whole.runtime.database.platform() as platform:
            await platform.execute(_QUEUE_NOW)

    async def sql(self, statement: str, **values: Any) -> list[Any]:
        """Run a statement for the tenant: what a test makes of its rows."""
        async with self.session() as session:
            return await fetch(session, statement, {"tenant_id": session.tenant_id, **values})

    @asynccontextmanager
    async def session(self) -> AsyncIterator[TenantSession]:
        """Open a transaction for the tenant."""
        async with self.whole.runtime.database.tenant(self.whole.tenant.id) as session:
            yield session


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Peers live on the loopback address; tests ask much."""
    changed = {"xin_fetch_allow_hosts": ["127.0.0.1"], "chat_limit_visitor": 100_000, "chat_limit_address": 100_000}
    return settings.model_copy(update=changed)


@pytest.fixture
async def whole(database_url: str, settings: Settings, tenant: TenantRows) -> AsyncIterator[Whole]:
    """Orchestrator and gateway."""
    async with whole_platform(settings, database_url, tenant) as running:
        yield running


@pytest.fixture
async def automation(whole: Whole, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Automation]:
    """The platform with its automation worker. What failed waits a minute, not five seconds: a busy machine sees it."""
    monkeypatch.setattr(schedule, "BACKOFF", (60, *schedule.BACKOFF[1:]))
    async with automating(whole.runtime, whole.orchestrator.channel_parts):
        yield Automation(whole)


@pytest.fixture
async def idle(whole: Whole) -> Automation:
    """The platform without an automation worker: tests run its parts by hand."""
    return Automation(whole)


__all__ = ["Automation", "Caller", "Hire", "Person", "Receiver", "Whole", "hire", "receiver"]
