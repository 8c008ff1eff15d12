"""Calls to a Bot API on this machine: outcomes, second attempts, drafts, files, findings; no token in any word."""

import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import orjson
import pytest
from aiohttp import web

from chatbot.channels.contract import Call, Outcome, Permanent, RetryAfter, Sent, Streamer, Typing
from chatbot.channels.errors import ProviderRefused
from chatbot.channels.events import Media
from chatbot.channels.outgoing import Draft, Outgoing, OutgoingMedia
from chatbot.channels.providers.telegram import BALE, TELEGRAM, adapter
from chatbot.core.errors import XinError
from chatbot.core.safe_http import OutgoingFailed, ResponseTooLarge, SafeHttp
from tests.unit.channels.telegram_peer import HOOK, SECRET, TOKEN, Peer, account, bot_api, done, failed

DELIVERY = UUID(int=3)
HELLO = Call("sendMessage", {"chat_id": 77, "text": "<b>Hi</b> &amp; bye", "parse_mode": "HTML"})


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    async with bot_api() as found:
        yield found


@pytest.fixture
async def http() -> AsyncIterator[SafeHttp]:
    async with SafeHttp(allow_private_hosts=frozenset({"127.0.0.1"})) as client:
        yield client


async def send(peer: Peer, http: SafeHttp, call: Call = HELLO) -> Outcome:
    return await TELEGRAM.send(account(peer.url), call, http, delivery_id=DELIVERY)


async def test_a_message_is_sent_and_named(peer: Peer, http: SafeHttp) -> None:
    peer.answers["sendMessage"] = done({"message_id": 41, "chat": {"id": 77}})
    assert await send(peer, http) == Sent("41")
    assert peer.asked == [("sendMessage", dict(HELLO.body))]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (
            failed(403, "Forbidden: bot was blocked by the user"),
            Permanent("Forbidden: bot was blocked by the user (403)"),
        ),
        (failed(400, "Bad Request: chat not found"), Permanent("Bad Request: chat not found (400)")),
        (
            failed(429, "Too Many Requests: retry after 7", retry_after=7),
            RetryAfter("Too Many Requests: retry after 7 (429)", 7.0, rate_limited=True),
        ),
        (failed(502, "Bad Gateway"), RetryAfter("Bad Gateway (502)")),
    ],
)
async def test_refusals(peer: Peer, http: SafeHttp, answer: dict[str, Any], outcome: Outcome) -> None:
    peer.answers["sendMessage"] = answer
    assert await send(peer, http) == outcome


async def test_a_refused_token_is_final_and_never_told(peer: Peer, http: SafeHttp) -> None:
    refused = await TELEGRAM.send(account(peer.url, token="1:revoked"), HELLO, http, delivery_id=DELIVERY)
    assert refused == Permanent("Unauthorized (401)")
    peer.answers["sendMessage"] = failed(400, f"Bad Request: bot{TOKEN} " + "x" * 500)
    outcome = await send(peer, http)
    assert isinstance(outcome, Permanent)
    assert TOKEN not in outcome.words
    assert len(outcome.words) <= 300


@pytest.mark.parametrize("body", [b"<html>busy</html>", b"[]", b"null", b""])
async def test_an_odd_answer_is_tried_again(peer: Peer, http: SafeHttp, body: bytes) -> None:
    peer.raw = web.Response(body=body, status=200)
    outcome = await send(peer, http)
    assert isinstance(outcome, RetryAfter)
    assert "200" in outcome.words


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9", "http://nobody.invalid", "https://[::1]:9", "http://127.0.0.1:1"]
)
async def test_no_failure_holds_the_token(http: SafeHttp, url: str) -> None:
    with pytest.raises(XinError) as failure:
        await TELEGRAM.send(account(url), HELLO, http, delivery_id=DELIVERY)
    error: BaseException | None = failure.value
    while error is not None:
        assert TOKEN not in f"{error} {error!r}"
        error = error.__cause__ or error.__context__


async def test_a_group_that_moved_is_followed(peer: Peer, http: SafeHttp) -> None:
    moved = failed(400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=-1007)
    peer.answers["sendMessage"] = lambda body: done({"message_id": 5}) if body["chat_id"] == -1007 else moved
    assert await send(peer, http) == Sent("5")


async def test_marks_that_cannot_be_read_become_plain_text(peer: Peer, http: SafeHttp) -> None:
    refusal = failed(400, "Bad Request: can't parse entities: unexpected end tag")
    peer.answers["sendMessage"] = lambda body: refusal if "parse_mode" in body else done({"message_id": 5})
    assert await send(peer, http) == Sent("5")
    assert peer.asked[1][1] == {"chat_id": 77, "text": "Hi & bye"}


async def test_a_file_that_cannot_be_fetched_becomes_a_link(peer: Peer, http: SafeHttp) -> None:
    peer.answers["sendPhoto"] = failed(400, "Bad Request: failed to get HTTP URL content")
    peer.answers["sendMessage"] = done({"message_id": 6})
    photo = OutgoingMedia("image", "https://a.example/p.jpg?a=1&b=2")
    (call,) = TELEGRAM.render(account(), Outgoing("77", "Look", media=(photo,)))
    assert await send(peer, http, call) == Sent("6")
    assert peer.asked[1][1]["text"] == "Look\n\nhttps://a.example/p.jpg?a=1&amp;b=2"
    peer.answers["sendPhoto"] = failed(400, "Bad Request: chat not found")
    assert await send(peer, http, call) == Permanent("Bad Request: chat not found (400)")


async def test_a_topic_or_draft_that_is_gone(peer: Peer, http: SafeHttp) -> None:
    gone = failed(400, "Bad Request: message thread not found")
    peer.answers["sendMessage"] = lambda body: gone if "message_thread_id" in body else done({"message_id": 8})
    assert await send(peer, http, Call("sendMessage", {"chat_id": -1, "message_thread_id": 4, "text": "x"})) == Sent(
        "8"
    )
    edit = Call("editMessageText", {"chat_id": 77, "message_id": 31, "text": "x"})
    peer.answers["editMessageText"] = failed(400, "Bad Request: message to edit not found")
    assert await send(peer, http, edit) == Sent("8")
    assert peer.asked[-1] == ("sendMessage", {"chat_id": 77, "text": "x"})


async def test_an_edit_that_changes_nothing_is_done(peer: Peer, http: SafeHttp) -> None:
    edit = Call("editMessageText", {"chat_id": 77, "message_id": 31, "text": "x"})
    peer.answers["editMessageText"] = failed(400, "Bad Request: message is not modified: specified new message …")
    assert await send(peer, http, edit) == Sent("31")
    peer.answers["editMessageText"] = done(True)
    assert await send(peer, http, edit) == Sent("31")
    assert [method for method, _ in peer.asked] == ["editMessageText", "editMessageText"]


async def test_typing(peer: Peer, http: SafeHttp) -> None:
    assert isinstance(TELEGRAM, Typing)
    await TELEGRAM.typing(account(peer.url), "-100500/4", {"callback_id": "q"}, http)
    assert peer.asked == [("sendChatAction", {"chat_id": -100500, "message_thread_id": 4, "action": "typing"})]
    await BALE.typing(account(peer.url, bale=True), "77", {"callback_id": "q"}, http)
    assert peer.asked[1:] == [
        ("answerCallbackQuery", {"callback_query_id": "q"}),
        ("sendChatAction", {"chat_id": 77, "action": "typing"}),
    ]


async def test_a_private_draft_leaves_no_message(peer: Peer, http: SafeHttp) -> None:
    assert isinstance(TELEGRAM, Streamer)
    assert await TELEGRAM.show(account(peer.url), Draft("77", "**He**", context={"message_id": 9}), http) is None
    ((method, body),) = peer.asked
    assert method == "sendMessageDraft"
    assert (body["draft_id"], body["text"], body["chat_id"]) == (9, "<b>He</b>", 77)
    assert await TELEGRAM.show(account(peer.url), Draft("77", " "), http) is None
    assert len(peer.asked) == 1
    peer.answers["sendMessageDraft"] = failed(404, "Not Found: method not found")
    with pytest.raises(OutgoingFailed, match="method not found"):
        await TELEGRAM.show(account(peer.url), Draft("77", "He"), http)


@pytest.mark.parametrize("bale", [False, True])
async def test_elsewhere_a_draft_is_edited_now_and_then(
    peer: Peer, http: SafeHttp, bale: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert adapter._EDIT_SECONDS == 3.1
    provider, bot, thread = (BALE if bale else TELEGRAM), account(peer.url, bale=bale), "77" if bale else "-100500"
    peer.answers["sendMessage"] = done({"message_id": 31})
    monkeypatch.setattr(adapter, "_EDIT_SECONDS", 60.0)  # a busy machine shows the next draft before it is time
    handle = await provider.show(bot, Draft(thread, "He"), http)
    assert handle
    assert handle.startswith("31@")
    assert await provider.show(bot, Draft(thread, "Hello", shown="He", handle=handle), http) == handle
    assert len(peer.asked) == 1
    earlier = f"31@{time.time() - 61:.3f}"
    assert await provider.show(bot, Draft(thread, "Hello", shown="He", handle=earlier), http) != earlier
    assert peer.asked[1][0] == "editMessageText"
    assert peer.asked[1][1]["message_id"] == 31


async def test_files_are_downloaded_by_their_path(peer: Peer, http: SafeHttp) -> None:
    peer.answers["getFile"] = done({"file_id": "f", "file_path": "photos/a b.jpg"})
    peer.files["photos/a b.jpg"] = b"jpeg"
    bot, file = account(peer.url), Media("image", "f")
    assert await TELEGRAM.download(bot, file, http, max_bytes=100) == b"jpeg"
    with pytest.raises(ResponseTooLarge):
        await TELEGRAM.download(bot, file, http, max_bytes=3)
    with pytest.raises(ResponseTooLarge):
        await TELEGRAM.download(bot, Media("image", "f", size=200), http, max_bytes=100)
    peer.answers["getFile"] = failed(400, "Bad Request: file is too big")
    with pytest.raises(ResponseTooLarge, match="too big"):
        await TELEGRAM.download(bot, file, http, max_bytes=100)


@pytest.mark.parametrize("answer", [failed(400, "Bad Request: wrong file_id"), done({}), done({"file_path": "gone"})])
async def test_a_file_that_is_gone(peer: Peer, http: SafeHttp, answer: dict[str, Any]) -> None:
    peer.answers["getFile"] = answer
    with pytest.raises(OutgoingFailed) as failure:
        await TELEGRAM.download(account(peer.url), Media("image", "f"), http, max_bytes=100)
    assert TOKEN not in str(failure.value)


async def test_a_webhook_is_registered_with_the_secret(peer: Peer, http: SafeHttp) -> None:
    await TELEGRAM.register(account(peer.url), http)
    (body,) = peer.bodies("setWebhook")
    assert (body["url"], body["secret_token"]) == (HOOK, SECRET)
    assert "message_reaction" in body["allowed_updates"]
    await BALE.register(account(peer.url, bale=True), http)
    assert peer.bodies("setWebhook")[1] == {"url": f"{HOOK}/{SECRET}"}
    await TELEGRAM.unregister(account(peer.url), http)
    assert peer.bodies("deleteWebhook") == [{}]
    peer.answers["setWebhook"] = failed(400, "Bad Request: bad webhook: HTTPS url must be provided for webhook")
    with pytest.raises(ProviderRefused, match="HTTPS url must be provided"):
        await TELEGRAM.register(account(peer.url), http)


async def test_a_polled_bot_is_registered_without_a_webhook(peer: Peer, http: SafeHttp) -> None:
    await TELEGRAM.register(account(peer.url, mode="polling"), http)
    assert [method for method, _ in peer.asked] == ["deleteWebhook"]


async def check(peer: Peer, http: SafeHttp, **more: Any) -> dict[str, tuple[bool, str]]:
    provider = BALE if more.get("bale") else TELEGRAM
    found = await provider.check(account(more.pop("url", peer.url), **more), http)
    return {finding.name: (finding.ok, finding.words) for finding in found}


async def test_a_sound_bot(peer: Peer, http: SafeHttp) -> None:
    await TELEGRAM.register(account(peer.url), http)
    asked = peer.bodies("setWebhook")[0]
    peer.answers["getMe"] = done({"id": 123456, "username": "acme_bot", "can_read_all_group_messages": False})
    peer.answers["getWebhookInfo"] = done(
        {"url": HOOK, "pending_update_count": 2, "allowed_updates": asked["allowed_updates"],
         "last_error_date": int(time.time()) - 4000, "last_error_message": "Connection timed out"}
    )  # fmt: skip
    found = await check(peer, http)
    assert all(ok for ok, _ in found.values())
    assert found["token"][1] == "The token belongs to @acme_bot."
    assert found["webhook"][1] == "The webhook points here."
    assert "66 minutes ago: Connection timed out" in found["delivery"][1]
    assert "privacy" in found["groups"][1]
    peer.answers["getWebhookInfo"] = done({"url": ""})
    assert (await check(peer, http, mode="polling"))["webhook"] == (True, "No webhook is set, as polling needs it.")
    peer.answers["getWebhookInfo"] = done({"url": f"{HOOK}/{SECRET}"})
    assert (await check(peer, http, bale=True))["webhook"] == (True, "The webhook points here.")


async def test_what_is_wrong_is_said(peer: Peer, http: SafeHttp) -> None:
    other = "https://other.example/hook/their-secret"
    peer.answers["getMe"] = done({"id": 1})
    peer.answers["getWebhookInfo"] = done(
        {"url": other, "pending_update_count": 500, "last_error_date": int(time.time()), "last_error_message": "503"}
    )
    found = await check(peer, http)
    assert [name for name, (ok, _) in found.items() if not ok] == ["webhook", "pending", "delivery", "updates"]
    assert "other.example" in found["webhook"][1]
    assert "their-secret" not in str(found)
    assert not (await check(peer, http, mode="polling"))["webhook"][0]
    peer.answers["getWebhookInfo"] = done({"url": ""})
    assert (await check(peer, http))["webhook"] == (False, "No webhook is set. Register the channel.")
    peer.answers["getWebhookInfo"] = failed(404, "Not Found")
    assert not (await check(peer, http))["webhook"][0]


async def test_a_check_never_raises(peer: Peer, http: SafeHttp) -> None:
    assert await check(peer, http, token="1:revoked") == {
        "token": (False, "Telegram refuses the token: Unauthorized (401)")
    }
    assert not (await check(peer, http, url="http://127.0.0.1:1"))["token"][0]
    assert not (await check(peer, http, url="http://10.0.0.1"))["token"][0]
    peer.raw = web.Response(body=orjson.dumps([1]))
    assert not (await check(peer, http))["token"][0]
