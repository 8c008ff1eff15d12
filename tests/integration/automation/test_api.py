"""Rules by API: what is refused and how, versions, who may, dry runs without effect, how all stands."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy
from aiohttp import web
from sqlalchemy import Engine

from chatbot.automation.trials.schemas import GivenEvent
from chatbot.automation.trials.service import try_saved_rules
from chatbot.db.sessions import TenantReader
from tests.conftest import bearer
from tests.integration.automation.conftest import Automation, Caller, Hire, Receiver

ON_MESSAGE = {"type": "event", "name": "message.received"}
REPLY = {"type": "reply", "text": "Hello"}
NOBODY = UUID(int=1)


async def _refused(automation: Automation, **changed: Any) -> list[dict[str, str]]:
    body = {"tenant_id": str(automation.whole.tenant.id), "name": "A rule", "trigger": ON_MESSAGE, "actions": [REPLY],
            **changed}  # fmt: skip
    refused = await automation.whole.ask("POST", "/admin/automation/rules", body, status=422)
    errors: list[dict[str, str]] = refused["errors"]
    return errors


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"trigger": {"type": "event", "name": "message.recieved"}}, "trigger", "is none of"),
        ({"trigger": {"type": "cron", "cron": "61 * * * *"}}, "trigger", "cron expression"),
        ({"trigger": {"type": "cron", "cron": "* * *"}}, "trigger", "has 3"),
        ({"trigger": {"type": "cron", "cron": "0 0 30 2 *"}, "actions": [{"type": "wait", "minutes": 1}]},
         "trigger.cron", "never comes"),
        ({"trigger": {"type": "cron", "cron": "* * * * *", "timezone": "Mars/Olympus"}}, "trigger", ""),
        ({"trigger": {"type": "silence", "minutes": 0}}, "trigger", "1"),
        ({"trigger": {"type": "cron", "cron": "* * * * *"}}, "", "needs a conversation"),
        ({"conditions": {"field": "message.txt", "op": "is", "value": "x"}}, "conditions", "message.text"),
        ({"conditions": {"field": "message.text", "op": "more_than", "value": "x"}}, "conditions", ""),
        ({"conditions": {"all": [{"field": "message.text", "op": "is", "value": "x"}] * 51}}, "conditions", "50"),
        ({"actions": []}, "actions", "1"),
        ({"actions": [REPLY] * 21}, "actions", "20"),
        ({"actions": [{"type": "reply", "text": "{{visitor.shoe_size}}"}]}, "actions", "visitor.shoe_size"),
        ({"actions": [{"type": "webhook", "url": "ftp://example.com"}]}, "actions", ""),
        ({"actions": [{"type": "webhook", "url": "https://example.com/{{message.text}}"}]}, "actions", "placeholders"),
        ({"actions": [{"type": "shout", "text": "x"}]}, "actions", ""),
        ({"actions": [{"type": "email", "to": "nobody", "subject": "s", "text": "t"}]}, "actions", "address"),
        ({"actions": [{"type": "note", "text": "{{event.score}}"}]}, "actions.0", "event.message_id"),
        ({"conditions": {"event": "score", "op": "is", "value": "1"}}, "conditions", "event.message_id"),
        ({"actions": [REPLY, {"type": "assign", "agent_id": str(NOBODY)}]}, "actions.1.agent_id", "no such agent"),
        ({"actions": [{"type": "canned_reply", "canned_reply_id": str(NOBODY)}]}, "actions.0.canned_reply_id", "reply"),
        ({"limits": {"per_conversation": 0}}, "limits", "1"),
        ({"unknown": 1}, "unknown", ""),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_named(idle: Automation, changed: dict[str, Any], field: str, words: str) -> None:
    errors = await _refused(idle, **changed)
    assert any(error["field"].startswith(field) and words in error["message"] for error in errors), errors
    assert await idle.whole.ask("GET", f"/admin/automation/rules?tenant_id={idle.whole.tenant.id}") == {
        "items": [], "next_cursor": None
    }  # fmt: skip


async def test_a_change_is_checked_whole_and_by_version(idle: Automation) -> None:
    rule = await idle.rule(ON_MESSAGE, [REPLY])
    path = f"/admin/automation/rules/{rule['id']}"
    no_talk = {"trigger": {"type": "cron", "cron": "0 9 * * *"}}
    refused = await idle.whole.ask("PATCH", path, no_talk, status=422)
    assert "needs a conversation" in refused["detail"]
    assert (await idle.whole.ask("PATCH", path, {"name": "Better", "version": 1}))["version"] == 2
    late = await idle.whole.ask("PATCH", path, {"name": "Late", "version": 1}, status=409)
    assert late["code"] == "version_conflict"
    both = {**no_talk, "actions": [{"type": "wait", "minutes": 1}]}
    changed = await idle.whole.ask("PATCH", path, both)
    assert (changed["name"], changed["version"], changed["next_fire_at"] is not None) == ("Better", 3, True)
    assert (await idle.whole.ask("GET", path)) == changed
    nobody = [{"type": "webhook", "url": "https://example.com/", "body": {"agent": None}},
              {"type": "assign", "agent_id": None}]  # fmt: skip
    kept = await idle.whole.ask("PATCH", path, {"trigger": ON_MESSAGE, "actions": nobody})
    assert kept["actions"] == nobody


async def test_agents_read_and_owners_write(idle: Automation, hire: Hire) -> None:
    sara = await hire(idle.whole, "Sara")
    rule = await idle.rule(ON_MESSAGE, [REPLY])
    tenant = str(idle.whole.tenant.id)
    assert (await sara.ask("GET", f"/admin/automation/rules/{rule['id']}"))["id"] == rule["id"]
    body = {"tenant_id": tenant, "name": "Mine", "trigger": ON_MESSAGE, "actions": [REPLY]}
    await sara.ask("POST", "/admin/automation/rules", body, status=403)
    for path in (f"rules/{rule['id']}/pause", f"rules/{rule['id']}/simulate"):
        await sara.ask("POST", f"/admin/automation/{path}", {} if "simulate" in path else None, status=403)
    for path in ("pause", "webhook_secret"):
        await sara.ask("POST", f"/admin/automation/{path}", {"tenant_id": tenant}, status=403)


async def test_a_trial_says_why_and_does_nothing(automation: Automation, receiver: Receiver) -> None:
    conversation = (await Caller(automation.whole).ask("How long do refunds take?"))["conversation_id"]
    await Caller(automation.whole, "bob").ask("Where are you?")
    document = {
        "trigger": ON_MESSAGE,
        "conditions": {"field": "message.text", "op": "contains", "value": "refund"},
        "actions": [
            {"type": "reply", "text": "{{visitor.name}} asked: {{message.text}}"},
            {"type": "webhook", "url": receiver.url, "body": {"tags": "{{conversation.tags}}"}},
        ],
    }
    tenant = str(automation.whole.tenant.id)
    trial = await automation.whole.ask("POST", "/admin/automation/test", {"tenant_id": tenant, "rule": document})
    assert (trial["considered"], trial["matched"], trial["truncated"]) == (2, 1, False)
    hit, miss = trial["tried"]
    assert hit["actions"] == [
        {"type": "reply", "rendered": {"text": "Ann asked: How long do refunds take?"}},
        {"type": "webhook", "rendered": {"url": receiver.url, "body": {"tags": []}}},
    ]
    assert miss["comparisons"] == [
        {"about": "message.text", "op": "contains", "wanted": "refund", "was": "Where are you?", "holds": False}
    ]

    rule = await automation.rule(document["trigger"], document["actions"], conditions=document["conditions"])
    path = f"/admin/automation/rules/{rule['id']}/simulate"
    one = await automation.whole.ask("POST", path, {"conversation_id": conversation})
    assert (one["considered"], one["matched"]) == (1, 1)
    given = {"event": {"name": "message.received", "payload": {"conversation_id": conversation}}}
    assert (await automation.whole.ask("POST", path, given))["considered"] == 1
    given["event"]["fields"] = {"message.text": "A refund!", "conversation.tags": ["vip"], "hours.open": False}
    (supposed,) = (await automation.whole.ask("POST", path, given))["tried"]
    assert (supposed["matches"], supposed["comparisons"][0]["was"]) == (True, "A refund!")
    for wrong in ({"hours.open": "no"}, {"conversation.messages": True}, {"weather": "fine"}):
        await automation.whole.ask("POST", path, {"event": {**given["event"], "fields": wrong}}, status=422)
    other = await automation.whole.ask("POST", path, {"event": {"name": "csat.received"}}, status=422)
    assert other["errors"][0]["field"] == "event.name"
    await automation.whole.ask("POST", path, {"conversation_id": tenant}, status=404)

    assert await automation.jobs() == []
    assert receiver.got == []
    assert all(said["mode"] != "rule" for said in await Caller(automation.whole).messages(conversation))


async def test_a_trial_shows_what_would_leave_step_by_step(idle: Automation) -> None:
    tenant, visitor = str(idle.whole.tenant.id), Caller(idle.whole)
    body = {
        "tenant_id": tenant,
        "shortcut": "hi",
        "title": "Hi",
        "text": "Hello {{visitor.name}}, {{agent.name}} here.",
    }
    canned = await idle.whole.ask("POST", "/admin/canned_replies", body, status=201)
    conversation = (await visitor.ask("How long do refunds take?"))["conversation_id"]
    document = {
        "trigger": ON_MESSAGE,
        "actions": [
            {"type": "set_variable", "name": "asked", "value": "{{message.text}}"},
            {"type": "note", "text": "{{variable.asked}}"},
            {"type": "note", "text": "{{ticket.subject}}"},
            {"type": "reply", "text": {"fa": "سلام", "en": "Hi"}},
            {"type": "canned_reply", "canned_reply_id": canned["id"]},
            {"type": "webhook", "url": "https://example.com/"},
        ],
    }
    rule = await idle.rule(document["trigger"], document["actions"], name="Greeter")
    trial = await idle.whole.ask(
        "POST", f"/admin/automation/rules/{rule['id']}/simulate", {"conversation_id": conversation}
    )
    _, note, empty, reply, greeting, webhook = [one["rendered"] for one in trial["tried"][0]["actions"]]
    assert (note, empty) == ({"text": "How long do refunds take?"}, {"text": ""})
    assert reply == {"text": "Hi"}
    assert greeting["text"] == "Hello Ann, Greeter here."
    assert (webhook["body"]["type"], webhook["body"]["version"]) == ("message.received", 1)
    assert webhook["body"]["data"]["conversation_id"] == conversation
    assert webhook["body"]["rule"] == {"id": rule["id"], "name": "Greeter"}


async def test_an_event_alone_tells_which_saved_rules_it_starts(
    automation: Automation, receiver: Receiver, hire: Hire
) -> None:
    ask, tenant = automation.whole.ask, str(automation.whole.tenant.id)
    conversation = (await Caller(automation.whole).ask("How long do refunds take?"))["conversation_id"]
    refund = {"field": "message.text", "op": "contains", "value": "refund"}
    active = await automation.on(
        "message.received", {"type": "webhook", "url": receiver.url, "body": {"said": "{{message.text}}"}},
        name="Active", conditions=refund, limits={"cool_down_minutes": 5},
    )  # fmt: skip
    resting = await automation.on("message.received", REPLY, name="Resting", conditions=refund, state="paused")
    await automation.on("message.received", REPLY, name="Another word",
                        conditions={"field": "message.text", "op": "contains", "value": "gift"})  # fmt: skip
    await automation.on("conversation.closed", {"type": "webhook", "url": receiver.url}, name="Another event")
    gone = await automation.on("message.received", REPLY, name="Removed")
    await ask("DELETE", f"/admin/automation/rules/{gone['id']}", status=204)
    event = {
        "name": "message.received",
        "payload": {"conversation_id": conversation},
        "fields": {"message.text": "A refund!"},
    }
    trial = await ask("POST", "/admin/automation/test", {"tenant_id": tenant, "event": event})
    assert (trial["considered"], trial["matched"], trial["would_run"], trial["truncated"]) == (3, 2, 1, False)
    assert (trial["tried"], trial["next_times"]) == ([], [])
    assert [(one["rule_id"], one["name"], one["enabled"], one["held_back_by"]) for one in trial["rules"]] == [
        (active["id"], "Active", True, None), (resting["id"], "Resting", False, None),
    ]  # fmt: skip
    assert trial["rules"][0]["actions"] == [
        {"type": "webhook", "rendered": {"url": receiver.url, "body": {"said": "A refund!"}}}
    ]
    assert trial["rules"][1]["actions"] == [{"type": "reply", "rendered": {"text": "Hello"}}]
    assert trial["rules"][0]["comparisons"][0]["was"] == "A refund!"

    silent = {"tenant_id": tenant, "event": {"name": "csat.received"}}
    assert (await ask("POST", "/admin/automation/test", silent))["rules"] == []
    for wrong in ({}, {"days": 7}, {"conversation_id": conversation}):
        refused = await ask("POST", "/admin/automation/test", {"tenant_id": tenant, **wrong}, status=422)
        assert "rule" in refused["detail"]
    sara = await hire(automation.whole, "Sara")
    await sara.ask("POST", "/admin/automation/test", {"tenant_id": tenant, "event": event}, status=403)
    assert await automation.jobs() == []
    assert receiver.got == []


async def test_many_saved_rules_cost_no_more_statements_than_one(idle: Automation) -> None:
    tenant = str(idle.whole.tenant.id)
    conversation = (await Caller(idle.whole).ask("How long do refunds take?"))["conversation_id"]

    async def rule(number: int) -> None:
        body = {"tenant_id": tenant, "shortcut": f"hi{number}", "title": "Hi", "text": "{{agent.name}}, {{brand.name}}"}
        canned = await idle.whole.ask("POST", "/admin/canned_replies", body, status=201)
        action = {"type": "canned_reply", "canned_reply_id": canned["id"]}
        await idle.on("message.received", action, name=f"Rule {number}", limits={"per_conversation": 1})

    event = GivenEvent(name="message.received", payload={"conversation_id": conversation})
    told = []
    for count in (1, 12):
        for number in range(len(told) * 100, len(told) * 100 + count):
            await rule(number)
        async with idle.whole.runtime.database.tenant_reader(idle.whole.tenant.id) as session:
            with statements() as counted:
                trial = await try_saved_rules(session, event, None)
        told.append(len(counted))
        assert trial.rules[-1].actions[0].rendered["text"] == f"{trial.rules[-1].name}, Acme"
    assert trial.would_run == 13
    assert told[0] == told[1] > 0


@contextmanager
def statements() -> Iterator[list[Any]]:
    """Whatever is sent to the database while the block runs, by SQLAlchemy and by the driver."""
    seen: list[Any] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    run = TenantReader.run

    async def counting(self: TenantReader, commands: Any) -> Any:
        seen.extend(commands)
        return await run(self, commands)

    sqlalchemy.event.listen(Engine, "before_cursor_execute", note)
    TenantReader.run = counting  # type: ignore[method-assign]
    try:
        yield seen
    finally:
        TenantReader.run = run  # type: ignore[method-assign]
        sqlalchemy.event.remove(Engine, "before_cursor_execute", note)


async def test_a_trial_holds_back_what_limits_would_have(idle: Automation) -> None:
    visitor = Caller(idle.whole)
    conversation = (await visitor.ask("Refunds?"))["conversation_id"]
    for _ in range(2):
        await visitor.ask("Refunds?", conversation)
    rule = {"trigger": ON_MESSAGE, "actions": [REPLY], "limits": {"per_conversation": 1}}
    trial = await idle.whole.ask(
        "POST", "/admin/automation/test", {"tenant_id": str(idle.whole.tenant.id), "rule": rule}
    )
    assert (trial["considered"], trial["matched"], trial["would_run"]) == (3, 3, 1)
    by_time = sorted(trial["tried"], key=lambda one: str(one["at"]))
    assert [one["held_back_by"] for one in by_time] == [None, "per_conversation", "per_conversation"]


async def test_a_trial_of_a_schedule_tells_its_times(idle: Automation) -> None:
    rule = await idle.rule({"type": "cron", "cron": "30 8 * * sun", "timezone": "Asia/Tehran"},
                           [{"type": "wait", "minutes": 1}])  # fmt: skip
    trial = await idle.whole.ask("POST", f"/admin/automation/rules/{rule['id']}/simulate")
    assert len(trial["next_times"]) == 5
    assert all("T05:00:00" in moment for moment in trial["next_times"])  # 08:30 in Tehran
    assert trial["next_times"][0] == rule["next_fire_at"]


async def test_how_all_stands(automation: Automation, receiver: Receiver) -> None:
    await automation.rule({"type": "cron", "cron": "0 9 * * *"}, [{"type": "wait", "minutes": 1}], name="Morning")
    await automation.on("conversation.created", {"type": "webhook", "url": receiver.url})
    await Caller(automation.whole).ask("Refunds?")
    await automation.ended()
    tenant = str(automation.whole.tenant.id)
    view = await automation.whole.ask("GET", f"/admin/automation?tenant_id={tenant}")
    assert view["jobs"] == {"succeeded": 1}
    assert [one["name"] for one in view["schedules"]] == ["Morning"]
    ops = await automation.whole.ask("GET", "/ops/automation")
    async with automation.whole.api.get(
        "/ops/automation", headers={"Accept": "text/html,*/*;q=0.8"}, allow_redirects=False
    ) as page:
        assert (page.status, page.headers["Location"]) == (303, "/console/automation")
    (own,) = [one for one in ops["tenants"] if one["tenant_id"] == tenant]
    assert (own["active_rules"], own["waiting"], own["failed"]) == (2, 0, 0)
    ((name, cron, next_fire_at),) = [
        (one["name"], one["cron"], one["next_fire_at"]) for one in ops["schedules"] if one["tenant_id"] == tenant
    ]
    assert (name, cron, next_fire_at) == ("Morning", "0 9 * * *", view["schedules"][0]["next_fire_at"])


async def test_operators_see_what_fails_and_where_most_waits(automation: Automation, receiver: Receiver) -> None:
    receiver.answers = [web.Response(status=410), web.Response(status=503)]
    for name in ("Gone", "Busy"):
        await automation.on("conversation.created", {"type": "webhook", "url": receiver.url}, name=name)
        await Caller(automation.whole, name).ask("Refunds?")
        await receiver.wait_for(1)
        receiver.got.clear()
    await automation.until(lambda jobs: sum(job["status"] != "running" for job in jobs) == 3)
    ops = await automation.whole.ask("GET", "/ops/automation")
    assert [(one["name"], one["status"]) for one in ops["troubled"]][:1] == [("Gone", "failed")]
    assert "410" in ops["troubled"][0]["reason"]
    assert {one["name"] for one in ops["rules"]} <= {"Gone", "Busy"}
    assert sum(one["waiting"] for one in ops["rules"]) == ops["waiting"]


async def test_all_tenants_rest_and_wake_together(automation: Automation, hire: Hire, receiver: Receiver) -> None:
    tenant, ask = str(automation.whole.tenant.id), automation.whole.ask
    other = (await ask("POST", "/admin/tenants", {"name": "Rests by its own will"}, status=201))["id"]
    await ask("POST", "/admin/automation/pause", {"tenant_id": other})
    await automation.on("message.received", {"type": "webhook", "url": receiver.url})
    paused = await ask("POST", "/ops/automation/pause")
    assert [one["paused_by"] for one in paused["tenants"] if one["tenant_id"] == tenant] == ["operations: Command line"]
    for how in ("pause", "resume"):
        await ask("POST", f"/admin/automation/{how}", {"tenant_id": tenant}, status=409)
    await Caller(automation.whole).ask("Refunds?")
    await asyncio.sleep(1.5)
    assert receiver.got == []
    await ask("POST", "/ops/automation/resume")
    await receiver.wait_for(1)
    assert (await ask("GET", f"/admin/automation?tenant_id={other}"))["paused_at"] is not None
    sara = await hire(automation.whole, "Sara")
    for how in ("pause", "resume"):
        await sara.ask("POST", f"/ops/automation/{how}", status=403)


async def test_the_secret_of_webhooks_is_shown_once_and_signs(automation: Automation, receiver: Receiver) -> None:
    body = {"tenant_id": str(automation.whole.tenant.id)}
    secret = (await automation.whole.ask("POST", "/admin/automation/webhook_secret", body))["secret"]
    assert secret.startswith("whsec_")
    await automation.on("conversation.created", {"type": "webhook", "url": receiver.url, "body": {"a": 1}})
    await Caller(automation.whole).ask("Refunds?")
    await receiver.wait_for(1)
    headers = receiver.headers[0]
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f'{headers["webhook-id"]}.{headers["webhook-timestamp"]}.{{"a":1}}'.encode()
    proof = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{proof}"


async def test_the_vocabulary_is_what_editors_need(idle: Automation) -> None:
    async with idle.whole.api.get("/admin/automation/vocabulary", headers=bearer()) as answer:
        found = await answer.json()
    assert "message.received" in [event["name"] for event in found["events"]]
    assert found["fields"]["hours.open"] == "flag"
    assert "hand_over" in found["actions"]
