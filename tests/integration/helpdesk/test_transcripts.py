"""Transcripts: the visitor's own, agents', operators' by session; as JSON, as text in three languages, as CSV."""

import logging
from datetime import UTC, datetime

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from chatbot.apps.runtime import Runtime
from chatbot.core.ids import new_id
from chatbot.core.settings import Settings
from chatbot.db.models import Attachment, Message
from chatbot.identity.bootstrap import ensure_first_rows
from chatbot.identity.subject import Role
from tests.conftest import TenantRows, bearer
from tests.integration.helpdesk.tickets_kit import Desk, desk_of, owner_of, talk, visitor

LOG_TOKEN = "log-token-of-the-tests-0123456789abcdef"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"log_token": SecretStr(LOG_TOKEN)})


@pytest.fixture
def desk(client: httpx.AsyncClient, tenant: TenantRows) -> Desk:
    return desk_of(client, tenant)


async def test_a_visitor_reads_the_own_conversation_only(desk: Desk, runtime: Runtime) -> None:
    ann = visitor(desk.tenant)
    made = await talk(runtime.database, desk.tenant, ("visitor", "Hello"), owner=await owner_of(runtime, ann))
    path = f"/v1/conversations/{made}/transcript"
    answer = await desk.http.get(path, headers=ann)
    assert [(one["name"], one["text"]) for one in answer.json()["messages"]] == [("Ann", "Hello")]
    assert (await desk.http.get(path, headers=visitor(desk.tenant, "eve"))).status_code == 404
    assert (await desk.http.get(f"{path}?format=csv", headers=ann)).status_code == 422


async def test_what_was_withdrawn_taken_back_or_is_not_finished_is_left_out(desk: Desk, runtime: Runtime) -> None:
    made = await talk(runtime.database, desk.tenant, ("visitor", "Kept"), ("bot", ""), ("visitor", "Also kept"))
    about = {"tenant_id": desk.tenant.id, "conversation_id": made, "channel_id": desk.tenant.channel_id}
    with_file = new_id()
    gone = datetime(2026, 1, 1, tzinfo=UTC)
    async with runtime.database.tenant(desk.tenant.id) as session:
        session.add(Message(**about, id=new_id(), seq=4, role="bot", text="Half a", status="streaming"))
        session.add(Message(**about, id=new_id(), seq=5, role="visitor", text="Oops", deleted_at=gone))
        session.add(Message(**about, id=with_file, seq=6, role="visitor", text=""))
        await session.flush()
        session.add(
            Attachment(
                tenant_id=desk.tenant.id, id=new_id(), message_id=with_file, channel_id=desk.tenant.channel_id,
                kind="document", provider_ref="x", name="bill.pdf", status="stored",
            )
        )  # fmt: skip
    told = await desk.call("GET", f"/admin/conversations/{made}/transcript")
    assert [(one["seq"], one["text"], one["files"]) for one in told["messages"]] == [
        (1, "Kept", []), (3, "Also kept", []), (6, "", ["bill.pdf"]),
    ]  # fmt: skip


async def test_agents_read_it_in_every_form_and_viewers_do_not(desk: Desk, runtime: Runtime) -> None:
    made = await talk(runtime.database, desk.tenant, ("visitor", "=1+1"), ("agent", "Two"))
    path = f"/admin/conversations/{made}/transcript"
    table = await desk.http.get(f"{path}?format=csv", headers=desk.headers)
    assert table.headers["content-disposition"] == f'attachment; filename="conversation-{made}.csv"'
    assert ",'=1+1," in table.text
    told = (await desk.http.get(f"{path}?format=txt", headers=desk.headers)).text
    assert "Agent" in told
    assert told.index("=1+1") < told.index("Two")
    assert (await desk.http.get(path, headers=bearer(Role.VIEWER, desk.tenant.id))).status_code == 403


async def test_operators_read_it_by_the_sessions_name(
    desk: Desk, runtime: Runtime, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    await ensure_first_rows(runtime.database, runtime.settings)
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, "httpx")  # the client's own log, which names addresses
    asked = await desk.http.post("/api/chat", json={"sessionId": "s 1/ü", "message": "Where is my refund?"})
    assert asked.status_code == 200
    for query, headers in ((f"?token={LOG_TOKEN}", {}), ("", {"Authorization": f"Bearer {LOG_TOKEN}"})):
        answer = await desk.http.get(f"/api/transcript-json/s%201%2F%C3%BC{query}", headers=headers)
        assert answer.status_code == 200, answer.text
        assert answer.json()["sessionId"] == "s 1/ü"
        assert [one["role"] for one in answer.json()["transcript"]] == ["visitor", "bot"]
        by_id = await desk.http.get(f"/api/transcript-json/{answer.json()['conversationId']}{query}", headers=headers)
        assert by_id.json()["transcript"] == answer.json()["transcript"]
    written = capfd.readouterr()
    assert LOG_TOKEN not in caplog.text + written.out + written.err


async def test_an_admins_token_does_not_belong_into_an_address(desk: Desk) -> None:
    own = desk.headers["Authorization"].removeprefix("Bearer ")
    for token in (own, LOG_TOKEN[:-1], ""):
        assert (await desk.http.get(f"/api/transcript-json/s?token={token}")).status_code == 401
    assert (await desk.http.get("/api/transcript-json/s")).status_code == 401


async def test_the_session_of_a_visitors_token_is_found_by_its_name(desk: Desk, client: httpx.AsyncClient) -> None:
    await client.post("/api/chat", json={"sessionId": "mine", "message": "Hello"}, headers=visitor(desk.tenant))
    agent = bearer(Role.AGENT, desk.tenant.id)
    answer = await client.get("/api/transcript-json/mine", headers=agent)
    assert answer.json()["transcript"][0]["text"] == "Hello"
    assert (await client.get("/api/transcript-json/yours", headers=agent)).status_code == 404


async def test_a_transcript_is_not_mailed_without_an_address_to_write_from(desk: Desk, runtime: Runtime) -> None:
    ann = visitor(desk.tenant)
    made = await talk(runtime.database, desk.tenant, ("visitor", "Hello"), owner=await owner_of(runtime, ann))
    path = f"/v1/conversations/{made}/transcript"
    answer = await desk.http.post(path, json={"email": "ann@example.com"}, headers=ann)
    assert (answer.status_code, answer.json()["code"]) == (409, "mail_not_set_up")
    for wrong in ("", "ann", "ann@example.com, eve@example.com", "ann@example.com\nBcc: eve@example.com"):
        assert (await desk.http.post(path, json={"email": wrong}, headers=ann)).status_code == 422


async def test_a_persian_ticket_reads_from_right_to_left(desk: Desk, runtime: Runtime) -> None:
    await desk.call("PATCH", f"/admin/tenants/{desk.tenant.id}", {"timezone": "Asia/Tehran"})
    made = await talk(
        runtime.database,
        desk.tenant,
        ("visitor", "چاپگر HP من کار نمی‌کند"),
        ("bot", "لطفاً مدل آن را بنویسید."),
        visitor={"subject": "visitor:ann", "name": "Sara Ahmadi"},
    )
    async with runtime.database.tenant(desk.tenant.id) as session:
        await session.execute(text("UPDATE messages SET created_at = '2026-11-25T10:35:00Z'"))
    ticket = await desk.open(
        conversation_id=str(made), problem="چاپگر من از دیروز چاپ نمی‌کند", device="HP LaserJet (M15)",
        requester={"name": "Sara Ahmadi", "email": "sara@example.com"},
    )  # fmt: skip
    answer = await desk.http.get(f"/api/tickets/{ticket['id']}?format=txt", headers=desk.headers)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    lines = answer.text.splitlines()
    assert lines[0] == "\u200fتیکت شماره ۱"
    assert "\u200fدستگاه: \u2068HP LaserJet (M15)\u2069" in lines
    assert "\u200f—— ۴ آذر ۱۴۰۵ ——" in lines
    assert "\u200f[۱۴:۰۵] \u2068Sara Ahmadi\u2069" in lines
    assert "چاپگر HP من کار نمی‌کند" in lines
    # Whatever stands first, a line of ours says its direction itself.
    assert all(line.startswith(("\u200f", "چ", "ل")) for line in lines if line)


async def test_a_spanish_ticket_has_spanish_words(desk: Desk) -> None:
    ticket = await desk.open(problem="La impresora no imprime nada desde ayer por la tarde y no sé qué hacer")
    told = (await desk.http.get(f"/api/tickets/{ticket['id']}?format=txt", headers=desk.headers)).text
    assert told.startswith("Ticket n.º 1\n")
    assert "Prioridad: normal" in told
