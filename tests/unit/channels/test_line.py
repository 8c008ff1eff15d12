"""LINE: every kind of event, replies before pushes, quick replies, outcomes."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from chatbot.channels.contract import Malformed, Permanent, Refused, RetryAfter, Sent, Typing
from chatbot.channels.errors import ProviderRefused
from chatbot.channels.events import (
    Choice,
    Deleted,
    Edited,
    Followed,
    Location,
    Media,
    Message,
    Sender,
    Unfollowed,
    Unsupported,
)
from chatbot.channels.outgoing import Button, Outgoing, OutgoingMedia, Source
from chatbot.channels.providers.line import LINE, Line, LineCredentials
from chatbot.core.safe_http import OutgoingFailed, SafeHttp
from tests.unit.channels.peer import DELIVERY, Peer, account, posted, serving

HOOK = "https://gw.example.com/webhooks/line/1"
CREDENTIALS = LineCredentials(channel_secret="channel_secret", channel_access_token="token-1")
ACCOUNT = account(CREDENTIALS, webhook_url=HOOK)
USER = {"type": "user", "userId": "U1"}
REPLY, PUSH = "/v2/bot/message/reply", "/v2/bot/message/push"
AT = 1_700_000_000.0


@pytest.fixture
async def peer() -> AsyncIterator[tuple[Peer, SafeHttp]]:
    async with serving() as pair:
        yield pair


def told(**fields: Any) -> dict[str, Any]:
    return {
        "type": "message", "mode": "active", "timestamp": int(AT * 1000), "source": USER, "webhookEventId": "01H",
        "deliveryContext": {"isRedelivery": False}, "replyToken": "reply-1", **fields,
    }  # fmt: skip


def parsed(**fields: Any) -> Any:
    [event] = LINE.parse(ACCOUNT, posted({"destination": "Ubot", "events": [told(**fields)]}))
    return event


def here(url: str) -> Any:
    return account(CREDENTIALS.model_copy(update={"api_url": url, "data_url": f"{url}/data"}), webhook_url=HOOK)


def at(seconds: float) -> Line:
    return Line(clock=lambda: datetime.fromtimestamp(AT + seconds, UTC))


def signed(body: bytes, secret: str = "channel_secret") -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def test_signatures() -> None:
    body = '{"events":[],"x":"سلام"}'.encode()
    LINE.verify(ACCOUNT, posted(body, X_Line_Signature=signed(body)), 0)
    assert LINE.parse(ACCOUNT, posted(body)) == []
    unset = LineCredentials.model_construct(channel_secret=type(CREDENTIALS.channel_secret)(""))
    for request, credentials, reason in (
        (posted(body), CREDENTIALS, "missing"),
        (posted(body, X_Line_Signature=signed(body, "other")), CREDENTIALS, "wrong"),
        (posted(body + b" ", X_Line_Signature=signed(body)), CREDENTIALS, "wrong"),
        (posted(body, X_Line_Signature=signed(body, "")), unset, "wrong"),
    ):
        with pytest.raises(Refused) as refused:
            LINE.verify(account(credentials), request, 0)
        assert refused.value.reason == reason


def test_a_message_and_its_context() -> None:
    event = parsed(message={"id": "m1", "type": "text", "text": "Hello", "quotedMessageId": "m0"})
    assert event.content == Message(text="Hello", in_reply_to="m0")
    assert (event.id, event.thread, event.message_id, event.sender) == ("01H", "U1", "m1", Sender("U1"))
    assert event.at == datetime.fromtimestamp(AT, UTC)
    assert event.context == {"reply_token": "reply-1", "reply_at": AT}
    json.dumps(event.context)


@pytest.mark.parametrize(
    ("fields", "content"),
    [
        ({"message": {"id": "7", "type": "image", "contentProvider": {"type": "line"}}},
         Message(media=(Media("image", "7"),))),
        ({"message": {"id": "7", "type": "video", "duration": 1, "contentProvider": {"type": "line"}}},
         Message(media=(Media("video", "7"),))),
        ({"message": {"id": "7", "type": "audio",
                      "contentProvider": {"type": "external", "originalContentUrl": "https://e.com/a.m4a"}}},
         Message(media=(Media("audio", "https://e.com/a.m4a"),))),
        ({"message": {"id": "7", "type": "file", "fileName": "a.pdf", "fileSize": 9}},
         Message(media=(Media("document", "7", name="a.pdf", size=9),))),
        ({"message": {"id": "7", "type": "location", "title": "Home", "address": "1 St", "latitude": 1.5,
                      "longitude": 2}}, Message(location=Location(1.5, 2.0, "Home", "1 St"))),
        ({"message": {"id": "7", "type": "location"}}, Unsupported("message location")),
        ({"message": {"id": "7", "type": "hologram"}}, Unsupported("message hologram")),
        ({"message": None}, Unsupported("message ")),
        ({"type": "messageEdited", "message": {"id": "7", "type": "text", "text": "new"}},
         Edited("7", Message(text="new"))),
        ({"type": "messageEdited", "message": {"type": "text", "text": "new"}}, Unsupported("messageEdited")),
        ({"type": "unsend", "unsend": {"messageId": "7"}}, Deleted("7")),
        ({"type": "unsend"}, Unsupported("unsend")),
        ({"type": "postback", "postback": {"data": "buy"}}, Message(choice=Choice("buy"))),
        ({"type": "postback", "postback": {"data": "when", "params": {"date": "2026-01-02"}}},
         Message(choice=Choice("when", "2026-01-02"))),
        ({"type": "postback", "postback": {"data": '{"id": oops'}}, Message(choice=Choice('{"id": oops'))),
        ({"type": "postback"}, Unsupported("postback")),
        ({"type": "follow", "follow": {"isUnblocked": False}}, Followed()),
        ({"type": "join"}, Followed()),
        ({"type": "unfollow"}, Unfollowed()),
        ({"type": "leave"}, Unfollowed()),
        ({"type": "memberJoined", "joined": {"members": [USER]}}, Unsupported("memberJoined")),
        ({"type": "memberLeft", "left": {"members": [USER]}}, Unsupported("memberLeft")),
        ({"type": "beacon", "beacon": {"hwid": "d4", "type": "enter"}}, Unsupported("beacon")),
        ({"type": "accountLink", "link": {"result": "ok", "nonce": "n"}}, Unsupported("accountLink")),
        ({"type": "videoPlayComplete", "videoPlayComplete": {"trackingId": "t"}}, Unsupported("videoPlayComplete")),
        ({"type": "membership", "membership": {"type": "joined"}}, Unsupported("membership")),
        ({"mode": "standby", "message": {"id": "7", "type": "text", "text": "x"}}, Unsupported("standby message")),
        ({"type": 5}, Unsupported("event")),
    ],
)  # fmt: skip
def test_every_kind(fields: dict[str, Any], content: Any) -> None:
    event = parsed(**fields)
    assert event.content == content
    assert bool(event.raw) == isinstance(content, Unsupported)


def test_a_sticker_has_its_picture_in_the_shop() -> None:
    told = {"id": "7", "type": "sticker", "stickerId": "52", "keywords": ["Hi", "Yo"], "text": "Hey"}
    [media] = parsed(message=told).content.media
    assert (media.kind, media.name, "/52/" in media.ref) == ("sticker", "Hi, Yo", True)


def test_threads_and_senders() -> None:
    text = {"id": "m", "type": "text", "text": "x"}
    group = parsed(source={"type": "group", "groupId": "C1", "userId": "U1"}, message=text)
    assert (group.thread, group.sender) == ("C1", Sender("U1"))
    room = parsed(source={"type": "room", "roomId": "R1"}, message=text)
    assert (room.thread, room.sender) == ("R1", Sender("R1")), "members who did not agree are not named"
    assert parsed(type="leave", source={"type": "group", "groupId": "C1"}).sender is None
    assert parsed(type="activated", source=None).thread == "Ubot"


def test_redelivered_events_and_events_without_an_id() -> None:
    text = {"id": "m", "type": "text", "text": "x"}
    again = {"isRedelivery": True}
    assert parsed(message=text).id == parsed(message=text, deliveryContext=again).id
    old, same = (
        parsed(webhookEventId=None, message=text),
        parsed(webhookEventId=None, message=text, deliveryContext=again),
    )
    other = parsed(webhookEventId=None, message={**text, "id": "m2"})
    assert old.id == same.id != other.id
    many = {"events": [told(message=text), told(type="follow", webhookEventId="02H")]}
    assert [event.id for event in LINE.parse(ACCOUNT, posted(many))] == ["01H", "02H"]


@pytest.mark.parametrize(
    ("body", "where"),
    [(b"x", "JSON"), (b"[]", "object"), ({}, "events"), ({"events": {}}, "events"), ({"events": [1]}, r"events\.0")],
)
def test_what_cannot_be_read_is_named(body: Any, where: str) -> None:
    with pytest.raises(Malformed, match=where):
        LINE.parse(ACCOUNT, posted(body))


def test_buttons_are_quick_replies_and_come_back() -> None:
    long = "A title of more than twenty characters"
    buttons = (Button("Yes", "yes"), Button(long, "long"), Button("Site", url="https://e.com"), Button("Plain"))
    [call] = LINE.render(ACCOUNT, Outgoing("U1", "**Sure?**", buttons, sources=(Source(1, "A", "https://e.com/a"),)))
    [message] = call.body["messages"]
    assert message["text"] == "Sure?\n\n[1] A (https://e.com/a)"
    yes, cut, site, plain = (item["action"] for item in message["quickReply"]["items"])
    assert (yes["type"], yes["displayText"]) == ("postback", "Yes")
    assert parsed(type="postback", postback={"data": yes["data"]}).content == Message(choice=Choice("yes", "Yes"))
    assert (len(cut["label"]), cut["label"][-1], cut["displayText"]) == (20, "…", long)
    assert site == {"label": "Site", "type": "uri", "uri": "https://e.com"}
    assert parsed(type="postback", postback={"data": plain["data"]}).content.choice == Choice("Plain", "Plain")
    near = Button("T" * 200, "i" * 290)
    [call] = LINE.render(ACCOUNT, Outgoing("U1", "x", (near,)))
    assert call.body["messages"][0]["quickReply"]["items"][0]["action"]["data"] == near.id


def test_too_many_buttons_become_a_list() -> None:
    [call] = LINE.render(ACCOUNT, Outgoing("U1", "Pick", tuple(Button(f"B{n}", str(n)) for n in range(14))))
    assert "quickReply" not in call.body["messages"][0]
    assert call.body["messages"][0]["text"].endswith("14. B13")
    [call] = LINE.render(ACCOUNT, Outgoing("U1", "Pick", (Button("B", "i" * 301),)))
    assert call.body["messages"][0]["text"] == "Pick\n\n1. B"


def test_long_texts_five_messages_a_call() -> None:
    context = {"reply_token": "reply-1", "reply_at": AT}
    calls = LINE.render(ACCOUNT, Outgoing("U1", "A sentence that ends. " * 1500, (Button("Y", "y"),), context=context))
    assert [len(call.body["messages"]) for call in calls] == [5, 2]
    assert ["reply_token" in call.body for call in calls] == [True, False], "a token serves once"
    texts = [message["text"] for call in calls for message in call.body["messages"]]
    assert all(len(text) <= 5000 and text.endswith(".") for text in texts)
    assert ["quickReply" in message for message in calls[1].body["messages"]] == [False, True]
    emoji = LINE.render(ACCOUNT, Outgoing("U1", "😀" * 3000))[0].body["messages"]
    assert [len(message["text"]) for message in emoji] == [2500, 500]
    assert LINE.render(ACCOUNT, Outgoing("U1", "")) == []


def test_pictures_are_shown_and_other_files_linked() -> None:
    media = (
        OutgoingMedia("image", "https://e.com/a.png"), OutgoingMedia("image", "http://e.com/b.png"),
        OutgoingMedia("video", "https://e.com/c.mp4", "Tour"),
    )  # fmt: skip
    [call] = LINE.render(ACCOUNT, Outgoing("U1", "Look", media=media))
    picture, text = call.body["messages"]
    assert picture["originalContentUrl"] == picture["previewImageUrl"] == "https://e.com/a.png"
    assert text["text"] == "Look\n\nimage: http://e.com/b.png\nTour: https://e.com/c.mp4"


def call_with_token() -> Any:
    [call] = LINE.render(ACCOUNT, Outgoing("U1", "Hi", context={"reply_token": "reply-1", "reply_at": AT}))
    return call


SENT = {"sentMessages": [{"id": "461", "quoteToken": "q"}]}


async def test_a_young_token_replies_and_an_old_one_pushes(peer: tuple[Peer, SafeHttp]) -> None:
    there, http = peer
    there.answer(f"POST {REPLY}", SENT)
    there.answer(f"POST {PUSH}", SENT)
    assert await at(49).send(here(there.url), call_with_token(), http, delivery_id=DELIVERY) == Sent("461")
    assert await at(51).send(here(there.url), call_with_token(), http, delivery_id=DELIVERY) == Sent("461")
    replied, pushed = there.reached
    assert (replied.path, replied.json["replyToken"]) == (REPLY, "reply-1")
    assert (pushed.path, pushed.json) == (PUSH, {"to": "U1", "messages": [{"type": "text", "text": "Hi"}]})
    assert pushed.headers["x-line-retry-key"] == str(DELIVERY)
    assert pushed.headers["authorization"] == "Bearer token-1"


async def test_a_token_that_line_does_not_take_falls_back_to_a_push(peer: tuple[Peer, SafeHttp]) -> None:
    there, http = peer
    there.answer(REPLY, {"message": "Invalid reply token"}, 400)
    there.answer(PUSH, {"message": "The retry key is already accepted", **SENT}, 409)
    assert await at(1).send(here(there.url), call_with_token(), http, delivery_id=DELIVERY) == Sent("461")
    there.answer(REPLY, {"message": "The request body has 1 error(s)"}, 400)
    assert isinstance(await at(1).send(here(there.url), call_with_token(), http, delivery_id=DELIVERY), Permanent)
    assert [reached.path for reached in there.reached] == [REPLY, PUSH, REPLY]


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, {}, Sent(None)),
        (400, {"message": "Failed to send messages"}, Permanent("Failed to send messages")),
        (400, {"message": "1 error", "details": [{"property": "to", "message": "bad"}]}, Permanent("1 error: to: bad")),
        (401, {"message": "Authentication failed"}, Permanent("Authentication failed")),
        (403, b"", Permanent("HTTP 403")),
        (429, {"message": "The API rate limit has been exceeded"},
         RetryAfter("The API rate limit has been exceeded", 5.0, rate_limited=True)),
        (429, {"message": "You have reached your monthly limit."}, Permanent("You have reached your monthly limit.")),
        (500, b"", RetryAfter("HTTP 500", 5.0)),
    ],
)  # fmt: skip
async def test_outcomes(peer: tuple[Peer, SafeHttp], status: int, body: Any, outcome: Any) -> None:
    there, http = peer
    there.answer(PUSH, body, status, Retry_After="5")
    assert await at(99).send(here(there.url), call_with_token(), http, delivery_id=DELIVERY) == outcome


async def test_files(peer: tuple[Peer, SafeHttp]) -> None:
    there, http = peer
    there.answer("/data/v2/bot/message/7/content", b"file")
    there.answer("/data/v2/bot/message/8/content", b"", 202)
    there.answer("/sticker.png", b"picture")
    assert await LINE.download(here(there.url), Media("image", "7"), http, max_bytes=9) == b"file"
    assert there.reached[0].headers["authorization"] == "Bearer token-1"
    sticker = Media("sticker", f"{there.url}/sticker.png")
    assert await LINE.download(here(there.url), sticker, http, max_bytes=9) == b"picture"
    assert "authorization" not in there.reached[1].headers
    for ref, words in (("8", "202"), ("../../info", "no id"), ("", "no id")):
        with pytest.raises(OutgoingFailed, match=words):
            await LINE.download(here(there.url), Media("image", ref), http, max_bytes=9)


async def test_typing_shows_in_chats_with_one_customer(peer: tuple[Peer, SafeHttp]) -> None:
    there, http = peer
    assert isinstance(LINE, Typing)
    there.answer("/v2/bot/chat/loading/start", {}, 202)
    await LINE.typing(here(there.url), "U1", {}, http)
    await LINE.typing(here(there.url), "C1", {}, http)
    assert [reached.json for reached in there.reached] == [{"chatId": "U1", "loadingSeconds": 20}]


async def test_registering(peer: tuple[Peer, SafeHttp]) -> None:
    there, http = peer
    there.answer("PUT /v2/bot/channel/webhook/endpoint", {})
    await LINE.register(here(there.url), http)
    assert there.reached[0].json == {"endpoint": HOOK}
    there.answer("PUT /v2/bot/channel/webhook/endpoint", {"message": "Invalid webhook endpoint URL"}, 400)
    with pytest.raises(ProviderRefused, match="Invalid webhook"):
        await LINE.register(here(there.url), http)
    await LINE.unregister(here(there.url), http)
    assert len(there.reached) == 2


async def test_checks(peer: tuple[Peer, SafeHttp]) -> None:
    there, http = peer

    async def looked() -> dict[str, tuple[bool, str]]:
        return {found.name: (found.ok, found.words) for found in await LINE.check(here(there.url), http)}

    there.answer("/v2/bot/info", {"message": "Authentication failed"}, 401)
    assert await looked() == {"token": (False, "LINE does not take the access token: Authentication failed")}
    there.answer("/v2/bot/info", {"displayName": "Acme", "basicId": "@acme"})
    there.answer("GET /v2/bot/channel/webhook/endpoint", {"endpoint": HOOK, "active": True})
    there.answer("POST /v2/bot/channel/webhook/test", {"success": True})
    there.answer("/v2/bot/message/quota", {"type": "limited", "value": 200})
    there.answer("/v2/bot/message/quota/consumption", {"totalUsage": 150})
    found = await looked()
    assert all(ok for ok, _ in found.values())
    assert found["token"][1] == "The token belongs to Acme (@acme)."
    assert found["quota"][1].startswith("150 of 200")
    there.answer("GET /v2/bot/channel/webhook/endpoint", {"endpoint": HOOK, "active": False})
    there.answer("POST /v2/bot/channel/webhook/test", {"success": False, "reason": "REQUEST_TIMEOUT"})
    there.answer("/v2/bot/message/quota", {"type": "none"})
    found = await looked()
    assert [ok for ok, _ in found.values()] == [True, False, False, True]
    assert "off in LINE's console" in found["webhook"][1]
    assert "REQUEST_TIMEOUT" in found["webhook_test"][1]
    for status, body, words in (
        (404, {}, "No webhook"),
        (200, {"endpoint": "https://x"}, "https://x"),
        (500, {}, "500"),
    ):
        there.answer("GET /v2/bot/channel/webhook/endpoint", body, status)
        assert words in (await looked())["webhook"][1]
    closed = account(CREDENTIALS.model_copy(update={"api_url": "http://127.0.0.1:1"}))
    assert [finding.ok for finding in await LINE.check(closed, http)] == [False]
