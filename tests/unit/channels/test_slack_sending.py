"""What is sent to Slack, and what its answers mean."""

from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import ANY

import pytest
from pydantic import SecretStr

from chatbot.channels.contract import Account, Call, Permanent, RetryAfter, Sent
from chatbot.channels.events import Media
from chatbot.channels.outgoing import Button, Draft, Outgoing, OutgoingMedia, Source
from chatbot.channels.providers.slack import SLACK
from chatbot.channels.providers.slack.credentials import SlackCredentials
from chatbot.core.safe_address import AddressRefused
from chatbot.core.safe_http import OutgoingFailed, ResponseTooLarge, SafeHttp
from tests.unit.channels.peer import DELIVERY, Peer, account, serving

TOKEN = "xoxb-not-a-real-token"
CHANNEL = {"channel": "C1", "thread_ts": "1.1", "team": "T1", "user": "U1"}
POST = Call("chat.postMessage", {"channel": "C1", "text": "hi"})


@pytest.fixture
async def slack() -> AsyncIterator[tuple[Peer, SafeHttp, Account[Any]]]:
    async with serving() as (peer, http):
        yield peer, http, to(peer.url + "/api")


def to(url: str) -> Account[Any]:
    return account(SlackCredentials(bot_token=SecretStr(TOKEN), signing_secret=SecretStr("s"), api_url=url))


def rendered(**fields: Any) -> list[Call]:
    return SLACK.render(to("http://x"), Outgoing(**{"thread": "C1:1.1", "context": CHANNEL, **fields}))


def test_an_answer_goes_into_its_thread_as_mrkdwn() -> None:
    (call,) = rendered(text="**سلام** [here](https://a.example) <!channel> & co", sources=(Source(1, "Page", None),))
    assert call.action == "chat.postMessage"
    assert call.body["channel"] == "C1"
    assert call.body["thread_ts"] == "1.1"
    assert call.body["text"] == "*سلام* <https://a.example|here> &lt;!channel&gt; &amp; co\n\n[1] Page"
    assert "blocks" not in call.body


def test_a_direct_answer_goes_beside_threads() -> None:
    (call,) = rendered(thread="D1", context={"channel": "D1", "ts": "1.1"}, text="hi")
    assert "thread_ts" not in call.body
    (without_context,) = rendered(context={}, text="hi")
    assert without_context.body["channel"] == "C1"


def test_a_long_answer_is_cut_at_sentences_within_the_limit() -> None:
    calls = rendered(text="A sentence with <angles> & more. " * 400)
    assert len(calls) > 3
    assert all(len(call.body["text"]) <= 4_000 for call in calls)
    assert all(call.body["text"].endswith(".") for call in calls)


def test_buttons_are_blocks_of_the_last_piece() -> None:
    buttons = (Button("Yes", "yes"), Button("T" * 100, "no"), Button("Open", url="https://a.example"))
    calls = rendered(text="A sentence. " * 400, buttons=buttons)
    assert [len(call.body["blocks"]) for call in calls] == [1] * (len(calls) - 1) + [2]
    assert all(len(call.body["blocks"][0]["text"]["text"]) <= 3_000 for call in calls)
    elements = calls[-1].body["blocks"][1]["elements"]
    assert elements[0] == {
        "type": "button", "action_id": "choice_0", "text": {"type": "plain_text", "text": "Yes"}, "value": "yes",
    }  # fmt: skip
    assert elements[1]["text"]["text"] == "T" * 74 + "…"
    assert elements[2]["url"] == "https://a.example"
    assert len({element["action_id"] for element in elements}) == 3


@pytest.mark.parametrize("buttons", [tuple(Button(f"B{n}", str(n)) for n in range(26)), (Button("B0", "x" * 2_001),)])
def test_buttons_that_slack_does_not_take_are_a_list(buttons: tuple[Button, ...]) -> None:
    (call,) = rendered(text="Choose", buttons=buttons)
    assert "1. B0" in call.body["text"]
    assert "blocks" not in call.body


def test_files_are_lines_and_nothing_is_no_call() -> None:
    (call,) = rendered(text="", media=(OutgoingMedia("image", "https://a.example/x.png", "x"),))
    assert call.body["text"] == "x: https://a.example/x.png"
    assert call.body["unfurl_media"] is True
    assert rendered(text="") == []


def test_a_streamed_draft_is_closed_and_replaced() -> None:
    stop, update = rendered(text="whole", replaces="stream:5.5")
    assert stop == Call("chat.stopStream", {"channel": "C1", "ts": "5.5"})
    assert (update.action, update.body["ts"]) == ("chat.update", "5.5")
    assert update.body["blocks"][0]["text"]["text"] == "whole"
    first, second = rendered(text="A sentence. " * 400, replaces="edit:5.5")
    assert [first.action, second.action] == ["chat.update", "chat.postMessage"]


def test_an_answer_to_a_command_goes_to_its_address() -> None:
    context = {"channel": "C1", "user": "U1", "response_url": "https://hooks.slack.com/commands/1"}
    (call,) = rendered(text="hi", context=context, thread="C1:/U1")
    assert call.action == "response_url"
    assert call.body["url"] == "https://hooks.slack.com/commands/1"


Slack = tuple[Peer, SafeHttp, Account[Any]]


async def test_a_message_is_sent_with_the_token_in_its_header_only(slack: Slack) -> None:
    peer, http, to_peer = slack
    peer.answer("/api/chat.postMessage", {"ok": True, "channel": "C1", "ts": "7.7"})
    assert await SLACK.send(to_peer, POST, http, delivery_id=DELIVERY) == Sent("7.7")
    (reached,) = peer.reached
    assert reached.headers["authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in reached.path + str(reached.query) + reached.body.decode()
    assert reached.json["metadata"]["event_payload"] == {"id": str(DELIVERY)}


@pytest.mark.parametrize(
    ("status", "answer", "headers", "outcome"),
    [
        (429, {"ok": False, "error": "ratelimited"}, {"Retry_After": "7"}, RetryAfter(ANY, 7.0, rate_limited=True)),
        (429, {}, {}, RetryAfter(ANY, None, rate_limited=True)),
        (200, {"ok": False, "error": "ratelimited"}, {}, RetryAfter(ANY, None, rate_limited=True)),
        (500, {}, {}, RetryAfter(ANY)),
        (200, {}, {}, RetryAfter(ANY)),
        (200, {"ok": False, "error": "internal_error"}, {}, RetryAfter(ANY)),
        (503, {"ok": False, "error": "service_unavailable"}, {}, RetryAfter(ANY)),
        (404, {}, {}, Permanent("Slack answered HTTP 404")),
    ],
)
async def test_answers_that_are_no_success(
    slack: Slack, status: int, answer: Any, headers: dict[str, str], outcome: Any
) -> None:
    peer, http, to_peer = slack
    peer.answer("/api/chat.postMessage", answer, status, **headers)
    assert await SLACK.send(to_peer, POST, http, delivery_id=DELIVERY) == outcome


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        ("channel_not_found", "no such channel"),
        ("not_in_channel", "invite it"),
        ("token_revoked", "install the app again"),
        ("invalid_auth", "not valid"),
        ("account_inactive", "removed"),
        ("is_archived", "archived"),
        ("something_new", "something_new"),
    ],
)
async def test_refusals_are_final_and_in_words(slack: Slack, error: str, meaning: str) -> None:
    peer, http, to_peer = slack
    peer.answer("/api/chat.postMessage", {"ok": False, "error": error})
    outcome = await SLACK.send(to_peer, POST, http, delivery_id=DELIVERY)
    assert isinstance(outcome, Permanent)
    assert error in outcome.words
    assert meaning in outcome.words
    assert TOKEN not in outcome.words


async def test_a_missing_permission_is_named(slack: Slack) -> None:
    peer, http, to_peer = slack
    peer.answer("/api/chat.postMessage", {"ok": False, "error": "missing_scope", "needed": "chat:write"})
    outcome = await SLACK.send(to_peer, POST, http, delivery_id=DELIVERY)
    assert isinstance(outcome, Permanent)
    assert "needed: chat:write" in outcome.words


async def test_a_draft_that_is_gone_is_sent_anew(slack: Slack) -> None:
    peer, http, to_peer = slack
    peer.answer("/api/chat.update", {"ok": False, "error": "message_not_found"})
    peer.answer("/api/chat.postMessage", {"ok": True, "ts": "8.8"})
    update = Call("chat.update", {"channel": "C1", "ts": "5.5", "text": "whole", "thread_ts": "1.1"})
    assert await SLACK.send(to_peer, update, http, delivery_id=DELIVERY) == Sent("8.8")
    assert peer.reached[1].json == {"channel": "C1", "text": "whole", "thread_ts": "1.1"}


@pytest.mark.parametrize("error", ["message_not_in_streaming_state", "message_not_found"])
async def test_a_stream_closed_twice_is_closed(slack: Slack, error: str) -> None:
    peer, http, to_peer = slack
    peer.answer("/api/chat.stopStream", {"ok": False, "error": error})
    stop = Call("chat.stopStream", {"channel": "C1", "ts": "5.5"})
    assert await SLACK.send(to_peer, stop, http, delivery_id=DELIVERY) == Sent()


async def test_an_answer_to_a_command_and_its_way_when_the_address_has_expired(slack: Slack) -> None:
    peer, http, to_peer = slack
    call = Call("response_url", {"url": f"{peer.url}/commands/1", "user": "U1", "message": {"text": "hi"}})
    peer.answer("/commands/1", b"ok")
    assert await SLACK.send(to_peer, call, http, delivery_id=DELIVERY) == Sent()
    assert peer.reached[0].json["response_type"] == "ephemeral"
    assert "authorization" not in peer.reached[0].headers
    peer.answer("/commands/1", b"used_url", 404)
    peer.answer("/api/chat.postMessage", {"ok": True, "ts": "9.9"})
    assert await SLACK.send(to_peer, call, http, delivery_id=DELIVERY) == Sent("9.9")
    assert peer.reached[-1].json["channel"] == "U1"
    elsewhere = Call("response_url", {"url": "https://attacker.example/x", "user": "U1", "message": {}})
    assert isinstance(await SLACK.send(to_peer, elsewhere, http, delivery_id=DELIVERY), Permanent)


async def test_a_thread_is_streamed_into(slack: Slack) -> None:
    peer, http, to_peer = slack
    peer.answer("/api/chat.startStream", {"ok": True, "ts": "5.5"})
    peer.answer("/api/chat.appendStream", {"ok": True, "ts": "5.5"})
    handle = await SLACK.show(to_peer, Draft("C1:1.1", "Your <!here> or", context=CHANNEL), http)
    assert handle == "stream:5.5"
    more = Draft("C1:1.1", "Your <!here> order", "Your <!here> or", handle, CHANNEL)
    assert await SLACK.show(to_peer, more, http) == handle
    start, append = peer.reached
    assert start.json == {
        "channel": "C1", "thread_ts": "1.1", "markdown_text": "Your &lt;!here> or",
        "recipient_team_id": "T1", "recipient_user_id": "U1",
    }  # fmt: skip
    assert append.json == {"channel": "C1", "ts": "5.5", "markdown_text": "der"}
    rewritten = Draft("C1:1.1", "Another", "Your <!here> order", handle, CHANNEL)
    assert await SLACK.show(to_peer, rewritten, http) == handle
    assert len(peer.reached) == 2


async def test_a_direct_message_is_edited(slack: Slack) -> None:
    peer, http, to_peer = slack
    context = {"channel": "D1", "ts": "1.1"}
    peer.answer("/api/chat.postMessage", {"ok": True, "ts": "6.6"})
    peer.answer("/api/chat.update", {"ok": True, "ts": "6.6"})
    handle = await SLACK.show(to_peer, Draft("D1", "**Your**", context=context), http)
    assert handle == "edit:6.6"
    assert await SLACK.show(to_peer, Draft("D1", "**Your** order", "**Your**", handle, context), http) == handle
    assert peer.reached[0].json["text"] == "*Your*"
    assert peer.reached[1].json == {"channel": "D1", "ts": "6.6", "text": "*Your* order"}
    too_long = Draft("D1", "x" * 12_000, "", handle, context)
    assert await SLACK.show(to_peer, too_long, http) == handle
    assert len(peer.reached) == 2
    command = {**context, "response_url": "https://hooks.slack.com/x"}
    assert await SLACK.show(to_peer, Draft("D1", "x", context=command), http) is None


async def test_a_refused_draft_is_an_error(slack: Slack) -> None:
    peer, http, to_peer = slack
    peer.answer("/api/chat.startStream", {"ok": False, "error": "missing_recipient_user_id"})
    with pytest.raises(OutgoingFailed, match="missing_recipient_user_id"):
        await SLACK.show(to_peer, Draft("C1:1.1", "x", context=CHANNEL), http)


async def test_typing_is_shown_in_the_thread(slack: Slack) -> None:
    peer, http, to_peer = slack
    peer.answer("/api/assistant.threads.setStatus", {"ok": True})
    await SLACK.typing(to_peer, "C1:1.1", CHANNEL, http)
    assert peer.reached[0].json == {"channel_id": "C1", "thread_ts": "1.1", "status": "is typing…"}


async def test_a_file_is_fetched_with_the_token(slack: Slack) -> None:
    peer, http, to_peer = slack
    peer.answer("/files-pri/a.png", b"\x89PNG", Content_Type="image/png")
    media = Media("image", f"{peer.url}/files-pri/a.png", "image/png")
    assert await SLACK.download(to_peer, media, http, max_bytes=100) == b"\x89PNG"
    assert peer.reached[0].headers["authorization"] == f"Bearer {TOKEN}"
    with pytest.raises(ResponseTooLarge):
        await SLACK.download(to_peer, media, http, max_bytes=2)
    peer.answer("GET /api/files.info", {"ok": True, "file": {"url_private": f"{peer.url}/files-pri/a.png"}})
    assert await SLACK.download(to_peer, Media("image", "F1"), http, max_bytes=100) == b"\x89PNG"


async def test_the_token_goes_to_no_other_host(slack: Slack) -> None:
    peer, http, _ = slack
    official = to("https://slack.com/api")
    for ref in (
        f"{peer.url}/x", "https://slack.com.attacker.example/x", "https://attacker.example/files.slack.com",
        "http://files.slack.com/x", "https://files.slack.com@attacker.example/x", "https://evilslack.com/",
    ):  # fmt: skip
        with pytest.raises(AddressRefused):
            await SLACK.download(official, Media("image", ref), http, max_bytes=100)
    assert peer.reached == []


@pytest.mark.parametrize(("status", "headers"), [(302, {"Location": "https://a.slack.com/login"}), (403, {})])
async def test_a_page_to_sign_in_is_no_file(slack: Slack, status: int, headers: dict[str, str]) -> None:
    peer, http, to_peer = slack
    media = Media("image", f"{peer.url}/files-pri/a.png", "image/png")
    peer.answer("/files-pri/a.png", b"", status, **headers)
    with pytest.raises(OutgoingFailed, match="files:read"):
        await SLACK.download(to_peer, media, http, max_bytes=100)
    peer.answer("/files-pri/a.png", b"<html>", Content_Type="text/html; charset=utf-8")
    with pytest.raises(OutgoingFailed, match="files:read"):
        await SLACK.download(to_peer, media, http, max_bytes=100)


async def test_the_check_tells_who_and_what_is_missing(slack: Slack) -> None:
    peer, http, to_peer = slack
    peer.answer("/api/auth.test", {"ok": True, "user": "xin", "team": "Acme"}, X_OAuth_Scopes="chat:write,im:history")
    found = {finding.name: finding for finding in await SLACK.check(to_peer, http)}
    assert found["token"].ok
    assert found["token"].words == "The token belongs to @xin in Acme."
    assert not found["permissions"].ok
    assert "app_mentions:read" in found["permissions"].words
    assert "https://gw.example.com/hook" in found["webhook"].words
    peer.answer("/api/auth.test", {"ok": False, "error": "token_revoked"})
    (refused,) = await SLACK.check(to_peer, http)
    assert (refused.ok, "revoked" in refused.words) == (False, True)
    (away,) = await SLACK.check(to("http://127.0.0.1:9/api"), http)
    assert not away.ok
