"""Agents who are gone: noticed, and what they had waits again; who comes back in time keeps it."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from chatbot.core.ids import new_id
from chatbot.dialogue.handoff import floor
from chatbot.helpdesk.agents.absence import look_after
from tests.integration.helpdesk.conftest import Caller, Hire, Person
from tests.whole import Whole


async def _long_ago(whole: Whole, agent: Person, minutes: int) -> None:
    """Let an agent have been seen last so long ago, and its conversations have been given to it before that."""
    async with whole.runtime.database.tenant(whole.tenant.id) as session:
        values = {"m": minutes, "id": agent.id}
        await session.execute(
            text(
                "UPDATE agents SET seen_at = now() - make_interval(mins => :m), away_since = NULL, presence = 'online' "
                "WHERE id = :id"
            ),
            values,
        )
        await session.execute(
            text("UPDATE conversations SET assigned_at = now() - make_interval(mins => :m) WHERE assignee_id = :id"),
            values,
        )


async def _look(whole: Whole) -> int:
    return await look_after(whole.runtime.database, whole.orchestrator.turns)


async def test_what_a_gone_agent_had_waits_again(whole: Whole, hire: Hire) -> None:
    visitor, sara, omid = Caller(whole), await hire(whole, "Sara"), await hire(whole, "Omid")
    async with sara.live() as feed:
        await feed.until("ready")
    conversation = (await visitor.ask("Refunds?"))["conversation_id"]
    later = (await Caller(whole, "bob").ask("talk to a person"))["conversation_id"]
    await sara.at(conversation, "takeover")
    await _long_ago(whole, sara, 4)
    await _look(whole)
    assert [each["id"] for each in await sara.queue("mine")] == [conversation]  # within five minutes
    await _long_ago(whole, sara, 6)
    async with omid.live() as feed:
        await feed.until("ready")
        await _look(whole)
        gone = await feed.until("agent.presence", agent_id=str(sara.id))
        assert gone["data"]["presence"] == "offline"
        told = await feed.until("conversation.handoff_requested", conversation_id=conversation)
        assert (told["data"]["by"], told["data"]["left_by"]) == ("absence", str(sara.id))
    waiting = await omid.queue("waiting")
    assert [each["id"] for each in waiting] == [conversation, later], "it has waited since its agent left"
    last = (await visitor.messages(conversation))[-1]
    assert last["text"] == "Your conversation is in line again: somebody else will go on with it."
    assert await _look(whole) == 0


@pytest.mark.parametrize("how", ["lowered", "taken out", "suspended", "deleted"])
async def test_what_an_agent_had_who_may_answer_no_more_waits_at_once(whole: Whole, hire: Hire, how: str) -> None:
    visitor, sara, omid = Caller(whole), await hire(whole, "Sara"), await hire(whole, "Omid")
    async with sara.live() as feed:
        await feed.until("ready")
    conversation = (await visitor.ask("Refunds?"))["conversation_id"]
    await sara.at(conversation, "takeover")
    assert await _look(whole) == 0
    member = f"/admin/users/{sara.id}/memberships/{whole.tenant.id}"
    match how:
        case "lowered":
            await whole.ask("PUT", member, {"role": "viewer"})
        case "taken out":
            await whole.ask("DELETE", member, status=204)
        case "suspended":
            await whole.ask("POST", f"/admin/users/{sara.id}/suspend")
        case _:
            await whole.ask("DELETE", f"/admin/users/{sara.id}", status=204)
    async with omid.live() as feed:
        await feed.until("ready")
        assert await _look(whole) == 1
        told = await feed.until("conversation.handoff_requested", conversation_id=conversation)
        assert (told["data"]["by"], told["data"]["left_by"]) == ("absence", str(sara.id))
    assert [each["id"] for each in await omid.queue("waiting")] == [conversation]
    last = (await visitor.messages(conversation))[-1]
    assert last["text"] == "Your conversation is in line again: somebody else will go on with it."


async def test_a_platform_admin_needs_no_membership_to_keep_it(whole: Whole, hire: Hire) -> None:
    visitor, sara = Caller(whole), await hire(whole, "Sara")
    await whole.ask("PATCH", f"/admin/users/{sara.id}", {"is_platform_admin": True})
    await whole.ask("PUT", f"/admin/users/{sara.id}/memberships/{whole.tenant.id}", {"role": "viewer"})
    conversation = (await visitor.ask("Refunds?"))["conversation_id"]
    await sara.at(conversation, "takeover")
    assert await _look(whole) == 0
    assert [each["id"] for each in await sara.queue("mine")] == [conversation]


def _program(whole: Whole, made: dict[str, Any]) -> Person:
    """Return what a program with a key is."""
    return Person(UUID(made["id"]), made["name"], whole, {"Authorization": f"Bearer {made['key']}"}, new_id())


async def test_the_successor_of_a_key_goes_on_with_its_conversations(whole: Whole, hire: Hire) -> None:
    visitor, omid = Caller(whole), await hire(whole, "Omid")
    conversation = (await visitor.ask("Refunds?"))["conversation_id"]
    wanted = {"tenant_id": str(whole.tenant.id), "name": "Bridge", "role": "agent"}
    key = await whole.ask("POST", "/admin/api_keys", wanted, status=201)
    await _program(whole, key).say(conversation, "Hello from the bridge")
    for _ in range(2):
        key = await whole.ask("POST", f"/admin/api_keys/{key['id']}/rotate", status=201)
        async with whole.runtime.database.tenant(whole.tenant.id) as session:  # the quarter of an hour is over
            over = text("UPDATE api_keys SET expires_at = now() WHERE expires_at IS NOT NULL")
            await session.execute(over)
        assert await _look(whole) == 0
        await _program(whole, key).say(conversation, "Hello again")
    await whole.ask("DELETE", f"/admin/api_keys/{key['id']}", status=204)
    assert await _look(whole) == 1
    assert [each["id"] for each in await omid.queue("waiting")] == [conversation]


async def test_a_tenant_whose_work_fails_holds_up_no_other(
    whole: Whole, hire: Hire, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitors, sara = [Caller(whole, "ann"), Caller(whole, "bob")], await hire(whole, "Sara")
    async with sara.live() as feed:
        await feed.until("ready")
    taken = [(await visitor.ask("Refunds?"))["conversation_id"] for visitor in visitors]
    for conversation in taken:
        await sara.at(conversation, "takeover")
    await _long_ago(whole, sara, 6)
    returned, failed = floor.return_to_queue, []

    async def fail_once(*given: Any) -> None:
        if not failed:
            failed.append(given)
            raise RuntimeError("the channel's secrets cannot be opened")
        await returned(*given)

    monkeypatch.setattr(floor, "return_to_queue", fail_once)
    assert await _look(whole) == 1
    assert await _look(whole) == 1


async def test_who_says_away_loses_it_and_who_comes_back_keeps_it(whole: Whole, hire: Hire) -> None:
    await whole.ask("PUT", f"/admin/policies/{whole.tenant.id}", {"handoff": {"return_minutes": 1}})
    visitor, sara = Caller(whole), await hire(whole, "Sara")
    conversation = (await visitor.ask("Refunds?"))["conversation_id"]
    await sara.at(conversation, "takeover")

    async def say(presence: str) -> None:
        body = {"tenant_id": str(whole.tenant.id), "presence": presence}
        await sara.ask("PUT", "/admin/agents/me/presence", body)

    async def passes(minutes: int) -> None:
        async with whole.runtime.database.tenant(whole.tenant.id) as session:
            move = text("UPDATE agents SET away_since = away_since - make_interval(mins => :m), seen_at = now()")
            await session.execute(move, {"m": minutes})
            await session.execute(text("UPDATE conversations SET assigned_at = now() - interval '1 hour'"))

    await say("away")
    await passes(2)
    await say("online")
    assert await _look(whole) == 0
    await say("away")
    await passes(2)
    assert await _look(whole) == 1
    assert await sara.queue("mine") == []


async def test_a_program_that_never_said_that_it_is_there_keeps_what_it_has(whole: Whole, hire: Hire) -> None:
    visitor, sara = Caller(whole), await hire(whole, "Sara")
    conversation = (await visitor.ask("Refunds?"))["conversation_id"]
    await sara.at(conversation, "takeover")
    async with whole.runtime.database.tenant(whole.tenant.id) as session:
        await session.execute(text("UPDATE conversations SET assigned_at = now() - interval '1 day'"))
    assert await _look(whole) == 0
    await asyncio.sleep(0)
