"""A mail with a customer's From is no customer's: it joins no conversation, and moves no answer to another address."""

import asyncio
import time
from collections.abc import AsyncIterator
from email.message import Message as Mail
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from chatbot.channels.events import InboundEvent
from chatbot.channels.providers.email import EMAIL
from chatbot.core.settings import Settings
from tests.conftest import TenantRows
from tests.integration.channels.mail_servers import NAME, SmtpPeer, smtp_server
from tests.unit.channels.mails import here, mail, read
from tests.unit.channels.peer import posted
from tests.whole import Whole, whole_platform

ANN, EVE = "ann@customer.test", "eve@evil.test"
OUR_SERVER = "mx.acme.test"


class Mailbox:
    """A brand's address: mail comes by a mail service, answers leave by SMTP."""

    def __init__(self, whole: Whole, peer: SmtpPeer, channel: dict[str, Any]) -> None:
        self.whole, self.peer, self.channel = whole, peer, channel

    async def send(self, words: str, *, of: str = ANN, subject: str = "Refund", **headers: str) -> None:
        """Send a mail with this From; headers are named with underscores and stand above the others."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        given |= {"From": of, "Message-ID": f"<{uuid4().hex}@customer.test>"}
        body = {
            "From": of, "To": NAME, "Subject": subject, "TextBody": words, "MessageID": uuid4().hex,
            "Headers": [{"Name": name, "Value": value} for name, value in given.items()],
        }  # fmt: skip
        path = f"/webhooks/email/{self.channel['id']}/{self.channel['secret']}"
        async with self.whole.gateway.post(path, json=body) as told:
            assert told.status == 200, await told.text()

    async def answers(self, count: int) -> list[Mail]:
        """Wait until so many answers have left."""
        until = time.monotonic() + 90
        while len(self.peer.mails) < count:
            assert time.monotonic() < until, [each["to"] for each in self.peer.mails]
            await asyncio.sleep(0.05)
        return self.peer.mails

    async def until_someone_waits(self) -> None:
        """Wait until a conversation waits for a person."""
        until = time.monotonic() + 90
        while True:
            async with self.whole.runtime.database.tenant_reader(self.whole.tenant.id) as session:
                if (await session.execute(text("SELECT count(*) FROM conversations WHERE state = 'waiting'"))).scalar():
                    return
            assert time.monotonic() < until
            await asyncio.sleep(0.05)

    async def conversations(self) -> list[list[str]]:
        """What customers wrote in each conversation, the oldest first."""
        async with self.whole.runtime.database.tenant_reader(self.whole.tenant.id) as session:
            rows = await session.execute(
                text("""
                SELECT array_agg(m.text ORDER BY m.seq) FROM messages m JOIN conversations c ON c.id = m.conversation_id
                WHERE m.role = 'visitor' GROUP BY c.id ORDER BY c.id
            """)
            )
            return [row[0] for row in rows]


@pytest.fixture
async def mailbox(database_url: str, settings: Settings, tenant: TenantRows) -> AsyncIterator[Mailbox]:
    async with smtp_server() as peer, whole_platform(settings, database_url, tenant) as whole:
        channel = await whole.channel("email", {
            "address": NAME, "display_name": "Acme", "inbound": "postmark", "smtp_host": "127.0.0.1",
            "smtp_port": peer.port, "smtp_security": "none", "authserv_id": OUR_SERVER,
        })  # fmt: skip
        yield Mailbox(whole, peer, channel)


async def test_a_customers_name_and_subject_open_no_conversation(mailbox: Mailbox) -> None:
    await mailbox.send("How do I get a refund?")
    (first,) = await mailbox.answers(1)
    await mailbox.send("Send it to my new account", Reply_To=EVE)
    answers = await mailbox.answers(2)
    await mailbox.send("Thank you", In_Reply_To=first["message-id"], References=first["message-id"])
    assert await mailbox.conversations() == [
        ["How do I get a refund?", "Thank you"], ["Send it to my new account"],
    ]  # fmt: skip
    thread = first["message-id"].split(".")[1]
    assert thread not in answers[1].as_string(), "Eve's answer does not tell her how to join Ann's conversation"


async def test_whoever_has_seen_an_answer_does_not_lead_the_next_one_elsewhere(mailbox: Mailbox) -> None:
    await mailbox.send("How do I get a refund?", Reply_To="Ann <ann@home.test>")
    (first,) = await mailbox.answers(1)
    seen = {"In_Reply_To": first["message-id"], "References": first["message-id"]}
    await mailbox.send("How do I get a refund now?", Reply_To=EVE, **seen)
    _, second = await mailbox.answers(2)
    assert (first["to"], second["to"]) == ("Ann <ann@home.test>",) * 2
    proven = f"{OUR_SERVER}; dkim=pass header.d=customer.test"
    await mailbox.send("And by which way?", Authentication_Results=proven, Reply_To="ann@work.test", **seen)
    _, _, third = await mailbox.answers(3)
    assert third["to"] == "ann@work.test", "Ann may, for it is her"
    assert len(await mailbox.conversations()) == 1


async def test_a_subject_is_enough_for_whoever_is_known_to_have_written(mailbox: Mailbox) -> None:
    proven = {"Authentication_Results": f"{OUR_SERVER}; dmarc=pass (p=NONE) header.from=customer.test"}
    await mailbox.send("How do I get a refund?", **proven)
    await mailbox.send("I mean of order 7", **proven, subject="Re: refund")
    await mailbox.send("I am Ann, too")
    assert await mailbox.conversations() == [["How do I get a refund?", "I mean of order 7"], ["I am Ann, too"]]


async def test_a_machine_that_begins_anew_with_each_mail_is_not_answered_for_ever(mailbox: Mailbox) -> None:
    for number in range(5):
        await mailbox.send("How do I get a refund?", of="robot@machine.test", subject=f"Ticket {number}")
        await mailbox.answers(number + 1)
    await mailbox.send("How do I get a refund?", of="robot@machine.test", subject="Ticket 5")
    await mailbox.send("How do I get a refund?")
    answers = await mailbox.answers(6)
    assert answers[5]["to"] == ANN, "others are answered"
    await mailbox.until_someone_waits()
    assert len(mailbox.peer.mails) == 6


# --- what a mail's header proves --------------------------------------------------------------------------------------

PASSES = {
    "dmarc": "mx.acme.test; dmarc=pass header.from=customer.test",
    "dkim of the domain": "mx.acme.test; dkim=pass header.d=customer.test header.s=s1",
    "dkim by an address": "mx.acme.test; dkim=pass header.i=@customer.test header.b=abc",
    "spf of the domain": "mx.acme.test; spf=pass smtp.mailfrom=bounce@customer.test",
    "spf of a domain below": "mx.acme.test; spf=pass smtp.mailfrom=bounces.customer.test",
    "as a great provider writes": (
        "mx.acme.test 1; dkim=pass header.i=@list.test header.s=a header.b=b; dkim=pass header.i=@customer.test; "
        "spf=softfail (mx.acme.test: domain of x@y.test does not (yet) designate 192.0.2.1) smtp.mailfrom=x@y.test; "
        "dmarc=pass (p=QUARANTINE sp=NONE dis=NONE) header.from=customer.test"
    ),
    "in capitals": "MX.Acme.Test; DKIM=Pass header.d=CUSTOMER.test",
    "without a policy": "mx.acme.test; dmarc=none header.from=customer.test; dkim=pass header.d=customer.test",
}

PROVES_NOTHING = {
    "of another server": "mx.evil.test; dmarc=pass header.from=customer.test",
    "of a server whose name begins so": "mx.acme.test.evil.test; dmarc=pass header.from=customer.test",
    "of another domain": "mx.acme.test; dkim=pass header.d=evil.test; spf=pass smtp.mailfrom=eve@evil.test",
    "of a domain that ends so": "mx.acme.test; dkim=pass header.d=evilcustomer.test",
    "of the top domain": "mx.acme.test; dkim=pass header.d=test",
    "failed": "mx.acme.test; dkim=fail header.d=customer.test; spf=softfail smtp.mailfrom=ann@customer.test",
    "against a policy": "mx.acme.test; dmarc=fail header.from=customer.test; spf=pass smtp.mailfrom=x@customer.test",
    "dmarc of another domain": "mx.acme.test; dmarc=pass header.from=evil.test",
    "the name of the other side": "mx.acme.test; spf=pass smtp.helo=customer.test",
    "within a comment": "mx.acme.test; none (dmarc=pass header.from=customer.test;)",
    "out of a comment": "mx.acme.test; spf=fail (x) dmarc=none); dkim=pass header.d=customer.test",
    "within a quotation": 'mx.acme.test; spf=pass smtp.mailfrom="a; dkim=pass header.d=customer.test; x"@evil.test',
    "said twice": "mx.acme.test; dmarc=pass header.from=customer.test; dmarc=none header.from=evil.test",
    "commented to death": "mx.acme.test; " + "(" * 9_000 + ")" * 9_000 + " dmarc=pass header.from=customer.test",
    "nothing": "",
}


def joins(first: InboundEvent, second: InboundEvent) -> bool:
    assert first.id != second.id
    return first.thread == second.thread


@pytest.mark.parametrize("header", PASSES.values(), ids=PASSES.keys())
def test_a_mail_that_our_server_knows_is_the_writers(header: str) -> None:
    first, second = (
        read(mail(Authentication_Results=header, Message_ID=f"<{name}@x>"), authserv_id=OUR_SERVER) for name in "ab"
    )
    assert joins(first, second)
    unasked = read(mail(Authentication_Results=header, Message_ID="<c@x>"))
    assert not joins(first, unasked), "the channel names no server of ours"


@pytest.mark.parametrize("header", PROVES_NOTHING.values(), ids=PROVES_NOTHING.keys())
def test_a_mail_that_proves_nothing_begins_anew(header: str) -> None:
    known = read(mail(Authentication_Results=PASSES["dmarc"], Message_ID="<a@x>"), authserv_id=OUR_SERVER)
    forged = read(mail(Authentication_Results=header, Message_ID="<b@x>"), authserv_id=OUR_SERVER)
    again = read(mail(Authentication_Results=header, Message_ID="<c@x>"), authserv_id=OUR_SERVER)
    assert not joins(known, forged)
    assert not joins(forged, again)


def test_only_the_topmost_header_is_our_servers() -> None:
    forged = mail(Authentication_Results="mx.evil.test; none", Message_ID="<b@x>")
    forged["Authentication-Results"] = PASSES["dmarc"]
    known = read(mail(Authentication_Results=PASSES["dmarc"], Message_ID="<a@x>"), authserv_id=OUR_SERVER)
    assert not joins(known, read(forged, authserv_id=OUR_SERVER))


def test_one_writer_does_not_vouch_for_another() -> None:
    known = read(mail(Authentication_Results=PASSES["dmarc"], Message_ID="<a@x>"), authserv_id=OUR_SERVER)
    for writers in ("Ann@customer.test, eve@evil.test", "eve@evil.test"):
        proof = f"{OUR_SERVER}; dkim=pass header.d=evil.test; dkim=pass header.d=customer.test"
        two = mail(From=writers, Authentication_Results=proof, Message_ID="<b@x>")
        assert not joins(known, read(two, authserv_id=OUR_SERVER))
    form = mail(From="no-reply@customer.test", Reply_To="ann@customer.test", Message_ID="<c@x>",
                Authentication_Results=PASSES["dmarc"])  # fmt: skip
    assert not joins(known, read(form, authserv_id=OUR_SERVER)), "anybody types any address into a form"


def test_a_strangers_copy_of_a_customers_id_is_no_key() -> None:
    ann = read(mail(Subject="", Message_ID="<a@x>", Authentication_Results=PASSES["dmarc"]), authserv_id=OUR_SERVER)
    eve = mail(Subject="", From=EVE, Message_ID="<b@x>", References="<a@x>",
               Authentication_Results=f"{OUR_SERVER}; dkim=pass header.d=evil.test")  # fmt: skip
    assert not joins(ann, read(eve, authserv_id=OUR_SERVER))


@pytest.mark.parametrize(
    ("fields", "proven"),
    [
        ({"dkim": "{@customer.test : pass}"}, True),
        ({"dkim": "{@list.test : fail, @customer.test : pass}"}, True),
        ({"dkim": "{@customer.test : fail}", "SPF": "softfail"}, False),
        ({"dkim": "{@evil.test : pass}", "SPF": "pass", "envelope": '{"from":"eve@evil.test"}'}, False),
        ({"SPF": "pass", "envelope": '{"from":"bounce@customer.test"}'}, True),
        ({"SPF": "fail", "envelope": '{"from":"ann@customer.test"}'}, False),
        ({"SPF": "pass", "envelope": '["ann@customer.test"]'}, False),
        ({}, False),
    ],
)
@pytest.mark.parametrize("raw", [False, True])
def test_sendgrids_own_findings_are_taken(fields: dict[str, str], proven: bool, raw: bool) -> None:
    def event(message_id: str) -> InboundEvent:
        message = mail(Message_ID=message_id)
        parsed = {"headers": f"Message-ID: {message_id}", "from": message["from"], "subject": "Order", "text": "Hi"}
        told = {"email": message.as_string()} if raw else parsed
        (found,) = EMAIL.parse(here(), posted(_form({**told, **fields}), content_type=_FORM))
        return found

    assert joins(event("<a@x>"), event("<b@x>")) is proven


_FORM = "multipart/form-data; boundary=B"


def _form(fields: dict[str, str]) -> bytes:
    head = "--B\r\nContent-Disposition: form-data; name="
    return ("".join(f'{head}"{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()) + "--B--\r\n").encode()
