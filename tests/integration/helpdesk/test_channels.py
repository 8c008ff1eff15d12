"""People on other channels: what an agent writes leaves by the outbox, in order, and the agent sees how far it came."""

import asyncio
from typing import Any

from aiohttp import web

from tests.integration.helpdesk.conftest import Hire, Person, Receiver
from tests.whole import Whole


async def _connected(whole: Whole, receiver: Receiver) -> dict[str, Any]:
    return await whole.channel("webhook", {"webhook_url": receiver.url})


async def _delivery(agent: Person, conversation: str, status: str) -> dict[str, Any]:
    """Wait until an agent's last message is delivered so."""
    for _ in range(1200):
        found = (await agent.at(conversation, "messages", method="GET"))["items"][-1]
        if found["delivery"] and found["delivery"]["status"] == status:
            return dict(found)
        await asyncio.sleep(0.05)
    raise AssertionError(found)


async def test_an_agents_message_leaves_behind_the_bots(whole: Whole, hire: Hire, receiver: Receiver) -> None:
    channel, sara = await _connected(whole, receiver), await hire(whole, "Sara")
    body = {"session_id": "s1", "text": "What is your refund policy?", "event_id": "e1"}
    assert (await whole.tell(channel, body)).status == 200
    await receiver.wait_for(1)
    (conversation,) = [each["id"] for each in await sara.queue("bot")]
    await sara.at(conversation, "takeover")
    for number in range(3):
        await sara.say(conversation, f"Person {number}")
    told = await receiver.wait_for(4)
    assert [each["message"]["text"] for each in told[1:]] == ["Person 0", "Person 1", "Person 2"]
    assert [each["message"]["by_person"] for each in told] == [False, True, True, True]
    sent = await _delivery(sara, conversation, "sent")
    assert sent["delivery"]["words"] is None
    assert (await whole.tell(channel, {**body, "event_id": "e2", "text": "Thank you"})).status == 200
    await asyncio.sleep(1.5)
    assert len(receiver.got) == 4, "the bot is silent while a person has the conversation"


async def test_a_message_that_is_refused_says_so_to_the_agent(whole: Whole, hire: Hire, receiver: Receiver) -> None:
    channel, sara = await _connected(whole, receiver), await hire(whole, "Sara")
    body = {"session_id": "s2", "text": "What is your refund policy?", "event_id": "e1"}
    await whole.tell(channel, body)
    await receiver.wait_for(1)
    (conversation,) = [each["id"] for each in await sara.queue("bot")]
    receiver.answers = [web.Response(status=410, text="gone")]
    await sara.say(conversation, "Are you there?")
    failed = await _delivery(sara, conversation, "failed")
    assert failed["delivery"]["words"]


async def test_a_visitor_of_a_channel_is_told_of_the_queue_there(whole: Whole, hire: Hire, receiver: Receiver) -> None:
    channel, sara = await _connected(whole, receiver), await hire(whole, "Sara")
    await whole.tell(channel, {"session_id": "s3", "text": "می‌خواهم با یک نفر صحبت کنم", "event_id": "e1"})
    told = await receiver.wait_for(2)
    assert [each["message"]["text"].split(".")[0] for each in told] == [
        "بسیار خوب، گفتگوی شما را به یکی از همکارانم می‌سپارم",
        "شما نفر بعدی در صف هستید",
    ]
    assert len(await sara.queue("waiting")) == 1
