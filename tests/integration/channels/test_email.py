"""E-mail against real servers: mail in over IMAP, answers out over SMTP, threads kept on the way."""

import asyncio
import datetime as dt
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from chatbot.channels.contract import Account, Call, Link, Permanent, RetryAfter, Sent
from chatbot.channels.errors import ProviderRefused
from chatbot.channels.events import InboundEvent, Message
from chatbot.channels.outgoing import Outgoing, Source
from chatbot.channels.providers.email import EMAIL, listen
from chatbot.channels.providers.email.credentials import EmailCredentials
from chatbot.channels.providers.email.imap import THREAD_NAME
from chatbot.channels.providers.email.mail import Mail
from chatbot.channels.providers.email.mime import read_mail
from chatbot.core.safe_http import OutgoingFailed, SafeHttp
from tests.integration.channels.mail_servers import (
    NAME,
    PASSWORD,
    Certificate,
    ImapServer,
    SmtpPeer,
    imap_server,
    make_certificate,
    smtp_server,
)

THREAD = "t" * 26
DELIVERY = UUID("0192aaaa-0000-7000-8000-000000000001")


@pytest.fixture
async def imap() -> AsyncIterator[ImapServer]:
    async with imap_server() as server:
        yield server


@pytest.fixture
async def smtp() -> AsyncIterator[SmtpPeer]:
    async with smtp_server() as server:
        yield server


@pytest.fixture
async def http() -> AsyncIterator[SafeHttp]:
    async with SafeHttp(allow_private_hosts=frozenset({"127.0.0.1", "localhost"})) as client:
        yield client


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(Path(tmp_path_factory.mktemp("certificate")))


def account(**given: Any) -> Account[EmailCredentials]:
    values = {
        "address": NAME, "display_name": "Acme", "imap_host": "127.0.0.1", "imap_security": "none",
        "imap_password": PASSWORD, "smtp_host": "127.0.0.1", "smtp_security": "none", **given,
    }  # fmt: skip
    return Account(uuid4(), uuid4(), "channel-secret", EmailCredentials.model_validate(values))


def mail(subject: str = "Order", text: str = "Where is my order?", **headers: str) -> bytes:
    message = EmailMessage()
    message["From"] = "Ann <ann@customer.test>"
    message["To"] = NAME
    message["Subject"] = subject
    message["Message-ID"] = f"<{uuid4().hex}@customer.test>"
    for name, value in headers.items():
        del message[name.replace("_", "-")]
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


class Inbox:
    """What a listener stored, and its cursor."""

    def __init__(self, http: SafeHttp) -> None:
        self.events: list[InboundEvent] = []
        self.cursor: Mapping[str, Any] = {}
        self.alive = 0
        self.changed = asyncio.Condition()
        self.link = Link(self.take, self.beat, http)

    def beat(self) -> None:
        self.alive += 1

    async def take(self, events: Sequence[InboundEvent], cursor: Mapping[str, Any]) -> None:
        async with self.changed:
            known = {event.id for event in self.events}
            self.events += [event for event in events if event.id not in known]
            self.cursor = cursor
            self.changed.notify_all()

    async def until(self, condition: Callable[[], bool], seconds: float = 60.0) -> None:
        async with asyncio.timeout(seconds), self.changed:
            await self.changed.wait_for(condition)

    def texts(self) -> list[str]:
        return [event.content.text for event in self.events if isinstance(event.content, Message)]


class listening:  # noqa: N801
    """A listener in the background, ended with the block."""

    def __init__(self, opened: Account[EmailCredentials], inbox: Inbox) -> None:
        self._work = EMAIL.listen(opened, inbox.cursor, inbox.link)
        self._inbox = inbox

    async def __aenter__(self) -> asyncio.Task[None]:
        self.task = asyncio.create_task(self._work)
        seen = self._inbox.cursor
        # The first cursor is stored as soon as the mailbox is open.
        await self._inbox.until(lambda: self._inbox.cursor is not seen or self.task.done())
        return self.task

    async def __aexit__(self, *error: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


def mailbox_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith(THREAD_NAME)]


async def ended(threads: list[threading.Thread]) -> None:
    """Assert that these threads ran and end before they would have looked for mail again."""
    assert threads
    for thread in threads:
        await asyncio.to_thread(thread.join, listen.POLL_SECONDS / 2)
    assert not any(thread.is_alive() for thread in threads)


async def test_a_conversation_stays_one_thread(imap: ImapServer, smtp: SmtpPeer, http: SafeHttp) -> None:
    opened = account(imap_port=imap.port, smtp_port=smtp.port)
    inbox = Inbox(http)
    async with listening(opened, inbox):
        await imap.deliver(mail(text="سفارش من کجاست؟"))
        await inbox.until(lambda: len(inbox.events) == 1)
        first = inbox.events[0]
        answer = Outgoing(
            first.thread, "در **راه** است [1].", sources=(Source(1, "Shipping", "https://acme.test/s"),),
            context=first.context, language="fa",
        )  # fmt: skip
        (call,) = EMAIL.render(opened, answer)
        sent = await EMAIL.send(opened, call, http, delivery_id=DELIVERY)
        (received,) = smtp.mails
        await imap.deliver(
            mail("AW: something else", "Danke!", In_Reply_To=received["Message-ID"], From="Ann <ann@phone.test>")
        )
        await inbox.until(lambda: len(inbox.events) == 2)
    assert inbox.texts() == ["سفارش من کجاست؟", "Danke!"]
    assert sent == Sent(received["Message-ID"].strip("<>"))
    assert (received["Subject"], received["To"], received["From"]) == (
        "Re: Order", "Ann <ann@customer.test>", f"Acme <{NAME}>"
    )  # fmt: skip
    assert received["In-Reply-To"] == received["References"] == f"<{first.message_id}>"
    assert received["Auto-Submitted"] == "auto-replied"
    assert received.get_body(("plain",)).get_content().startswith("در راه است [1].")
    assert "<strong>راه</strong>" in received.get_body(("html",)).get_content()
    assert inbox.events[1].thread == first.thread
    assert inbox.events[1].content.in_reply_to == sent.message_id


async def test_the_same_delivery_has_the_same_message_id(smtp: SmtpPeer, http: SafeHttp) -> None:
    opened = account(smtp_port=smtp.port)
    (call,) = EMAIL.render(opened, Outgoing(THREAD, "Hello", context={"to": "ann@customer.test"}, by_person=True))
    first = await EMAIL.send(opened, call, http, delivery_id=DELIVERY)
    assert first == await EMAIL.send(opened, call, http, delivery_id=DELIVERY)
    assert first != await EMAIL.send(opened, call, http, delivery_id=uuid4())
    assert [item["Message-ID"] for item in smtp.mails[:2]] == [f"<{first.message_id}>"] * 2
    assert smtp.mails[0]["Auto-Submitted"] is None


async def test_only_mail_that_waits_unread_is_taken_at_first(imap: ImapServer, http: SafeHttp) -> None:
    old = dt.datetime.now(dt.UTC) - dt.timedelta(days=5)
    await imap.deliver(mail(text="old"), at=old)
    await imap.deliver(mail(text="waits"))
    await imap.deliver(mail(text="was read"), seen=True)
    inbox = Inbox(http)
    async with listening(account(imap_port=imap.port), inbox):
        await imap.deliver(mail(text="new"))
        await inbox.until(lambda: "new" in inbox.texts())
    assert inbox.texts() == ["waits", "new"]


async def test_it_goes_on_after_the_cursor_when_the_connection_breaks(imap: ImapServer, http: SafeHttp) -> None:
    opened, inbox = account(imap_port=imap.port), Inbox(http)
    async with listening(opened, inbox) as task:
        await imap.deliver(mail(text="one"))
        await inbox.until(lambda: inbox.texts() == ["one"])
        imap.drop()
        with pytest.raises(OutgoingFailed, match="mailbox broke off"):
            await asyncio.wait_for(task, 60)
    await imap.deliver(mail(text="two"))
    taken: list[str] = []
    inbox.events.clear()
    async with listening(opened, inbox):
        await inbox.until(lambda: len(inbox.events) == 1)
        taken = inbox.texts()
    assert taken == ["two"]
    assert inbox.alive >= 2


async def test_a_mail_that_breaks_the_reading_is_left_out(
    imap: ImapServer, http: SafeHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(given: bytes) -> Mail:
        if b"poison" in given:
            raise RecursionError
        return read_mail(given)

    monkeypatch.setattr(listen, "read_mail", read)
    opened, inbox = account(imap_port=imap.port), Inbox(http)
    async with listening(opened, inbox):
        await imap.deliver(mail(text="poison"))
        await imap.deliver(mail(text="two"))
        await inbox.until(lambda: inbox.texts() == ["two"])


async def test_new_uids_lose_nothing_and_repeat_nothing(imap: ImapServer, http: SafeHttp) -> None:
    opened, inbox = account(imap_port=imap.port), Inbox(http)
    async with listening(opened, inbox):
        await imap.deliver(mail(text="one"))
        await inbox.until(lambda: inbox.texts() == ["one"])
    before = inbox.cursor["uidvalidity"]
    await imap.deliver(mail(text="two"), seen=True)
    await imap.renumber()
    async with listening(opened, inbox):
        await inbox.until(lambda: len(inbox.events) == 2)
    assert inbox.texts() == ["one", "two"]
    assert inbox.cursor["uidvalidity"] != before


async def test_idle_wakes_it(imap: ImapServer, http: SafeHttp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listen, "FIRST_IDLE_SECONDS", listen.IDLE_SECONDS)
    inbox = Inbox(http)
    async with listening(account(imap_port=imap.port), inbox):
        # A mail that comes just before IDLE is told late by this server; one of these comes during IDLE.
        for number in range(20):
            await imap.deliver(mail(text=str(number)))
            with suppress(TimeoutError):
                await inbox.until(lambda: bool(inbox.events), seconds=0.5)
                break
    assert inbox.texts()[0] == "0"


async def test_cancelling_ends_the_thread(imap: ImapServer, http: SafeHttp) -> None:
    inbox = Inbox(http)
    async with listening(account(imap_port=imap.port), inbox):
        threads = mailbox_threads()
        await imap.deliver(mail())
        await inbox.until(lambda: len(inbox.events) == 1)
    await ended(threads)


async def test_starttls_on_a_mailbox_and_one_without_idle(certificate: Certificate, http: SafeHttp) -> None:
    async with imap_server(starttls=certificate.context, idle=False) as server:
        given = {"imap_host": "localhost", "imap_port": server.port, "imap_security": "starttls"}
        await server.deliver(mail(text="waits"))
        inbox = Inbox(http)
        opened = account(**given, ca_certificate=certificate.pem)
        async with listening(opened, inbox):
            await inbox.until(lambda: inbox.texts() == ["waits"])
            threads = mailbox_threads()
        await ended(threads)
        findings = await EMAIL.check(opened, http)
    assert "within 20 seconds" in findings[1].words


async def test_a_wrong_password_is_the_operators_business(imap: ImapServer, http: SafeHttp) -> None:
    inbox = Inbox(http)
    with pytest.raises(ProviderRefused, match="refused the login") as raised:
        await EMAIL.listen(account(imap_port=imap.port, imap_password="wr0ng"), {}, inbox.link)
    assert "wr0ng" not in raised.value.detail


async def test_a_missing_folder_is_the_operators_business(imap: ImapServer, http: SafeHttp) -> None:
    with pytest.raises(ProviderRefused, match="no folder Support"):
        await EMAIL.listen(account(imap_port=imap.port, imap_folder="Support"), {}, Inbox(http).link)


async def test_private_addresses_are_not_connected_to(imap: ImapServer, smtp: SmtpPeer) -> None:
    opened = account(imap_port=imap.port, smtp_port=smtp.port)
    async with SafeHttp() as strict:
        with pytest.raises(ProviderRefused, match="private or reserved"):
            await EMAIL.listen(opened, {}, Inbox(strict).link)
        (call,) = EMAIL.render(opened, Outgoing(THREAD, "Hello", context={"to": "ann@customer.test"}))
        outcome = await EMAIL.send(opened, call, strict, delivery_id=DELIVERY)
        findings = await EMAIL.check(opened, strict)
    assert isinstance(outcome, Permanent)
    assert "private or reserved" in outcome.words
    assert [finding.ok for finding in findings] == [False, False]
    assert imap.connections == 0
    assert not smtp.mails


async def test_everything_is_encrypted_with_the_host_checked(certificate: Certificate, http: SafeHttp) -> None:
    async with imap_server(tls=certificate.context) as imap, smtp_server(tls=certificate.context) as smtp:
        opened = account(
            imap_host="localhost", imap_port=imap.port, imap_security="tls", smtp_host="localhost",
            smtp_port=smtp.port, smtp_security="tls", ca_certificate=certificate.pem,
        )  # fmt: skip
        inbox = Inbox(http)
        async with listening(opened, inbox):
            await imap.deliver(mail())
            await inbox.until(lambda: len(inbox.events) == 1)
            threads = mailbox_threads()
        await ended(threads)
        (call,) = EMAIL.render(opened, Outgoing(THREAD, "Hello", context=inbox.events[0].context))
        assert isinstance(await EMAIL.send(opened, call, http, delivery_id=DELIVERY), Sent)
        unknown = account(imap_host="localhost", imap_port=imap.port, imap_security="tls")
        with pytest.raises(OutgoingFailed, match="certificate verify failed"):
            await EMAIL.listen(unknown, {}, inbox.link)
    assert smtp.encrypted == [True]


async def test_starttls_and_a_login(certificate: Certificate, http: SafeHttp) -> None:
    async with smtp_server(starttls=certificate.context, login=True) as smtp:
        given = {"smtp_host": "localhost", "smtp_port": smtp.port, "smtp_security": "starttls",
                 "ca_certificate": certificate.pem}  # fmt: skip
        call = Call("sendmail", {"to": "ann@customer.test", "text": "x", "html": "x", "thread": THREAD})
        good = await EMAIL.send(account(**given, smtp_password=PASSWORD), call, http, delivery_id=DELIVERY)
        bad = await EMAIL.send(account(**given, smtp_password="wr0ng"), call, http, delivery_id=DELIVERY)
    assert isinstance(good, Sent)
    assert smtp.encrypted == [True]
    assert isinstance(bad, Permanent)
    assert bad.words.startswith("535")


@pytest.mark.parametrize(
    ("rcpt", "data", "expected"),
    [
        ("550 5.1.1 no such user", "", Permanent("550 5.1.1 no such user")),
        ("450 4.2.1 greylisted", "", RetryAfter("450 4.2.1 greylisted")),
        ("421 4.7.0 too many", "", RetryAfter("421 4.7.0 too many", rate_limited=True)),
        ("", "554 5.7.1 spam", Permanent("554 5.7.1 spam")),
        ("", "452 4.3.1 full", RetryAfter("452 4.3.1 full")),
    ],
)
async def test_the_servers_words_decide(smtp: SmtpPeer, http: SafeHttp, rcpt: str, data: str, expected: object) -> None:
    smtp.answer_rcpt, smtp.answer_data = rcpt, data
    opened = account(smtp_port=smtp.port)
    (call,) = EMAIL.render(opened, Outgoing(THREAD, "Hello", context={"to": "ann@customer.test"}))
    assert await EMAIL.send(opened, call, http, delivery_id=DELIVERY) == expected


async def test_a_server_that_is_away_is_tried_again(http: SafeHttp) -> None:
    async with smtp_server() as gone:
        port = gone.port
    opened = account(smtp_port=port)
    (call,) = EMAIL.render(opened, Outgoing(THREAD, "Hello", context={"to": "ann@customer.test"}))
    outcome = await EMAIL.send(opened, call, http, delivery_id=DELIVERY)
    assert outcome == RetryAfter(f"127.0.0.1 cannot be reached at port {port}.")


async def test_headers_cannot_be_injected(smtp: SmtpPeer, http: SafeHttp) -> None:
    opened = account(smtp_port=smtp.port)
    context = {
        "to": "ann@customer.test", "name": "Ann\r\nBcc: x@evil.test", "subject": "Hi\r\nBcc: x@evil.test\r\n\r\nbody",
        "message_id": "a@b>\r\nBcc: x@evil.test", "references": ["r\r\nBcc: x@evil.test", "good@customer.test"],
    }  # fmt: skip
    (call,) = EMAIL.render(opened, Outgoing(THREAD, "Hello", context=context))
    assert isinstance(await EMAIL.send(opened, call, http, delivery_id=DELIVERY), Sent)
    (received,) = smtp.mails
    assert received["Bcc"] is None
    assert received["In-Reply-To"] is None
    assert received["References"] == "<good@customer.test>"
    assert smtp.recipients == ["ann@customer.test"]
    broken = Call("sendmail", {**call.body, "to": "ann@customer.test\r\nRCPT TO:<x@evil.test>"})
    assert await EMAIL.send(opened, broken, http, delivery_id=DELIVERY) == Permanent("There is no address to write to.")


async def test_the_check_tells_what_works(imap: ImapServer, smtp: SmtpPeer, http: SafeHttp) -> None:
    good = await EMAIL.check(account(imap_port=imap.port, smtp_port=smtp.port), http)
    bad = await EMAIL.check(account(imap_port=imap.port, smtp_port=smtp.port, imap_password="wr0ng"), http)
    assert [(finding.name, finding.ok) for finding in good] == [("smtp", True), ("imap", True)]
    assert "seen at once" in good[1].words
    assert [(finding.name, finding.ok) for finding in bad] == [("smtp", True), ("imap", False)]
    assert "refused the login" in bad[1].words
