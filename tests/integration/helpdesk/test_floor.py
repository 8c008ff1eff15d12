"""Who has the floor: taking over, answering, giving back, closing; two agents never answer over each other."""

import asyncio

import pytest

from chatbot.core.ids import new_id
from chatbot.identity.subject import Role
from tests.conftest import bearer
from tests.integration.helpdesk.conftest import Caller, Hire
from tests.whole import Whole


async def test_an_agent_takes_over_answers_and_gives_back(whole: Whole, hire: Hire) -> None:
    visitor, sara = Caller(whole), await hire(whole, "Sara")
    asked = await visitor.ask("How do I reset my password on iPhone?")
    conversation = asked["conversation_id"]
    assert [each["id"] for each in await sara.queue("bot")] == [conversation]

    taken = await sara.at(conversation, "takeover")
    assert (taken["state"], taken["assignee"]["name"]) == ("human", "Sara")
    assert [each["id"] for each in await sara.queue("mine")] == [conversation]
    assert (await visitor.ask("And on Android?", conversation))["mode"] == "human"

    said = await sara.say(conversation, "I am looking into it.")
    assert (said["role"], said["author"]["name"], said["mode"]) == ("agent", "Sara", "human")
    seen = (await visitor.messages(conversation))[-1]
    assert (seen["text"], seen["author"]) == (
        "I am looking into it.",
        {"id": str(sara.id), "name": "Sara", "avatar_url": None},
    )

    back = await sara.at(conversation, "handback")
    assert (back["state"], back["assignee"]) == ("bot", None)
    assert (await visitor.ask("What does the Pro plan cost?", conversation))["mode"] == "extractive"


async def test_another_agents_conversation_is_taken_by_force_only(whole: Whole, hire: Hire) -> None:
    visitor, sara, omid = Caller(whole), await hire(whole, "Sara"), await hire(whole, "Omid")
    conversation = (await visitor.ask("Refunds?"))["conversation_id"]
    await sara.at(conversation, "takeover")
    refused = await omid.at(conversation, "takeover", status=409)
    assert (refused["code"], refused["detail"]) == ("held_by_another", "Sara has this conversation")
    refused = await omid.say(conversation, "Hello", status=409)
    assert refused["code"] == "not_yours"
    assert (await omid.at(conversation, "handback", status=409))["code"] == "not_yours"
    assert (await omid.at(conversation, "takeover", {"force": True}))["assignee"]["name"] == "Omid"
    assert (await sara.say(conversation, "Wait", status=409))["code"] == "not_yours"
    roles = [each["role"] for each in await visitor.messages(conversation)]
    assert "agent" not in roles


async def test_two_agents_who_answer_at_once_never_both_do(whole: Whole, hire: Hire) -> None:
    agents = [await hire(whole, name) for name in ("Sara", "Omid", "Lena")]
    visitor = Caller(whole)
    for _ in range(5):
        conversation = (await visitor.ask("Refunds?", client_message_id=str(new_id())))["conversation_id"]
        async with asyncio.TaskGroup() as answers:
            tried = [
                answers.create_task(
                    whole.api.post(
                        f"/admin/conversations/{conversation}/messages",
                        json={"text": agent.name, "client_message_id": str(new_id())},
                        headers=agent.headers,
                    )
                )
                for agent in agents
            ]
        assert sorted(each.result().status for each in tried) == [201, 409, 409]
        authors = {each["author"]["name"] for each in await visitor.messages(conversation) if each["role"] == "agent"}
        assert len(authors) == 1


async def test_a_message_sent_again_is_stored_once(whole: Whole, hire: Hire) -> None:
    visitor, sara, omid = Caller(whole), await hire(whole, "Sara"), await hire(whole, "Omid")
    conversation = (await visitor.ask("Refunds?", client_message_id="mine"))["conversation_id"]
    first = await sara.say(conversation, "Here I am", client_id="a")
    again = await sara.say(conversation, "Here I am", client_id="a")
    assert again["id"] == first["id"]
    assert (await sara.say(conversation, "Hi", client_id="mine", status=409))["code"] == "client_message_id_taken"
    assert (await omid.say(conversation, "Hi", client_id="a", status=409))["code"] == "client_message_id_taken"
    assert [each["role"] for each in await visitor.messages(conversation)].count("agent") == 1


async def test_a_conversation_is_assigned_closed_and_opened_again(whole: Whole, hire: Hire) -> None:
    visitor, sara, omid = Caller(whole), await hire(whole, "Sara"), await hire(whole, "Omid")
    conversation = (await visitor.ask("Refunds?"))["conversation_id"]
    given = await sara.at(conversation, "assign", {"assignee_id": str(omid.id)})
    assert given["assignee"]["name"] == "Omid"
    assert (await sara.at(conversation, "assign", {"assignee_id": str(new_id())}, status=404))["code"] == "not_found"
    queued = await sara.at(conversation, "assign", {"assignee_id": None})
    assert (queued["state"], queued["assignee"]) == ("waiting", None)
    assert queued["waiting_since"]
    assert [each["id"] for each in await omid.queue("waiting")] == [conversation]
    await omid.at(conversation, "takeover")
    closed = await omid.at(conversation, "close")
    assert (closed["state"], closed["assignee"]["name"]) == ("closed", "Omid")
    assert closed["closed_at"]
    opened = await sara.at(conversation, "reopen")
    assert (opened["state"], opened["assignee"]["name"], opened["closed_at"]) == ("human", "Omid", None)


async def test_a_visitor_who_writes_again_opens_a_closed_conversation(whole: Whole, hire: Hire) -> None:
    visitor, sara = Caller(whole), await hire(whole, "Sara")
    conversation = (await visitor.ask("Refunds?"))["conversation_id"]
    await sara.at(conversation, "takeover")
    await sara.at(conversation, "close")
    body = await visitor.ask("Hello?", conversation)
    assert body["mode"] not in ("human", "closed")
    assert body["answer"]
    now = await sara.ask("GET", f"/admin/conversations/{conversation}")
    assert (now["state"], now["assignee"], now["closed_at"]) == ("bot", None, None)
    assert (await sara.at(conversation, "takeover"))["state"] == "human"


async def test_counts_tags_and_reading(whole: Whole, hire: Hire) -> None:
    visitor, sara = Caller(whole), await hire(whole, "Sara")
    conversation = (await visitor.ask("Refunds, please"))["conversation_id"]
    await Caller(whole, "bob").ask("Prices?")
    await sara.at(conversation, "takeover")
    counts = await sara.ask("GET", f"/admin/conversations/counts?tenant_id={whole.tenant.id}")
    assert counts == {"mine": 1, "unassigned": 0, "waiting": 0, "human": 1, "bot": 1, "closed": 0, "all": 2}
    tagged = await sara.at(conversation, "tags", {"tags": ["vip", "refund", "vip"]}, method="PUT")
    assert tagged["tags"] == ["vip", "refund"]
    path = f"/admin/conversations?tenant_id={whole.tenant.id}&tag=vip"
    found = (await sara.ask("GET", path))["items"]
    assert [(each["subject"], each["unread"], each["visitor"]) for each in found] == [
        ("Refunds, please", 1, {"id": "ann", "name": "Ann"})
    ]
    await sara.at(conversation, "read", {"seq": 99}, status=204)
    seen = await sara.ask("GET", f"/admin/conversations/{conversation}")
    assert (seen["unread"], seen["agent_read_seq"]) == (0, seen["last_seq"])


async def test_a_queue_is_read_page_by_page(whole: Whole, hire: Hire) -> None:
    sara = await hire(whole, "Sara")
    for number in range(5):
        await Caller(whole, f"v{number}").ask("Prices?")
    base, found, cursor = f"/admin/conversations?tenant_id={whole.tenant.id}&limit=2", [], ""
    while True:
        page = await sara.ask("GET", base + cursor)
        found += [each["visitor"]["id"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert found == ["v4", "v3", "v2", "v1", "v0"]
    assert (await sara.ask("GET", base + "&cursor=nonsense", status=422))["code"] == "invalid_input"


async def test_why_the_bot_said_that(whole: Whole, hire: Hire) -> None:
    visitor, sara = Caller(whole), await hire(whole, "Sara")
    asked = await visitor.ask("How do I reset my password on iPhone?")
    path = f"/admin/conversations/{asked['conversation_id']}/messages"
    listed = (await sara.ask("GET", path))["items"]
    assert [each["role"] for each in listed] == ["visitor", "bot"]
    trace = await sara.ask("GET", f"{path}/{asked['message_id']}/trace")
    assert trace["question"] == "How do I reset my password on iPhone?"
    cited = [each for each in trace["passages"] if each["cited"]]
    assert cited[0]["title"] == "Reset your password on iPhone"
    assert trace["evidence"] > 0.3
    assert trace["milliseconds"]["retrieve"] >= 0
    assert (await sara.ask("GET", f"{path}/{new_id()}/trace", status=404))["code"] == "not_found"


@pytest.mark.parametrize("act", ["takeover", "handback", "close", "reopen"])
async def test_viewers_do_nothing(whole: Whole, act: str) -> None:

    conversation = (await Caller(whole).ask("Prices?"))["conversation_id"]
    headers = bearer(Role.VIEWER, whole.tenant.id)
    async with whole.api.post(f"/admin/conversations/{conversation}/{act}", headers=headers) as answer:
        assert answer.status == 403
