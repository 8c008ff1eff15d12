"""Answers from the knowledge alone: cited, short, in the question's language; or that there is none."""

from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from rich.console import Console
from sqlalchemy import text

from chatbot.cli.chat import ChatFailed, Talk
from chatbot.cli.chat import answer as say
from chatbot.core.ids import new_id
from chatbot.db.models import PolicyVersion
from chatbot.identity.dependencies import _chat_caller
from chatbot.identity.subject import Role, Subject
from tests.conftest import TenantRows
from tests.integration.dialogue.platform import GATEWAY_TOKEN, Platform, run_platform, text_of


async def rows(platform: Platform, tenant: TenantRows, query: str) -> list[Any]:
    async with platform.database.tenant_reader(tenant.id) as session:
        return list((await session.execute(text(query))).all())


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How do I get a refund?", "14 days"),
        ("چقدر طول می‌کشد سفارش به شهرستان ارسال شود؟", "سه تا پنج روز کاری"),
        ("¿En qué plazo puedo devolver el producto?", "treinta días"),
        ("How much is the Pro plan per month?", "Plan: Pro; Price per month: 20 €"),
    ],
)
async def test_answers_in_the_questions_language_with_sources(
    plain: Platform, shop: TenantRows, question: str, expected: str
) -> None:
    body = await plain.ask(shop, question)
    assert body["mode"] == "extractive"
    assert expected in body["answer"]
    assert "[1]" in body["answer"]
    assert body["citations"][0]["index"] == 1
    assert len(body["answer"]) < 700
    assert body["usage"] == {"input_tokens": 0, "output_tokens": 0, "cost_usd": 0.0, "model": None}


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("¿Cómo cambio el password de mi iPhone?", "Nuestra documentación solo trata esto en inglés:\n\n"),
        ("چطور Reset your password را روی iPhone انجام دهم؟", "مستندات ما در این باره فقط به زبان انگلیسی است:\n\n"),
    ],
)
async def test_a_source_in_another_language_is_announced(
    plain: Platform, shop: TenantRows, question: str, says: str
) -> None:
    body = await plain.ask(shop, question)
    assert body["mode"] == "extractive"
    assert body["answer"].startswith(says)
    assert "password" in body["answer"]


async def test_a_question_in_the_sources_language_gets_no_word_on_it(plain: Platform, shop: TenantRows) -> None:
    await save_policy(plain, shop, languages=["fa"], default_language="fa")
    assert (await plain.ask(shop, "How do I get a refund?"))["answer"].startswith("You may cancel")


async def test_steps_stay_in_order(plain: Platform, shop: TenantRows) -> None:
    body = await plain.ask(shop, "How do I reset my password on iPhone?")
    assert "1. Open Settings.\n2. Tap Account.\n3. Tap Reset password" in body["answer"]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [("How do I reset my password on iPhone?", "and on Android?", "Forgot password")],
)
async def test_follow_up_is_understood(
    plain: Platform, shop: TenantRows, first: str, second: str, expected: str
) -> None:
    begun = await plain.ask(shop, first)
    body = await plain.ask(shop, second, conversation_id=begun["conversation_id"])
    assert expected in body["answer"]
    assert body["conversation_id"] == begun["conversation_id"]


@pytest.mark.parametrize(
    ("question", "language", "said"),
    [
        ("What is the wingspan of an albatross?", "en", "could not find"),
        ("بلندترین قله آفریقا کدام است؟", "fa", "پیدا نکردم"),
        ("¿Quién ganó Wimbledon?", "es", "No he encontrado"),
        ("What is the price of the Diamond plan?", "en", "could not find"),
    ],
)
async def test_nothing_relevant_offers_a_person_and_records_a_gap(
    plain: Platform, shop: TenantRows, question: str, language: str, said: str
) -> None:
    body = await plain.ask(shop, question)
    assert body["mode"] == "no_answer"
    assert said in body["answer"]
    assert body["handoff_offered"] is True
    assert body["citations"] == []
    assert await rows(plain, shop, "SELECT question, language FROM knowledge_gaps") == [(question, language)]


async def test_small_talk_is_no_gap(plain: Platform, shop: TenantRows) -> None:
    body = await plain.ask(shop, "سلام، خسته نباشید")
    assert body["answer"].startswith("سلام")
    assert body["handoff_offered"] is False
    assert await rows(plain, shop, "SELECT 1 FROM knowledge_gaps") == []


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ("ok", "anything else"),
        ("who are you?", "automatic assistant"),
        ("/exit", "Goodbye"),
        ("and?", "in a sentence"),
        ("gracias", "¡De nada!"),
        ("vale", "algo más"),
        ("مرسی", "خواهش می‌کنم"),
        ("باشه", "کار دیگری"),
    ],
)
async def test_what_asks_for_nothing_repeats_no_answer(
    plain: Platform, shop: TenantRows, message: str, says: str
) -> None:
    begun = await plain.ask(shop, "How do I reset my password on iPhone?")
    body = await plain.ask(shop, message, conversation_id=begun["conversation_id"])
    assert says in body["answer"]
    assert (body["mode"], body["citations"], body["handoff_offered"]) == ("no_answer", [], False)
    assert await rows(plain, shop, "SELECT 1 FROM knowledge_gaps") == []


async def test_a_follow_up_of_one_word_is_not_answered_with_the_same_again(plain: Platform, shop: TenantRows) -> None:
    begun = await plain.ask(shop, "How do I reset my password on iPhone?")
    body = await plain.ask(shop, "why?", conversation_id=begun["conversation_id"])
    assert body["answer"].startswith("Our documentation says no more about that")
    assert body["handoff_offered"] is True
    other = await plain.ask(shop, "Android?", conversation_id=begun["conversation_id"])
    assert "Forgot password" in other["answer"]


async def test_the_bot_gives_the_name_that_its_tenant_gave_it(plain: Platform, shop: TenantRows) -> None:
    await save_policy(plain, shop, persona={"name": "Lia"})
    assert (await plain.ask(shop, "who are you?"))["answer"].startswith("My name is Lia. I am an automatic assistant")


async def test_a_turn_leaves_messages_trace_and_events(plain: Platform, shop: TenantRows) -> None:
    body = await plain.ask(shop, "How do I get a refund?")
    stored = await rows(plain, shop, "SELECT seq, role, status, text, mode FROM messages ORDER BY seq")
    assert stored == [
        (1, "visitor", "complete", "How do I get a refund?", None),
        (2, "bot", "complete", body["answer"], "extractive"),
    ]
    names = [row[0] for row in await rows(plain, shop, "SELECT name FROM events ORDER BY id")]
    assert names == ["conversation.created", "message.received", "message.sent"]
    trace = (await rows(plain, shop, "SELECT trace FROM turn_traces"))[0][0]
    assert trace["retrieval"]["answerable"] is True
    assert trace["plan"]["reason"] == "smart mode is off"


async def test_a_repeat_returns_the_stored_answer(plain: Platform, shop: TenantRows) -> None:
    first = await plain.ask(shop, "How do I get a refund?", client_message_id="m-1")
    again = await plain.ask(shop, "How do I get a refund?", client_message_id="m-1")
    assert again == first
    assert len(await rows(plain, shop, "SELECT 1 FROM messages")) == 2


async def test_the_id_of_another_message_is_refused(plain: Platform, shop: TenantRows) -> None:
    await plain.ask(shop, "How do I get a refund?", client_message_id="m-1")
    body = {"message": "And on Android?", "client_message_id": "m-1"}
    async with plain.http.post(f"{plain.url}/v1/chat", json=body, headers=plain.visitor(shop)) as answer:
        problem = await answer.json()
    assert (problem["status"], problem["code"]) == (409, "client_message_id_taken")
    assert problem["detail"].startswith("client_message_id: ")
    assert len(await rows(plain, shop, "SELECT 1 FROM messages")) == 2


async def test_streams_and_resumes(plain: Platform, shop: TenantRows) -> None:
    events = await plain.stream(shop, "How do I get a refund?", client_message_id="s-1")
    assert [event["event"] for event in events] == ["message", "delta", "citation", "done"]
    assert text_of(events) == events[-1]["data"]["answer"]
    seen = {"Last-Event-ID": events[1]["id"]}
    rest = await plain.stream(shop, "How do I get a refund?", headers=seen, client_message_id="s-1")
    assert [event["event"] for event in rest] == ["citation", "done"]
    assert rest[-1]["data"] == events[-1]["data"]


async def test_resumes_by_the_event_id_alone_and_asks_nothing_again(plain: Platform, shop: TenantRows) -> None:
    events = await plain.stream(shop, "How do I get a refund?")
    for at in (0, 1, 3):
        rest = await plain.stream(shop, "How do I get a refund?", headers={"Last-Event-ID": events[at]["id"]})
        assert [event["event"] for event in rest] == ["delta", "citation", "done"][at:]
        assert [event["data"] for event in rest] == [event["data"] for event in events[at + 1 :]]
    begun, seen = events[0]["data"]["conversation_id"], {"Last-Event-ID": events[1]["id"]}
    rest = await plain.stream(shop, "How do I get a refund?", seen, conversation_id=begun)
    assert rest[-1]["data"] == events[-1]["data"]
    assert len(await rows(plain, shop, "SELECT 1 FROM messages")) == 2


async def test_another_question_with_an_old_event_id_is_asked(plain: Platform, shop: TenantRows) -> None:
    events = await plain.stream(shop, "How do I get a refund?")
    seen = {"Last-Event-ID": events[-1]["id"]}
    other = await plain.stream(shop, "How do I reset my password on iPhone?", seen)
    assert next(event["event"] for event in other) == "message"
    assert "Reset password" in text_of(other)
    assert len(await rows(plain, shop, "SELECT 1 FROM messages")) == 4


async def test_an_event_id_of_nobody_or_of_somebody_else_is_refused(
    plain: Platform, shop: TenantRows, other_tenant: TenantRows
) -> None:
    events = await plain.stream(shop, "How do I get a refund?")
    body = {"message": "How do I get a refund?"}
    gateway = {"Authorization": f"Bearer {GATEWAY_TOKEN}", "X-Tenant-Id": str(shop.id)}
    foreign = [plain.visitor(shop, "eve"), plain.visitor(other_tenant), gateway]
    asked = [(headers, events[1]["id"]) for headers in foreign]
    asked += [(plain.visitor(shop), f"{new_id()}:1.0"), (plain.visitor(shop), f"{new_id()}:done")]
    told = []
    for headers, event_id in asked:
        sent = {**headers, "Last-Event-ID": event_id}
        async with plain.http.post(f"{plain.url}/v1/chat/stream", json=body, headers=sent) as answer:
            assert answer.status == 404
            told.append({**await answer.json(), "request_id": None})
    assert all(problem == told[0] for problem in told)
    assert "Last-Event-ID" in told[0]["detail"]
    assert len(await rows(plain, shop, "SELECT 1 FROM messages")) == 2
    assert await rows(plain, other_tenant, "SELECT 1 FROM messages") == []


async def test_a_persons_turn_is_resumed_too(plain: Platform, shop: TenantRows) -> None:
    begun = await plain.ask(shop, "How do I get a refund?")
    async with plain.database.tenant(shop.id) as session:
        await session.execute(text("UPDATE conversations SET state = 'human', epoch = epoch + 1"))
    events = await plain.stream(shop, "Are you there?", conversation_id=begun["conversation_id"])
    rest = await plain.stream(shop, "Are you there?", {"Last-Event-ID": events[0]["id"]})
    assert [event["data"] for event in rest] == [events[-1]["data"]]
    assert len(await rows(plain, shop, "SELECT 1 FROM messages")) == 3


async def test_another_visitors_conversation_is_not_found(
    plain: Platform, shop: TenantRows, other_tenant: TenantRows
) -> None:
    begun = await plain.ask(shop, "How do I get a refund?")
    body = {"message": "and on Android?", "conversation_id": begun["conversation_id"]}
    bodies = []
    for headers in (plain.visitor(shop, "eve"), plain.visitor(other_tenant)):
        async with plain.http.post(f"{plain.url}/v1/chat", json=body, headers=headers) as answer:
            assert answer.status == 404
            bodies.append({**await answer.json(), "request_id": None})
        for path in (f"conversations/{begun['conversation_id']}/messages", f"chat/stream/{begun['message_id']}"):
            async with plain.http.get(f"{plain.url}/v1/{path}", headers=headers) as answer:
                assert answer.status == 404
    unknown = {**body, "conversation_id": str(new_id())}
    async with plain.http.post(f"{plain.url}/v1/chat", json=unknown, headers=plain.visitor(shop)) as answer:
        assert {**await answer.json(), "request_id": None} == bodies[0] == bodies[1]


async def test_another_tenants_brand_is_not_found(plain: Platform, shop: TenantRows, other_tenant: TenantRows) -> None:
    headers = {"Authorization": f"Bearer {GATEWAY_TOKEN}", "X-Tenant-Id": str(shop.id)}
    for brand_id, status in ((shop.brand_id, 200), (other_tenant.brand_id, 404), (new_id(), 404)):
        body = {"message": "How do I get a refund?", "brand_id": str(brand_id)}
        async with plain.http.post(f"{plain.url}/v1/chat", json=body, headers=headers) as answer:
            assert answer.status == status


async def test_catching_up_by_sequence_number(plain: Platform, shop: TenantRows) -> None:
    begun = await plain.ask(shop, "How do I get a refund?")
    url = f"{plain.url}/v1/conversations/{begun['conversation_id']}/messages"
    async with plain.http.get(url, params={"after_seq": 1}, headers=plain.visitor(shop)) as answer:
        page = await answer.json()
    assert [(item["seq"], item["id"]) for item in page["items"]] == [(2, begun["message_id"])]


@pytest.mark.parametrize(
    ("payload", "status", "says"),
    [
        (b'{"message": ""}', 422, "message"),
        (b'{"message": "   "}', 422, "message"),
        (b'{"message": "' + b"x" * 8001 + b'"}', 422, "8000"),
        (b'{"message": "' + b"x" * 100_000 + b'"}', 413, "bytes"),
        (b'{"message": "\xff\xfe"}', 400, ""),
        (b'{"message": "a\\u0000b"}', 422, "message"),
        (b'{"message": "a\\ud800b"}', 422, "message"),
        (b'{"message": "a", "tenant_id": "x"}', 422, "tenant_id"),
        (b"not json", 422, ""),
    ],
)
async def test_bad_input_is_a_clear_problem(
    plain: Platform, shop: TenantRows, payload: bytes, status: int, says: str
) -> None:
    headers = {**plain.visitor(shop), "Content-Type": "application/json"}
    async with plain.http.post(f"{plain.url}/v1/chat", data=payload, headers=headers) as answer:
        problem = await answer.json(content_type="application/problem+json")
        assert answer.status == status, problem
        assert says in problem["detail"]


async def test_a_person_owns_the_conversation(plain: Platform, shop: TenantRows) -> None:
    begun = await plain.ask(shop, "How do I get a refund?")
    async with plain.database.tenant(shop.id) as session:
        await session.execute(text("UPDATE conversations SET state = 'human', epoch = epoch + 1"))
    body = await plain.ask(shop, "Are you there?", conversation_id=begun["conversation_id"])
    assert (body["mode"], body["answer"]) == ("human", "")
    assert len(await rows(plain, shop, "SELECT 1 FROM messages WHERE role = 'bot'")) == 1


async def close(platform: Platform, tenant: TenantRows) -> None:
    async with platform.database.tenant(tenant.id) as session:
        await session.execute(text("UPDATE conversations SET state = 'closed', closed_at = now(), epoch = epoch + 1"))


async def test_a_new_message_opens_a_closed_conversation_and_a_repeat_does_not(
    plain: Platform, shop: TenantRows
) -> None:
    begun = await plain.ask(shop, "How do I get a refund?", client_message_id="r-1")
    conversation = begun["conversation_id"]
    await close(plain, shop)
    again = await plain.ask(shop, "How do I get a refund?", client_message_id="r-1", conversation_id=conversation)
    assert again == begun
    assert await rows(plain, shop, "SELECT state FROM conversations") == [("closed",)]
    body = await plain.ask(shop, "How do I get a refund?", conversation_id=conversation)
    assert (body["mode"], "14 days" in body["answer"]) == ("extractive", True)
    assert body["conversation_id"] == conversation
    await close(plain, shop)
    events = await plain.stream(shop, "How do I get a refund?", conversation_id=conversation)
    assert (events[-1]["data"]["mode"], "14 days" in text_of(events)) == ("extractive", True)
    assert await rows(plain, shop, "SELECT state, closed_at FROM conversations") == [("bot", None)]
    opened = await rows(plain, shop, "SELECT payload->>'state' FROM events WHERE name = 'conversation.reopened'")
    assert opened == [("bot",), ("bot",)]


async def test_a_session_that_a_client_names_goes_on_after_it_was_closed(plain: Platform, shop: TenantRows) -> None:
    body = {"sessionId": "s-10", "message": "How do I get a refund?"}
    for _ in range(2):
        async with plain.http.post(f"{plain.url}/api/chat", json=body, headers=plain.visitor(shop)) as answer:
            assert (await answer.json())["mode"] == "extractive"
        await close(plain, shop)
    assert len(await rows(plain, shop, "SELECT 1 FROM conversations")) == 1


async def test_session_chat_keeps_one_conversation(plain: Platform, shop: TenantRows) -> None:
    headers = plain.visitor(shop)
    for message in ("How do I get a refund?", "hello"):
        body = {"sessionId": "s-9", "message": message}
        async with plain.http.post(f"{plain.url}/api/chat", json=body, headers=headers) as answer:
            read = await answer.json()
            assert answer.status == 200
            assert set(read) == {"sessionId", "reply", "citations", "mode", "ticketOffered"}
    assert len(await rows(plain, shop, "SELECT 1 FROM conversations")) == 1


async def test_a_visitors_session_name_is_its_own(plain: Platform, shop: TenantRows) -> None:
    body = {"sessionId": "1", "message": "hello"}
    for name in ("ann", "bob", "ann"):
        async with plain.http.post(f"{plain.url}/api/chat", json=body, headers=plain.visitor(shop, name)) as answer:
            assert answer.status == 200
    assert len(await rows(plain, shop, "SELECT 1 FROM conversations")) == 2


@pytest.mark.parametrize(("role", "status"), [(Role.VIEWER, 404), (Role.AGENT, 200), (Role.TENANT_ADMIN, 200)])
async def test_who_writes_in_a_visitors_conversation(
    plain: Platform, shop: TenantRows, role: Role, status: int
) -> None:
    begun = await plain.ask(shop, "hello")
    plain.app.dependency_overrides[_chat_caller] = lambda: Subject(f"user:{new_id()}", role, shop.id, {shop.id: role})
    body = {"message": "hello", "conversation_id": begun["conversation_id"]}
    async with plain.http.post(f"{plain.url}/v1/chat", json=body) as answer:
        assert answer.status == status


async def save_policy(platform: Platform, tenant: TenantRows, **document: Any) -> None:
    async with platform.database.tenant(tenant.id) as session:
        session.add(PolicyVersion(tenant_id=tenant.id, kind="policy", version=1, document=document, created_by="test"))


async def test_the_tenants_own_limit_of_a_message(plain: Platform, shop: TenantRows) -> None:
    await save_policy(plain, shop, guardrails={"max_message_chars": 100})
    headers = plain.visitor(shop)
    for length, status in ((100, 200), (101, 422)):
        body = {"message": "x" * length}
        async with plain.http.post(f"{plain.url}/v1/chat", json=body, headers=headers) as answer:
            assert answer.status == status
            problem = await answer.json()
    assert problem["errors"] == [{"field": "message", "message": "must be at most 100 characters long"}]
    assert len(await rows(plain, shop, "SELECT 1 FROM messages WHERE role = 'visitor'")) == 1


async def test_the_tenants_own_words(plain: Platform, shop: TenantRows) -> None:
    await save_policy(
        plain,
        shop,
        no_answer_reply={"en": "Sorry, not known."},
        handoff={"offer": False},
        persona={"greeting": {"fa": "سلام از فروشگاه"}},
    )
    body = await plain.ask(shop, "What is the wingspan of an albatross?")
    assert (body["answer"], body["handoff_offered"]) == ("Sorry, not known.", False)
    assert (await plain.ask(shop, "سلام"))["answer"] == "سلام از فروشگاه"


async def test_answers_in_the_tenants_languages_only(plain: Platform, shop: TenantRows) -> None:
    await save_policy(plain, shop, languages=["fa"], default_language="fa")
    body = await plain.ask(shop, "What is the wingspan of an albatross?")
    assert "پیدا نکردم" in body["answer"]


async def test_the_bot_keeps_away_from_blocked_topics(plain: Platform, shop: TenantRows) -> None:
    await save_policy(plain, shop, guardrails={"blocked_topics": ["refund"]})
    body = await plain.ask(shop, "How do I get a refund?")
    assert (body["mode"], body["citations"]) == ("no_answer", [])
    assert await rows(plain, shop, "SELECT 1 FROM knowledge_gaps") == []


@pytest.mark.usefixtures("_no_refill")
async def test_visitors_are_limited_one_by_one(database_url: str, shop: TenantRows) -> None:
    async with run_platform(database_url, chat_limit_visitor=2) as platform:
        statuses: list[int] = []
        retry = ""
        for name in ("ann", "ann", "ann", "bob"):
            body, headers = {"message": "hello"}, platform.visitor(shop, name)
            async with platform.http.post(f"{platform.url}/v1/chat", json=body, headers=headers) as answer:
                statuses.append(answer.status)
                retry = answer.headers.get("Retry-After", retry)
        assert statuses == [200, 200, 429, 200]
        assert int(retry) >= 1


async def test_the_terminal_chat(plain: Platform, shop: TenantRows, capsys: pytest.CaptureFixture[str]) -> None:
    token = plain.visitor(shop)["Authorization"].removeprefix("Bearer ")
    talk = Talk(plain.url, token, shop.id, None, None)
    console = Console(highlight=False, width=200)
    async with aiohttp.ClientSession() as http:
        await say(talk, http, "How do I reset my password on iPhone?", console)
        await say(talk, http, "and on Android?", console)
        printed = capsys.readouterr().out
        assert "Tap Account" in printed
        assert "Forgot password" in printed
        assert "[1] Reset your password on Android" in printed
        nowhere = Talk("http://127.0.0.1:9", token, shop.id, None, None)
        with pytest.raises(ChatFailed, match="no platform answers at"):
            await say(nowhere, http, "hello", console)
        refused = Talk(plain.url, "wrong", shop.id, None, None)
        with pytest.raises(ChatFailed, match="401"):
            await say(refused, http, "hello", console)
        nobodys = Talk(plain.url, "wrong", uuid4(), None, None, minted=True)
        with pytest.raises(ChatFailed, match=f"knows no tenant {nobodys.tenant_id}"):
            await say(nobodys, http, "hello", console)
