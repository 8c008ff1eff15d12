"""A visitor's page and people: asking, waiting, who comes and goes, typing, reading, the end."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from websockets.asyncio.client import connect

from tests.integration.helpdesk.conftest import Caller, Hire
from tests.integration.live.gateway import Client
from tests.whole import Whole


@asynccontextmanager
async def page(whole: Whole, visitor: Caller, **hello: str) -> AsyncIterator[Client]:
    """A page of a visitor that was let in."""
    url = whole.gateway_url.replace("http", "ws") + "/ws"
    async with connect(url, compression=None) as socket:
        client = Client(socket)
        await client.send("hello", token=visitor.headers["Authorization"].removeprefix("Bearer "), **hello)
        await client.until("ready")
        yield client


async def test_a_page_follows_a_person_from_the_queue_to_the_end(whole: Whole, hire: Hire) -> None:
    visitor, sara, omid = Caller(whole), await hire(whole, "Sara"), await hire(whole, "Omid")
    async with page(whole, visitor) as tab, sara.live() as feed:
        await feed.until("ready")
        await tab.send("message", text="Refunds?")
        await tab.until("done")
        await tab.send("handoff", reason="I was charged twice")
        waiting = await tab.until("state", state="waiting")
        conversation = waiting["conversation_id"]
        assert (waiting["queue"], waiting["hours"]["open_now"]) == (
            {"position": 1, "expected_wait_seconds": None},
            True,
        )
        asked = await feed.until("conversation.handoff_requested", conversation_id=conversation)
        assert (asked["data"]["by"], asked["data"]["reason"]) == ("visitor", "I was charged twice")
        await tab.send("typing", active=True)
        await feed.until("typing", conversation_id=conversation, role="visitor", active=True)

        await sara.at(conversation, "takeover")
        assert (await tab.until("agent_joined"))["agent"] == {"id": str(sara.id), "name": "Sara", "avatar_url": None}
        await tab.until("state", state="human")
        await sara.at(conversation, "typing", {"active": True}, status=204)
        assert (await tab.until("typing", role="agent"))["name"] == "Sara"
        await sara.say(conversation, "Hello Ann")
        said = await tab.until("message", role="agent")
        assert (said["text"], said["author"]["name"], said["attachments"]) == ("Hello Ann", "Sara", [])
        assert (await tab.until("read", role="agent"))["seq"] == said["seq"]

        await omid.at(conversation, "takeover", {"force": True})
        await tab.until("agent_left")
        assert (await tab.until("agent_joined"))["agent"]["name"] == "Omid"
        await omid.at(conversation, "close")
        await tab.until("state", state="closed")
        await tab.until("csat_request")

        await tab.send("message", text="One more thing: refunds?")
        await tab.until("state", state="bot")
        assert (await tab.until("done"))["mode"] not in ("human", "closed")


async def test_a_conversation_may_begin_with_the_wish(whole: Whole, hire: Hire) -> None:
    visitor, sara = Caller(whole), await hire(whole, "Sara")
    async with page(whole, visitor) as tab:
        await tab.send("handoff")
        assert (await tab.until("state", state="waiting"))["queue"]["position"] == 1
        (waiting,) = await sara.queue("waiting")
        assert waiting["subject"] is None
        await tab.send("close")
        assert (await tab.until("state", state="closed"))["conversation_id"] == waiting["id"]
        assert json.dumps([frame["type"] for frame in tab.frames]).count("csat_request") == 0


async def test_everybody_who_waits_is_told_of_a_new_place(whole: Whole, hire: Hire) -> None:
    first, second, sara = Caller(whole, "ann"), Caller(whole, "bob"), await hire(whole, "Sara")
    async with page(whole, first) as one, page(whole, second) as two:
        await one.send("handoff")
        ahead = await one.until("state", state="waiting")
        await two.send("handoff")
        assert (await two.until("state", state="waiting"))["queue"]["position"] == 2
        await sara.at(ahead["conversation_id"], "takeover")
        assert (await two.until("state", state="waiting"))["queue"]["position"] == 1


async def test_a_page_that_comes_back_is_told_where_it_stands(whole: Whole, hire: Hire) -> None:
    visitor, sara = Caller(whole), await hire(whole, "Sara")
    conversation = (await visitor.ask("talk to a person"))["conversation_id"]
    await sara.at(conversation, "takeover")
    async with page(whole, visitor, conversation_id=conversation) as tab:
        state = await tab.until("state")
        assert (state["state"], state["agent"]["name"]) == ("human", "Sara")
