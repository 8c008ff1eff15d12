"""Recorded mails, mail services' requests, reply bodies and signature cases."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chatbot.channels.contract import Account, Malformed, Request
from chatbot.channels.events import InboundEvent, Message, Unsupported
from chatbot.channels.providers.email import EMAIL
from chatbot.channels.providers.email.credentials import EmailCredentials
from chatbot.channels.providers.email.mime import read_mail
from chatbot.channels.providers.email.parse import event_of
from chatbot.channels.providers.email.replies import new_text
from tests.contract.channels.signed import accepted
from tests.unit.channels.peer import account, posted

# The text begins so; how many files there are.
MAILS: dict[str, tuple[str, int] | str] = {
    "chatwoot_mail_with_html_part_no_html_content.eml": ("Greetings!", 1),
    "chatwoot_mail_with_inline_images.eml": ("HTML content and inline images", 3),
    "chatwoot_mail_with_no_date.eml": ("text only mail", 0),
    "chatwoot_mail_with_no_subject.eml": ("Let's talk about these images:", 2),
    "chatwoot_mail_with_plain_text_and_inline_image.eml": ("[image: poster (8).jpg]", 3),
    "chatwoot_multiple_attachments.eml": ("Attaching 30 files:", 30),
    "chatwoot_multiple_in_reply_to.eml": ("Let's talk about these images", 0),
    "chatwoot_non_utf_encoded_mail.eml": "auto-reply",
    "chatwoot_only_text.eml": ("text only mail", 0),
    "chatwoot_references.eml": ("References Email", 0),
    "chatwoot_reply_cc.eml": ("Hello,\n\nFind the related inbox.", 0),
    "chatwoot_reply_mail_without_uuid.eml": ("Let's talk about these images:", 2),
    "chatwoot_support.eml": ("Let's talk about these images:", 2),
    "chatwoot_support_1.eml": ("Hi,\n\nWe are providing you platform", 0),
    "chatwoot_support_in_reply_to.eml": ("Let's talk about these images:", 2),
    "chatwoot_support_without_sender_name.eml": ("Let's talk about these images:", 2),
    "mailparser_mail_malformed_3.eml": ("Problemas para visualizar", 0),
    "mailparser_mail_test_13.eml": "auto-reply",
    "mailparser_mail_test_14.eml": ("HTML here\n\nPlaintext here.", 1),
    "mailparser_mail_test_16.eml": "auto-reply",
    "mailparser_mail_test_17.eml": ("Test", 0),
}
REPLIES = {
    "email_1_1.txt": ("Hi folks", "Java HTTP API."),
    "email_1_2.txt": ("Hi,", 'delete them all individually."'),
    "email_1_3.txt": ("Oh thanks.", "Having the function would be great."),
    "email_1_4.txt": ("Awesome!", "another problem with it."),
    "email_1_6.txt": ("I get proper rendering as well.", "torch of pixels"),
    "email_1_7.txt": (":+1:", ":+1:"),
    "email_2_1.txt": ("Outlook with a reply", "Outlook with a reply"),
    "email_headers_no_delimiter.txt": ("And another reply!", "And another reply!"),
    "email_multi_word_sent_from_my_mobile_device.txt": ("Here is another email", "Here is another email"),
    "email_one_is_not_on.txt": ("Thank, this is really helpful.", "when I run..."),
    "email_partial_quote_header.txt": ("On your remote host you can run:", "the tunnel is not working."),
    "email_sent_from_my_not_signature.txt": ("Here is another email", "easier then my mobile phone."),
    "greedy_on.txt": ("On your remote host you can run:", "the tunnel is not working."),
    "pathological.txt": ("I think you're onto something.", "get back to a computer."),
}


@pytest.fixture
def vectors(shared_dir: Path) -> Path:
    return shared_dir / "channels" / "vectors" / "email"


def here(**given: Any) -> Account[EmailCredentials]:
    values = {"address": "care@example.com", "smtp_host": "smtp.example.com", "inbound": "sendgrid", **given}
    return account(EmailCredentials.model_validate(values), "channel-secret")


def shape(event: InboundEvent) -> tuple[str, int] | str:
    content = event.content
    if isinstance(content, Unsupported):
        return content.name
    assert isinstance(content, Message)
    return content.text, len(content.media)


def test_every_recorded_mail_is_read(vectors: Path) -> None:
    read = {file.name: event_of(here(), read_mail(file.read_bytes())) for file in (vectors / "eml").iterdir()}
    assert read.keys() == MAILS.keys()
    for name, expected in MAILS.items():
        found = shape(read[name])
        if isinstance(expected, str):
            assert found == expected, name
        else:
            assert found[0].startswith(expected[0]), name
            assert found[1] == expected[1], name
            assert found[0], name
        assert read[name].sender, name
        assert 0 < len(read[name].id) <= 200, name


def test_replies_to_one_mail_are_one_thread(vectors: Path) -> None:
    names = ("support", "references", "reply_cc", "support_in_reply_to", "support_without_sender_name")
    read = [read_mail((vectors / "eml" / f"chatwoot_{name}.eml").read_bytes()) for name in names]
    domains = {person.address.rpartition("@")[2] for mail in read for person in mail.people("from")}
    threads = {event_of(here(), replace(mail, verified=tuple(domains))).thread for mail in read}
    assert len(threads) == 1
    unproven = {event_of(here(), mail).thread for mail in read}
    assert len(unproven) == len({mail.message_id for mail in read}) > 1


def test_arabic_headers_and_body_are_read(vectors: Path) -> None:
    event = event_of(here(), read_mail((vectors / "eml" / "chatwoot_non_utf_encoded_mail.eml").read_bytes()))
    assert event.sender is not None
    assert event.sender.name == "متجر سوق نت"
    assert event.raw["text"].startswith("أنظروا، أنا أحتاجها فقط")


@pytest.mark.parametrize("name", REPLIES)
def test_only_what_is_new_stays_of_a_reply(vectors: Path, name: str) -> None:
    text = new_text((vectors / "reply_bodies" / name).read_text())
    first, last = REPLIES[name]
    assert text.startswith(first)
    assert text.endswith(last)
    assert "\n>" not in text


def test_every_reply_body_is_expected(vectors: Path) -> None:
    assert {file.name for file in (vectors / "reply_bodies").iterdir()} == REPLIES.keys()


def form(body: bytes) -> Request:
    return posted(body, content_type="multipart/form-data; boundary=xYzZY")


@pytest.mark.parametrize(
    ("name", "subject", "files"),
    [
        ("sendgrid_inbound_parse_default_data.txt", "Inbound Parse Test Data", 0),
        ("sendgrid_inbound_parse_raw_data.txt", "Inbound Parse Test Raw Data", 0),
        ("sendgrid_inbound_parse_raw_data_with_attachments.txt", "Inbound Parse Test Raw Data with Attachment", 1),
    ],
)
def test_sendgrids_forms(vectors: Path, name: str, subject: str, files: int) -> None:
    body = (vectors / "inbound" / name).read_bytes()
    for request in (form(body), form(body.replace(b"\n", b"\r\n")), posted(body)):
        [event] = EMAIL.parse(here(), request)
        assert isinstance(event.content, Message)
        assert event.content.text == "Hello Twilio SendGrid!"
        assert event.content.subject == subject
        assert len(event.content.media) == files
        assert event.sender is not None
        assert (event.sender.id, event.sender.name) == ("test@example.com", "Example User")


def test_sendgrids_empty_recording_is_no_form(vectors: Path) -> None:
    empty = (vectors / "inbound" / "sendgrid_inbound_parse_default_data_with_attachments.txt").read_bytes()
    assert empty == b""
    with pytest.raises(Malformed, match="without fields"):
        EMAIL.parse(here(), form(empty))


@pytest.mark.parametrize(
    "name", ["anymail_postmark-inbound-test-payload.json", "anymail_postmark-inbound-test-payload-with-raw.json"]
)
def test_postmarks_mails(vectors: Path, name: str) -> None:
    [event] = EMAIL.parse(here(inbound="postmark"), posted((vectors / "inbound" / name).read_bytes()))
    assert isinstance(event.content, Message)
    assert event.content.text == "This is a test text body."
    [file] = event.content.media
    assert (file.name, file.mime, file.content) == (
        "test.txt", "text/plain", b"This is attachment contents, base-64 encoded."
    )  # fmt: skip
    assert event.context["to"] == "replyto@example.com"
    assert event.id == "00000000-0000-0000-0000-000000000000@inbound.postmarkapp.com"


def test_signature_cases(vectors: Path) -> None:
    cases = {case["scheme"]: case for case in json.loads((vectors / "signature.json").read_text())["vectors"]}
    sendgrid, mailgun = cases.pop("sendgrid_event"), cases.pop("mailgun")
    assert not cases
    signed = here(public_key=sendgrid["public_key_b64_spki"])
    request = posted(sendgrid["body"].encode(), **sendgrid["headers"])
    assert accepted(EMAIL, signed, request, 1600112502) is sendgrid["valid"]
    [receipt] = EMAIL.parse(signed, request)
    assert receipt.content.reason == "Bounced Address"  # type: ignore[union-attr]
    keyed = here(inbound="mailgun", signing_key=mailgun["signing_key"])
    fields = "&".join(f"{name}={mailgun[name]}" for name in ("timestamp", "token", "signature"))
    proof = posted(fields.encode(), content_type="application/x-www-form-urlencoded")
    assert accepted(EMAIL, keyed, proof, 1234567890) is mailgun["valid"]
    assert not accepted(EMAIL, keyed, proof, 1234567890 + 301)
