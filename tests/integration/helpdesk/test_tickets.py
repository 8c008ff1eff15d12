"""Tickets over HTTP: opened by everybody who may, numbered without gaps, changed by one at a time, found, exported."""

import asyncio
import csv
import io
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from chatbot.apps.runtime import Runtime
from chatbot.core.clock import utcnow
from chatbot.core.ids import new_id
from chatbot.core.settings import Settings
from chatbot.db.models import UserSession
from chatbot.helpdesk.tickets.service import NewTicket, TicketDesk
from chatbot.identity.bootstrap import ensure_first_rows
from chatbot.identity.demo import DEMO_TENANT_ID
from chatbot.identity.subject import Role
from tests.conftest import TenantRows, bearer
from tests.integration.helpdesk.tickets_kit import (
    PROBLEM,
    Desk,
    desk_of,
    events,
    member,
    owner_of,
    signed_in,
    talk,
    visitor,
)

LOG_TOKEN = "log-token-of-the-tests-0123456789abcdef"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"log_token": SecretStr(LOG_TOKEN)})


@pytest.fixture
def desk(client: httpx.AsyncClient, tenant: TenantRows) -> Desk:
    return desk_of(client, tenant)


# --- opened -----------------------------------------------------------------------------------------------------------


async def test_a_visitor_opens_a_ticket_of_a_conversation(desk: Desk, runtime: Runtime) -> None:
    said = (("visitor", "My printer is dead"), ("bot", "I found nothing. Open a ticket?"))
    owner = visitor(desk.tenant)
    conversation = await talk(runtime.database, desk.tenant, *said, owner=await owner_of(runtime, owner))
    body = {"conversation_id": str(conversation), "name": "Ann", "email": "ann@example.com", "problem": PROBLEM}
    answer = await desk.http.post("/v1/tickets", json=body, headers=owner)
    assert (answer.status_code, answer.json()["number"], answer.json()["status"]) == (201, 1, "open")
    ticket = await desk.call("GET", f"/api/tickets/{answer.json()['id']}")
    assert [(one["role"], one["text"]) for one in ticket["transcript"]] == list(said)
    assert ticket["requester"] == {"name": "Ann", "email": "ann@example.com"}
    assert (ticket["source"], ticket["subject"], ticket["conversation_id"]) == ("visitor", PROBLEM, str(conversation))
    other = await desk.http.post("/v1/tickets", json=body, headers=visitor(desk.tenant, "eve"))
    assert other.status_code == 404


async def test_a_ticket_offered_in_a_session_is_opened_by_the_sessions_name(
    desk: Desk, client: httpx.AsyncClient
) -> None:
    ann = visitor(desk.tenant)
    asked = await client.post("/api/chat", json={"sessionId": "s-1", "message": "Do you sell boats?"}, headers=ann)
    assert asked.json()["ticketOffered"] is True
    body = {"sessionId": "s-1", "name": "Ann", "problem": "I want a boat."}
    made = await client.post("/v1/tickets", json=body, headers=ann)
    ticket = await desk.call("GET", f"/api/tickets/{made.json()['id']}")
    assert ticket["transcript"][0]["text"] == "Do you sell boats?"
    unknown = await client.post("/v1/tickets", json=body, headers=visitor(desk.tenant, "eve"))
    assert unknown.status_code == 404


async def test_the_runbooks_call_answers_with_the_transcript(desk: Desk, runtime: Runtime) -> None:
    await ensure_first_rows(runtime.database, runtime.settings)
    asked = await desk.http.post("/api/chat", json={"sessionId": "r-4", "message": "Where is my refund?"})
    assert asked.status_code == 200
    body = {"sessionId": "r-4", "name": "Luis", "device": "Pixel 9", "problem": "No refund after ten days"}
    headers = {"Authorization": f"Bearer {LOG_TOKEN}"}
    answer = await desk.http.post("/api/ticket/create-manual", json=body, headers=headers)
    assert answer.status_code == 201
    ticket = answer.json()
    assert ticket["tenant_id"] == str(DEMO_TENANT_ID)
    assert (ticket["sessionId"], ticket["device"], ticket["source"]) == ("r-4", "Pixel 9", "manual")
    assert [one["role"] for one in ticket["transcript"]] == ["visitor", "bot"]
    assert ticket["createdAt"] == ticket["created_at"]
    unknown = await desk.http.post("/api/ticket/create-manual", json=body | {"sessionId": "gone"}, headers=headers)
    assert (unknown.status_code, unknown.json()["transcript"], unknown.json()["sessionId"]) == (201, [], "gone")


@pytest.mark.parametrize("credential", ["", "x" * 39, LOG_TOKEN[:-1], LOG_TOKEN + "0"])
async def test_a_wrong_log_token_is_refused(desk: Desk, credential: str) -> None:
    body = {"sessionId": "s", "name": "n", "problem": "p"}
    headers = {"Authorization": f"Bearer {credential}"} if credential else {}
    answer = await desk.http.post("/api/ticket/create-manual", json=body, headers=headers)
    assert answer.status_code == 401


async def test_the_log_token_reaches_the_tenant_of_the_header(desk: Desk) -> None:
    headers = {"Authorization": f"Bearer {LOG_TOKEN}", "X-Tenant-Id": str(desk.tenant.id)}
    body = {"sessionId": "s", "name": "n", "problem": "p", "priority": "urgent"}
    made = await desk.http.post("/api/ticket/create-manual", json=body, headers=headers)
    assert (made.json()["tenant_id"], made.json()["priority"]) == (str(desk.tenant.id), "urgent")
    listed = await desk.http.get(f"/api/tickets?tenant_id={desk.tenant.id}", headers=headers)
    assert [one["id"] for one in listed.json()["items"]] == [made.json()["id"]]
    for other in (str(new_id()), str(DEMO_TENANT_ID)):
        refused = await desk.http.get(f"/api/tickets?tenant_id={other}", headers=headers)
        assert refused.status_code == 404
    assert (await desk.http.get("/admin/tenants", headers=headers)).status_code == 401


async def test_the_tenant_is_named_by_the_header_or_is_the_credentials_only_one(
    desk: Desk, other_tenant: TenantRows
) -> None:
    own, program = {"X-Tenant-Id": str(desk.tenant.id)}, bearer(Role.AGENT, desk.tenant.id)
    log_token = {"Authorization": f"Bearer {LOG_TOKEN}"}
    body = {"problem": PROBLEM, "requester": {"name": "Ann"}}
    for headers in (program, log_token | own, bearer() | own):
        made = await desk.http.post("/api/tickets", json=body, headers=headers)
        assert (made.status_code, made.json()["tenant_id"]) == (201, str(desk.tenant.id)), made.text
        listed = await desk.http.get("/api/tickets", headers=headers)
        assert made.json()["id"] in [one["id"] for one in listed.json()["items"]]
        assert "Ann" in (await desk.http.get("/api/tickets/export", headers=headers)).text
    foreign = program | {"X-Tenant-Id": str(other_tenant.id)}
    assert (await desk.http.get("/api/tickets", headers=foreign)).status_code == 404
    assert (await desk.http.get("/api/tickets", headers=program | {"X-Tenant-Id": "x"})).status_code == 422


async def test_without_a_tenant_nothing_is_guessed(desk: Desk, runtime: Runtime) -> None:
    await ensure_first_rows(runtime.database, runtime.settings)
    body = {"problem": PROBLEM, "requester": {"name": "Ann"}}
    log_token, named = {"Authorization": f"Bearer {LOG_TOKEN}"}, f"/api/tickets?tenant_id={DEMO_TENANT_ID}"
    before = (await desk.http.get(named, headers=log_token)).json()["items"]
    for headers in (log_token, bearer()):
        for refused in (
            await desk.http.get("/api/tickets", headers=headers),
            await desk.http.get("/api/tickets/export", headers=headers),
            await desk.http.post("/api/tickets", json=body, headers=headers),
        ):
            assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "tenant_id"), refused.text
            assert "X-Tenant-Id" in refused.json()["detail"]
    after = await desk.http.get(named, headers=log_token)
    assert (after.status_code, after.json()["items"]) == (200, before)


async def test_a_rule_opens_a_ticket(desk: Desk, runtime: Runtime, app: Any) -> None:
    tickets: TicketDesk = app.state.tickets
    async with runtime.database.tenant(desk.tenant.id) as session:
        made = await tickets.open(session, NewTicket("rule", "rule:1", PROBLEM, "Ann", tags=("late", "late")))
    ticket = await desk.call("GET", f"/api/tickets/{made.id}")
    assert (ticket["source"], ticket["created_by"], ticket["tags"]) == ("rule", "rule:1", ["late"])


async def test_the_subject_is_the_first_words_of_the_problem(desk: Desk) -> None:
    ticket = await desk.open(problem="word " * 60)
    assert ticket["subject"] == "word " * 14 + "word…"
    assert (await desk.open(problem="ناپدید شد"))["language"] == "fa"


async def test_numbers_have_no_gaps_when_many_open_at_once(desk: Desk, runtime: Runtime, app: Any) -> None:
    tickets: TicketDesk = app.state.tickets

    async def one(number: int) -> None:
        async with runtime.database.tenant(desk.tenant.id) as session:
            await tickets.open(session, NewTicket("rule", "rule:1", PROBLEM, "Ann"))
            if number % 3 == 0:
                raise KeyError(number)

    await asyncio.gather(*(one(number) for number in range(12)), return_exceptions=True)
    assert sorted(await desk.numbers()) == list(range(1, 9))


async def test_each_tenant_counts_from_one(desk: Desk, other_tenant: TenantRows, client: httpx.AsyncClient) -> None:
    assert (await desk.open())["number"] == (await desk_of(client, other_tenant).open())["number"] == 1


@pytest.mark.usefixtures("_no_refill")
async def test_a_visitor_opens_ten_tickets_an_hour(desk: Desk) -> None:
    body = {"name": "Ann", "problem": PROBLEM}
    answers = [await desk.http.post("/v1/tickets", json=body, headers=visitor(desk.tenant)) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [201] * 10 + [429]


# --- changed ----------------------------------------------------------------------------------------------------------


async def test_a_change_counts_a_version_and_is_told_to_the_log(desk: Desk, runtime: Runtime) -> None:
    ticket = await desk.open()
    changed = await desk.change(ticket, status="pending", priority="high", tags=["a"], version=1)
    assert (changed["version"], changed["status"], changed["priority"], changed["tags"]) == (
        2,
        "pending",
        "high",
        ["a"],
    )
    assert (await desk.change(ticket, status="pending"))["version"] == 2
    stale = await desk.change(ticket, subject="Other", version=1, answers=409)
    assert stale["code"] == "version_conflict"
    log = await events(runtime.database, desk.tenant, "ticket.")
    assert [name for name, _ in log] == ["ticket.created", "ticket.updated"]
    assert log[1][1]["changed"] == {"priority": ["normal", "high"], "status": ["open", "pending"], "tags": [[], ["a"]]}
    assert log[1][1]["ticket_id"] == ticket["id"]


async def test_of_many_who_change_the_same_version_one_wins(desk: Desk) -> None:
    ticket = await desk.open()
    path = f"/api/tickets/{ticket['id']}"
    answers = await asyncio.gather(
        *(desk.http.patch(path, json={"tags": [str(n)], "version": 1}, headers=desk.headers) for n in range(5))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]


@pytest.mark.parametrize(
    ("way", "refused"),
    [
        (["pending", "open", "solved", "closed", "open"], None),
        (["solved", "open"], None),
        (["closed"], "solved"),
        (["closed"], "pending"),
        (["solved"], "pending"),
    ],
)
async def test_statuses_lead_to_one_another(desk: Desk, way: list[str], refused: str | None) -> None:
    ticket = await desk.open()
    for step in way:
        assert (await desk.call("PATCH", f"/api/tickets/{ticket['id']}", {"status": step}))["status"] == step
    if refused:
        answer = await desk.call("PATCH", f"/api/tickets/{ticket['id']}", {"status": refused}, answers=409)
        assert answer["code"] == "status_conflict"


async def test_a_ticket_is_given_to_members_only(desk: Desk, runtime: Runtime, other_tenant: TenantRows) -> None:
    rosa, viewer = await member(runtime, desk.tenant, "Rosa"), await member(runtime, desk.tenant, "V", "viewer")
    stranger = await member(runtime, other_tenant, "Eve")
    ticket = await desk.open(assignee_id=str(rosa))
    assert ticket["assignee"] == {"id": str(rosa), "name": "Rosa"}
    for wrong in (viewer, stranger, new_id()):
        await desk.change(ticket, assignee_id=str(wrong), answers=404)
    assert (await desk.change(ticket, assignee_id=None))["assignee"] is None


async def test_who_leaves_the_tenant_leaves_the_ticket(desk: Desk, runtime: Runtime) -> None:
    rosa = await member(runtime, desk.tenant, "Rosa")
    ticket = await desk.open(assignee_id=str(rosa))
    async with runtime.database.platform() as session:
        await session.execute(text("DELETE FROM memberships WHERE user_id = :user"), {"user": rosa})
    assert (await desk.call("GET", f"/api/tickets/{ticket['id']}"))["assignee"] is None


async def test_a_ticket_outlives_its_conversation(desk: Desk, runtime: Runtime) -> None:
    conversation = await talk(runtime.database, desk.tenant, ("visitor", "Hello there"))
    ticket = await desk.open(conversation_id=str(conversation))
    async with runtime.database.tenant(desk.tenant.id) as session:
        await session.execute(text("DELETE FROM conversations WHERE id = :id"), {"id": conversation})
    kept = await desk.call("GET", f"/api/tickets/{ticket['id']}")
    assert (kept["conversation_id"], kept["transcript"][0]["text"]) == (None, "Hello there")


async def test_a_viewer_reads_and_changes_nothing(desk: Desk) -> None:
    ticket = await desk.open()
    viewer = bearer(Role.VIEWER, desk.tenant.id)
    path = f"/api/tickets/{ticket['id']}"
    assert (await desk.http.get(path, headers=viewer)).status_code == 200
    refused = [
        await desk.http.patch(path, json={"tags": ["x"]}, headers=viewer),
        await desk.http.post(f"{path}/comments", json={"text": "x"}, headers=viewer),
        await desk.http.get(f"/api/tickets/export?tenant_id={desk.tenant.id}", headers=viewer),
    ]
    assert [answer.status_code for answer in refused] == [403] * 3


# --- comments ---------------------------------------------------------------------------------------------------------


async def test_comments_say_who_wrote_them(desk: Desk, runtime: Runtime) -> None:
    ticket = await desk.open()
    path = f"/api/tickets/{ticket['id']}/comments"
    rosa, session_id = await member(runtime, desk.tenant, "Rosa"), new_id()
    async with runtime.database.platform() as session:
        session.add(
            UserSession(
                id=session_id, user_id=rosa, refresh_hash=session_id.hex, expires_at=utcnow() + timedelta(hours=1)
            )
        )
    said = await desk.http.post(path, json={"text": "Looking", "public": True}, headers=signed_in(rosa, session_id))
    assert said.status_code == 201, said.text
    await desk.call("POST", path, {"text": "Internal"}, answers=201)
    listed = (await desk.call("GET", path))["items"]
    assert [(one["author_kind"], one["author_name"], one["public"], one["told_by"]) for one in listed] == [
        ("agent", "Rosa", True, None), ("program", "Command line", False, None),
    ]  # fmt: skip
    kept = await desk.call("GET", f"/api/tickets/{ticket['id']}")
    assert (kept["comments"], kept["reached_by"]) == (listed, None)
    log = await events(runtime.database, desk.tenant, "ticket.commented")
    assert [payload["public"] for _, payload in log] == [True, False]


async def test_comments_are_read_page_by_page_in_order(desk: Desk) -> None:
    ticket, other = await desk.open(), await desk.open()
    path = f"/api/tickets/{ticket['id']}/comments"
    for number in range(5):
        await desk.call("POST", path, {"text": f"{number}"}, answers=201)
    await desk.call("POST", f"/api/tickets/{other['id']}/comments", {"text": "other"}, answers=201)
    said, cursor = [], ""
    while True:
        page = await desk.call("GET", f"{path}?limit=2{cursor}")
        assert len(page["items"]) <= 2
        said += [one["text"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert said == ["0", "1", "2", "3", "4"]
    assert (await desk.call("GET", path))["next_cursor"] is None


async def test_without_an_address_an_answer_goes_into_the_conversation(desk: Desk, runtime: Runtime) -> None:
    ann = visitor(desk.tenant)
    made = await talk(runtime.database, desk.tenant, ("visitor", "Help"), owner=await owner_of(runtime, ann))
    ticket = await desk.open(conversation_id=str(made))
    assert (await desk.call("GET", f"/api/tickets/{ticket['id']}"))["reached_by"] == "conversation"
    path = f"/api/tickets/{ticket['id']}/comments"
    await desk.call("POST", path, {"text": "We are on it.", "public": True}, answers=201)
    await desk.call("POST", path, {"text": "Between us.", "public": False}, answers=201)
    listed = (await desk.call("GET", path))["items"]
    assert [one["told_by"] for one in listed] == ["conversation", None]
    seen = await desk.http.get(f"/v1/conversations/{made}/messages", headers=ann)
    assert [(one["role"], one["text"]) for one in seen.json()["items"]] == [
        ("visitor", "Help"), ("agent", "We are on it."),
    ]  # fmt: skip
    told = await desk.call("GET", f"/admin/conversations/{made}/transcript")
    assert (told["state"], told["messages"][1]["name"]) == ("bot", "Command line")


# --- found and exported -----------------------------------------------------------------------------------------------


async def test_tickets_are_found_by_what_they_are_and_say(desk: Desk, runtime: Runtime) -> None:
    rosa = await member(runtime, desk.tenant, "Rosa")
    await desk.open(priority="urgent", requester={"name": "Ann", "email": "ann@example.com"})
    await desk.open(problem="چاپگر كار نمي‌كند", assignee_id=str(rosa))
    third = await desk.open(subject="100% full_disk", tags=["Disk"])
    await desk.change(third, status="solved")
    assert await desk.numbers() == [3, 2, 1]
    assert await desk.numbers(status="solved") == [3]
    assert await desk.numbers(priority="urgent") == [1]
    assert await desk.numbers(assignee_id=str(rosa)) == [2]
    assert await desk.numbers(q="کار نمی‌کند") == [2]
    assert await desk.numbers(q="PRINTER yesterday ann@example.com") == [1]
    assert await desk.numbers(q="100%") == await desk.numbers(q="full_disk") == await desk.numbers(q="disk") == [3]
    assert await desk.numbers(q="fullxdisk") == []
    assert await desk.numbers(q="#2") == [2]
    first = await desk.call("GET", f"/api/tickets?tenant_id={desk.tenant.id}&limit=2")
    assert await desk.numbers(cursor=first["next_cursor"]) == [1]


async def test_an_export_is_safe_to_open_and_whole(desk: Desk) -> None:
    for number in range(3):
        await desk.open(subject=f"=cmd|'/C calc'!A{number}", requester={"name": "@ann", "email": "ann@example.com"})
    commented = await desk.open(problem="سلام")
    await desk.call("POST", f"/api/tickets/{commented['id']}/comments", {"text": "+1"}, answers=201)
    path = f"/api/tickets/export?tenant_id={desk.tenant.id}"
    answer = await desk.http.get(path, headers=desk.headers)
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row["number"] for row in rows] == ["4", "3", "2", "1"]
    assert rows[1]["subject"] == "'=cmd|'/C calc'!A2"
    assert rows[1]["requester_name"] == "'@ann"
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    lines = (await desk.http.get(f"{path}&format=jsonl", headers=desk.headers)).text.splitlines()
    newest = json.loads(lines[0])
    assert (len(lines), newest["problem"], newest["comments"][0]["text"]) == (4, "سلام", "+1")
