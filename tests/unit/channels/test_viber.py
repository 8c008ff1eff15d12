"""Viber: every event, errors told inside of 200, keyboards that come back as choices."""

import hashlib
import hmac
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from chatbot.channels.contract import Answer, Malformed, Permanent, Refused, Request, RetryAfter, Sent
from chatbot.channels.errors import ProviderRefused
from chatbot.channels.events import (
    Choice,
    Contact,
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
from chatbot.channels.providers.viber import VIBER, ViberCredentials
from chatbot.core.safe_http import SafeHttp
from tests.unit.channels.peer import DELIVERY, Peer, account, posted, serving

HOOK = "https://gw.example.com/webhooks/viber/1"
CREDENTIALS = ViberCredentials(auth_token="token-1")
ACCOUNT = account(CREDENTIALS, webhook_url=HOOK)
SENDER = {"id": "01234567890A=", "name": "Ada", "language": "fa", "avatar": "https://e.com/a.png"}
SEND = "/pa/send_message"


@pytest.fixture
async def peer() -> AsyncIterator[tuple[Peer, SafeHttp]]:
    async with serving() as pair:
        yield pair


def parsed(event: str = "message", **fields: Any) -> Any:
    told = {"event": event, "timestamp": 1_457_764_197_627, "message_token": 4912661846655238145, **fields}
    [found] = VIBER.parse(ACCOUNT, posted(told))
    return found


def said(**message: Any) -> Any:
    return parsed(sender=SENDER, message=message)


def here(url: str) -> Any:
    return account(CREDENTIALS.model_copy(update={"api_url": url}), webhook_url=HOOK)


def test_signatures() -> None:
    body = '{"event":"webhook","x":"سلام"}'.encode()
    proof = hmac.new(b"token-1", body, hashlib.sha256).hexdigest()
    request = posted(body, X_Viber_Content_Signature=proof)
    VIBER.verify(ACCOUNT, request, 0)
    assert VIBER.handshake(ACCOUNT, request) == Answer()
    unset = ViberCredentials.model_construct(auth_token=type(CREDENTIALS.auth_token)(""))
    empty = hmac.new(b"", body, hashlib.sha256).hexdigest()
    for wrong, credentials, reason in (
        (posted(body), CREDENTIALS, "missing"),
        (posted(body, X_Viber_Content_Signature="00"), CREDENTIALS, "wrong"),
        (posted(body + b" ", X_Viber_Content_Signature=proof), CREDENTIALS, "wrong"),
        (posted(body, X_Viber_Content_Signature=empty), unset, "wrong"),
    ):
        with pytest.raises(Refused) as refused:
            VIBER.verify(account(credentials), wrong, 0)
        assert refused.value.reason == reason


def test_only_the_trial_of_a_webhook_is_a_handshake() -> None:
    assert VIBER.handshake(ACCOUNT, posted({"event": "message"})) is None
    assert VIBER.handshake(ACCOUNT, Request("GET", "", {}, b"")) is None
    assert parsed("webhook").content == Unsupported("webhook")


@pytest.mark.parametrize(
    ("message", "content"),
    [
        ({"type": "text", "text": "Hi", "tracking_data": "anything"}, Message(text="Hi")),
        ({"type": "text", "text": "Hi", "tracking_data": '{"choices": 5}'}, Message(text="Hi")),
        ({"type": "text", "text": "Hi", "tracking_data": '["choices"'}, Message(text="Hi")),
        ({"type": "picture", "text": "Look", "media": "https://e.com/a.jpg", "file_name": "a.jpg"},
         Message(text="Look", media=(Media("image", "https://e.com/a.jpg", name="a.jpg"),))),
        ({"type": "video", "media": "https://e.com/a.mp4", "size": 9, "duration": 2},
         Message(media=(Media("video", "https://e.com/a.mp4", size=9),))),
        ({"type": "file", "media": "https://e.com/a.pdf", "file_name": "a.pdf", "file_size": 9},
         Message(media=(Media("document", "https://e.com/a.pdf", name="a.pdf", size=9),))),
        ({"type": "sticker", "sticker_id": 46105, "media": "https://e.com/s.png"},
         Message(media=(Media("sticker", "https://e.com/s.png", name="sticker 46105"),))),
        ({"type": "url", "media": "https://e.com"}, Message(text="https://e.com")),
        ({"type": "contact", "contact": {"name": "Bo", "phone_number": "+1"}},
         Message(contacts=(Contact("Bo", ("+1",)),))),
        ({"type": "location", "location": {"lat": "1.5", "lon": 2}}, Message(location=Location(1.5, 2.0))),
        ({"type": "location", "location": {}}, Unsupported("message location")),
        ({"type": "rich_media"}, Unsupported("message rich_media")),
        ({}, Unsupported("message ")),
    ],
)  # fmt: skip
def test_kinds_of_message(message: dict[str, Any], content: Any) -> None:
    event = said(**message)
    assert event.content == content
    assert event.sender == Sender("01234567890A=", "Ada", locale="fa")
    assert (event.thread, event.message_id) == ("01234567890A=", "4912661846655238145")
    assert bool(event.raw) == isinstance(content, Unsupported)


@pytest.mark.parametrize(
    ("event", "fields", "content"),
    [
        ("delivered", {"user_id": "U="}, Receipt("delivered", ("4912661846655238145",))),
        ("seen", {"user_id": "U="}, Receipt("read", ("4912661846655238145",))),
        ("failed", {"user_id": "U=", "desc": "why"}, Receipt("failed", ("4912661846655238145",), reason="why")),
        ("seen", {"user_id": "U=", "message_token": None}, Unsupported("seen")),
        ("subscribed", {"user": {"id": "U="}}, Followed()),
        ("conversation_started", {"user": {"id": "U="}, "type": "open", "subscribed": False}, Followed()),
        ("unsubscribed", {"user_id": "U="}, Unfollowed()),
        ("action", {"user_id": "U="}, Unsupported("action")),
    ],
)
def test_other_events(event: str, fields: dict[str, Any], content: Any) -> None:
    found = parsed(event, **fields)
    assert found.content == content
    assert found.thread == "U="
    assert (found.sender is None) == isinstance(content, Receipt)
    assert found.message_id is None


def test_ids() -> None:
    token = {"message_token": "4912661846655238145"}
    assert said(type="text").id == parsed(sender=SENDER, message={"type": "text"}, **token).id
    delivered, seen = parsed("delivered", user_id="U="), parsed("seen", user_id="U=")
    assert delivered.id != seen.id, "receipts of one message share its token"
    first = parsed("subscribed", message_token=None, user={"id": "U="})
    later = parsed("subscribed", message_token=None, user={"id": "U="}, timestamp=1_457_764_199_999)
    assert first.id != later.id


@pytest.mark.parametrize(("body", "where"), [(b"x", "JSON"), (b"[]", "object"), ({"event": 1}, "event: missing")])
def test_what_cannot_be_read_is_named(body: Any, where: str) -> None:
    with pytest.raises(Malformed, match=where):
        VIBER.parse(ACCOUNT, posted(body))


def test_a_pressed_button_comes_back_as_a_choice() -> None:
    buttons = (Button("Yes <3", "yes"), Button("Site", url="https://e.com"), Button("Plain"))
    [call] = VIBER.render(ACCOUNT, Outgoing("U=", "**Sure?**", buttons, sources=(Source(1, "A"),)))
    assert call.body["text"] == "Sure?\n\n[1] A"
    assert call.body["sender"] == {"name": "Support"}
    yes, site, plain = call.body["keyboard"]["Buttons"]
    assert (yes["Text"], yes["ActionType"], yes["ActionBody"]) == ("Yes &lt;3", "reply", "Yes <3")
    assert (site["ActionType"], site["ActionBody"]) == ("open-url", "https://e.com")
    data = call.body["tracking_data"]
    pressed = said(type="text", text=yes["ActionBody"], tracking_data=data)
    assert pressed.content == Message(text="Yes <3", choice=Choice("yes", "Yes <3"))
    assert said(type="text", text=plain["ActionBody"], tracking_data=data).content == Message(text="Plain")


@pytest.mark.parametrize(
    "buttons",
    [
        tuple(Button(f"B{n}", str(n)) for n in range(25)),
        (Button("Same", "a"), Button("Same", "b")),
        (Button("Long", "i" * 4000),),
        tuple(Button(f"B{n}", url=f"https://e.com/{'x' * 700}{n}") for n in range(20)),
    ],
)
def test_what_is_too_much_becomes_a_list(buttons: tuple[Button, ...]) -> None:
    calls = VIBER.render(ACCOUNT, Outgoing("U=", "Pick", buttons))
    assert all("keyboard" not in call.body for call in calls)
    assert f"\n{len(buttons)}. " in "\n".join(["", *(call.body["text"] for call in calls)])


def test_limits() -> None:
    latin = VIBER.render(ACCOUNT, Outgoing("U=", "A sentence that ends. " * 700, (Button("Y", "y"),)))
    assert [call.body["text"][-1] for call in latin] == [".", ".", "."]
    assert all(len(call.body["text"]) <= 7000 for call in latin)
    assert ["keyboard" in call.body for call in latin] == [False, False, True]
    emoji = VIBER.render(ACCOUNT, Outgoing("U=", "😀" * 7000))
    assert "".join(call.body["text"] for call in emoji) == "😀" * 7000
    assert all(len(orjson.dumps(call.body)) < 30_000 for call in emoji + latin)


def test_pictures_are_shown_and_other_files_linked() -> None:
    media = (OutgoingMedia("image", "https://e.com/a.png"), OutgoingMedia("document", "https://e.com/a.pdf", "Terms"))
    picture, text = VIBER.render(ACCOUNT, Outgoing("U=", "Look", media=media))
    assert (picture.body["type"], picture.body["media"]) == ("picture", "https://e.com/a.png")
    assert text.body["text"] == "Look\n\nTerms: https://e.com/a.pdf"
    assert VIBER.render(ACCOUNT, Outgoing("U=", "")) == []


async def test_sending(peer: tuple[Peer, SafeHttp]) -> None:
    there, http = peer
    there.answer(SEND, {"status": 0, "status_message": "ok", "message_token": 5098034272017990000})
    [call] = VIBER.render(ACCOUNT, Outgoing("U=", "سلام"))
    assert await VIBER.send(here(there.url), call, http, delivery_id=DELIVERY) == Sent("5098034272017990000")
    assert there.reached[0].headers["x-viber-auth-token"] == "token-1"
    expected = {"receiver": "U=", "sender": {"name": "Support"}, "type": "text", "text": "سلام"}
    assert there.reached[0].json == expected


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, {"status": 6, "status_message": "notSubscribed"}, Permanent("notSubscribed (6)")),
        (200, {"status": 2, "status_message": "invalidAuthToken"}, Permanent("invalidAuthToken (2)")),
        (200, {"status": 12, "status_message": "tooManyRequests"},
         RetryAfter("tooManyRequests (12)", 4.0, rate_limited=True)),
        (200, {"status": 10, "status_message": "webhookNotSet"}, RetryAfter("webhookNotSet (10)")),
        (200, {"status": 999, "status_message": "general error"}, RetryAfter("general error (999)")),
        (200, b"<html>", RetryAfter("HTTP 200")),
        (200, {"status": 0}, Sent(None)),
        (404, b"", Permanent("HTTP 404")),
        (429, b"", RetryAfter("HTTP 429", 4.0, rate_limited=True)),
        (502, b"", RetryAfter("HTTP 502", 4.0)),
    ],
)  # fmt: skip
async def test_outcomes(peer: tuple[Peer, SafeHttp], status: int, body: Any, outcome: Any) -> None:
    there, http = peer
    there.answer(SEND, body, status, Retry_After="4")
    [call] = VIBER.render(ACCOUNT, Outgoing("U=", "x"))
    assert await VIBER.send(here(there.url), call, http, delivery_id=DELIVERY) == outcome


async def test_registering(peer: tuple[Peer, SafeHttp]) -> None:
    there, http = peer
    there.answer("/pa/set_webhook", {"status": 0, "status_message": "ok"})
    await VIBER.register(here(there.url), http)
    await VIBER.unregister(here(there.url), http)
    assert [reached.json["url"] for reached in there.reached] == [HOOK, ""]
    assert "conversation_started" in there.reached[0].json["event_types"]
    there.answer("/pa/set_webhook", {"status": 1, "status_message": "invalidUrl"})
    with pytest.raises(ProviderRefused, match=r"invalidUrl \(1\)"):
        await VIBER.register(here(there.url), http)


async def test_checks(peer: tuple[Peer, SafeHttp]) -> None:
    there, http = peer
    there.answer("/pa/get_account_info", {"status": 2, "status_message": "invalidAuthToken"})
    [token] = await VIBER.check(here(there.url), http)
    assert (token.ok, "invalidAuthToken (2)" in token.words) == (False, True)
    told = {"status": 0, "name": "Acme", "uri": "acme", "webhook": HOOK}
    there.answer("/pa/get_account_info", told)
    assert [finding.ok for finding in await VIBER.check(here(there.url), http)] == [True, True]
    there.answer("/pa/get_account_info", {**told, "webhook": "https://other.example.com"})
    assert "https://other.example.com" in (await VIBER.check(here(there.url), http))[1].words
    assert [finding.ok for finding in await VIBER.check(here("http://127.0.0.1:1"), http)] == [False]
