"""Jobs: sent again with the same key, on schedule, until they are dead; retried, cancelled, resting."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeout

from chatbot.automation.firing.dispatcher import Dispatcher
from chatbot.automation.running.effects import Effects, Step
from chatbot.automation.running.runner import Runner
from chatbot.channels.messages import Messages
from chatbot.db.sessions import PlatformSession, TenantSession, fetch
from chatbot.helpdesk.agents.directory import Directory
from chatbot.helpdesk.tickets.service import TicketDesk
from chatbot.identity.keys import load_vault
from tests.exhausted import exhausted
from tests.integration.automation.conftest import Automation, Caller, Hire, Receiver

_LOST = "DELETE FROM procrastinate_jobs WHERE status = 'todo' AND task_name = 'automation:run' RETURNING id"
_STUCK = """
UPDATE automation_jobs SET status = %(status)s, due_at = now() - interval '11 minutes' WHERE tenant_id = %(tenant_id)s
RETURNING id
"""

DAY = (60, 300, 1800, 7200, 18_000, 36_000, 36_000)
"""Seconds between the tries of a webhook; here a minute before the second one."""

_FAX = """
UPDATE automation_jobs SET actions = jsonb_set(actions, '{1,type}', '"fax"') WHERE tenant_id = %(tenant_id)s
"""


async def _failing(automation: Automation, receiver: Receiver, *answers: int, **fields: Any) -> dict[str, Any]:
    receiver.answers = [web.Response(status=status, text="not now") for status in answers]
    rule = await automation.on("conversation.created", {"type": "webhook", "url": receiver.url}, **fields)
    await Caller(automation.whole).ask("Refunds?")
    await receiver.wait_for(1)
    return rule


async def _waits(automation: Automation, attempts: int) -> dict[str, Any]:
    (job,) = await automation.until(
        lambda jobs: jobs and jobs[0]["status"] == "pending" and jobs[0]["attempts"] == attempts
    )
    return job


async def test_a_job_never_waits_for_a_second_connection_with_one_in_hand(
    idle: Automation, hire: Hire, monkeypatch: pytest.MonkeyPatch
) -> None:
    sara = await hire(idle.whole, "Sara")
    await idle.on(
        "message.received", {"type": "tag", "add": ["seen"]}, {"type": "assign", "agent_id": str(sara.id)},
    )  # fmt: skip
    await Caller(idle.whole).ask("Refunds?")
    runtime, channels = idle.whole.runtime, idle.whole.orchestrator.channel_parts
    await Dispatcher(runtime.database, runtime.jobs).round()
    (waiting,) = await idle.jobs()

    in_hand = 0
    tenant, platform = runtime.database.tenant, runtime.database.platform

    @asynccontextmanager
    async def counted(tenant_id: UUID) -> AsyncIterator[TenantSession]:
        nonlocal in_hand
        async with tenant(tenant_id) as session:
            in_hand += 1
            try:
                yield session
            finally:
                in_hand -= 1

    @asynccontextmanager
    async def alone() -> AsyncIterator[PlatformSession]:
        assert in_hand == 0, "a second connection is asked for with one in hand"
        async with platform() as session:
            yield session

    messages = Messages(channels.accounts, channels.outbox)
    effects = Effects(messages, TicketDesk(channels.mail, messages), channels.mail, Directory(runtime.database))
    runner = Runner(runtime.database, runtime.jobs, effects, runtime.provider_http, load_vault(runtime.settings))
    with monkeypatch.context() as patched:
        patched.setattr(runtime.database, "tenant", counted)
        patched.setattr(runtime.database, "platform", alone)
        async with exhausted(runtime.database, platform=True):
            with pytest.raises(PoolTimeout):  # the queue tries again; the job has not failed
                await runner.run(idle.whole.tenant.id, UUID(waiting["id"]))
        (job,) = await idle.jobs()
        assert (job["status"], job["step"]) == ("running", 1)
        await runner.run(idle.whole.tenant.id, UUID(waiting["id"]))
    (job,) = await idle.jobs()
    assert job["status"] == "succeeded", job
    assert [result["words"] for result in job["results"]] == ["tags: seen", "given to Sara"]


async def test_an_action_that_finds_no_connection_is_tried_again(
    automation: Automation, monkeypatch: pytest.MonkeyPatch
) -> None:
    do, missed = Effects.do, 0

    async def none_free(effects: Effects, step: Step, action: Any) -> str:
        nonlocal missed
        if missed < 2:
            missed += 1
            raise PoolTimeout("QueuePool limit of size 2 overflow 0 reached")
        return await do(effects, step, action)

    monkeypatch.setattr(Effects, "do", none_free)
    await automation.on("conversation.created", {"type": "tag", "add": ["seen"]})
    await Caller(automation.whole).ask("Refunds?")
    (job,) = await automation.ended()
    assert (job["status"], missed) == ("succeeded", 2), job


async def test_an_agent_who_is_none_of_the_tenants_fails_the_job(automation: Automation, hire: Hire) -> None:
    sara = await hire(automation.whole, "Sara")
    await automation.on("conversation.created", {"type": "assign", "agent_id": str(sara.id)})
    async with automation.whole.runtime.database.platform() as session:
        await session.execute(text("DELETE FROM memberships WHERE user_id = :id"), {"id": sara.id})
    await Caller(automation.whole).ask("Refunds?")
    (job,) = await automation.ended()
    assert (job["status"], job["reason"]) == ("failed", "no such agent")


async def test_a_webhook_is_sent_again_with_the_same_id(automation: Automation, receiver: Receiver) -> None:
    await _failing(automation, receiver, 503, 500)
    for attempt in (1, 2):
        job = await _waits(automation, attempt)
        assert "HTTP 50" in job["reason"]
        await automation.run_what_waits()
        await receiver.wait_for(attempt + 1)
    (job,) = await automation.ended()
    assert (job["status"], job["attempts"], job["reason"]) == ("succeeded", 0, None)
    assert [result["outcome"] for result in job["results"]] == ["later", "later", "done"]
    assert len({headers["webhook-id"] for headers in receiver.headers}) == 1


async def test_dead_for_a_day_then_a_dead_letter_then_sent_after_all(
    automation: Automation, receiver: Receiver
) -> None:
    await _failing(automation, receiver, *[503] * 8)
    for attempt, seconds in enumerate(DAY, start=1):
        job = await _waits(automation, attempt)
        (waited,) = await automation.sql(
            "SELECT extract(epoch FROM due_at - now()) FROM automation_jobs WHERE tenant_id = %(tenant_id)s"
        )
        assert seconds * 0.5 < float(waited[0]) + 2
        assert float(waited[0]) < seconds * 1.5 + 2
        await automation.run_what_waits()
        await receiver.wait_for(attempt + 1)
    (job,) = await automation.ended(status="failed")
    assert "HTTP 503" in job["reason"]
    assert (await automation.act(job, "retry"))["status"] == "pending"
    (job,) = await automation.until(lambda jobs: jobs[0]["status"] == "succeeded")
    assert len(receiver.got) == 9
    assert len({headers["webhook-id"] for headers in receiver.headers}) == 1


async def test_gone_is_for_good(automation: Automation, receiver: Receiver) -> None:
    await _failing(automation, receiver, 410)
    (job,) = await automation.ended()
    assert job["status"] == "failed"


async def test_cancel_before_the_next_try(automation: Automation, receiver: Receiver) -> None:
    await _failing(automation, receiver, 503)
    job = await _waits(automation, 1)
    assert (await automation.act(job, "cancel"))["status"] == "cancelled"
    await automation.run_what_waits()
    await asyncio.sleep(0.5)
    assert len(receiver.got) == 1
    assert (await automation.act(job, "retry"))["status"] == "pending"
    await receiver.wait_for(2)
    (job,) = await automation.until(lambda jobs: jobs[0]["status"] == "succeeded")
    for how in ("retry", "cancel"):
        refused = await automation.act(job, how, status=409)
        assert refused["code"] == "job_ended"


async def test_a_job_that_waits_for_its_next_try_is_tried_now(automation: Automation, receiver: Receiver) -> None:
    await _failing(automation, receiver, 503)
    job = await _waits(automation, 1)
    assert job["due_at"] > job["created_at"]
    assert (await automation.act(job, "retry"))["status"] == "pending"
    (job,) = await automation.until(lambda jobs: jobs[0]["status"] == "succeeded")
    assert len({headers["webhook-id"] for headers in receiver.headers}) == 1


async def test_a_job_whose_task_is_lost_goes_on_when_somebody_says_so(automation: Automation) -> None:
    await automation.on("message.received", {"type": "wait", "minutes": 5}, {"type": "tag", "add": ["late"]})
    await Caller(automation.whole).ask("Refunds?")
    (job,) = await automation.until(lambda jobs: jobs and jobs[0]["step"] == 1)
    assert (await automation.act(job, "retry", status=409))["code"] == "job_waits"
    async with automation.whole.runtime.database.platform() as session:
        await fetch(session, _LOST)
    for status in ("pending", "running"):
        await automation.sql(_STUCK, status=status)
        ops = await automation.whole.ask("GET", "/ops/automation")
        assert (job["id"], status) in [(one["id"], one["status"]) for one in ops["troubled"]]
    assert (await automation.act(job, "retry"))["status"] == "pending"
    await automation.until(lambda jobs: jobs[0]["status"] == "succeeded")


async def test_pause_all_holds_jobs_and_events_until_resumed(automation: Automation, receiver: Receiver) -> None:
    await automation.on("message.received", {"type": "webhook", "url": receiver.url})
    tenant = {"tenant_id": str(automation.whole.tenant.id)}
    paused = await automation.whole.ask("POST", "/admin/automation/pause", tenant)
    assert paused["paused_at"] is not None
    visitor = Caller(automation.whole)
    await visitor.ask("Refunds?")
    await asyncio.sleep(1.5)
    assert await automation.jobs() == []
    await automation.whole.ask("POST", "/admin/automation/resume", tenant)
    await receiver.wait_for(1)
    await automation.ended()


async def test_a_dead_receiver_does_not_hold_up_the_rest(automation: Automation, receiver: Receiver) -> None:
    receiver.answers = [web.Response(status=503)]
    await automation.on(
        "message.received",
        {"type": "webhook", "url": receiver.url},
        conditions={"field": "message.text", "op": "contains", "value": "first"},
    )
    await automation.on("message.received", {"type": "tag", "add": ["seen"]}, name="Other")
    await Caller(automation.whole, "bob").ask("The first?")
    await receiver.wait_for(1)
    await Caller(automation.whole, "cem").ask("The second?")
    jobs = await automation.until(lambda found: sum(job["status"] == "succeeded" for job in found) == 2)
    assert {job["rule_name"]: job["status"] for job in jobs} == {"A rule": "pending", "Other": "succeeded"}


async def test_the_rule_of_a_job_that_waits_can_change_or_go(automation: Automation, receiver: Receiver) -> None:
    rule = await automation.on("conversation.created", {"type": "wait", "minutes": 5},
                               {"type": "webhook", "url": receiver.url, "body": {"v": 1}})  # fmt: skip
    await Caller(automation.whole).ask("Refunds?")
    await automation.until(lambda jobs: jobs and jobs[0]["step"] == 1)
    changed = {"actions": [{"type": "webhook", "url": receiver.url, "body": {"v": 2}}], "version": 1}
    path = f"/admin/automation/rules/{rule['id']}"
    assert (await automation.whole.ask("PATCH", path, changed))["version"] == 2
    await automation.run_what_waits()
    await receiver.wait_for(1)
    assert receiver.got == [{"v": 1}]
    await automation.whole.ask("DELETE", path, status=204)
    await automation.whole.ask("GET", path, status=404)
    (job,) = await automation.ended()
    assert (job["rule_name"], job["status"]) == ("A rule", "succeeded")


async def test_an_action_that_this_release_does_not_know_fails_in_words(automation: Automation) -> None:
    await automation.on("conversation.created", {"type": "wait", "minutes": 5}, {"type": "tag", "add": ["seen"]})
    await Caller(automation.whole).ask("Refunds?")
    await automation.until(lambda jobs: jobs and jobs[0]["step"] == 1)
    await automation.sql(_FAX)
    await automation.run_what_waits()
    (job,) = await automation.ended()
    assert (job["status"], job["results"][-1]["type"]) == ("failed", "fax")
    assert "does not know" in job["reason"]


async def test_an_action_that_breaks_fails_once_and_for_all(
    automation: Automation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_self: Effects, _step: Step, _action: Any) -> str:
        raise KeyError("a bug")

    monkeypatch.setattr(Effects, "do", broken)
    await automation.on("conversation.created", {"type": "tag", "add": ["seen"]})
    await Caller(automation.whole).ask("Refunds?")
    (job,) = await automation.ended()
    assert (job["status"], job["reason"]) == ("failed", "it broke: KeyError")
