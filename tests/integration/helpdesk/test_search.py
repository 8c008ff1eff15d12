"""Search over what was said: other forms and spellings, Persian with Arabic letters, nothing of other tenants."""

import asyncio
from typing import Any
from urllib.parse import quote

from sqlalchemy import text

from chatbot.core.ids import new_id
from chatbot.helpdesk.search.indexing import index_news
from chatbot.helpdesk.search.repository import find
from chatbot.helpdesk.search.terms import wanted_terms
from tests.conftest import TenantRows
from tests.integration.helpdesk.conftest import Caller, Hire, Person
from tests.whole import Whole

SAID = [
    "My parcel never arrived and I was charged twice for the deliveries",
    "سلام، سفارش من به شماره ۴۵۲۱ هنوز ارسال نشده است",
    "Quiero la devolución de mis zapatos rojos",
    "Does the Pro plan include phone support?",
]


async def _find(agent: Person, q: str) -> list[dict[str, Any]]:
    path = f"/admin/search?tenant_id={agent.whole.tenant.id}&q={quote(q)}"
    return list((await agent.ask("GET", path))["items"])


async def _said(whole: Whole) -> dict[str, str]:
    found = {}
    for number, said in enumerate(SAID):
        answer = await Caller(whole, f"visitor-{number}").ask(said)
        found[answer["conversation_id"]] = said
    for _ in range(600):  # the platform's own upkeep may be at it, and hold a piece for a moment
        await index_news(whole.runtime.database)
        agent_sees = await index_news(whole.runtime.database)
        if not agent_sees:
            break
        await asyncio.sleep(0.05)
    return found


ASKED = [
    ("delivery charged", 0),
    ("PARCELS", 0),
    ("سفارش ۴۵۲۱", 1),
    ("سفارش 4521", 1),
    ("ارسال سفارش", 1),
    ("هنوز ارسال نشده", 1),
    ("devoluciones", 2),
    ("zapato rojo", 2),
    ("phone support", 3),
]


async def test_other_forms_are_found(whole: Whole, hire: Hire) -> None:
    said, sara = await _said(whole), await hire(whole, "Sara")
    for q, expected in ASKED:
        found = {said[each["conversation"]["id"]]: each["hits"] for each in await _find(sara, q)}
        assert SAID[expected] in found, q
        assert all(hit["snippet"] for hits in found.values() for hit in hits)


async def test_arabic_letters_find_persian(whole: Whole, hire: Hire) -> None:
    visitor, sara = Caller(whole), await hire(whole, "Sara")
    conversation = (await visitor.ask("کتاب‌های یک کودک را می‌خواهم بخرم"))["conversation_id"]
    await index_news(whole.runtime.database)
    found = await _find(sara, "كتاب كودك")
    assert [each["conversation"]["id"] for each in found] == [conversation]


async def test_agents_messages_names_and_queues_are_searched(whole: Whole, hire: Hire) -> None:
    visitor, sara = Caller(whole), await hire(whole, "Sara")
    conversation = (await visitor.ask("Refunds?"))["conversation_id"]
    await sara.say(conversation, "I have sent you a voucher for umbrellas")
    other = (await Caller(whole, "bob").ask("Umbrellas?"))["conversation_id"]
    await index_news(whole.runtime.database)
    (found,) = await _find(sara, "voucher umbrella")
    assert found["conversation"]["id"] == conversation
    assert [(hit["role"], hit["snippet"]) for hit in found["hits"]] == [
        ("agent", "I have sent you a voucher for umbrellas")
    ]
    assert {each["conversation"]["id"] for each in await _find(sara, "umbrella")} == {conversation, other}
    assert {each["conversation"]["id"] for each in await _find(sara, "Ann")} == {conversation, other}
    path = f"/admin/conversations?tenant_id={whole.tenant.id}&queue=mine&q=umbrella"
    assert [each["id"] for each in (await sara.ask("GET", path))["items"]] == [conversation]
    assert await _find(sara, "zeppelin") == []
    assert await _find(sara, "???") == []


async def test_nothing_of_another_tenant_is_found(whole: Whole, hire: Hire, other_tenant: TenantRows) -> None:
    await Caller(whole).ask("Where is my umbrella?", client_message_id=str(new_id()))
    await index_news(whole.runtime.database)
    async with whole.runtime.database.tenant_reader(other_tenant.id) as session:
        assert await find(session, wanted_terms(whole.tenant.id, "umbrella"), 10) == []
        rows = await session.execute(text("SELECT count(*) FROM message_terms"))
        assert rows.scalar_one() == 0
