"""Twilio: signatures over the public address, every kind of form, SMS within its alphabet, outcomes."""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from pydantic import ValidationError

from chatbot.channels.contract import Malformed, Permanent, Refused, Request, RetryAfter, Sent
from chatbot.channels.errors import ProviderRefused
from chatbot.channels.events import (
    Choice,
    Followed,
    Location,
    Media,
    Message,
    Receipt,
    Sender,
    Unfollowed,
    Unsupported,
)
from chatbot.channels.outgoing import Button, Outgoing, OutgoingMedia, Source
from chatbot.channels.providers.twilio import SMS, TwilioCredentials
from chatbot.channels.providers.twilio.gsm7 import plainer, within
from chatbot.core.safe_http import OutgoingFailed, ResponseTooLarge, SafeHttp
from tests.unit.channels.peer import DELIVERY, Peer, account, serving

URL = "https://gw.example.com/webhooks/sms/1"
TOKEN = "12345"
CREDENTIALS = TwilioCredentials(account_sid="AC1", auth_token=TOKEN, phone_number="+15550001111")
ACCOUNT = account(CREDENTIALS, webhook_url=URL)
FORM = "application/x-www-form-urlencoded"
MESSAGE = {"MessageSid": "SM1", "From": "+447700900123", "To": "+15550001111", "Body": "Hello", "NumMedia": "0"}


@pytest.fixture
async def peer() -> AsyncIterator[tuple[Peer, SafeHttp]]:
    async with serving() as pair:
        yield pair


def signature(url: str, fields: list[tuple[str, str]], token: str = TOKEN) -> str:
    text = url + "".join(name + value for name, value in sorted(set(fields)))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def form(fields: Any, *, url: str = URL, signed: str | None = None) -> Request:
    pairs = list(fields.items()) if isinstance(fields, dict) else fields
    headers = {"content-type": FORM, "x-twilio-signature": signature(url, pairs) if signed is None else signed}
    return Request("POST", url, headers, urlencode(pairs).encode())


def parsed(**fields: str) -> Any:
    [event] = SMS.parse(ACCOUNT, form({**MESSAGE, **fields}))
    return event


def here(url: str, **changes: Any) -> Any:
    return account(CREDENTIALS.model_copy(update={"api_url": url, **changes}), webhook_url=URL)


def refusal(request: Request, credentials: TwilioCredentials = CREDENTIALS) -> str:
    with pytest.raises(Refused) as refused:
        SMS.verify(account(credentials), request, 0)
    return refused.value.reason


def test_signatures_with_and_without_the_port() -> None:
    pairs = [*MESSAGE.items(), ("Empty", ""), ("Twice", "b"), ("Twice", "a"), ("Twice", "a"), ("Body", "سلام + ✓")]
    with_port = "https://gw.example.com:443/webhooks/sms/1"
    odd = "https://gw.example.com:8443/webhooks/sms/1?x=1"
    for signed_url, our_url in ((URL, URL), (with_port, URL), (URL, with_port), (odd.replace(":8443", ""), odd)):
        request = form(pairs, url=our_url, signed=signature(signed_url, pairs))
        SMS.verify(ACCOUNT, request, 0)
    assert refusal(form(pairs, signed=signature("http://gw.example.com/webhooks/sms/1", pairs))) == "wrong"


def test_signature_of_a_json_body_is_its_digest() -> None:
    body = b'{"MessageSid": "SM1", "From": "+1", "Body": "x"}'
    url = f"{URL}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    headers = {"content-type": "application/json", "x-twilio-signature": signature(url, [])}
    SMS.verify(ACCOUNT, Request("POST", url, headers, body), 0)
    assert SMS.parse(ACCOUNT, Request("POST", url, headers, body))[0].content == Message(text="x")
    assert refusal(Request("POST", url, headers, body + b" ")) == "wrong"
    assert refusal(Request("POST", URL, headers, body)) == "missing"


def test_refusals() -> None:
    assert refusal(form(MESSAGE, signed="")) == "missing"
    assert refusal(form(MESSAGE, signed="AAAA")) == "wrong"
    assert refusal(form({**MESSAGE, "Body": "Hullo"}, signed=signature(URL, list(MESSAGE.items())))) == "wrong"
    unset = TwilioCredentials.model_construct(auth_token=type(CREDENTIALS.auth_token)(""), account_sid="AC1")
    assert refusal(form(MESSAGE, signed=signature(URL, list(MESSAGE.items()), token="")), unset) == "wrong"
    assert refusal(form([(f"f{n}", "") for n in range(1001)])) == "wrong"


def test_a_message() -> None:
    event = parsed(ProfileName="Ada", OriginalRepliedMessageSid="SM0")
    assert event.content == Message(text="Hello", in_reply_to="SM0")
    assert event.sender == Sender("+447700900123", "Ada", "+447700900123")
    assert (event.id, event.thread, event.message_id) == ("message:SM1", "+447700900123", "SM1")
    assert event.context == {"to": "+15550001111"}


@pytest.mark.parametrize(
    ("fields", "content"),
    [
        ({"Body": "", "NumMedia": "2", "MediaUrl0": "https://api.twilio.com/0", "MediaContentType0": "image/jpeg",
          "MediaUrl1": "https://api.twilio.com/1", "MediaContentType1": "text/vcard"},
         Message(media=(Media("image", "https://api.twilio.com/0", "image/jpeg"),
                        Media("document", "https://api.twilio.com/1", "text/vcard")))),
        ({"NumMedia": "", "MediaUrl0": "https://api.twilio.com/0", "MediaContentType0": "audio/ogg"},
         Message(text="Hello", media=(Media("voice", "https://api.twilio.com/0", "audio/ogg"),))),
        ({"Body": "", "Latitude": "35.7", "Longitude": "51.4", "Label": "Home", "Address": "1 St"},
         Message(location=Location(35.7, 51.4, "Home", "1 St"))),
        ({"Latitude": "x", "Longitude": "51.4"}, Message(text="Hello")),
        ({"ButtonPayload": "y", "ButtonText": "Yes", "Body": "Yes"}, Message(text="Yes", choice=Choice("y", "Yes"))),
        ({"ListId": "row1", "ListTitle": "Row"}, Message(text="Hello", choice=Choice("row1", "Row"))),
        ({"Body": "stop please", "OptOutType": "STOP"}, Unfollowed()),
        ({"OptOutType": "START"}, Followed()),
        ({"OptOutType": "HELP"}, Message(text="Hello")),
        ({"Body": " Stop "}, Unfollowed()),
        ({"Body": "UNSTOP"}, Followed()),
        ({"Body": "STOP", "From": "whatsapp:+447700900123"}, Message(text="STOP")),
        ({"Body": "don't stop"}, Message(text="don't stop")),
        ({"SmsStatus": "received"}, Message(text="Hello")),
    ],
)  # fmt: skip
def test_kinds_of_message(fields: dict[str, str], content: Any) -> None:
    assert parsed(**fields).content == content


@pytest.mark.parametrize(
    ("fields", "content"),
    [
        ({"MessageStatus": "sent"}, Receipt("sent", ("SM9",))),
        ({"MessageStatus": "delivered"}, Receipt("delivered", ("SM9",))),
        ({"MessageStatus": "read"}, Receipt("read", ("SM9",))),
        ({"MessageStatus": "undelivered", "ErrorCode": "30003"}, Receipt("failed", ("SM9",), reason="30003")),
        ({"SmsStatus": "failed", "ErrorCode": "30008", "ErrorMessage": "Unknown"},
         Receipt("failed", ("SM9",), reason="30008 Unknown")),
        ({"MessageStatus": "queued"}, Unsupported("message queued")),
        ({"MessageStatus": "odd"}, Unsupported("status odd")),
    ],
)  # fmt: skip
def test_status_callbacks(fields: dict[str, str], content: Any) -> None:
    [event] = SMS.parse(ACCOUNT, form({"SmsSid": "SM9", "From": "+15550001111", "To": "+44770", **fields}))
    assert event.content == content
    assert (event.thread, event.sender) == ("+44770", None)
    assert event.id == f"status:SM9:{fields.get('MessageStatus') or fields['SmsStatus']}"


def test_what_is_no_message() -> None:
    [call] = SMS.parse(ACCOUNT, form({"CallSid": "CA1", "From": "+1", "CallStatus": "ringing"}))
    assert (call.content, call.id, call.raw["From"]) == (Unsupported("call"), "call:CA1:ringing", "+1")
    [notice] = SMS.parse(ACCOUNT, form({"Sid": "NO1", "Level": "ERROR", "Payload": "{}"}))
    assert notice.content == Unsupported("notice")
    for fields, where in (({"Body": "x"}, "MessageSid"), ({"MessageSid": "SM1", "Body": "x"}, "From"), ({}, "body")):
        with pytest.raises(Malformed, match=where):
            SMS.parse(ACCOUNT, form(fields))
    for body, where in ((b"[]", "object"), (b"{", "JSON")):
        with pytest.raises(Malformed, match=where):
            SMS.parse(ACCOUNT, Request("POST", URL, {"content-type": "application/json"}, body))


def test_the_answer_lets_twilio_say_nothing() -> None:
    answer = SMS.acknowledge(ACCOUNT, [])
    assert answer.body.endswith(b"<Response/>")
    assert answer.content_type.startswith("text/xml")


def test_typography_is_made_plain_where_that_keeps_the_alphabet() -> None:
    assert plainer("“It’s” – 5 € …") == '"It\'s" - 5 € ...'
    assert plainer("“سلام”") == "“سلام”"
    assert within("Ünïcode") is False


def bodies(message: Outgoing, credentials: TwilioCredentials = CREDENTIALS) -> list[dict[str, Any]]:
    return [dict(call.body) for call in SMS.render(account(credentials, webhook_url=URL), message)]


def test_a_text_with_buttons_and_sources() -> None:
    message = Outgoing(
        "+447700900123", "**Open** daily", (Button("Yes", "y"), Button("Site", url="https://e.com")),
        sources=(Source(1, "Hours", "https://e.com/h"),),
    )  # fmt: skip
    assert bodies(message) == [
        {
            "To": "+447700900123",
            "From": "+15550001111",
            "StatusCallback": URL,
            "Body": "Open daily\n\n1. Yes\n2. Site: https://e.com\n\n[1] Hours (https://e.com/h)",
        }
    ]


def test_long_texts_are_cut_by_their_alphabet() -> None:
    latin = [body["Body"] for body in bodies(Outgoing("+44", "A sentence that ends. " * 200))]
    persian = [body["Body"] for body in bodies(Outgoing("+44", "این یک جمله است. " * 200))]
    assert all(1000 < len(body) <= 1500 for body in latin[:-1])
    assert all(500 < len(body) <= 670 for body in persian[:-1])
    assert all(body.endswith(".") for body in latin + persian)
    emoji = [body["Body"] for body in bodies(Outgoing("+44", "😀" * 1000))]
    assert max(len(body.encode("utf-16-le")) // 2 for body in emoji) <= 670
    assert "".join(emoji) == "😀" * 1000
    whatsapp = [body["Body"] for body in bodies(Outgoing("whatsapp:+44", "**Bold** words. " * 300))]
    assert all(1000 < len(body) <= 1600 for body in whatsapp[:-1])
    assert whatsapp[0].startswith("*Bold*")


def test_who_sends() -> None:
    assert bodies(Outgoing("whatsapp:+44", "x"))[0]["From"] == "whatsapp:+15550001111"
    assert bodies(Outgoing("+44", "x", context={"to": "+15559"}))[0]["From"] == "+15559"
    service = TwilioCredentials(account_sid="AC1", auth_token=TOKEN, messaging_service_sid="MG1")
    assert bodies(Outgoing("+44", "x"), service)[0]["MessagingServiceSid"] == "MG1"
    assert "From" not in bodies(Outgoing("+44", "x", context={"to": "+1"}), service)[0]
    with pytest.raises(ValidationError, match="phone_number: give a number"):
        TwilioCredentials(account_sid="AC1", auth_token=TOKEN)


def test_files_ride_where_the_way_takes_them() -> None:
    picture = OutgoingMedia("image", "https://e.com/a.png")
    paper = OutgoingMedia("document", "https://e.com/a.pdf", "Terms")
    message = Outgoing("+15557", "Look", media=(picture, paper))
    [mms] = bodies(message)
    assert (mms["MediaUrl"], mms["Body"]) == ("https://e.com/a.png", "Look\n\nTerms: https://e.com/a.pdf")
    [abroad] = bodies(replace(message, thread="+447"))
    assert "MediaUrl" not in abroad
    assert "image: https://e.com/a.png" in abroad["Body"]
    first, second = bodies(replace(message, thread="whatsapp:+447"))
    assert (first["Body"], first["MediaUrl"], second["MediaUrl"]) == ("Look", picture.url, paper.url)
    assert bodies(Outgoing("+15557", "")) == []


async def test_sending(peer: tuple[Peer, SafeHttp]) -> None:
    there, http = peer
    there.answer("POST /2010-04-01/Accounts/AC1/Messages.json", {"sid": "SM7", "status": "queued"}, 201)
    [call] = SMS.render(ACCOUNT, Outgoing("+447", "سلام & bye"))
    assert await SMS.send(here(there.url), call, http, delivery_id=DELIVERY) == Sent("SM7")
    [reached] = there.reached
    assert reached.headers["authorization"] == "Basic " + base64.b64encode(b"AC1:12345").decode()
    assert reached.form == {"To": "+447", "From": "+15550001111", "StatusCallback": URL, "Body": "سلام & bye"}


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (400, {"code": 21610, "message": "Attempt to send to unsubscribed recipient"},
         Permanent("Attempt to send to unsubscribed recipient (21610)")),
        (401, {"code": 20003, "message": "Authenticate"}, Permanent("Authenticate (20003)")),
        (404, b"", Permanent("HTTP 404")),
        (429, {"code": 20429, "message": "Too Many Requests"},
         RetryAfter("Too Many Requests (20429)", 3.0, rate_limited=True)),
        (400, {"code": 14107, "message": "Rate"}, RetryAfter("Rate (14107)", 3.0, rate_limited=True)),
        (400, {"code": 30001, "message": "Queue overflow"}, RetryAfter("Queue overflow (30001)", 3.0)),
        (500, {"code": 20500, "message": "Internal"}, RetryAfter("Internal (20500)", 3.0)),
        (502, b"<html>", RetryAfter("HTTP 502", 3.0)),
        (201, b"<html>", RetryAfter("Twilio's answer names no message.")),
    ],
)  # fmt: skip
async def test_outcomes(peer: tuple[Peer, SafeHttp], status: int, body: Any, outcome: Any) -> None:
    there, http = peer
    there.answer("/2010-04-01/Accounts/AC1/Messages.json", body, status, Retry_After="3")
    [call] = SMS.render(ACCOUNT, Outgoing("+447", "x"))
    assert await SMS.send(here(there.url), call, http, delivery_id=DELIVERY) == outcome


async def test_files_are_fetched_with_the_login_and_moved_on_without(peer: tuple[Peer, SafeHttp]) -> None:
    there, http = peer
    there.answer("/media/1", b"", 307, Location=f"{there.url}/elsewhere")
    there.answer("/elsewhere", b"\x89PNG")
    assert await SMS.download(here(there.url), Media("image", f"{there.url}/media/1"), http, max_bytes=99) == b"\x89PNG"
    assert ["authorization" in reached.headers for reached in there.reached] == [True, False]
    with pytest.raises(ResponseTooLarge):
        await SMS.download(here(there.url), Media("image", f"{there.url}/elsewhere"), http, max_bytes=3)
    with pytest.raises(OutgoingFailed, match="404"):
        await SMS.download(here(there.url), Media("image", f"{there.url}/none"), http, max_bytes=99)
    for url in ("https://twilio.com.evil.test/1", "http://api.twilio.com/1", "https://x@evil.test/api.twilio.com", ""):
        with pytest.raises(OutgoingFailed, match="none of Twilio's"):
            await SMS.download(here(there.url), Media("image", url), http, max_bytes=99)


def numbers(**fields: Any) -> dict[str, Any]:
    number = {"sid": "PN1", "phone_number": "+15550001111", "sms_url": URL, "capabilities": {"sms": True}, **fields}
    return {"incoming_phone_numbers": [number]}


async def test_the_numbers_webhook(peer: tuple[Peer, SafeHttp]) -> None:
    there, http = peer
    base = "/2010-04-01/Accounts/AC1/IncomingPhoneNumbers"
    there.answer(f"{base}.json", numbers())
    there.answer(f"POST {base}/PN1.json", {"sid": "PN1"})
    await SMS.register(here(there.url), http)
    assert there.reached[0].query == {"PhoneNumber": "+15550001111"}
    assert there.reached[1].form == {"SmsUrl": URL, "SmsMethod": "POST"}
    await SMS.unregister(here(there.url), http)
    assert there.reached[-1].form == {"SmsUrl": "", "SmsMethod": "POST"}
    there.answer(f"{base}.json", numbers(sms_url="https://other.example.com"))
    told = len(there.reached)
    await SMS.unregister(here(there.url), http)
    assert [reached.method for reached in there.reached[told:]] == ["GET"], "another's webhook stays"
    there.answer(f"POST {base}/PN1.json", {"code": 21502, "message": "SmsUrl is not a valid URL"}, 400)
    with pytest.raises(ProviderRefused, match="SmsUrl is not a valid URL"):
        await SMS.register(here(there.url), http)
    there.answer(f"{base}.json", {"incoming_phone_numbers": []})
    with pytest.raises(ProviderRefused, match="none of this account's numbers"):
        await SMS.register(here(there.url), http)


async def test_checks(peer: tuple[Peer, SafeHttp]) -> None:
    there, http = peer
    base = "/2010-04-01/Accounts/AC1"

    async def looked(**changes: Any) -> list[tuple[bool, str]]:
        return [(found.ok, found.words) for found in await SMS.check(here(there.url, **changes), http)]

    there.answer(f"{base}.json", {"code": 20003, "message": "Authenticate"}, 401)
    assert await looked() == [(False, "Twilio does not take the login: Authenticate (20003)")]
    there.answer(f"{base}.json", {"friendly_name": "Acme", "status": "active"})
    for listed, ok, words in (
        (numbers(), True, "this channel"),
        (numbers(sms_url="https://other.example.com"), False, "https://other.example.com"),
        (numbers(capabilities={"sms": False}), False, "cannot"),
        ({"incoming_phone_numbers": []}, False, "none of this account's numbers"),
    ):
        there.answer(f"{base}/IncomingPhoneNumbers.json", listed)
        (first, acme), (found, told) = await looked()
        assert (first, found) == (True, ok)
        assert "Acme" in acme
        assert words in told
    there.answer(f"{base}/IncomingPhoneNumbers.json", b"", 500)
    assert await looked() == [(False, "HTTP 500")]
    assert (await looked(phone_number="whatsapp:+15550001111"))[1][0] is True
    assert (await looked(api_url="http://127.0.0.1:1"))[0][0] is False
