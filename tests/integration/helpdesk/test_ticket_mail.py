"""Tickets by mail, through the whole platform: told to the requester over SMTP, answered through a mail service."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Callable
from email.message import Message as Mail
from typing import Any

import pytest
from sqlalchemy import text

from chatbot.core.settings import Settings
from tests.conftest import TenantRows, bearer
from tests.integration.channels.mail_servers import NAME, SmtpPeer, smtp_server
from tests.integration.helpdesk.tickets_kit import PROBLEM, events, owner_of, talk, visitor
from tests.whole import Whole, whole_platform

ANN = "ann@customer.test"


class Post:
    """The brand's mail: what left by SMTP, and a mail service that brings what is answered."""

    def __init__(self, whole: Whole, peer: SmtpPeer, channel: dict[str, Any]) -> None:
        self.whole, self.peer, self.channel = whole, peer, channel

    async def mails(self, count: int) -> list[Mail]:
        """Wait until so many mails have left."""
        await self.until(lambda: len(self.peer.mails) >= count)
        return self.peer.mails

    async def until(self, found: Callable[[], bool], seconds: float = 90) -> None:
        end = time.monotonic() + seconds
        while not found():
            assert time.monotonic() < end, [mail["subject"] for mail in self.peer.mails]
            await asyncio.sleep(0.05)

    async def answer(self, mail: Mail, words: str, **fields: Any) -> None:
        """Answer a mail as its recipient's mail program does."""
        body = {
            "From": f"Ann <{ANN}>", "To": NAME, "Subject": f"Re: {mail['subject']}", "TextBody": words,
            "MessageID": f"answer-{words[:5]}",
            "Headers": [
                {"Name": "Message-ID", "Value": f"<{abs(hash(words))}@customer.test>"},
                {"Name": "In-Reply-To", "Value": mail["message-id"]},
                {"Name": "References", "Value": f"{mail['references']} {mail['message-id']}"},
            ],
            **fields,
        }  # fmt: skip
        path = f"/webhooks/email/{self.channel['id']}/{self.channel['secret']}"
        async with self.whole.gateway.post(path, json=body) as told:
            assert told.status == 200, await told.text()

    async def ticket(self, ticket: Any) -> Any:
        """A ticket as it stands."""
        return await self.whole.ask("GET", f"/api/tickets/{ticket['id']}")

    async def open(self, **fields: Any) -> Any:
        """Open a ticket as an agent."""
        body = {"tenant_id": str(self.whole.tenant.id), "problem": PROBLEM, **fields}
        body.setdefault("requester", {"name": "Ann", "email": ANN})
        return await self.whole.ask("POST", "/api/tickets", body, status=201)


@pytest.fixture
async def post(database_url: str, settings: Settings, tenant: TenantRows) -> AsyncIterator[Post]:
    async with smtp_server() as peer, whole_platform(settings, database_url, tenant) as whole:
        channel = await whole.channel("email", {
            "address": NAME, "display_name": "Acme Support", "inbound": "postmark", "smtp_host": "127.0.0.1",
            "smtp_port": peer.port, "smtp_security": "none",
        })  # fmt: skip
        yield Post(whole, peer, channel)


async def test_a_ticket_is_told_answered_and_solved_in_one_thread(post: Post) -> None:
    ticket = await post.open()
    opened = (await post.mails(1))[0]
    assert (opened["to"], opened["subject"]) == (f"Ann <{ANN}>", "Your request #1")
    assert opened["auto-submitted"] == "auto-replied"
    assert "number is 1" in _text(opened)
    assert PROBLEM not in post.peer.raw[0].decode()

    path = f"/api/tickets/{ticket['id']}/comments"
    said = await post.whole.ask("POST", path, {"text": "Is it **plugged** in?", "public": True}, status=201)
    await post.whole.ask("POST", path, {"text": "They never plug it in.", "public": False}, status=201)
    assert (said["told_by"], (await post.ticket(ticket))["reached_by"]) == ("mail", "mail")
    asked = (await post.mails(2))[1]
    assert "plugged" in _text(asked)
    assert asked["auto-submitted"] is None
    await post.whole.ask("PATCH", f"/api/tickets/{ticket['id']}", {"status": "pending"})

    await post.answer(asked, "It was not. Thank you!")
    answered = await post.ticket(ticket)
    assert (answered["status"], answered["comments"][-1]["author_kind"]) == ("open", "requester")
    assert (answered["comments"][-1]["text"], answered["comments"][-1]["author_name"]) == (
        "It was not. Thank you!",
        "Ann",
    )

    await post.whole.ask("PATCH", f"/api/tickets/{ticket['id']}", {"status": "solved"})
    solved = (await post.mails(3))[2]
    assert solved["in-reply-to"] == f"<{abs(hash('It was not. Thank you!'))}@customer.test>"
    roots = {mail["references"].split()[0] for mail in (opened, asked, solved)}
    assert len(roots) == 1
    assert len({mail["message-id"] for mail in (opened, asked, solved)}) == 3
    assert all("They never" not in raw.decode() for raw in post.peer.raw)

    names = [name for name, _ in await events(post.whole.runtime.database, post.whole.tenant, "ticket.")]
    assert names == [
        "ticket.created", "ticket.commented", "ticket.commented", "ticket.updated", "ticket.commented",
        "ticket.updated", "ticket.updated", "ticket.solved",
    ]  # fmt: skip
    assert await _count(post, "conversations") == 0, "a mail about a ticket begins no conversation"


async def test_an_answer_opens_a_solved_ticket_again_once(post: Post) -> None:
    ticket = await post.open()
    opened = (await post.mails(1))[0]
    await post.whole.ask("PATCH", f"/api/tickets/{ticket['id']}", {"status": "solved"})
    file = {"Name": "log.txt", "ContentType": "text/plain", "Content": base64.b64encode(b"error 7").decode()}
    for _ in range(2):
        await post.answer(opened, "Still broken", Attachments=[file])
    found = await post.ticket(ticket)
    assert (found["status"], len(found["comments"])) == ("open", 1)
    comment = found["comments"][0]
    assert comment["files"] == [{"name": "log.txt", "mime": "text/plain", "size": 7}]
    path = f"/api/tickets/{ticket['id']}/comments/{comment['id']}/files"
    async with post.whole.api.get(f"{path}/1", headers=bearer()) as kept:
        assert (kept.status, await kept.read()) == (200, b"error 7")
        assert kept.headers["content-disposition"].startswith('attachment; filename="log.txt"')
        assert (kept.content_type, kept.headers["x-content-type-options"]) == ("application/octet-stream", "nosniff")
    async with post.whole.api.get(f"{path}/2", headers=bearer()) as missing:
        assert missing.status == 404


async def test_a_mail_under_no_ticket_is_a_conversation(post: Post) -> None:
    await post.open()
    opened = (await post.mails(1))[0]
    del opened["message-id"], opened["references"]
    opened["message-id"], opened["references"] = "<other@customer.test>", "<other@customer.test>"
    await post.answer(opened, "How do I get a refund?")
    assert await _count(post, "conversations") == 1


async def test_a_persian_requester_is_written_in_persian(post: Post) -> None:
    await post.open(problem="چاپگر من کار نمی‌کند", requester={"name": "سارا", "email": ANN})
    opened = (await post.mails(1))[0]
    assert opened["subject"] == "درخواست شما به شماره ۱"
    assert 'lang="fa"' in _html(opened)
    assert 'dir="auto"' in _html(opened)


async def test_who_gives_strange_addresses_causes_few_mails(post: Post) -> None:
    body = {"name": "Eve", "email": ANN, "problem": "Buy at https://spam.test"}
    ann = visitor(post.whole.tenant)
    for _ in range(7):
        async with post.whole.api.post("/v1/tickets", json=body, headers=ann) as made:
            assert made.status == 201
    await post.mails(5)
    found = await post.whole.settled(post.channel, 5)
    assert len(found) == 5
    assert all(b"spam.test" not in raw for raw in post.peer.raw)


async def test_a_transcript_is_mailed_to_the_visitor(post: Post) -> None:
    whole, ann = post.whole, visitor(post.whole.tenant)
    said = (("visitor", "Is <b>this</b> *it*?"), ("bot", "Yes, **it** is."))
    made = await talk(whole.runtime.database, whole.tenant, *said, owner=await owner_of(whole.runtime, ann))
    path = f"/v1/conversations/{made}/transcript"
    async with whole.api.post(path, json={"email": ANN}, headers=ann) as accepted:
        assert (accepted.status, await accepted.json()) == (202, {"status": "accepted"})
    mail = (await post.mails(1))[0]
    assert mail["subject"] == "Your conversation with Acme"
    assert "Is <b>this</b> *it*?" in _text(mail)
    assert "&lt;b&gt;" in _html(mail)
    assert "<strong>it</strong>" in _html(mail)
    for _ in range(4):
        async with whole.api.post(path, json={"email": ANN}, headers=ann) as accepted:
            assert accepted.status == 202
    async with whole.api.post(path, json={"email": ANN}, headers=ann) as refused:
        assert refused.status == 429
    assert await _count(post, "deliveries") == 5


async def test_without_a_mail_channel_nothing_is_told(post: Post) -> None:
    async with post.whole.api.patch(
        f"/admin/channels/{post.channel['id']}", json={"enabled": False}, headers=bearer()
    ) as changed:
        assert changed.status == 200
    ticket = await post.open()
    body = {"text": "Hello", "public": True}
    said = await post.whole.ask("POST", f"/api/tickets/{ticket['id']}/comments", body, status=201)
    assert (said["told_by"], (await post.ticket(ticket))["reached_by"]) == (None, None)
    assert await _count(post, "deliveries") == 0


def _part(mail: Mail, kind: str) -> str:
    part = mail.get_body((kind,))  # type: ignore[attr-defined]
    return str(part.get_content())


def _text(mail: Mail) -> str:
    return _part(mail, "plain")


def _html(mail: Mail) -> str:
    return _part(mail, "html")


async def _count(post: Post, table: str) -> int:
    async with post.whole.runtime.database.tenant_reader(post.whole.tenant.id) as session:
        return int((await session.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())
