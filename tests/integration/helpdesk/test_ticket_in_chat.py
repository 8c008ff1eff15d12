"""A ticket that is offered in a chat is opened by an answer in words, wherever the chat is."""

from typing import Any

import httpx
import pytest

from chatbot.apps.runtime import Runtime
from tests.conftest import TenantRows, bearer
from tests.integration.helpdesk.tickets_kit import Desk, desk_of, events, visitor


@pytest.fixture
def desk(client: httpx.AsyncClient, tenant: TenantRows) -> Desk:
    return desk_of(client, tenant)


class Talk:
    """A visitor in a session."""

    def __init__(self, desk: Desk, **claims: str) -> None:
        self.desk, self.headers = desk, visitor(desk.tenant, **claims)

    async def say(self, words: str) -> Any:
        body = {"sessionId": "s", "message": words}
        answer = await self.desk.http.post("/api/chat", json=body, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()


async def test_yes_a_ticket(desk: Desk, runtime: Runtime) -> None:
    ann = Talk(desk, email="ann@example.com")
    assert (await ann.say("Do you deliver boats to the moon?"))["ticketOffered"] is True
    assert "number is 1" in (await ann.say("ticket please"))["reply"]
    ticket = (await desk.call("GET", f"/api/tickets?tenant_id={desk.tenant.id}"))["items"][0]
    assert (ticket["problem"], ticket["source"]) == ("Do you deliver boats to the moon?", "visitor")
    assert ticket["requester"] == {"name": "Visitor", "email": "ann@example.com"}
    detail = await desk.call("GET", f"/api/tickets/{ticket['id']}")
    assert [one["role"] for one in detail["transcript"]][:2] == ["visitor", "bot"]
    assert len(await events(runtime.database, desk.tenant, "ticket.created")) == 1


async def test_the_same_problem_has_one_ticket_and_a_talk_has_five(desk: Desk) -> None:
    ann = Talk(desk)
    await ann.say("Do you deliver boats?")
    for _ in range(2):
        assert "number is 1" in (await ann.say("Open a ticket"))["reply"]
    for number in range(2, 8):
        await ann.say(f"Do you deliver thing {number}?")
        await ann.say("Open a ticket")
    assert await desk.numbers() == [5, 4, 3, 2, 1]


async def test_about_nothing_it_is_asked_first(desk: Desk) -> None:
    ann = Talk(desk)
    await ann.say("hello")
    assert "What is it about?" in (await ann.say("open a ticket"))["reply"]
    assert await desk.numbers() == []
    await ann.say("My boat leaks since it came")
    assert "number is 1" in (await ann.say("open a ticket"))["reply"]


async def test_in_persian(desk: Desk) -> None:
    sara = Talk(desk)
    await sara.say("قایق من از دیروز سوراخ شده است")
    assert "شماره آن ۱ است" in (await sara.say("لطفاً تیکت ثبت کنید"))["reply"]


async def test_where_nobody_is_offered_no_ticket_is_opened(desk: Desk) -> None:
    policy = {"handoff": {"offer": False}}
    path = f"/admin/policies/{desk.tenant.id}"
    assert (await desk.http.put(path, json=policy, headers=bearer())).status_code == 200
    ann = Talk(desk)
    await ann.say("Do you deliver boats?")
    await ann.say("Open a ticket")
    assert await desk.numbers() == []
