"""What starts a rule, what holds it back, and that nothing starts it twice."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from chatbot.apps.automation_worker import automating
from chatbot.automation.catalogue import EVENTS
from chatbot.automation.firing import dispatcher as dispatching
from chatbot.automation.firing import repository
from chatbot.automation.firing.dispatcher import Dispatcher
from chatbot.automation.firing.repository import _SILENT
from chatbot.automation.rules import repository as rules
from chatbot.core.clock import utcnow
from chatbot.db.sessions import fetch
from tests.conftest import make_tenant
from tests.integration.automation.conftest import Automation, Caller, Hire

MARK = {"type": "tag", "add": ["seen"]}
_DUE = """
UPDATE automation_rules SET next_fire_at = now() - make_interval(secs => %(seconds)s) WHERE tenant_id = %(tenant_id)s
"""
_DUE_AT_ONCE = dispatching._DUE
_CROWD = """
INSERT INTO automation_rules (tenant_id, id, name, trigger, conditions, actions, created_by, next_fire_at)
SELECT %(tenant_id)s, gen_random_uuid(), 'broken', '{"type": "of no release"}', '{}', '[]', 'test',
       now() - interval '1 hour' FROM generate_series(1, %(count)s)
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

_SEEN_UNTIL = "SELECT seen_until FROM automation_rules WHERE tenant_id = %(tenant_id)s"
_RESTING = """
WITH place AS (
    SELECT brand_id, channel_id FROM conversations WHERE tenant_id = %(tenant_id)s LIMIT 1
), resting AS (
    INSERT INTO conversations (tenant_id, id, brand_id, channel_id, session_key, last_seq, created_at, updated_at)
    SELECT %(tenant_id)s, gen_random_uuid(), brand_id, channel_id, 'resting-' || n, 1,
           now() - interval '1 year', now() - interval '1 year'
    FROM place, generate_series(1, 500) n RETURNING id, channel_id
)
INSERT INTO messages (tenant_id, id, conversation_id, channel_id, seq, role, text, created_at)
SELECT %(tenant_id)s, gen_random_uuid(), id, channel_id, 1, 'bot', 'Hello', now() - interval '1 year' FROM resting
"""


def _dispatcher(automation: Automation) -> Dispatcher:
    return Dispatcher(automation.whole.runtime.database, automation.whole.runtime.jobs)


async def _round(automation: Automation) -> list[dict[str, Any]]:
    """Look once at everything, as a worker does; return all jobs that there are now."""
    await _dispatcher(automation).round()
    await _dispatcher(automation).silences()
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
    assert after["updated_at"] == rule["updated_at"], "nobody has changed it"


async def test_one_tenant_cannot_stop_everybodys_schedules(idle: Automation) -> None:
    """More rules of one tenant than are looked at together are overdue for longer, and break it each time."""
    database = idle.whole.runtime.database
    await idle.rule({"type": "cron", "cron": "*/5 * * * *"}, [{"type": "wait", "minutes": 1}])
    await idle.sql(_DUE, seconds=2)
    crowd = await make_tenant(database, "Crowd")
    async with database.tenant(crowd.id) as session:
        await fetch(session, _CROWD, {"tenant_id": crowd.id, "count": 3 * _DUE_AT_ONCE})
    dispatcher = _dispatcher(idle)
    assert await dispatcher.times() == 1
    assert len(await idle.jobs()) == 1

    dispatcher._resting.put(crowd.id, True)  # as when its rules broke
    async with database.platform() as session:
        due = await rules.due(session, each=5, limit=_DUE_AT_ONCE, but=[crowd.id])
        crowded = await rules.due(session, each=5, limit=_DUE_AT_ONCE)
    assert due == []
    assert [tenant_id for tenant_id, _ in crowded] == [crowd.id] * 5


async def test_a_long_log_of_one_tenant_is_read_in_turns(idle: Automation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatching, "_BATCH", 2)
    await idle.on("message.received", MARK)
    for number in range(3):
        await Caller(idle.whole, f"visitor-{number}").ask("Refunds?")
    begun = [await _dispatcher(idle).round()]
    assert begun[0] < 3, "a batch, and the next tenant's turn"
    async with asyncio.timeout(60):
        while sum(begun) < 3:
            begun.append(await _dispatcher(idle).round())
    assert len(begun) > 2
    assert len(await idle.jobs()) == 3


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


async def test_looking_for_silence_is_no_change_of_the_rule(idle: Automation) -> None:
    rule = await idle.rule({"type": "silence", "minutes": 10, "waiting_for": "team"}, [MARK])
    (seen,) = await idle.sql(_SEEN_UNTIL)
    await _round(idle)
    assert (await idle.sql(_SEEN_UNTIL)) > [seen]
    assert await idle.whole.ask("GET", f"/admin/automation/rules/{rule['id']}") == rule


async def test_silence_reads_no_conversation_that_rests_for_longer(idle: Automation) -> None:
    conversation = (await Caller(idle.whole).ask("Refunds?"))["conversation_id"]
    await idle.sql(_RESTING)
    values = {"waiting_for": "visitor", "since": utcnow() - timedelta(minutes=10), "until": utcnow() + timedelta(1),
              "brand_id": None, "limit": 200}  # fmt: skip
    found = await idle.sql(_SILENT, **values)
    assert [str(row[0]) for row in found] == [conversation]
    told = [row[0] for row in await idle.sql(f"EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF) {_SILENT}", **values)]
    (looked,) = [line for line in told if "on messages m" in line]
    assert "loops=1)" in looked, told


async def test_a_slow_search_for_silence_holds_up_no_event(idle: Automation, monkeypatch: pytest.MonkeyPatch) -> None:
    searching, search = asyncio.Event(), Dispatcher.silence

    async def slow(self: Dispatcher, tenant_id: UUID) -> int:
        searching.set()
        await asyncio.sleep(3600)
        return await search(self, tenant_id)

    monkeypatch.setattr(Dispatcher, "silence", slow)
    await idle.rule({"type": "silence", "minutes": 10, "waiting_for": "team"}, [MARK])
    await idle.on("message.received", MARK)
    async with automating(idle.whole.runtime, idle.whole.orchestrator.channel_parts):
        await asyncio.wait_for(searching.wait(), 60)
        await Caller(idle.whole).ask("Refunds?")
        assert len(await idle.ended()) == 1


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
