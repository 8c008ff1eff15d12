"""Live web chat between real processes' parts: one conversation, several pages, drops in the middle of a reply."""

import asyncio
import random
from uuid import UUID

import pytest

from chatbot.channels.live import rooms
from chatbot.channels.live.errors import TRY_AGAIN
from chatbot.core.ids import new_id
from chatbot.dialogue.handoff import floor
from chatbot.dialogue.handoff.parts import Agent
from chatbot.helpdesk.agents.repository import keep
from tests.conftest import TenantRows
from tests.integration.dialogue.model_server import ModelServer
from tests.integration.dialogue.platform import Platform
from tests.integration.dialogue.test_with_model import REFUND
from tests.integration.live.gateway import Client, Frame, Gateway, run_gateway, transcript


async def test_a_conversation_streams_with_its_sources(gateway: Gateway, shop: TenantRows, model: ModelServer) -> None:
    model.words, model.pause = ["Within ", "14 ", "days ", "[1]", " and ", "not ", "more."], 0.05
    async with gateway.client(shop) as page:
        await page.send("message", text=REFUND, client_message_id="q1")
        done = await page.until("done")
        assert (await page.receive()) == {"type": "typing", "role": "bot", "active": False}
    assert done["answer"] == "Within 14 days [1] and not more."
    assert page.transcript() == {1: REFUND, 2: done["answer"]}
    kinds = [frame["type"] for frame in page.frames]
    assert kinds[:4] == ["ready", "message", "message", "typing"]
    assert kinds.count("delta") > 1
    assert kinds.count("citation") == 1
    question, reply = page.frames[1], page.frames[2]
    assert (question["role"], question["seq"], question["client_message_id"]) == ("visitor", 1, "q1")
    assert (reply["role"], reply["seq"], reply["status"], reply["reply_to"]) == ("bot", 2, "streaming", question["id"])
    assert done["conversation_id"] == question["conversation_id"]


async def test_a_second_message_goes_on_with_the_conversation(
    gateway: Gateway, shop: TenantRows, model: ModelServer
) -> None:
    async with gateway.client(shop) as page:
        for _ in range(2):
            await page.send("message", text=REFUND)
            await page.until("done")
    assert sorted(page.transcript()) == [1, 2, 3, 4]
    assert len({frame["conversation_id"] for frame in page.frames if frame["type"] == "message"}) == 1


async def begin(page: Client, words: int = 3) -> str:
    """Ask, read some of the reply; return the conversation."""
    await page.send("message", text=REFUND, client_message_id="q1")
    for _ in range(words):
        await page.until("delta")
    return str(page.frames[1]["conversation_id"])


async def test_a_dropped_page_resumes_in_the_middle_of_a_reply(
    gateway: Gateway, shop: TenantRows, model: ModelServer
) -> None:
    """Dropped again and again: what the last socket was told is whole, with nothing twice."""
    model.words, model.pause = [f"w{n} " for n in range(60)] + ["end [1]."], 0.02
    async with gateway.client(shop) as page:
        conversation = await begin(page)
        page.drop()
    rng = random.Random(3)
    for _ in range(5):
        async with gateway.client(shop, conversation_id=conversation, after_seq=1) as page:
            for _ in range(rng.randrange(1, 6)):
                await page.receive()
            page.drop()
    async with gateway.client(shop, conversation_id=conversation, after_seq=1) as page:
        done = await page.until("done")
    assert done["status"] == "complete"
    assert page.transcript() == {2: done["answer"]}
    assert done["answer"].startswith("w0 w1 ")
    assert len(model.requests) == 1


async def test_resuming_after_the_end_gives_each_message_once(
    gateway: Gateway, shop: TenantRows, model: ModelServer
) -> None:
    async with gateway.client(shop) as page:
        for _ in range(12):
            await page.send("message", text=REFUND)
            await page.until("done")
        shown = page.transcript()
    conversation = str(page.frames[1]["conversation_id"])
    for after in (0, 3, 20, 23):
        async with gateway.client(shop, conversation_id=conversation, after_seq=after) as page:
            assert page.frames[0]["seq"] == 24
            for _ in range(24 - after):
                await page.receive()
            await page.send("ping")
            assert (await page.receive())["type"] == "pong"
        assert [frame["seq"] for frame in page.frames[2:-1]] == list(range(after + 1, 25))
        assert page.transcript() == {seq: text for seq, text in shown.items() if seq > after}


async def test_two_pages_see_the_same(gateway: Gateway, shop: TenantRows, model: ModelServer) -> None:
    model.words, model.pause, model.hold_at = [f"w{n} " for n in range(40)], 0.02, 10
    async with gateway.client(shop) as one:
        conversation = await begin(one)
        async with gateway.client(shop, conversation_id=conversation) as two:
            model.go.set()
            await asyncio.gather(one.until("typing", active=False), two.until("typing", active=False))
            await two.send("message", text="And gift cards?")
            await asyncio.gather(one.until("typing", active=False), two.until("typing", active=False))
            assert one.transcript() == two.transcript()
            assert len(one.transcript()) == 4


async def test_pages_at_two_gateways_see_each_other(
    gateway: Gateway, smart: Platform, shop: TenantRows, model: ModelServer, database_url: str
) -> None:
    model.words, model.pause, model.hold_at = [f"w{n} " for n in range(60)], 0.02, 10
    async with run_gateway(database_url, smart.url) as second, gateway.client(shop) as here:
        conversation = await begin(here)
        async with second.client(shop, conversation_id=conversation) as there:
            model.go.set()
            await asyncio.gather(here.until("typing", active=False), there.until("typing", active=False))
            await there.send("message", text="And gift cards?")
            await asyncio.gather(here.until("typing", active=False), there.until("typing", active=False))
            assert here.transcript() == there.transcript()
            assert len(here.transcript()) == 4


async def test_what_comes_in_by_http_is_seen_too(
    gateway: Gateway, smart: Platform, shop: TenantRows, model: ModelServer
) -> None:
    model.pause = 0.1
    async with gateway.client(shop) as page:
        await page.send("message", text=REFUND)
        conversation = (await page.until("done"))["conversation_id"]
        body = await smart.ask(shop, "And gift cards?", conversation_id=conversation)
        await page.until("done", message_id=body["message_id"])
    assert page.transcript()[4] == body["answer"]


async def test_a_message_sent_again_is_one_message(gateway: Gateway, shop: TenantRows, model: ModelServer) -> None:
    """A client that lost its socket before it heard of its first message's conversation sends it again."""
    model.words, model.pause = ["slow "] * 20, 0.02
    async with gateway.client(shop) as page:
        await page.send("message", text=REFUND, client_message_id="once")
        page.drop()
    async with gateway.client(shop) as page:
        await page.send("message", text=REFUND, client_message_id="once")
        await page.until("done")
    assert list(page.transcript()) == [1, 2]
    assert len(model.requests) == 1


async def test_a_page_that_says_goodbye_closes_the_model_call(
    gateway: Gateway, shop: TenantRows, model: ModelServer
) -> None:
    model.words, model.pause = ["word "] * 500, 0.1
    async with gateway.client(shop) as page:
        await begin(page)
    async with asyncio.timeout(30):  # the answer would go on for 50 s
        while model.open_streams:  # noqa: ASYNC110 - a plain counter
            await asyncio.sleep(0.01)
    assert model.closed_early == 1


async def test_a_lost_page_is_waited_for_and_then_not(gateway: Gateway, shop: TenantRows, model: ModelServer) -> None:
    assert rooms.RESUME_SECONDS >= 5
    model.words, model.pause = ["word "] * 500, 0.1
    async with gateway.client(shop) as page:
        await begin(page)
        page.drop()
    await asyncio.sleep(1.0)
    assert model.open_streams == 1
    gateway.live._rooms.close_left(float("inf"))
    async with asyncio.timeout(30):
        while model.open_streams:  # noqa: ASYNC110 - a plain counter
            await asyncio.sleep(0.01)


async def test_read_marks_and_persons_are_told_to_every_page(
    gateway: Gateway, smart: Platform, shop: TenantRows
) -> None:
    async with gateway.client(shop) as one:
        await one.send("message", text=REFUND)
        await one.until("done")
        conversation = one.frames[1]["conversation_id"]
        async with gateway.client(shop, conversation_id=conversation) as two:
            await one.send("read", seq=99)
            assert (await two.until("read"))["seq"] == 2
            assert (await one.until("read"))["seq"] == 2
            async with smart.database.tenant(shop.id) as session:
                sara = Agent(new_id(), "Sara")
                await keep(session, sara)
                await floor.take(session, await floor.held(session, UUID(conversation)), sara)
            joined = await asyncio.gather(one.until("agent_joined"), two.until("agent_joined"))
            assert [frame["agent"]["name"] for frame in joined] == ["Sara", "Sara"]
            await two.send("message", text="Hello?", client_message_id="h")
            done: Frame = await two.until("done")
            assert (done["mode"], done["answer"]) == ("human", "")
        async with gateway.client(shop, conversation_id=conversation, after_seq=2) as three:
            assert (three.frames[0]["state"], three.frames[0]["read_seq"]) == ("human", 2)
            assert three.frames[1]["agent"]["name"] == "Sara"
            assert (await three.receive())["text"] == "Hello?"
    assert transcript([frame for frame in two.frames if frame["type"] == "message"])[3] == "Hello?"


async def test_pages_that_cannot_be_told_come_back(
    gateway: Gateway, shop: TenantRows, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong while news are read, the pages are sent away to resume, and the next ones are told again."""
    async with gateway.client(shop) as page:
        await page.send("message", text=REFUND)
        conversation = (await page.until("done"))["conversation_id"]
        with monkeypatch.context() as broken:
            broken.setattr("chatbot.dialogue.live_repository.messages_behind", None)
            await page.send("message", text=REFUND)
            assert await page.closed() == TRY_AGAIN
    async with gateway.client(shop, conversation_id=conversation, after_seq=4) as page:
        await page.send("message", text=REFUND)
        await page.until("done")
