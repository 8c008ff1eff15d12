"""Answers of a model: streamed, checked, resumable; its faults; readers that leave; people who take over."""

import asyncio
import json
import random
from typing import Any

import aiohttp
import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text

from chatbot.dialogue import service
from chatbot.dialogue.handoff.repository import change_floor
from chatbot.dialogue.service import Dialogue
from tests.conftest import TenantRows
from tests.integration.dialogue.model_server import ModelServer
from tests.integration.dialogue.platform import Platform, read_events, run_platform, text_of

REFUND = "How do I get a refund?"


async def one(platform: Platform, tenant: TenantRows, query: str) -> Any:
    async with platform.database.tenant_reader(tenant.id) as session:
        return (await session.execute(text(query))).one()


async def test_streams_the_models_answer_with_its_citations(
    smart: Platform, shop: TenantRows, model: ModelServer
) -> None:
    model.words = ["Within ", "14 ", "days ", "[", "1", "]", " and [9]", " not ![x](http://evil.example/x)", " more."]
    events = await smart.stream(shop, REFUND)
    done = events[-1]["data"]
    assert done["answer"] == "Within 14 days [1] and not more."
    assert text_of(events) == done["answer"]
    assert [event["event"] for event in events if event["event"] != "delta"] == ["message", "citation", "done"]
    assert done["mode"] == "model"
    assert done["usage"]["input_tokens"] == 100
    assert [citation["index"] for citation in done["citations"]] == [1]
    record = await one(smart, shop, "SELECT purpose, outcome, input_tokens, message_id::text FROM usage_records")
    assert tuple(record) == ("answer", "completed", 100, done["message_id"])


async def test_passages_are_framed_as_data_and_the_prompt_holds_no_secret(
    smart: Platform, shop: TenantRows, model: ModelServer
) -> None:
    await smart.ask(shop, "چقدر طول می‌کشد سفارش به شهرستان ارسال شود؟")
    system = model.requests[-1]["messages"][0]["content"]
    assert "Write in Persian" in system
    assert "سه تا پنج روز کاری" in system
    assert str(shop.id) not in system
    assert system.strip() != "k"


async def test_a_channels_own_voice_and_model_take_the_place_of_the_tenants(
    smart: Platform, shop: TenantRows, model: ModelServer
) -> None:
    voice = {"bot": {"display_name": "Max", "instructions": "Speak like a sailor.", "model": "big-model"}}
    async with smart.database.tenant(shop.id) as session:
        statement = text("UPDATE channels SET configuration = CAST(:voice AS jsonb) WHERE id = :id")
        await session.execute(statement, {"voice": json.dumps(voice), "id": shop.channel_id})
    begun = await smart.ask(shop, "How do I reset my password on iPhone?")
    await smart.ask(shop, "and on Android?", conversation_id=begun["conversation_id"])
    system = model.requests[0]["messages"][0]["content"]
    assert "You are Max" in system
    assert "Speak like a sailor." in system
    assert [request["model"] for request in model.requests] == ["big-model"] * 3


async def test_nothing_relevant_makes_no_model_call(smart: Platform, shop: TenantRows, model: ModelServer) -> None:
    body = await smart.ask(shop, "Wingspan albatross?")
    assert body["mode"] == "no_answer"
    assert model.requests == []


async def test_the_model_may_find_no_answer(smart: Platform, shop: TenantRows, model: ModelServer) -> None:
    model.words = ["NO", "_ANS", "WER"]
    events = await smart.stream(shop, REFUND)
    assert events[-1]["data"]["mode"] == "no_answer"
    assert "NO_ANSWER" not in text_of(events)
    assert (await one(smart, shop, "SELECT count(*) FROM knowledge_gaps"))[0] == 1


async def test_follow_up_is_condensed_by_the_model_only_when_it_depends(
    smart: Platform, shop: TenantRows, model: ModelServer
) -> None:
    begun = await smart.ask(shop, "How do I reset my password on iPhone?")
    assert len(model.requests) == 1
    await smart.ask(shop, "and on Android?", conversation_id=begun["conversation_id"])
    assert len(model.requests) == 3


async def test_an_answer_without_marks_gets_those_of_the_passages_it_rests_on(
    smart: Platform, shop: TenantRows, model: ModelServer
) -> None:
    model.words = ["You ", "may ", "cancel ", "within ", "14 ", "days ", "and ", "get ", "the whole amount ", "back."]
    events = await smart.stream(shop, REFUND)
    done = events[-1]["data"]
    assert done["answer"] == "You may cancel within 14 days and get the whole amount back. [1]"
    assert text_of(events) == done["answer"]
    assert done["mode"] == "model"
    cited = [event["data"] for event in events if event["event"] == "citation"]
    assert cited == done["citations"]
    assert "whole amount back" in cited[0]["passage"]


async def test_an_answer_that_rests_on_no_passage_is_followed_by_what_they_say(
    smart: Platform, shop: TenantRows, model: ModelServer
) -> None:
    model.words = ["Refunds ", "are ", "decided ", "by ", "our ", "wizard ", "in ", "Oz ", "within ", "90 ", "days."]
    events = await smart.stream(shop, REFUND)
    done = events[-1]["data"]
    claim, doubt, quoted = done["answer"].split("\n\n")
    assert claim == "Refunds are decided by our wizard in Oz within 90 days."
    assert doubt.startswith("I could not confirm this")
    assert "within 14 days" in quoted
    assert text_of(events) == done["answer"]
    assert [citation["index"] for citation in done["citations"]] == [1]
    assert done["usage"]["input_tokens"] == 100
    trace = await one(smart, shop, "SELECT trace FROM turn_traces")
    assert trace[0]["notes"]["model"] == "rests on no passage"


async def test_a_refusal_in_the_models_own_words_is_no_answer(
    smart: Platform, shop: TenantRows, model: ModelServer
) -> None:
    model.words = ["The passages ", "do not mention ", "how to get ", "a refund of ", "gift cards."]
    events = await smart.stream(shop, REFUND)
    done = events[-1]["data"]
    assert (done["mode"], done["handoff_offered"], done["citations"]) == ("no_answer", True, [])
    assert text_of(events) == done["answer"]
    assert done["answer"].startswith("The passages do not mention how to get a refund of gift cards. Would you like")
    assert (await one(smart, shop, "SELECT count(*) FROM knowledge_gaps"))[0] == 1


async def test_an_answer_of_nothing_is_taken_from_the_passages(
    smart: Platform, shop: TenantRows, model: ModelServer
) -> None:
    model.words = ["![x](http://evil.example/x)"]
    events = await smart.stream(shop, REFUND)
    assert events[-1]["data"]["mode"] == "extractive"
    assert text_of(events).startswith("You may cancel within 14 days")


@pytest.mark.parametrize("status", [400, 401, 500])
async def test_no_model_answer_falls_back_to_the_knowledge(
    smart: Platform, shop: TenantRows, model: ModelServer, status: int
) -> None:
    model.status = status
    events = await smart.stream(shop, REFUND)
    assert events[-1]["data"]["mode"] == "extractive"
    assert "14 days" in events[-1]["data"]["answer"]
    assert [event["event"] for event in events].count("done") == 1


async def test_an_answer_that_breaks_off_is_completed_from_the_passages(
    smart: Platform, shop: TenantRows, model: ModelServer
) -> None:
    model.words, model.cut_after = ["Refunds [1] ", "take ", "14 days."], 2
    events = await smart.stream(shop, REFUND)
    answer = events[-1]["data"]["answer"]
    assert answer.startswith("Refunds [1] take…")
    assert "14 days" in answer
    assert text_of(events) == answer
    assert [event["event"] for event in events if event["event"] in ("done", "error")] == ["done"]
    assert [citation["index"] for citation in events[-1]["data"]["citations"]] == [1]


async def test_an_answer_longer_than_the_model_may_write_is_completed_too(
    smart: Platform, shop: TenantRows, model: ModelServer
) -> None:
    model.words, model.finish = ["Refunds [1] ", "take "], "length"
    events = await smart.stream(shop, REFUND)
    answer = events[-1]["data"]["answer"]
    assert answer.startswith("Refunds [1] take…")
    assert "14 days" in answer


async def test_a_client_that_leaves_closes_the_model_call(
    smart: Platform, shop: TenantRows, model: ModelServer
) -> None:
    model.words, model.pause = ["[1] ", *["word "] * 500], 0.1
    got = ""
    async with aiohttp.ClientSession() as client:
        answer = await client.post(f"{smart.url}/v1/chat/stream", json={"message": REFUND}, headers=smart.visitor(shop))
        async for event in read_events(answer):
            got += event["data"]["text"] if event["event"] == "delta" else ""
            if "word word" in got:
                break
        answer.close()
    async with asyncio.timeout(30):  # the answer would go on for 50 s
        while model.open_streams:  # noqa: ASYNC110 - a plain counter
            await asyncio.sleep(0.01)
        while True:
            row = await one(smart, shop, "SELECT status, mode, text FROM messages WHERE role = 'bot'")
            if row.status != "streaming":
                break
            await asyncio.sleep(0.02)
    assert (row.status, row.mode) == ("interrupted", "model")
    assert row.text.startswith("[1] word word")
    record = await one(smart, shop, "SELECT outcome, output_tokens FROM usage_records")
    assert record.outcome == "cancelled"
    assert record.output_tokens > 0


async def test_reconnecting_a_hundred_times_gives_the_same_text(
    smart: Platform, shop: TenantRows, model: ModelServer, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the reconnects go to a second process, which knows the reply from its row only."""
    monkeypatch.setattr(service, "ABANDONED_SECONDS", 30.0)  # a busy machine may be long in coming back
    model.words, model.pause = ["[1] ", *(f"w{n} " for n in range(120)), "end [1]."], 0.01
    body = {"message": REFUND, "client_message_id": "again"}
    rng = random.Random(7)
    texts: list[str] = []
    async with run_platform(database_url, model.url) as second, aiohttp.ClientSession() as client:
        last_id, got = "", ""
        url = smart.url
        for _attempt in range(100):
            headers = {**smart.visitor(shop), **({"Last-Event-ID": last_id} if last_id else {})}
            stop_after = rng.randrange(1, 4)
            async with client.post(f"{url}/v1/chat/stream", json=body, headers=headers) as answer:
                assert answer.status == 200
                async for event in read_events(answer):
                    last_id = event["id"]
                    got += event["data"]["text"] if event["event"] == "delta" else ""
                    stop_after -= 1
                    if event["event"] == "done":
                        texts.append(got)
                        assert got == event["data"]["answer"]
                        last_id, got = "", ""
                    if stop_after <= 0:
                        answer.close()
                        break
            url = rng.choice([smart.url, second.url])
    assert len(texts) >= 2
    assert len(set(texts)) == 1


async def test_a_reader_in_another_process_sees_the_same(
    smart: Platform, shop: TenantRows, model: ModelServer, database_url: str
) -> None:
    model.words, model.pause = ["[1] ", *["slow "] * 30], 0.02
    async with run_platform(database_url, model.url) as second:
        here = asyncio.create_task(smart.stream(shop, REFUND, client_message_id="x"))
        while not model.open_streams:  # noqa: ASYNC110 - a plain counter
            await asyncio.sleep(0.01)
        there = await second.stream(shop, REFUND, client_message_id="x")
        mine = await here
    assert text_of(there) == text_of(mine) == "[1] " + "slow " * 29 + "slow"
    assert there[-1]["data"] == mine[-1]["data"]
    assert len(model.requests) == 1


async def test_a_reader_that_moves_to_another_process_keeps_the_call_open(
    smart: Platform, shop: TenantRows, model: ModelServer, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "ABANDONED_SECONDS", 4.0)  # less than the answer takes; a busy machine comes in time
    model.words, model.pause = ["[1] ", *["word "] * 100], 0.07
    body = {"message": REFUND, "client_message_id": "moving"}
    async with run_platform(database_url, model.url) as second, aiohttp.ClientSession() as client:
        got = ""
        answer = await client.post(f"{smart.url}/v1/chat/stream", json=body, headers=smart.visitor(shop))
        async for event in read_events(answer):
            got += event["data"]["text"] if event["event"] == "delta" else ""
            if len(got) > 20:
                break
        answer.close()
        rest = await second.stream(shop, REFUND, {"Last-Event-ID": event["id"]}, client_message_id="moving")
    assert got + text_of(rest) == "[1] " + "word " * 99 + "word" == rest[-1]["data"]["answer"]
    assert rest[-1]["data"]["status"] == "complete"


async def test_the_same_message_twice_at_once_is_one_turn(
    smart: Platform, shop: TenantRows, model: ModelServer
) -> None:
    model.pause = 0.02
    bodies = await asyncio.gather(*(smart.ask(shop, REFUND, client_message_id="same") for _ in range(5)))
    assert all(body == bodies[0] for body in bodies)
    assert len(model.requests) == 1


async def test_one_turn_at_a_time_in_a_conversation(smart: Platform, shop: TenantRows, model: ModelServer) -> None:
    begun = await smart.ask(shop, REFUND)
    model.words, model.pause = ["a "] * 20, 0.01
    most = 0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, model.open_streams)
            await asyncio.sleep(0.002)

    watcher = asyncio.create_task(watch())
    await asyncio.gather(
        *(smart.ask(shop, f"Refund of gift cards {n}?", conversation_id=begun["conversation_id"]) for n in range(4))
    )
    watcher.cancel()
    assert most == 1
    async with smart.database.tenant_reader(shop.id) as session:
        numbers = list(await session.scalars(text("SELECT seq FROM messages ORDER BY seq")))
    assert numbers == list(range(1, 11))


async def test_too_many_waiting_messages_are_refused(smart: Platform, shop: TenantRows, model: ModelServer) -> None:
    begun = await smart.ask(shop, REFUND)
    model.words, model.pause = ["a "] * 200, 0.2

    async def post(n: int) -> int:
        body = {"message": f"Refund of gift cards {n}?", "conversation_id": begun["conversation_id"]}
        async with smart.http.post(f"{smart.url}/v1/chat", json=body, headers=smart.visitor(shop)) as answer:
            return answer.status

    refused: list[int] = []
    waiting = {asyncio.create_task(post(n)) for n in range(7)}
    while len(refused) < 2:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        refused += [task.result() for task in done]
    assert refused == [429, 429]
    model.pause = 0
    assert await asyncio.gather(*waiting) == [200] * 5


async def test_a_person_who_takes_over_keeps_the_bots_reply_out(
    smart: Platform, shop: TenantRows, model: ModelServer
) -> None:
    model.words, model.hold_at = ["[1] ", *["late "] * 20], 5
    stream = asyncio.create_task(smart.stream(shop, REFUND))
    while not model.open_streams:  # noqa: ASYNC110 - the server counts, it has no event
        await asyncio.sleep(0.01)
    async with smart.database.tenant(shop.id) as session:
        await session.execute(text("UPDATE conversations SET state = 'human', epoch = epoch + 1"))
    model.go.set()
    events = await stream
    assert events[-1]["data"]["mode"] == "human"
    assert events[-1]["data"]["answer"] == ""
    row = await one(smart, shop, "SELECT status, text FROM messages WHERE role = 'bot'")
    assert tuple(row) == ("interrupted", "")
    assert (await one(smart, shop, "SELECT count(*) FROM events WHERE name = 'message.sent'"))[0] == 0
    assert (await one(smart, shop, "SELECT outcome FROM usage_records"))[0] == "completed"


@pytest.mark.parametrize("state", ["human", "closed"])
async def test_a_reply_that_is_withdrawn_says_why(
    smart: Platform, shop: TenantRows, model: ModelServer, state: str
) -> None:
    counted = REGISTRY.get_sample_value("turns_total", {"mode": state})
    model.words, model.hold_at = ["[1] ", *["late "] * 20], 5
    stream = asyncio.create_task(smart.stream(shop, REFUND))
    while not model.open_streams:  # noqa: ASYNC110 - the server counts, it has no event
        await asyncio.sleep(0.01)
    async with smart.database.tenant(shop.id) as session:
        conversation_id = (await session.execute(text("SELECT id FROM conversations"))).scalar_one()
        await change_floor(session, conversation_id, state, events=())
    done = (await stream)[-1]["data"]
    assert (done["mode"], done["status"], done["answer"]) == (state, "interrupted", "")
    assert tuple(await one(smart, shop, "SELECT mode, text FROM messages WHERE role = 'bot'")) == (state, "")
    async with asyncio.timeout(30):
        while REGISTRY.get_sample_value("turns_total", {"mode": state}) == counted:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_replies_of_a_dead_process_are_closed(smart: Platform, shop: TenantRows) -> None:
    body = await smart.ask(shop, REFUND)
    async with smart.database.tenant(shop.id) as session:
        await session.execute(
            text(
                "UPDATE messages SET status = 'streaming', created_at = now() - interval '50 seconds' "
                "WHERE role = 'bot'"
            )
        )
    other: Dialogue = smart.dialogue
    assert await other.sweep() == 1
    row = await one(smart, shop, "SELECT status, id::text FROM messages WHERE role = 'bot'")
    assert tuple(row) == ("interrupted", body["message_id"])
    assert (await one(smart, shop, "SELECT text FROM messages WHERE role = 'visitor'"))[0] == REFUND


async def test_draining_ends_streams_with_shutdown(
    smart: Platform, shop: TenantRows, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatbot.dialogue.sse.DRAIN_GRACE_SECONDS", 0.1)
    model.words, model.hold_at = ["[1] ", *["slow "] * 200], 10
    stream = asyncio.create_task(smart.stream(shop, REFUND))
    while not model.open_streams:  # noqa: ASYNC110 - a plain counter
        await asyncio.sleep(0.01)
    smart.app.state.draining.set()
    events = await stream
    model.go.set()
    assert events[-1]["event"] == "shutdown"


async def test_heartbeats_keep_a_quiet_stream_open(
    smart: Platform, shop: TenantRows, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatbot.dialogue.sse.HEARTBEAT_SECONDS", 0.05)
    model.words, model.pause = ["a ", "b"], 1.0
    url = f"{smart.url}/v1/chat/stream"
    async with smart.http.post(url, json={"message": REFUND}, headers=smart.visitor(shop)) as answer:
        assert b": still here" in await answer.read()
