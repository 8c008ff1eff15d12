"""Asking for a person: by a button, in plain words, by missing knowledge; queue, hours, and what visitors are told."""

from typing import Any

import pytest

from chatbot.core.clock import utcnow
from tests.integration.helpdesk.conftest import Caller, Hire
from tests.whole import Whole


async def _policy(whole: Whole, **changed: Any) -> None:
    await whole.ask("PUT", f"/admin/policies/{whole.tenant.id}", changed)


async def test_a_visitor_asks_for_a_person(whole: Whole, hire: Hire) -> None:
    visitor, sara = Caller(whole), await hire(whole, "Sara")
    conversation = (await visitor.ask("Refunds?"))["conversation_id"]
    path = f"/v1/conversations/{conversation}/handoff"
    body = {"reason": "My card was charged twice", "contact": {"email": "ann@example.com", "name": "Not Ann"}}
    standing = await visitor.call("POST", path, body)
    assert standing == {
        "state": "waiting",
        "agent": None,
        "queue": {"position": 1, "expected_wait_seconds": None},
        "hours": {"open_now": True, "next_open_at": None},
    }
    assert await visitor.call("POST", path) == standing
    told = [each for each in await visitor.messages(conversation) if each["role"] == "system"]
    assert [each["text"] for each in told] == [
        "You are next in line. Somebody will answer you here as soon as possible."
    ]
    assert (await visitor.ask("Hello?", conversation))["answer"] == ""
    (waiting,) = await sara.queue("waiting")
    assert waiting["handoff_reason"] == "My card was charged twice"
    assert waiting["visitor"] == {"id": "ann", "name": "Ann", "email": "ann@example.com"}
    await sara.at(conversation, "takeover")
    (own,) = (await visitor.call("GET", "/v1/conversations"))["items"]
    assert (own["state"], own["agent"]["name"], own["last_message"]["text"]) == ("human", "Sara", "Hello?")


async def test_places_and_the_usual_wait_are_told(whole: Whole, hire: Hire) -> None:
    sara, visitors = await hire(whole, "Sara"), [Caller(whole, name) for name in ("ann", "bob", "cem")]
    ids = [(await visitor.ask("Refunds?"))["conversation_id"] for visitor in visitors]
    for visitor, conversation in zip(visitors, ids, strict=True):
        await visitor.call("POST", f"/v1/conversations/{conversation}/handoff")
    told = (await visitors[2].messages(ids[2]))[-1]["text"]
    assert told.startswith("You are number 3 in line.")
    await sara.at(ids[0], "takeover")
    standing = await visitors[2].call("POST", f"/v1/conversations/{ids[2]}/handoff")
    assert standing["queue"]["position"] == 2
    assert standing["queue"]["expected_wait_seconds"] is not None
    assert [each["id"] for each in await sara.queue("waiting")] == ids[1:]


@pytest.mark.parametrize(
    ("words", "answer", "place"),
    [
        ("I want to talk to a person", "All right, I am passing you on to a person.", "You are next in line."),
        (
            "می‌خواهم با یک نفر صحبت کنم",
            "بسیار خوب، گفتگوی شما را به یکی از همکارانم می‌سپارم.",
            "شما نفر بعدی در صف هستید.",
        ),
        (
            "quiero hablar con una persona",
            "De acuerdo, te paso con una persona.",
            "Eres la siguiente persona de la cola.",
        ),
    ],
)
async def test_plain_words_ask_for_a_person(whole: Whole, words: str, answer: str, place: str) -> None:
    visitor = Caller(whole)
    asked = await visitor.ask(words)
    assert asked["answer"] == answer
    told = (await visitor.messages(asked["conversation_id"]))[-1]
    assert (told["role"], told["mode"]) == ("system", "handoff")
    assert told["text"].startswith(place)
    assert (await visitor.ask("Prices?", asked["conversation_id"]))["mode"] == "human"


async def test_a_yes_to_the_offer_is_a_wish(whole: Whole) -> None:
    visitor = Caller(whole)
    asked = await visitor.ask("Who won the football match in Lisbon yesterday?")
    assert asked["handoff_offered"]
    assert (await visitor.ask("yes please", asked["conversation_id"]))["answer"].startswith("All right")


async def test_what_is_not_answered_is_passed_on_where_the_tenant_wants_that(whole: Whole, hire: Hire) -> None:
    await _policy(whole, handoff={"when_no_answer": "request"})
    visitor, sara = Caller(whole), await hire(whole, "Sara")
    asked = await visitor.ask("Who won the football match in Lisbon yesterday?")
    assert asked["answer"].endswith("All right, I am passing you on to a person.")
    assert not asked["handoff_offered"]
    (waiting,) = await sara.queue("waiting")
    assert waiting["handoff_reason"] == "Who won the football match in Lisbon yesterday?"


async def test_nobody_is_asked_for_where_the_tenant_offers_nobody(whole: Whole) -> None:
    await _policy(whole, handoff={"offer": False})
    visitor = Caller(whole)
    asked = await visitor.ask("I want to talk to a person")
    assert "passing" not in asked["answer"]
    path = f"/v1/conversations/{asked['conversation_id']}/handoff"
    assert (await visitor.call("POST", path, status=409))["code"] == "handoff_not_offered"


async def test_outside_hours_the_visitor_is_told_when_people_are_back(whole: Whole) -> None:
    # Open for the one minute of the week that is farthest from now.
    day = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[(utcnow().weekday() + 3) % 7]
    hours = {
        "timezone": "UTC",
        "open": [{"day": day, "opens": "09:00", "closes": "09:01"}],
        "closed_message": {"en": "We are asleep."},
    }
    await _policy(whole, hours=hours)
    visitor = Caller(whole)
    conversation = (await visitor.ask("talk to a person"))["conversation_id"]
    told = (await visitor.messages(conversation))[-1]["text"]
    assert told.startswith("We are asleep. We are back on ")
    assert told.endswith("09:00. You can write here what you need, or open a ticket.")
    standing = await visitor.call("POST", f"/v1/conversations/{conversation}/handoff")
    assert standing["hours"]["open_now"] is False
    assert "T09:00:00" in standing["hours"]["next_open_at"]


async def test_other_visitors_conversations_are_unknown(whole: Whole) -> None:
    conversation = (await Caller(whole).ask("Refunds?"))["conversation_id"]
    bob = Caller(whole, "bob")
    for act in ("handoff", "close"):
        assert (await bob.call("POST", f"/v1/conversations/{conversation}/{act}", status=404))["code"] == "not_found"
    assert (await bob.call("GET", "/v1/conversations"))["items"] == []


async def test_a_visitor_closes_a_conversation(whole: Whole, hire: Hire) -> None:
    visitor, sara = Caller(whole), await hire(whole, "Sara")
    conversation = (await visitor.ask("talk to a person"))["conversation_id"]
    assert (await visitor.call("POST", f"/v1/conversations/{conversation}/close"))["state"] == "closed"
    assert await sara.queue("waiting") == []
    assert (await visitor.call("POST", f"/v1/conversations/{conversation}/handoff", status=409))["code"] == (
        "conversation_closed"
    )
