"""Each kind of action, run for real by a rule that was made by API."""

import time
from typing import Any

import pytest

from tests.integration.automation.conftest import Automation, Caller, Hire, Receiver
from tests.integration.channels.mail_servers import NAME, smtp_server

ASKED = "How long do refunds take?"


async def _asked(automation: Automation) -> str:
    conversation: str = (await Caller(automation.whole).ask(ASKED))["conversation_id"]
    return conversation


async def _only(automation: Automation, status: str = "succeeded") -> dict[str, Any]:
    (job,) = await automation.ended()
    assert job["status"] == status, job
    return job


async def test_reply_in_the_visitors_language(automation: Automation) -> None:
    await automation.on(
        "conversation.created",
        {"type": "reply", "text": {"en": "Welcome, {{visitor.name}}!", "fa": "{{visitor.name}}، خوش آمدید!"}},
    )
    conversation = await _asked(automation)
    job = await _only(automation)
    assert job["conversation_id"] == conversation
    assert [result["outcome"] for result in job["results"]] == ["done"]
    said = await Caller(automation.whole).messages(conversation)
    assert [(one["role"], one["text"]) for one in said if one["mode"] == "rule"] == [("bot", "Welcome, Ann!")]


async def test_a_rule_does_not_talk_over_a_person(automation: Automation, hire: Hire) -> None:
    sara = await hire(automation.whole, "Sara")
    await automation.on("conversation.taken_over", {"type": "reply", "text": "Sara is here."})
    conversation = await _asked(automation)
    await sara.at(conversation, "takeover")
    job = await _only(automation, "failed")
    assert "Sara has this conversation" in job["reason"]
    assert all(one["mode"] != "rule" for one in await Caller(automation.whole).messages(conversation))


async def test_canned_reply(automation: Automation) -> None:
    body = {"tenant_id": str(automation.whole.tenant.id), "title": "Hello", "shortcut": "hello",
            "text": "Hello {{visitor.name}}, we are on it."}  # fmt: skip
    reply = await automation.whole.ask("POST", "/admin/canned_replies", body, status=201)
    await automation.on("message.received", {"type": "canned_reply", "canned_reply_id": reply["id"]})
    conversation = await _asked(automation)
    await _only(automation)
    said = [one["text"] for one in await Caller(automation.whole).messages(conversation) if one["mode"] == "rule"]
    assert said == ["Hello Ann, we are on it."]


async def test_webhook_signed_with_what_is_known(automation: Automation, receiver: Receiver) -> None:
    rule = await automation.on(
        "message.received",
        {"type": "webhook", "url": receiver.url, "body": {"said": "{{message.text}}", "n": "{{conversation.messages}}",
                                                          "line": "{{channel.type}}: {{message.language}}"}},
    )  # fmt: skip
    conversation = await _asked(automation)
    job = await _only(automation)
    assert receiver.got == [{"said": ASKED, "n": 2, "line": "web: en"}]
    assert receiver.headers[0]["webhook-signature"].startswith("v1,")
    assert (job["rule_id"], job["rule_name"], job["rule_version"]) == (rule["id"], "A rule", 1)
    assert job["event"]["name"] == "message.received"
    assert job["event"]["payload"]["conversation_id"] == conversation


async def test_webhook_without_a_body_tells_the_event(automation: Automation, receiver: Receiver) -> None:
    await automation.on("conversation.created", {"type": "webhook", "url": receiver.url})
    conversation = await _asked(automation)
    (told,) = await receiver.wait_for(1)
    assert (told["type"], told["data"]["conversation_id"]) == ("conversation.created", conversation)
    assert told["about"]["visitor.name"] == "Ann"


async def test_ticket(automation: Automation) -> None:
    await automation.on(
        "knowledge.gap",
        {"type": "ticket", "subject": "Not answered: {{message.text}}", "problem": "A gap.", "priority": "high"},
    )
    conversation = (await Caller(automation.whole).ask("Do you sell zeppelins in Antarctica?"))["conversation_id"]
    await _only(automation)
    listed = (await automation.whole.ask("GET", f"/api/tickets?tenant_id={automation.whole.tenant.id}"))["items"]
    (ticket,) = listed
    assert (ticket["source"], ticket["priority"], ticket["conversation_id"]) == ("rule", "high", conversation)
    assert ticket["subject"] == "Not answered: Do you sell zeppelins in Antarctica?"


async def test_assign_tag_note_and_variable_then_give_back(automation: Automation, hire: Hire) -> None:
    sara = await hire(automation.whole, "Sara")
    await automation.on(
        "message.received",
        {"type": "tag", "add": ["vip", "refund"], "remove": ["old"]},
        {"type": "set_variable", "name": "topic", "value": "refund of {{visitor.name}}"},
        {"type": "note", "text": "Topic: {{variable.topic}}"},
        {"type": "assign", "agent_id": str(sara.id)},
    )
    conversation = await _asked(automation)
    job = await _only(automation)
    assert [result["words"] for result in job["results"]] == [
        "tags: vip, refund", "topic is set", "noted", "given to Sara"
    ]  # fmt: skip
    (mine,) = await sara.queue("mine")
    assert (mine["id"], mine["tags"]) == (conversation, ["vip", "refund"])
    notes = await sara.ask("GET", f"/admin/conversations/{conversation}/notes")
    assert [note["text"] for note in notes["items"]] == ["Topic: refund of Ann"]


async def test_hand_over_and_close(automation: Automation, hire: Hire) -> None:
    sara = await hire(automation.whole, "Sara")
    await automation.on(
        "message.received", {"type": "hand_over", "reason": "asked about {{message.text}}"},
        conditions={"field": "message.text", "op": "contains", "value": "refund"},
    )  # fmt: skip
    await automation.on(
        "message.received", {"type": "close"}, conditions={"field": "message.text", "op": "is", "value": "bye"}
    )
    conversation = await _asked(automation)
    await automation.ended()
    (waiting,) = await sara.queue("waiting")
    assert (waiting["id"], waiting["handoff_reason"]) == (conversation, f"asked about {ASKED}")
    await Caller(automation.whole).ask("Bye", conversation)
    await automation.ended(2)
    assert [one["id"] for one in await sara.queue("waiting")] == []
    (row,) = await automation.sql("SELECT state FROM conversations WHERE tenant_id = %(tenant_id)s")
    assert row[0] == "closed"


async def test_email(automation: Automation) -> None:
    async with smtp_server() as peer:
        await automation.whole.channel("email", {
            "address": NAME, "display_name": "Acme Support", "inbound": "postmark", "smtp_host": "127.0.0.1",
            "smtp_port": peer.port, "smtp_security": "none",
        })  # fmt: skip
        await automation.on(
            "conversation.created",
            {
                "type": "email",
                "to": "boss@example.com",
                "subject": "New: {{visitor.name}}",
                "text": "In {{brand.name}}",
            },
        )
        await _asked(automation)
        await _only(automation)
        end = time.monotonic() + 60
        while not peer.mails:
            assert time.monotonic() < end
            await automation.run_what_waits()
        mail = peer.mails[0]
    assert (mail["to"], mail["subject"]) == ("boss@example.com", "New: Ann")


async def test_email_without_an_address_of_the_brand_says_so(automation: Automation) -> None:
    await automation.on("conversation.created", {"type": "email", "to": "a@example.com", "subject": "s", "text": "t"})
    await _asked(automation)
    job = await _only(automation, "failed")
    assert "mail" in job["reason"].lower()


async def test_email_to_whom_nobody_knows_says_so(automation: Automation) -> None:
    await automation.on(
        "conversation.created", {"type": "email", "to": "{{visitor.email}}", "subject": "s", "text": "t"}
    )
    await _asked(automation)
    job = await _only(automation, "failed")
    assert "{{visitor.email}}" in job["reason"]


async def test_wait_then_go_on_with_what_is_true_then(automation: Automation, receiver: Receiver) -> None:
    await automation.on(
        "conversation.created",
        {"type": "wait", "minutes": 30},
        {"type": "webhook", "url": receiver.url, "body": {"messages": "{{conversation.messages}}"}},
    )
    conversation = await _asked(automation)
    (job,) = await automation.until(lambda jobs: jobs and jobs[0]["step"] == 1)
    assert (job["status"], job["results"][0]["words"]) == ("pending", "waits 30 minutes")
    await Caller(automation.whole).ask("Hello?", conversation)
    assert receiver.got == []
    await automation.run_what_waits()
    await _only(automation)
    assert receiver.got == [{"messages": 4}]


@pytest.mark.parametrize("action", [{"type": "close"}, {"type": "tag", "add": ["x"]}])
async def test_an_action_whose_conversation_went_fails_in_words(automation: Automation, action: Any) -> None:
    await automation.on("conversation.created", {"type": "wait", "minutes": 1}, action)
    await _asked(automation)
    await automation.until(lambda jobs: jobs and jobs[0]["step"] == 1)
    await automation.sql("UPDATE automation_jobs SET conversation_id = NULL WHERE tenant_id = %(tenant_id)s")
    await automation.run_what_waits()
    job = await _only(automation, "failed")
    assert job["reason"]
