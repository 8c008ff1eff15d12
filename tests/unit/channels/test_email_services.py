"""Mail services: how their requests prove themselves and what they say."""

import base64
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from chatbot.channels.contract import Completer, Listener, Malformed, Refused, Request
from chatbot.channels.events import InboundEvent, Message, Receipt, Unsupported
from chatbot.channels.providers.email import EMAIL
from chatbot.channels.providers.email.credentials import EmailCredentials
from chatbot.channels.providers.email.threads import our_message_id
from chatbot.channels.signing import hmac_base64, hmac_hex
from chatbot.core.safe_http import OutgoingFailed
from tests.unit.channels.mails import THREAD, here, mail, message_of
from tests.unit.channels.peer import DELIVERY, posted, serving

NOW = 1_800_000_000.0
OUR_ID = our_message_id(THREAD, DELIVERY, "acme.test")
FORM = "multipart/form-data; boundary=B"


def refusal(request: Request, **given: Any) -> str:
    try:
        EMAIL.verify(here(**given), request, NOW)
    except Refused as error:
        return error.reason
    return ""


def one(request: Request, **given: Any) -> InboundEvent:
    [event] = EMAIL.parse(here(**given), request)
    return event


def with_token(request: Request, token: str) -> Request:
    return Request(request.method, request.url, request.headers, request.body, token=token)


def login(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def multipart(fields: dict[str, str], files: dict[str, tuple[str, str, bytes]] | None = None) -> bytes:
    parts = [f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
             for name, value in fields.items()]  # fmt: skip
    for name, (filename, mime, content) in (files or {}).items():
        named = f'--B\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
        head = f"{named}Content-Type: {mime}\r\n\r\n"
        parts.append(head.encode() + content + b"\r\n")
    return b"".join(parts) + b"--B--\r\n"


@pytest.mark.parametrize("service", ["sendgrid", "postmark"])
def test_a_service_that_signs_nothing_needs_our_secret_or_a_login(service: str) -> None:
    given = {"inbound": service, "webhook_username": "xin", "webhook_password": "pw"}
    assert refusal(posted(b""), **given) == "missing"
    assert refusal(with_token(posted(b""), "channel-secret"), **given) == ""
    assert refusal(with_token(posted(b""), "guess"), **given) == "wrong"
    assert refusal(posted(b"", authorization=login("xin", "pw")), **given) == ""
    assert refusal(posted(b"", authorization=login("xin", "no")), **given) == "wrong"
    assert refusal(posted(b"", authorization="Basic %%%"), **given) == "wrong"
    assert refusal(posted(b"", authorization=login("", "")), inbound=service) == "wrong"


def test_a_mailbox_has_no_webhook() -> None:
    given = {"inbound": "imap", "imap_host": "mail.acme.test", "imap_password": "x"}
    assert refusal(with_token(posted(b""), "channel-secret"), **given) == "missing"


def test_sendgrids_signed_events() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    public = base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    body = b'[{"event":"delivered"}]\r\n'

    def signed(timestamp: str, over: bytes = body) -> Request:
        signature = base64.b64encode(key.sign(timestamp.encode() + over, ec.ECDSA(hashes.SHA256()))).decode()
        return posted(body, **{"x-twilio-email-event-webhook-signature": signature,
                               "x-twilio-email-event-webhook-timestamp": timestamp})  # fmt: skip

    assert refusal(signed(str(int(NOW))), public_key=public) == ""
    assert refusal(signed(str(int(NOW) - 301)), public_key=public) == "stale"
    assert refusal(signed(str(int(NOW)), b"other"), public_key=public) == "wrong"
    assert refusal(signed(str(int(NOW)))) == "wrong"
    assert refusal(signed(str(int(NOW))), public_key="bm8=") == "wrong"


def test_sendgrids_events_are_receipts() -> None:
    def item(name: str, **more: Any) -> dict[str, Any]:
        return {"event": name, "sg_event_id": name, "smtp-id": f"<{OUR_ID}>", "timestamp": 1_600_112_492, **more}

    events = EMAIL.parse(
        here(), posted([item("processed"), item("delivered"), item("open"), item("bounce", reason="no such user"),
                        item("deferred"), item("click"), {"event": "dropped"}]),
    )  # fmt: skip
    assert [event.content for event in events] == [
        Receipt("sent", (OUR_ID,)), Receipt("delivered", (OUR_ID,)), Receipt("read", (OUR_ID,)),
        Receipt("failed", (OUR_ID,), reason="no such user"), Unsupported("deferred"), Unsupported("click"),
        Unsupported("dropped"),
    ]  # fmt: skip
    assert events[0].thread == THREAD
    assert len({event.id for event in events}) == 7


def test_sendgrids_parsed_mail() -> None:
    body = multipart(
        {"headers": f"Message-ID: <s1@customer.test>\nIn-Reply-To: <{OUR_ID}>\nDate: Tue, 20 Jan 2026 10:00:00 +0000",
         "from": "علی <ali@customer.test>", "to": "support@acme.test", "subject": "سفارش", "text": "کجاست؟",
         "charsets": '{"text":"UTF-8"}', "envelope": '{"to":["x"],"from":"ali@customer.test"}'},
        {"attachment1": ("a.bin", "application/octet-stream", b"\r\n--X\x00\xff\r\n")},
    )  # fmt: skip
    event = one(posted(body, content_type=FORM))
    assert (event.id, event.thread, message_of(event).text) == ("s1@customer.test", THREAD, "کجاست؟")
    [file] = message_of(event).media
    assert (file.name, file.content) == ("a.bin", b"\r\n--X\x00\xff\r\n")


def test_sendgrids_text_in_another_charset_and_html_alone() -> None:
    body = b'--B\r\nContent-Disposition: form-data; name="from"\r\n\r\na@b.test\r\n'
    body += b'--B\r\nContent-Disposition: form-data; name="text"\r\n\r\n' + "سلام".encode("windows-1256") + b"\r\n"
    body += b'--B\r\nContent-Disposition: form-data; name="charsets"\r\n\r\n{"text":"windows-1256"}\r\n--B--'
    assert message_of(one(posted(body, content_type=FORM))).text == "سلام"
    page = multipart({"from": "a@b.test", "html": "<p>one</p><p>two</p>"})
    assert message_of(one(posted(page, content_type=FORM))).text == "one\n\ntwo"


def test_sendgrids_empty_envelope_is_a_bounce() -> None:
    body = multipart({"from": "x@mx.test", "text": "sorry", "envelope": '{"to":["x"],"from":""}'})
    assert one(posted(body, content_type=FORM)).content == Unsupported("bounce")


def mailgun(fields: dict[str, str], *, at: float = NOW, key: str = "mg-key") -> Request:
    proof = {"timestamp": str(int(at)), "token": "t" * 50}
    signature = hmac_hex(key, (proof["timestamp"] + proof["token"]).encode())
    body = urlencode({**fields, **proof, "signature": signature}).encode()
    return posted(body, content_type="application/x-www-form-urlencoded")


def test_mailguns_signature() -> None:
    given = {"inbound": "mailgun", "signing_key": "mg-key"}
    assert refusal(mailgun({}), **given) == ""
    assert refusal(mailgun({}, at=NOW - 301), **given) == "stale"
    assert refusal(mailgun({}, key="other"), **given) == "wrong"
    assert refusal(mailgun({}), inbound="mailgun") == "wrong"
    assert refusal(posted(b"from=x", content_type="application/x-www-form-urlencoded"), **given) == "missing"
    assert refusal(posted({"event-data": {}}), **given) == "missing"
    assert refusal(posted(b"no form at all"), **given) == "missing"
    token, timestamp = "tok", str(int(NOW))
    proof = {"timestamp": timestamp, "token": token, "signature": hmac_hex("mg-key", (timestamp + token).encode())}
    assert refusal(posted({"signature": proof, "event-data": {}}), **given) == ""
    assert refusal(posted({"signature": [1], "event-data": {}}), **given) == "missing"


def test_mailguns_mail() -> None:
    headers = [["Message-Id", "<g1@customer.test>"], ["In-Reply-To", f"<{OUR_ID}>"], ["Auto-Submitted", "no"]]
    fields = {"from": "Ann <ann@customer.test>", "sender": "ann@customer.test", "recipient": "support@acme.test",
              "subject": "Hi", "body-plain": "New\n\nOn Monday, Acme wrote:\n> old", "stripped-text": "New",
              "message-headers": json.dumps(headers)}  # fmt: skip
    event = one(mailgun(fields), inbound="mailgun")
    assert (event.id, event.thread, message_of(event).text) == ("g1@customer.test", THREAD, "New")
    raw = one(mailgun({"body-mime": mail().as_string()}), inbound="mailgun")
    assert (raw.id, message_of(raw).text) == ("m1@customer.test", "Where is my order?")
    bounce = one(mailgun({"from": "x@mx.test", "sender": "", "body-plain": "sorry"}), inbound="mailgun")
    assert bounce.content == Unsupported("bounce")


def test_mailguns_files() -> None:
    body = multipart(
        {"from": "a@b.test", "body-html": "<b>hi</b>"}, {"attachment-1": ("عکس.png", "image/png", b"\x89")}
    )
    event = one(posted(body, content_type=FORM), inbound="mailgun")
    assert message_of(event).text == "hi"
    assert [(file.kind, file.name) for file in message_of(event).media] == [("image", "عکس.png")]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"event": "delivered"}, Receipt("delivered", (OUR_ID,))),
        ({"event": "opened"}, Receipt("read", (OUR_ID,))),
        ({"event": "failed", "severity": "permanent", "delivery-status": {"message": "gone"}},
         Receipt("failed", (OUR_ID,), reason="gone")),
        ({"event": "failed", "severity": "temporary"}, Unsupported("failed")),
        ({"event": "complained"}, Unsupported("complained")),
    ],
)  # fmt: skip
def test_mailguns_events(data: dict[str, Any], expected: object) -> None:
    body = {"event-data": {"id": "e1", "message": {"headers": {"message-id": OUR_ID}}, **data}}
    event = one(posted(body), inbound="mailgun")
    assert (event.id, event.content) == ("e1", expected)


def test_postmarks_mail_and_records() -> None:
    body = {"From": "ann@customer.test", "FromName": "Ann", "To": f"support+{THREAD}@acme.test", "Subject": "Hi",
            "MessageID": "pm-1", "TextBody": "", "HtmlBody": "<p>Hello</p>", "Headers": [
                {"Name": "Message-ID", "Value": "<p1@customer.test>"},
                {"Name": "From", "Value": "Ann <ann@customer.test>"}],
            "Attachments": [{"Name": "a.txt", "ContentType": "text/plain", "Content": "aGk="}, {"Content": 5}, 7],
            }  # fmt: skip
    event = one(posted(body), inbound="postmark")
    assert (event.id, event.thread, message_of(event).text) == ("p1@customer.test", THREAD, "Hello")
    assert [file.content for file in message_of(event).media] == [b"hi", b""]
    bounce = {"RecordType": "Bounce", "ID": 7, "MessageID": OUR_ID, "Description": "gone"}
    assert one(posted(bounce), inbound="postmark").content == Receipt("failed", (OUR_ID,), reason="gone")
    assert one(posted({"RecordType": "SpamComplaint"}), inbound="postmark").content == Unsupported("SpamComplaint")
    raw = {"From": "x@y.test", "RawEmail": mail().as_string()}
    assert one(posted(raw), inbound="postmark").id == "m1@customer.test"


SVIX_KEY = base64.b64encode(b"0123456789abcdef").decode()


def resend(body: dict[str, Any], *, at: float = NOW, signature: str = "") -> Request:
    raw, timestamp = json.dumps(body).encode(), str(int(at))
    made = hmac_base64(b"0123456789abcdef", f"msg_1.{timestamp}.".encode() + raw)
    return posted(raw, **{"svix-id": "msg_1", "svix-timestamp": timestamp,
                          "svix-signature": signature or f"v1,bm90aXQ= v1,{made}"})  # fmt: skip


def test_resends_signature() -> None:
    given = {"inbound": "resend", "signing_secret": f"whsec_{SVIX_KEY}"}
    assert refusal(resend({}), **given) == ""
    assert refusal(resend({}, at=NOW + 301), **given) == "stale"
    assert refusal(resend({}, signature="v1,AAAA v2,BBBB"), **given) == "wrong"
    assert refusal(posted({}), **given) == "missing"
    assert refusal(resend({}), inbound="resend") == "wrong"
    assert refusal(resend({}), inbound="resend", signing_secret="whsec_") == "wrong"


RECEIVED = {"type": "email.received", "created_at": "2026-01-20T10:00:00.000Z", "data": {
    "email_id": "4ef9a417", "from": "Ann <ann@customer.test>", "to": ["support@acme.test"], "subject": "Order 7",
    "message_id": "<m1@customer.test>", "attachments": []}}  # fmt: skip


async def test_resends_announced_mail_is_asked_for() -> None:
    announced = one(posted(RECEIVED), inbound="resend")
    assert announced.id == "m1@customer.test"
    async with serving() as (peer, http):
        opened = here(inbound="resend", api_key="re_1", api_url=peer.url)
        peer.answer("/emails/receiving/4ef9a417", {"raw": {"download_url": f"{peer.url}/raw?signature=s"}})
        peer.answer("/raw", mail(In_Reply_To=f"<{OUR_ID}>").as_bytes())
        event = await EMAIL.complete(opened, announced, http)
        assert (event.id, event.thread, message_of(event).text) == (announced.id, THREAD, "Where is my order?")
        assert peer.reached[0].headers["authorization"] == "Bearer re_1"
        assert "authorization" not in peer.reached[1].headers
        assert await EMAIL.complete(opened, event, http) is event
        plain = {"from": "ann@customer.test", "text": "Hi", "headers": {"in-reply-to": f"<{OUR_ID}>"}, "raw": None}
        peer.answer("/emails/receiving/4ef9a417", plain)
        fallback = await EMAIL.complete(opened, announced, http)
        assert (fallback.thread, message_of(fallback).text) == (THREAD, "Hi")
        for status, body in ((404, {}), (200, b"no json")):
            peer.answer("/emails/receiving/4ef9a417", body, status=status)
            with pytest.raises(OutgoingFailed, match="Resend"):
                await EMAIL.complete(opened, announced, http)


def test_resends_events() -> None:
    def told(name: str, **data: Any) -> object:
        return one(posted({"type": name, "data": {"email_id": "e", "message_id": f"<{OUR_ID}>", **data}}),
                   inbound="resend").content  # fmt: skip

    assert told("email.delivered") == Receipt("delivered", (OUR_ID,))
    assert told("email.bounced", bounce={"message": "gone"}) == Receipt("failed", (OUR_ID,), reason="gone")
    assert told("email.delivery_delayed") == Unsupported("email.delivery_delayed")
    assert told("contact.created") == Unsupported("contact.created")


@pytest.mark.parametrize(
    ("service", "body"),
    [
        ("sendgrid", b"[1"), ("sendgrid", b"no form"), ("sendgrid", b""), ("sendgrid", multipart({"text": "x"})),
        ("mailgun", b"{}"), ("mailgun", b"x"), ("mailgun", multipart({"body-plain": "x"})),
        ("postmark", b"[]"), ("postmark", b"{}"), ("postmark", b'{"From": 5}'), ("postmark", b"\xff"),
        ("resend", b"[]"), ("resend", b'{"data": 1}'), ("resend", b'{"type": "email.received", "data": {}}'),
    ],
)  # fmt: skip
def test_what_no_service_sends_is_malformed(service: str, body: bytes) -> None:
    with pytest.raises(Malformed):
        EMAIL.parse(here(inbound=service), posted(body))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3), max_leaves=6,
)  # fmt: skip
_FIELDS = ["From", "To", "Subject", "Headers", "Attachments", "TextBody", "HtmlBody", "MessageID", "RecordType", "type",
           "data", "email_id", "from", "to", "headers", "text", "message_id", "attachments", "event-data", "event",
           "message", "delivery-status", "signature", "timestamp", "Date", "OriginalRecipient"]  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(["sendgrid", "mailgun", "postmark", "resend"]),
    st.dictionaries(
        st.sampled_from(_FIELDS), _JSON | st.dictionaries(st.sampled_from(_FIELDS), _JSON, max_size=4), max_size=6
    ),
    st.sampled_from(["", "email.received"]),
)
def test_any_json_is_read_or_malformed(service: str, body: dict[str, Any], kind: str) -> None:
    asked = posted(
        [body] if service == "sendgrid" else {"From": "a@b.test", **body, **({"type": kind} if kind else {})}
    )
    try:
        events = EMAIL.parse(here(inbound=service), asked)
    except Malformed:
        return
    assert all(0 < len(event.id) <= 200 for event in events)


def test_what_the_adapter_can_do() -> None:
    assert isinstance(EMAIL, Listener)
    assert isinstance(EMAIL, Completer)
    assert EMAIL.listens(here(inbound="imap", imap_host="mail.acme.test", imap_password="x"))
    assert not EMAIL.listens(here())
    assert isinstance(Message(), Message)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"address": "a@b.test\r\nBcc: x"}, "address"), ({"address": "nobody"}, "address"),
        ({"smtp_host": "mail.test:25"}, None), ({"smtp_host": "http://x/"}, "smtp_host"),
        ({"display_name": "a\nb"}, "display_name"), ({"smtp_port": 0}, "smtp_port"),
        ({"imap_password": "a\r\nLOGOUT"}, "imap_password"), ({"inbound": "imap"}, "imap_host"),
    ],
)  # fmt: skip
def test_credentials_are_checked(given: dict[str, Any], named: str | None) -> None:
    values = {"address": "a@b.test", "smtp_host": "mail.test", "inbound": "mailgun", **given}
    if named is None:
        assert EmailCredentials.model_validate(values).smtp_host
        return
    with pytest.raises(ValidationError, match=named):
        EmailCredentials.model_validate(values)
