"""Answers made into mails."""

from email.parser import BytesParser
from email.policy import default
from typing import Any

import orjson
import pytest

from chatbot.channels.contract import Call
from chatbot.channels.outgoing import Button, Outgoing, OutgoingMedia, Source
from chatbot.channels.providers.email import EMAIL
from chatbot.channels.providers.email.render import NotAMail, mime, reply_subject
from tests.unit.channels.mails import THREAD, here
from tests.unit.channels.peer import DELIVERY

CONTEXT = {"to": "ann@customer.test", "name": "Ann", "subject": "Order 7", "message_id": "m2@c.test",
           "references": ["m1@c.test"]}  # fmt: skip


def rendered(text: str = "Hello", **given: Any) -> Call:
    [call] = EMAIL.render(here(), Outgoing(THREAD, text, context=CONTEXT, **given))
    return call


def written(call: Call, **given: Any) -> tuple[Any, bytes]:
    _, _, content = mime(here(**given).credentials, call, DELIVERY)
    return BytesParser(policy=default).parsebytes(content), content


def test_a_call_is_json_without_secrets() -> None:
    call = rendered()
    assert orjson.loads(orjson.dumps(call.body)) == call.body
    assert (call.body["to"], call.body["in_reply_to"], call.body["references"]) == (
        "ann@customer.test", "m2@c.test", ["m1@c.test"]
    )  # fmt: skip


def test_text_and_html_say_the_same() -> None:
    call = rendered("# Title\n\nSee **this** [page](https://acme.test/a?b=1&c=2).\n\n- one\n- two")
    assert call.body["text"] == "Title\n\nSee this page (https://acme.test/a?b=1&c=2).\n\n• one\n• two"
    assert '<strong>this</strong> <a href="https://acme.test/a?b=1&amp;c=2">page</a>' in call.body["html"]
    assert '<ul dir="auto">' in call.body["html"]


def test_html_of_a_text_stays_text_and_pictures_are_words() -> None:
    page = rendered("<img src=x onerror=alert(1)> ![seen](https://evil.test/p.png) [x](javascript:alert(1))").body[
        "html"
    ]
    assert "<img" not in page
    assert "evil.test" not in page
    assert 'href="javascript' not in page
    assert "seen" in page


def test_a_persian_answer_says_so() -> None:
    page = rendered("سلام", language="fa").body["html"]
    assert '<html lang="fa">' in page
    assert '<p dir="auto">سلام</p>' in page


def test_what_mail_has_no_form_for_is_written_out() -> None:
    text = rendered(
        "Choose:", buttons=(Button("Yes", id="y"), Button("Site", url="https://acme.test")),
        media=(OutgoingMedia("document", "https://acme.test/a.pdf", name="a.pdf"),),
        sources=(Source(1, "Shipping", "https://acme.test/s"),),
    ).body["text"]  # fmt: skip
    assert "1. Yes\n2. Site: https://acme.test" in text
    assert "a.pdf: https://acme.test/a.pdf" in text
    assert "[1] Shipping (https://acme.test/s)" in text


def test_a_very_long_answer_is_several_mails() -> None:
    many = EMAIL.render(here(), Outgoing(THREAD, "A sentence of some length. " * 10_000, context=CONTEXT))
    assert len(many) == 3
    assert all(len(call.body["text"]) <= 100_000 for call in many)


@pytest.mark.parametrize(
    ("subject", "expected"),
    [("Order", "Re: Order"), ("Re: Order", "Re: Order"), ("AW: Order", "AW: Order"), ("پاسخ: x", "پاسخ: x"),
     ("", "Re: Acme"), ("a\r\nBcc: x", "Re: a Bcc: x")],
)  # fmt: skip
def test_subjects(subject: str, expected: str) -> None:
    assert reply_subject(subject, "Acme") == expected


def test_headers_of_an_answer() -> None:
    message, raw = written(rendered())
    assert message["References"] == "<m1@c.test> <m2@c.test>"
    assert message["In-Reply-To"] == "<m2@c.test>"
    assert message["Message-ID"].startswith(f"<xin.{THREAD}.")
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["Reply-To"] is None
    assert message["List-Unsubscribe"] is None
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    person, _ = written(rendered(by_person=True), plus_addressing=True, display_name="Acme")
    assert person["Auto-Submitted"] is None
    assert person["Reply-To"] == f"Acme <support+{THREAD}@acme.test>"


def test_many_references_stay_whole() -> None:
    references = [f"{number:0>80}@customer.test" for number in range(20)]
    call = Call("sendmail", {**rendered().body, "references": references})
    message, raw = written(call)
    assert str(message["References"]).split() == [f"<{item}>" for item in [*references, "m2@c.test"]]
    assert b"=?" not in raw


@pytest.mark.parametrize("body", [{"to": ""}, {"to": "not an address"}, {"to": "a@b\r\nx: y"}, {"thread": "other"}])
def test_what_cannot_be_sent_is_said(body: dict[str, str]) -> None:
    with pytest.raises(NotAMail):
        mime(here().credentials, Call("sendmail", {**rendered().body, **body}), DELIVERY)
