"""The generic webhook and the web chat's: proofs, every type of body, signed answers."""

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from chatbot.channels.contract import Call, Malformed, Permanent, Refused, Request, RetryAfter, Sent
from chatbot.channels.events import (
    Choice,
    Contact,
    Deleted,
    Echo,
    Edited,
    Followed,
    Location,
    Media,
    Message,
    Reaction,
    Receipt,
    Sender,
    Unfollowed,
    Unsupported,
)
from chatbot.channels.outgoing import Button, Outgoing, OutgoingMedia, Source
from chatbot.channels.providers.web import WEB, WebCredentials
from chatbot.channels.providers.webhook import WEBHOOK, WebhookCredentials
from chatbot.channels.signing import standard_webhook_headers as sign
from chatbot.channels.signing import verify_standard_webhook, verify_timestamped_hmac
from chatbot.core.safe_http import OutgoingFailed, SafeHttp
from tests.unit.channels.peer import DELIVERY, Peer, account, posted, serving

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = 1_700_000_000.0
BODY = {"session_id": "s1", "message_id": "m1", "text": "Hello"}
ACCOUNT = account(WebhookCredentials(webhook_url="https://example.com/in"), SECRET)


@pytest.fixture
async def peer() -> AsyncIterator[tuple[Peer, SafeHttp]]:
    async with serving() as pair:
        yield pair


def timestamped(body: Any, *, at: float = NOW, secret: str = SECRET) -> Request:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    digest = hmac.new(secret.encode(), str(int(at)).encode() + b"." + raw, hashlib.sha256).hexdigest()
    return posted(raw, X_Timestamp=str(int(at)), X_Signature=f"sha256={digest}")


def parsed(**fields: Any) -> Any:
    [event] = WEBHOOK.parse(ACCOUNT, posted({"session_id": "s1", "message_id": "m1", **fields}))
    return event


def refusal(request: Request, secret: str = SECRET, now: float = NOW) -> str:
    with pytest.raises(Refused) as refused:
        WEBHOOK.verify(account(ACCOUNT.credentials, secret), request, now)
    return refused.value.reason


def test_each_proof_is_taken() -> None:
    raw = json.dumps(BODY).encode()
    hub = "sha256=" + hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
    for request in (
        posted(raw, **sign([SECRET], "evt_1", int(NOW), raw)),
        timestamped(BODY),
        posted(raw, X_Hub_Signature_256=hub),
    ):
        WEBHOOK.verify(ACCOUNT, request, NOW)
        assert WEBHOOK.parse(ACCOUNT, request)[0].message_id == "m1"


def test_refusals_tell_missing_wrong_and_stale_apart() -> None:
    raw = b"{}"
    proof = sign([SECRET], "evt_1", int(NOW), raw)
    assert refusal(posted(raw)) == "missing"
    assert refusal(posted(raw, **{**proof, "webhook-id": ""})) == "missing"
    assert refusal(posted(raw, **{**proof, "webhook-signature": "v2," + proof["webhook-signature"][3:]})) == "wrong"
    assert refusal(posted(raw, **{**proof, "webhook-id": "evt_2"})) == "wrong"
    assert refusal(posted(b"{} ", **proof)) == "wrong"
    assert refusal(posted(raw, **proof), now=NOW + 301) == "stale"
    assert refusal(posted(raw, **proof), now=NOW - 301) == "stale"
    assert refusal(timestamped(BODY, secret="other")) == "wrong"
    assert refusal(timestamped(BODY), now=NOW + 301) == "stale"
    assert refusal(posted(raw, X_Signature="sha256=00")) == "missing"
    assert refusal(posted(raw, X_Hub_Signature_256="sha1=00")) == "wrong"


def test_an_unset_secret_refuses_everything() -> None:
    raw = b"{}"
    hub = "sha256=" + hmac.new(b"", raw, hashlib.sha256).hexdigest()
    assert refusal(posted(raw, **sign([""], "evt_1", int(NOW), raw)), secret="") == "wrong"
    assert refusal(timestamped(raw, secret=""), secret="") == "wrong"
    assert refusal(posted(raw, X_Hub_Signature_256=hub), secret="") == "wrong"


def test_the_web_chat_takes_its_own_proof_only() -> None:
    here = account(WebCredentials(), "dev-web")
    WEB.verify(here, timestamped(BODY, secret="dev-web"), NOW)
    raw = json.dumps(BODY).encode()
    with pytest.raises(Refused, match="missing"):
        WEB.verify(here, posted(raw, **sign(["dev-web"], "evt_1", int(NOW), raw)), NOW)


def test_several_signatures_any_of_which_counts() -> None:
    proof = sign([SECRET], "evt_1", int(NOW), b"{}")
    proof["webhook-signature"] = f"v1,AAAA v2,BBBB {proof['webhook-signature']}"
    verify_standard_webhook(SECRET, posted(b"{}", **proof), NOW)
    assert proof["webhook-signature"].count("v1,") == 2


def test_a_message_with_everything() -> None:
    event = parsed(
        text="Look",
        user={"id": "u1", "name": "Ada", "email": "ada@example.com", "locale": "fa", "plan": "gold"},
        metadata={"page": "/prices"},
        attachments=[{"url": "https://example.com/a.png", "mime": "image/png"}, {"content": "aGk=", "name": "hi.txt"}],
        location={"latitude": 35.7, "longitude": 51.4, "name": "Tehran"},
        contact={"name": "Bo", "phones": ["+1"]},
        choice={"id": "yes", "title": "Yes"},
        in_reply_to="m0",
        at="2026-01-02T03:04:05Z",
    )
    assert event.content == Message(
        text="Look",
        media=(
            Media("image", "https://example.com/a.png", "image/png"),
            Media("document", "", None, "hi.txt", 2, b"hi"),
        ),
        location=Location(35.7, 51.4, "Tehran"),
        contacts=(Contact("Bo", ("+1",)),),
        choice=Choice("yes", "Yes"),
        in_reply_to="m0",
    )
    assert event.sender == Sender("u1", "Ada", "ada@example.com", "fa")
    assert (event.thread, event.message_id, event.context) == ("s1", "m1", {"metadata": {"page": "/prices"}})
    assert event.at.year == 2026


@pytest.mark.parametrize(
    ("fields", "content"),
    [
        ({"text": "x", "message_id": 7}, Message(text="x")),
        ({"type": "location", "location": {"latitude": 1, "longitude": 2}}, Message(location=Location(1, 2))),
        ({"type": "contact", "contacts": [{"name": "Bo"}]}, Message(contacts=(Contact("Bo"),))),
        ({"type": "choice", "choice": {"id": "b"}}, Message(choice=Choice("b"))),
        ({"type": "edited", "text": "new"}, Edited("m1", Message(text="new"))),
        ({"type": "deleted"}, Deleted("m1")),
        ({"type": "reaction", "emoji": "👍"}, Reaction("m1", "👍")),
        ({"type": "reaction", "emoji": None}, Reaction("m1", None)),
        ({"type": "receipt", "status": "read"}, Receipt("read", ("m1",))),
        ({"type": "receipt", "status": "failed", "message_ids": ["a", "b"], "reason": "full"},
         Receipt("failed", ("a", "b"), reason="full")),
        ({"type": "echo", "text": "from a person"}, Echo(Message(text="from a person"), "m1")),
        ({"type": "followed"}, Followed()),
        ({"type": "unfollowed"}, Unfollowed()),
        ({"type": "typing", "status": "on", "location": "?"}, Unsupported("typing")),
    ],
)  # fmt: skip
def test_every_type(fields: dict[str, Any], content: Any) -> None:
    event = parsed(**fields)
    assert event.content == content
    assert bool(event.raw) == isinstance(content, Unsupported)
    assert (event.sender is None) == isinstance(content, Receipt)


def test_ids_hold_when_a_sender_repeats_itself() -> None:
    assert parsed().id == parsed().id
    assert parsed().id != parsed(session_id="s2").id, "sessions number their own messages"
    one = WEBHOOK.parse(ACCOUNT, timestamped({"type": "deleted", **BODY}))[0]
    again = WEBHOOK.parse(ACCOUNT, timestamped({"type": "deleted", **BODY}))[0]
    later = WEBHOOK.parse(ACCOUNT, timestamped({"type": "deleted", **BODY}, at=NOW + 9))[0]
    assert one.id == again.id != later.id
    raw = json.dumps({"session_id": "s1", "text": "no id"}).encode()
    named = WEBHOOK.parse(ACCOUNT, posted(raw, **sign([SECRET], "evt_1", int(NOW), raw)))[0]
    assert named.id != parsed().id
    assert all(len(event.id) <= 200 for event in (one, later, named, parsed()))


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"", "body: not JSON"),
        (b"[]", "body: must be a JSON object"),
        ({"text": "x", "message_id": "m"}, "session_id: "),
        ({"session_id": "s", "text": "x"}, "message_id: missing"),
        ({"session_id": "s", "message_id": "m", "text": 1.5, "user": []}, "user: "),
        ({"session_id": "s" * 129, "message_id": "m"}, "session_id: .*128"),
        ({"session_id": "s", "message_id": "m", "type": "location"}, "location: missing"),
        ({"session_id": "s", "message_id": "m", "type": "choice"}, "choice: missing"),
        ({"session_id": "s", "type": "edited"}, "message_id: missing"),
        ({"session_id": "s", "type": "receipt"}, "status: missing"),
        ({"session_id": "s", "type": "receipt", "status": "sent"}, "message_ids: missing"),
        ({"session_id": "s", "message_id": "m", "attachments": [{}]}, r"attachments\.0: needs"),
        ({"session_id": "s", "message_id": "m", "attachments": [{"content": "%"}]}, r"attachments\.0\.content"),
        ({"session_id": "s", "message_id": "m", "location": {"latitude": 91, "longitude": 0}}, r"location\.latitude"),
    ],
)
def test_what_cannot_be_read_is_named(body: Any, where: str) -> None:
    with pytest.raises(Malformed, match=where):
        WEBHOOK.parse(ACCOUNT, posted(body))


OUTGOING = Outgoing(
    "s1", "**Hi** [1]", (Button("Yes", "yes"), Button("Site", url="https://example.com")),
    (OutgoingMedia("image", "https://example.com/a.png"),), (Source(1, "Prices", None),),
    {"metadata": {"k": 1}}, language="en", message_id="our-1",
)  # fmt: skip


async def test_an_answer_is_a_signed_post(peer: tuple[Peer, SafeHttp]) -> None:
    there, http = peer
    there.answer("/in", {"message_id": "theirs-1"}, 202)
    here = account(WebhookCredentials(webhook_url=f"{there.url}/in"), SECRET)
    [call] = WEBHOOK.render(here, OUTGOING)
    assert await WEBHOOK.send(here, call, http, delivery_id=DELIVERY) == Sent("theirs-1")
    [reached] = there.reached
    verify_standard_webhook(SECRET, Request("POST", "", reached.headers, reached.body), time.time())
    verify_timestamped_hmac(SECRET, Request("POST", "", reached.headers, reached.body), time.time())
    assert reached.headers["webhook-id"] == str(DELIVERY)
    assert reached.json == {
        "type": "message",
        "session_id": "s1",
        "metadata": {"k": 1},
        "message": {
            "id": "our-1", "text": "**Hi** [1]", "language": "en", "by_person": False,
            "buttons": [{"title": "Yes", "id": "yes"}, {"title": "Site", "url": "https://example.com"}],
            "media": [{"kind": "image", "url": "https://example.com/a.png"}],
            "sources": [{"index": 1, "title": "Prices", "url": None}],
        },
    }  # fmt: skip


async def test_outcomes(peer: tuple[Peer, SafeHttp]) -> None:
    there, http = peer
    here = account(WebhookCredentials(webhook_url=f"{there.url}/in"), SECRET)
    [call] = WEBHOOK.render(here, OUTGOING)

    async def outcome() -> Any:
        return await WEBHOOK.send(here, call, http, delivery_id=DELIVERY)

    there.answer("/in", b"ok")
    assert await outcome() == Sent("our-1")
    assert await WEBHOOK.send(here, Call("message", {}), http, delivery_id=DELIVERY) == Sent(str(DELIVERY))
    there.answer("/in", status=410)
    assert await outcome() == Permanent("The address answered HTTP 410")
    there.answer("/in", status=429, Retry_After="7")
    assert await outcome() == RetryAfter("The address answered HTTP 429", 7.0, rate_limited=True)
    there.answer("/in", status=503, Retry_After="Wed, 21 Oct 2015 07:28:00 GMT")
    assert await outcome() == RetryAfter("The address answered HTTP 503", 0.0)
    for status in (302, 400, 404, 500):
        there.answer("/in", status=status)
        assert await outcome() == RetryAfter(f"The address answered HTTP {status}")


async def test_a_private_address_and_a_closed_port(peer: tuple[Peer, SafeHttp]) -> None:
    _, http = peer
    inside = account(WebhookCredentials(webhook_url="http://10.0.0.1/in"), SECRET)
    refused = await WEBHOOK.send(inside, Call("message", {}), http, delivery_id=DELIVERY)
    assert isinstance(refused, Permanent)
    assert "private" in refused.words
    closed = account(WebhookCredentials(webhook_url="http://127.0.0.1:1/in"), SECRET)
    with pytest.raises(OutgoingFailed):
        await WEBHOOK.send(closed, Call("message", {}), http, delivery_id=DELIVERY)
    assert [finding.ok for finding in await WEBHOOK.check(closed, http)] == [False]


async def test_checks_and_the_web_chat_without_an_address(peer: tuple[Peer, SafeHttp]) -> None:
    there, http = peer
    there.answer("/in", b"")
    here = account(WebCredentials(webhook_url=f"{there.url}/in"), "dev-web")
    assert [finding.ok for finding in await WEB.check(here, http)] == [True]
    assert there.reached[0].json == {"type": "ping"}
    [call] = WEB.render(here, OUTGOING)
    assert await WEB.send(here, call, http, delivery_id=DELIVERY) == Sent("our-1")
    there.answer("/in", status=401)
    assert "401" in (await WEB.check(here, http))[0].words
    bare = account(WebCredentials(), "dev-web")
    assert WEB.render(bare, OUTGOING) == []
    assert isinstance(await WEB.send(bare, call, http, delivery_id=DELIVERY), Permanent)
    assert [finding.ok for finding in await WEB.check(bare, http)] == [True]
