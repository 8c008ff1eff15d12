"""What every provider's adapter promises, whatever the provider: read or refused, proven or refused, nothing lost."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatbot.channels.contract import Account, Call, Malformed, Permanent, Provider, Refused, Request, RetryAfter
from chatbot.channels.errors import ProviderRefused
from chatbot.channels.events import InboundEvent
from chatbot.channels.inbox.storable import plain
from chatbot.channels.outgoing import Button, Outgoing, OutgoingMedia, Source
from chatbot.channels.pieces import length
from chatbot.channels.registry import PROVIDERS
from chatbot.core.safe_address import AddressRefused
from chatbot.core.safe_http import OutgoingFailed, OutgoingLimits, SafeHttp
from tests.contract.channels.accounts import account_of, reaching, secrets_of, signed, thread_of, without_secrets
from tests.ports import free_port
from tests.unit.channels.peer import DELIVERY

NOW = 1_767_225_600.0
every = pytest.mark.parametrize("name", sorted(PROVIDERS))
STEADY = settings(
    deadline=None, derandomize=True, max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
"""Deadlines would make the tests depend on how busy the machine is."""

# What each provider sends, from which all kinds of damaged bodies are made.
SAMPLES: dict[str, dict[str, Any]] = {
    "web": {"session_id": "s", "message_id": "m", "text": "hi", "metadata": {"a": [1]}, "attachments": []},
    "telegram": {"update_id": 1, "message": {
        "message_id": 1, "date": 1, "chat": {"id": 7, "type": "private"}, "from": {"id": 7, "first_name": "Sara"},
        "text": "/start x", "entities": [{"type": "bot_command", "offset": 0, "length": 6}]}},
    "whatsapp": {"object": "whatsapp_business_account", "entry": [{"id": "102290129340398", "changes": [{
        "field": "messages", "value": {
            "messaging_product": "whatsapp", "metadata": {"phone_number_id": "106540352242922"},
            "contacts": [{"profile": {"name": "Sara"}, "wa_id": "989", "user_id": "IR.1"}],
            "messages": [{"from": "989", "id": "wamid.1", "timestamp": "1", "type": "text", "text": {"body": "hi"}}],
            "statuses": [{"id": "wamid.0", "status": "failed", "errors": [{"code": 1, "title": "x"}]}]}}]}]},
    "messenger": {"object": "page", "entry": [{"id": "1", "time": 1, "messaging": [{
        "sender": {"id": "2"}, "recipient": {"id": "1"}, "timestamp": 1, "message": {"mid": "m", "text": "hi"}}]}]},
    "instagram": {"object": "instagram", "entry": [{"id": "1", "time": 1, "messaging": [{
        "sender": {"id": "2"}, "recipient": {"id": "1"}, "timestamp": 1, "message": {"mid": "m", "text": "hi"}}]}]},
    "slack": {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "authorizations": [
        {"user_id": "U0", "is_bot": True}], "event": {
        "type": "message", "channel": "D1", "channel_type": "im", "user": "U1", "text": "hi", "ts": "1.1",
        "files": [{"id": "F1", "url_private": "https://files.slack.com/x", "mimetype": "image/png"}]}},
    "discord": {"id": "1", "type": 2, "token": "t", "application_id": "1234567890", "channel_id": "5",
                "user": {"id": "2", "username": "sara"}, "data": {
                    "name": "ask", "type": 1, "options": [{"name": "question", "type": 3, "value": "hi"}]}},
    "sms": {"MessageSid": "SM1", "From": "+1555", "To": "+1556", "Body": "hi", "NumMedia": "1", "MediaUrl0": "x://y"},
    "line": {"destination": "U0", "events": [{
        "type": "message", "webhookEventId": "e", "timestamp": 1, "replyToken": "r", "mode": "active",
        "source": {"type": "user", "userId": "U1"}, "message": {"id": "1", "type": "text", "text": "hi"}}]},
    "viber": {"event": "message", "timestamp": 1, "message_token": 5, "sender": {"id": "v", "name": "Sara"},
              "message": {"type": "text", "text": "hi", "tracking_data": "x"}},
    "email": {"From": "sara@example.com", "Subject": "hi", "TextBody": "hi", "MessageID": "m",
              "RawEmail": "From: sara@example.com\r\nMessage-ID: <1@example.com>\r\n\r\nhi",
              "Headers": [{"Name": "Message-ID", "Value": "<1@example.com>"}], "Attachments": [
                  {"Name": "a.txt", "Content": "aGk=", "ContentType": "text/plain", "ContentLength": 2}]},
}  # fmt: skip
SAMPLES["webhook"], SAMPLES["bale"] = SAMPLES["web"], SAMPLES["telegram"]


def nested(depth: int, of: str = "[") -> bytes:
    return b"[" * depth + b"]" * depth if of == "[" else b'{"a":' * depth + b"1" + b"}" * depth


GARBAGE = [
    b"", b" ", b"{", b"}", b"[]", b"{}", b"null", b"1", b'"x"', b"NaN", b"\x00", b"\xff\xfe\x00", b"a=b&c", b"payload=",
    b"payload={", b"=&=&", b"%zz", b"From: x\r\n\r\ny", b"{}" * 10, b'{"update_id": 1e999}', b'{"a": "\\ud800"}',
    nested(100_000), nested(100_000, "{"), nested(900), nested(900, "{"), b'{"event":' + nested(900, "{") + b"}",
    b'{"type":' + nested(300) + b"}", "سلام".encode("utf-16"),
]  # fmt: skip


def told(name: str, body: bytes) -> Request:
    """A request whose proof does not matter."""
    kind = "application/x-www-form-urlencoded" if name == "sms" and b"=" in body else "application/json"
    return Request("POST", "https://gateway.example.com/hook", {"content-type": kind}, body)


def read(name: str, body: bytes) -> list[InboundEvent]:
    """Read a body as the gateway does; none when it is refused with words."""
    provider, account = PROVIDERS[name], account_of(name)
    if provider.handshake(account, told(name, body)) is not None:
        return []
    try:
        events = provider.parse(account, told(name, body))
    except Malformed as error:
        assert str(error).strip()  # noqa: PT017 - one of two right ends
        return []
    assert provider.acknowledge(account, events).status < 300
    for event in events:
        assert 0 < len(event.id) <= 200
        assert orjson.dumps([[[plain(dict(event.context)), plain(dict(event.raw)), plain(event.content)]]])
    return events


@every
@pytest.mark.parametrize("body", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_read_or_refused_with_words(name: str, body: bytes) -> None:
    assert isinstance(read(name, body), list)


@every
def test_a_whole_body_is_read_and_a_truncated_one_refused(name: str) -> None:
    whole = orjson.dumps(SAMPLES[name])
    assert len(read(name, whole)) >= 1
    for end in range(0, len(whole), 7):
        read(name, whole[:end])


def paths(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a payload."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*here, key)
            yield from paths(inner, (*here, key))


def changed(value: Any, path: tuple[Any, ...], to: Any) -> Any:
    """A payload with something else at one place."""
    copy: Any = json.loads(json.dumps(value))
    place = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return copy


ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=300), st.just([]), st.just({}), st.just([[]]), st.just([None]), st.just({"": {}}),
    st.sampled_from(["x" * 5000, "1" * 400, "-1", "1e400", "٣", "\x00", "2038-13-45", "https://[", "\ufeff", "a,b"]),
    st.integers(20, 900).map(lambda depth: orjson.loads(nested(depth, "{"))),
)  # fmt: skip


@every
@STEADY
@given(data=st.data())
def test_anything_in_any_field_is_read_or_refused_with_words(name: str, data: st.DataObject) -> None:
    payload = SAMPLES[name]
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(sorted(paths(payload), key=str)))
        payload = changed(payload, path, data.draw(ODD))
    read(name, json.dumps(payload).encode())


def refusal(name: str, request: Request, account: Account[Any] | None = None, now: float = NOW) -> str:
    """Why a request is refused; empty when it is taken."""
    try:
        PROVIDERS[name].verify(account or account_of(name), request, now)
    except Refused as refused:
        return refused.reason
    return ""


@every
def test_only_what_the_provider_signed_is_taken(name: str) -> None:
    body = orjson.dumps(SAMPLES[name])
    request = signed(name, body, NOW)
    assert refusal(name, request) == ""
    assert refusal(name, Request("POST", request.url, {}, request.body)) == "missing"
    assert refusal(name, signed(name, body, NOW, secret="another")) == "wrong"
    for secret in ("", "another"):
        assert refusal(name, signed(name, body, NOW, secret=secret), without_secrets(account_of(name)))
    if name not in ("telegram", "bale", "email"):  # what they prove is who they are, not what they say
        assert refusal(name, Request("POST", request.url, request.headers, request.body + b"&x=y")) == "wrong"
    if name in ("web", "webhook", "slack", "discord"):
        assert refusal(name, request, now=NOW + 301) == "stale"


@every
@given(header=st.text(max_size=80), body=st.binary(max_size=200))
@settings(deadline=None, derandomize=True, max_examples=30)
def test_odd_proofs_are_refused_and_break_nothing(name: str, header: str, body: bytes) -> None:
    request = signed(name, orjson.dumps(SAMPLES[name]), NOW)
    proofs = [one for one in request.headers if one != "content-type"]
    odd = Request("POST", request.url, dict.fromkeys(proofs, header) | {"content-type": header}, body, token=header)
    assert refusal(name, odd)


WORDS = [f"{word}{number:03d}" for number in range(400) for word in ("word", "کلمه")]
_PARAGRAPHS = [
    f"**{' '.join(some[:8])}** _{some[8]}_ `{some[9]}`\n\n- {' '.join(some[10:16])}؟\n"
    f"- [{some[16]}](https://example.com/{some[17]}) {' '.join(some[17:])}!"
    for some in (WORDS[at : at + 20] for at in range(0, len(WORDS), 20))
]
LONG = "\n\n".join([*_PARAGRAPHS, "بی‌فاصله" * 800])
SOURCES = (Source(1, "Source01", "https://example.com/source-1"), Source(2, "منبع02"))


def leaves(value: Any) -> Iterator[str]:
    """Every text in a call."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from leaves(inner)


def rendered(name: str, message: Outgoing) -> list[Call]:
    """The calls of a message: within the limit, JSON that holds no secret."""
    provider, account = PROVIDERS[name], account_of(name)
    calls = provider.render(account, message)
    limits = provider.capabilities
    for call in calls:
        stored = orjson.dumps({"action": call.action, "body": dict(call.body)}).decode()
        assert not [secret for secret in secrets_of(account) if secret in stored]
        for text in leaves(dict(call.body)):
            if name != "email" or text != call.body["html"]:  # the same words once more, with marks
                assert length(text, limits.unit) <= limits.max_length
    return calls


@every
@pytest.mark.parametrize("count", [0, 2, 40])
def test_a_long_answer_loses_no_word(name: str, count: int) -> None:
    buttons = tuple(Button(f"Button{number:02d}", f"id-{number:02d}") for number in range(count))
    message = Outgoing(thread_of(name), LONG, buttons=buttons, sources=SOURCES, language="fa", message_id="m")
    shown = " ".join(text for call in rendered(name, message) for text in leaves(dict(call.body)))
    wanted = [*WORDS, "Source01", "https://example.com/source-1", "منبع02", *(button.title for button in buttons)]
    assert [word for word in wanted if word not in shown] == []
    assert shown.count("ص") >= 800, "a word longer than a message is cut, and nothing of it lost"


TITLES = st.text(st.characters(blacklist_categories=["Cs"]), max_size=90)
BUTTONS = st.builds(Button, TITLES, TITLES, st.sampled_from(["", "https://example.com/" + "x" * 600, "tel:1"]))
MARKS = st.text(st.sampled_from("*_~`#>-[]()<>&|!\\\n\t .:/٫سلام😀é\u200b\u202e1\r"), max_size=400)
FILES = st.builds(
    OutgoingMedia, st.sampled_from(["image", "audio", "video", "document"]), st.just("https://example.com/f"), TITLES
)


@every
@STEADY
@given(text=MARKS, buttons=st.lists(BUTTONS, max_size=30), files=st.lists(FILES, max_size=3), times=st.integers(1, 60))
def test_any_message_can_be_given_its_form(
    name: str, text: str, buttons: list[Button], files: list[OutgoingMedia], times: int
) -> None:
    message = Outgoing(thread_of(name), text * times, tuple(buttons), tuple(files), SOURCES, by_person=True)
    assert rendered(name, message)


@pytest.fixture
async def http() -> AsyncIterator[SafeHttp]:
    limits = OutgoingLimits(total=60, connect=60, silence=60)
    async with SafeHttp(allow_private_hosts=frozenset({"127.0.0.1"}), limits=limits) as client:
        yield client


def safe(account: Account[Any], words: str) -> str:
    """Words for an operator: some, and no secret in them."""
    assert words.strip()
    assert not [secret for secret in secrets_of(account) if secret in words], words
    return words


async def outcome(name: str, account: Account[Any], http: SafeHttp) -> str:
    """What sending gives: its kind."""
    provider = PROVIDERS[name]
    message = Outgoing(thread_of(name), "hi", message_id="m", context={"to": "sara@example.com"})
    call = provider.render(account, message)[0]
    try:
        sent = await provider.send(account, call, http, delivery_id=DELIVERY)
    except OutgoingFailed as error:
        safe(account, str(error) + error.detail)
        return "failed"
    if isinstance(sent, Permanent | RetryAfter):
        safe(account, sent.words)
    return type(sent).__name__


async def registered(provider: Provider[Any], account: Account[Any], http: SafeHttp) -> None:
    """Registering either goes well or says why not."""
    for work in (provider.register, provider.unregister):
        try:
            await work(account, http)
        except (ProviderRefused, OutgoingFailed, AddressRefused) as error:
            safe(account, error.detail)


@every
async def test_a_provider_that_is_away_is_told_in_words(name: str, http: SafeHttp) -> None:
    account = reaching(name, f"http://127.0.0.1:{free_port()}")
    found = await PROVIDERS[name].check(account, http)
    assert [finding for finding in found if not finding.ok]
    assert all(safe(account, finding.words) for finding in found)
    # An e-mail has no answer to wait for: what its server says, or does not say, is an outcome of its own.
    assert await outcome(name, account, http) in (("RetryAfter", "failed") if name == "email" else ("failed",))
    await registered(PROVIDERS[name], account, http)


ANSWERS = ["echo 401", "echo 400", "echo 500", "echo 200", "html 200", "list 200", "empty 204", "redirect 302"]


# Mail goes to no HTTP server: what its servers say is tried with mail servers.
@pytest.mark.parametrize("name", sorted(PROVIDERS.keys() - {"email"}))
@pytest.mark.parametrize("kind", ANSWERS)
async def test_odd_answers_are_told_in_words_without_secrets(name: str, http: SafeHttp, kind: str) -> None:
    async def serve(request: web.Request) -> web.Response:
        form, _, code = kind.partition(" ")
        if form == "redirect":
            return web.Response(status=302, headers={"Location": "http://169.254.169.254/"})
        if form == "html":
            return web.Response(text="<html>Sign in</html>", content_type="text/html")
        if form == "list":
            return web.json_response([[], None])
        if form == "empty":
            return web.Response(status=204)
        # A provider, or a proxy before it, that repeats what it was sent in the words of its refusal.
        said = f"bad request {request.path_qs} {dict(request.headers)} {await request.text()}"
        body = {
            "ok": False, "error_code": int(code), "description": said, "message": said, "code": 50_001, "status": 3,
            "status_message": said, "error": said if name == "slack" else {"message": said, "code": 100},
            "response_metadata": {"messages": [said]}, "needed": said, "errors": {"_errors": [{"message": said}]},
            "details": [{"property": "x", "message": said}],
        }  # fmt: skip
        return web.json_response(body, status=int(code))

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", serve)
    async with TestServer(app) as server:
        account = reaching(name, f"http://127.0.0.1:{server.port}")
        for finding in await PROVIDERS[name].check(account, http):
            safe(account, finding.words)
        assert await outcome(name, account, http) in ("failed", "RetryAfter", "Permanent", "Sent")
        await registered(PROVIDERS[name], account, http)
