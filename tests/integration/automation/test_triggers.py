"""What starts a rule, what holds it back, and that nothing starts it twice."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from chatbot.automation.catalogue import EVENTS
from chatbot.automation.firing import repository
from chatbot.automation.firing.dispatcher import Dispatcher
from tests.conftest import make_tenant
from tests.integration.automation.conftest import Automation, Caller, Hire

MARK = {"type": "tag", "add": ["seen"]}
_DUE = """
UPDATE automation_rules SET next_fire_at = now() - make_interval(secs => %(seconds)s) WHERE tenant_id = %(tenant_id)s
"""
_OLD = """
WITH moved AS (
    UPDATE messages SET created_at = created_at - make_interval(mins => %(minutes)s) WHERE tenant_id = %(tenant_id)s
)
UPDATE automation_rules SET active_since = active_since - interval '1 day',
    seen_until = seen_until - make_interval(mins => %(minutes)s) WHERE tenant_id = %(tenant_id)s
"""

_ROLES = "SELECT role FROM messages WHERE tenant_id = %(tenant_id)s ORDER BY seq"
_WITHDRAWN = """
UPDATE messages SET status = 'interrupted', text = '' WHERE tenant_id = %(tenant_id)s AND role = 'bot'
"""


def _dispatcher(automation: Automation) -> Dispatcher:
    return Dispatcher(automation.whole.runtime.database, automation.whole.runtime.jobs)


async def _round(automation: Automation) -> list[dict[str, Any]]:
    """Look once at everything, as a worker does twice a second; return all jobs that there are now."""
    await _dispatcher(automation).round()
    return await automation.jobs()


async def test_conditions_fold_persian(idle: Automation) -> None:
    await idle.on(
        "message.received", MARK,
        conditions={"all": [
            {"field": "message.text", "op": "contains", "value": "پس گرفتن کالا"},
            {"field": "message.language", "op": "is", "value": "fa"},
            {"not": {"field": "conversation.tags", "op": "has_any", "value": "seen"}},
            {"any": [{"field": "channel.type", "op": "is", "value": ["web", "telegram"]},
                     {"field": "hours.open", "op": "is", "value": False}]},
        ]},
    )  # fmt: skip
    visitor = Caller(idle.whole)
    await visitor.ask("پس‌گرفتنِ كالا چگونه است؟")
    await visitor.ask("ساعت کاری شما چیست؟")
    (job,) = await _round(idle)
    assert job["status"] == "pending"
    assert await _round(idle) == [job]


async def test_each_event_starts_a_rule_once_whoever_looks(idle: Automation) -> None:
    await idle.on("message.received", MARK)
    visitors = [Caller(idle.whole, f"visitor-{number}") for number in range(12)]
    await asyncio.gather(*(visitor.ask("Refunds?") for visitor in visitors))
    await asyncio.gather(*(_dispatcher(idle).round() for _ in range(6)))
    await _dispatcher(idle).round()
    jobs = await idle.jobs()
    assert len(jobs) == len({job["firing"] for job in jobs}) == 12


async def test_a_rule_begins_with_what_happens_after_it(idle: Automation) -> None:
    visitor = Caller(idle.whole)
    conversation = (await visitor.ask("Refunds?"))["conversation_id"]
    rule = await idle.on("message.received", MARK)
    assert await _round(idle) == []
    path = f"/admin/automation/rules/{rule['id']}"
    assert (await idle.whole.ask("POST", f"{path}/pause"))["state"] == "paused"
    await visitor.ask("Are you there?", conversation)
    assert await _round(idle) == []
    assert (await idle.whole.ask("POST", f"{path}/resume"))["state"] == "active"
    assert await _round(idle) == []
    await visitor.ask("And now?", conversation)
    assert len(await _round(idle)) == 1


async def test_a_cron_fires_once_however_many_look(idle: Automation) -> None:
    rule = await idle.rule({"type": "cron", "cron": "*/5 * * * *", "timezone": "Asia/Tehran"},
                           [{"type": "ticket", "subject": "Check", "problem": "Five minutes are over."}])  # fmt: skip
    assert rule["next_fire_at"] is not None
    assert await _round(idle) == []
    await idle.sql(_DUE, seconds=2)
    await asyncio.gather(*(_dispatcher(idle).times() for _ in range(6)))
    (job,) = await _round(idle)
    assert job["firing"].startswith("cron:")
    after = await idle.whole.ask("GET", f"/admin/automation/rules/{rule['id']}")
    assert after["next_fire_at"] >= rule["next_fire_at"]
    assert after["last_fired_at"] is not None


@pytest.mark.parametrize(("policy", "jobs"), [("once", 1), ("skip", 0)])
async def test_a_firing_that_was_missed(idle: Automation, policy: str, jobs: int) -> None:
    limits = {"misfire": {"policy": policy, "grace_seconds": 60}}
    await idle.rule({"type": "cron", "cron": "0 3 * * *"}, [{"type": "wait", "minutes": 1}], limits=limits)
    await idle.sql(_DUE, seconds=7200)
    assert len(await _round(idle)) == jobs
    assert len(await _round(idle)) == jobs


async def test_silence_of_the_team(idle: Automation, hire: Hire) -> None:
    sara, visitor = await hire(idle.whole, "Sara"), Caller(idle.whole)
    await idle.rule({"type": "silence", "minutes": 10, "waiting_for": "team"}, [MARK])
    conversation = (await visitor.ask("Refunds?"))["conversation_id"]
    await sara.at(conversation, "takeover")
    await visitor.ask("Are you there?", conversation)
    assert await _round(idle) == []
    await idle.sql(_OLD, minutes=11)
    (job,) = await _round(idle)
    assert (job["conversation_id"], job["firing"]) == (conversation, f"silence:{conversation}:3")
    assert len(await _round(idle)) == 1, "one silence is one firing"


async def test_a_visitor_in_the_queue_waits_for_the_team(idle: Automation) -> None:
    """The last rows are the bot's reply and the platform's notice of the place in the queue."""
    await idle.rule({"type": "silence", "minutes": 10, "waiting_for": "team"}, [MARK])
    await idle.rule({"type": "silence", "minutes": 10, "waiting_for": "visitor"}, [{"type": "close"}])
    conversation = (await Caller(idle.whole).ask("I want to talk to a person"))["conversation_id"]
    assert [row[0] for row in await idle.sql(_ROLES)] == ["visitor", "bot", "system"]
    await idle.sql(_OLD, minutes=11)
    (job,) = await _round(idle)
    assert (job["conversation_id"], job["actions"]) == (conversation, [{**MARK, "remove": []}])


async def test_a_reply_that_was_withdrawn_is_no_answer(idle: Automation, hire: Hire) -> None:
    sara, visitor = await hire(idle.whole, "Sara"), Caller(idle.whole)
    await idle.rule({"type": "silence", "minutes": 10, "waiting_for": "team"}, [MARK])
    conversation = (await visitor.ask("Refunds?"))["conversation_id"]
    await idle.sql(_WITHDRAWN)
    await sara.at(conversation, "takeover")
    await idle.sql(_OLD, minutes=11)
    (job,) = await _round(idle)
    assert job["firing"] == f"silence:{conversation}:1"


async def test_what_goes_wrong_at_one_tenant_is_its_own(idle: Automation, monkeypatch: pytest.MonkeyPatch) -> None:
    other = await make_tenant(idle.whole.runtime.database)
    await idle.on("message.received", MARK)
    await Caller(idle.whole).ask("Refunds?")
    dispatcher, events = _dispatcher(idle), Dispatcher.events

    async def broken(self: Dispatcher, tenant_id: UUID) -> int:
        if tenant_id == other.id:
            raise ValueError("a bug")
        return await events(self, tenant_id)

    async def talking(_session: Any) -> list[UUID]:
        return [other.id, idle.whole.tenant.id]

    monkeypatch.setattr(Dispatcher, "events", broken)
    monkeypatch.setattr(repository, "tenants_with_news", talking)
    assert await dispatcher.round() == 1


async def test_silence_of_the_visitor(idle: Automation) -> None:
    await idle.rule({"type": "silence", "minutes": 60, "waiting_for": "visitor"}, [{"type": "close"}])
    conversation = (await Caller(idle.whole).ask("Refunds?"))["conversation_id"]
    await idle.sql(_OLD, minutes=61)
    (job,) = await _round(idle)
    assert job["conversation_id"] == conversation


async def test_what_a_rule_says_into_a_silence_begins_no_other_one(automation: Automation) -> None:
    await automation.rule(
        {"type": "silence", "minutes": 60, "waiting_for": "visitor"}, [{"type": "reply", "text": "Still there?"}]
    )
    visitor = Caller(automation.whole)
    conversation = (await visitor.ask("Refunds?"))["conversation_id"]
    for _ in range(3):
        await automation.sql(_OLD, minutes=61)
        await automation.ended()
        await _round(automation)
    assert len(await automation.jobs()) == 1
    await visitor.ask("Yes, I am", conversation)
    await automation.sql(_OLD, minutes=61)
    await automation.ended(2)
    nudges = [said for said in await visitor.messages(conversation) if said["text"] == "Still there?"]
    assert len(nudges) == 2, "whoever writes and falls silent again is asked again"


@pytest.mark.parametrize(
    ("limits", "jobs"),
    [
        ({"per_conversation": 2}, 2),
        ({"cool_down_minutes": 5}, 1),
        ({"quiet_hours": {"begins": "00:00", "ends": "23:59", "timezone": "UTC"}}, 0),
        ({}, 3),
    ],
)
async def test_limits(idle: Automation, limits: dict[str, Any], jobs: int) -> None:
    await idle.on("message.received", MARK, limits=limits)
    visitor = Caller(idle.whole)
    conversation = (await visitor.ask("Refunds?"))["conversation_id"]
    await visitor.ask("Really?", conversation)
    await visitor.ask("Really really?", conversation)
    found = await _round(idle)
    if "quiet_hours" in limits and found:  # the one minute of the day that no quiet hour of this form covers
        pytest.skip("it is 23:59")
    assert len(found) == jobs


async def test_a_rule_that_drives_itself_is_stopped(automation: Automation) -> None:
    rule = await automation.on("message.sent", {"type": "reply", "text": "And another thing."})
    await Caller(automation.whole).ask("Refunds?")
    await automation.until(lambda jobs: len(jobs) == 5 and all(job["status"] == "succeeded" for job in jobs))
    for _ in range(600):
        found = await automation.whole.ask("GET", f"/admin/automation/rules/{rule['id']}")
        if found["state"] == "paused":
            break
        await asyncio.sleep(0.1)
    assert found["paused_because"] == "It fired again and again because of its own effects."
    assert len(await automation.jobs()) == 5


async def test_many_requests_of_one_name_are_no_loop(idle: Automation) -> None:
    rule = await idle.on("message.received", MARK)
    visitor = Caller(idle.whole)
    headers = {**visitor.headers, "X-Request-ID": "always-the-same"}
    for number in range(8):
        async with idle.whole.api.post("/v1/chat", json={"message": f"Refund {number}?"}, headers=headers) as answer:
            assert answer.status == 200
    assert len(await _round(idle)) == 8
    assert (await idle.whole.ask("GET", f"/admin/automation/rules/{rule['id']}"))["state"] == "active"


async def test_nobody_says_from_outside_what_follows_from_what(idle: Automation) -> None:
    rule = await idle.on("message.received", MARK)
    for step in range(1, 9):
        headers = {**Caller(idle.whole).headers, "X-Request-ID": f"forged~{step}"}
        async with idle.whole.api.post("/v1/chat", json={"message": "Refunds?"}, headers=headers) as answer:
            assert "~" not in answer.headers["X-Request-ID"]
        await _round(idle)
    assert (await idle.whole.ask("GET", f"/admin/automation/rules/{rule['id']}"))["state"] == "active"


async def test_a_rule_of_a_brand_leaves_other_brands_alone(idle: Automation) -> None:
    tenant = str(idle.whole.tenant.id)
    other = await idle.whole.ask("POST", "/admin/brands", {"tenant_id": tenant, "name": "Other"}, status=201)
    await idle.on("message.received", MARK, brand_id=other["id"])
    await Caller(idle.whole).ask("Refunds?")
    assert await _round(idle) == []


async def test_every_event_of_a_busy_day_is_in_the_catalogue(idle: Automation, hire: Hire) -> None:
    sara, visitor = await hire(idle.whole, "Sara"), Caller(idle.whole)
    conversation = (await visitor.ask("Do you sell zeppelins in Antarctica?"))["conversation_id"]
    await visitor.call("POST", f"/v1/conversations/{conversation}/handoff")
    await sara.at(conversation, "takeover")
    await visitor.ask("Hello?", conversation)
    await sara.say(conversation, "Hello!")
    await sara.at(conversation, "notes", {"text": "Nice."}, status=201)
    await sara.at(conversation, "tags", {"tags": ["nice"]}, method="PUT")
    await sara.at(conversation, "handback")
    await sara.at(conversation, "close")
    await sara.at(conversation, "reopen")
    body = {"tenant_id": str(idle.whole.tenant.id), "problem": "No zeppelins.", "conversation_id": conversation,
            "requester": {"name": "Ann"}}  # fmt: skip
    ticket = await sara.ask("POST", "/api/tickets", body, status=201)
    await sara.ask("PATCH", f"/api/tickets/{ticket['id']}", {"status": "solved"})
    told = await idle.sql("SELECT name, payload FROM events WHERE tenant_id = %(tenant_id)s")
    assert len({name for name, _ in told}) >= 12
    for name, payload in told:
        Draft202012Validator(EVENTS[name].payload_schema, format_checker=FormatChecker()).validate(payload)
