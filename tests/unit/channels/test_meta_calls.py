"""Calls to the Graph API against a server that plays it: outcomes, files, registration, tests of a channel."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from chatbot.channels.contract import Account, Call, Finding, Outcome, Permanent, RetryAfter, Sent, Typing
from chatbot.channels.errors import ProviderRefused
from chatbot.channels.events import Media
from chatbot.channels.outgoing import Outgoing
from chatbot.channels.providers.meta import INSTAGRAM, MESSENGER, WHATSAPP
from chatbot.core.safe_http import OutgoingFailed, ResponseTooLarge, SafeHttp
from tests.unit.channels.meta_peer import (
    APP_SECRET,
    NUMBER,
    TOKEN,
    WEBHOOK,
    instagram,
    messenger,
    refusal,
    whatsapp,
)
from tests.unit.channels.peer import DELIVERY, Peer, serving

SEND = f"POST /v23.0/{NUMBER}/messages"
WORDS = Call("messages", {"messaging_product": "whatsapp", "to": "98912", "type": "text", "text": {"body": "سلام"}})


@pytest.fixture
async def served() -> AsyncIterator[tuple[Peer, SafeHttp]]:
    async with serving() as pair:
        yield pair


async def sent(served: tuple[Peer, SafeHttp], call: Call = WORDS) -> Outcome:
    peer, http = served
    return await WHATSAPP.send(whatsapp(api_url=peer.url), call, http, delivery_id=DELIVERY)


async def test_a_sent_message_has_whatsapps_id_and_the_token_goes_in_a_header(served: tuple[Peer, SafeHttp]) -> None:
    peer, _ = served
    peer.answer(SEND, {"messaging_product": "whatsapp", "messages": [{"id": "wamid.out"}]})
    assert await sent(served) == Sent("wamid.out")
    [reached] = peer.reached
    assert reached.json == WORDS.body
    assert reached.headers["authorization"] == f"Bearer {TOKEN}"
    assert reached.query == {}


async def test_a_reply_from_another_number_of_the_account(served: tuple[Peer, SafeHttp]) -> None:
    peer, _ = served
    peer.answer("POST /v23.0/999/messages", {"messages": [{"id": "wamid.out"}]})
    assert await sent(served, Call("999/messages", WORDS.body)) == Sent("wamid.out")


async def test_messenger_and_instagram_send_as_me(served: tuple[Peer, SafeHttp]) -> None:
    peer, http = served
    peer.answer("POST /v23.0/me/messages", {"recipient_id": "c", "message_id": "m_out"})
    [call] = MESSENGER.render(messenger(), Outgoing("c", "hi"))
    assert await MESSENGER.send(messenger(api_url=peer.url), call, http, delivery_id=DELIVERY) == Sent("m_out")
    assert await INSTAGRAM.send(instagram(api_url=peer.url), call, http, delivery_id=DELIVERY) == Sent("m_out")


@pytest.mark.parametrize(
    ("code", "status", "error", "words"),
    [
        (131047, 400, {}, "More than 24 hours have passed since the customer's last message"),
        (10, 400, {"error_subcode": 2018278}, "More than 24 hours have passed since the customer's last message"),
        (131026, 400, {}, "WhatsApp cannot deliver to this customer"),
        (190, 401, {"error_subcode": 463}, "The access token is expired or not valid; give the channel a new one"),
        (100, 400, {"error_subcode": 2018001}, "The page does not know this customer"),
        (551, 400, {}, "The customer cannot be written to at present"),
        (200, 403, {}, "The app or token lacks a permission"),
    ],
)
async def test_definite_refusals_are_permanent_in_clear_words(
    served: tuple[Peer, SafeHttp], code: int, status: int, error: dict[str, Any], words: str
) -> None:
    served[0].answer(SEND, refusal(code, **error), status)
    outcome = await sent(served)
    assert isinstance(outcome, Permanent)
    assert outcome.words.startswith(words)
    assert "said Meta" in outcome.words
    assert f"(code {code}" in outcome.words


@pytest.mark.parametrize(
    ("code", "status", "headers", "seconds", "rate_limited"),
    [
        (130429, 400, {}, None, True),
        (130429, 429, {"Retry-After": "7"}, 7.0, True),
        (80007, 400, {"X-Business-Use-Case-Usage": '{"1":[{"estimated_time_to_regain_access":3}]}'}, 180.0, True),
        (4, 400, {"X-Business-Use-Case-Usage": "broken"}, None, True),
        (613, 400, {}, None, True),
        (131056, 400, {}, 6.0, False),
        (131056, 429, {"Retry-After": "30"}, 30.0, False),
        (131016, 400, {}, None, False),
        (2, 500, {}, None, False),
        (131000, 400, {}, None, False),
    ],
)
async def test_limits_and_passing_trouble_are_tried_again(
    served: tuple[Peer, SafeHttp],
    code: int,
    status: int,
    headers: dict[str, str],
    seconds: float | None,
    rate_limited: bool,
) -> None:
    served[0].answer(SEND, refusal(code), status, **headers)
    outcome = await sent(served)
    assert isinstance(outcome, RetryAfter)
    assert (outcome.seconds, outcome.rate_limited) == (seconds, rate_limited)


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        (b"<html>busy</html>", 503, RetryAfter("Meta answered 503 without a reason.")),
        (b"<html>sign in</html>", 200, RetryAfter("Meta answered 200 without a reason.")),
        (b"", 302, RetryAfter("Meta answered 302 without a reason.")),
        (b"", 429, RetryAfter("Meta answered 429 without a reason.", rate_limited=True)),
        (b"[1]", 404, Permanent("Meta answered 404 without a reason.")),
        (b'{"error": "odd"}', 400, Permanent("Meta answered 400 without a reason.")),
        (b'{"messages": []}', 200, Sent(None)),
    ],
)
async def test_odd_answers_have_an_outcome_too(
    served: tuple[Peer, SafeHttp], body: bytes, status: int, expected: Outcome
) -> None:
    served[0].answer(SEND, body, status)
    assert await sent(served) == expected


async def test_an_error_marked_transient_is_tried_again(served: tuple[Peer, SafeHttp]) -> None:
    served[0].answer(SEND, refusal(135000, is_transient=True), 400)
    assert isinstance(await sent(served), RetryAfter)


async def test_words_are_short_and_never_hold_the_token(served: tuple[Peer, SafeHttp]) -> None:
    told = f"Malformed access token {TOKEN}; EAAanotherTokenOfSomebody " + "x" * 900
    served[0].answer(SEND, {"error": {"message": told, "code": 190}}, 401)
    outcome = await sent(served)
    assert isinstance(outcome, Permanent)
    assert len(outcome.words) <= 300
    assert "EAA" not in outcome.words


async def test_an_unreachable_api_names_no_token() -> None:
    async with SafeHttp(allow_private_hosts=frozenset({"127.0.0.1"})) as http:
        with pytest.raises(OutgoingFailed) as failed:
            await WHATSAPP.send(whatsapp(api_url="http://127.0.0.1:9"), WORDS, http, delivery_id=DELIVERY)
    assert TOKEN not in str(failed.value)


async def test_reading_and_typing_are_one_call_that_names_the_message(served: tuple[Peer, SafeHttp]) -> None:
    peer, http = served
    peer.answer(SEND, {"success": True})
    account = whatsapp(api_url=peer.url)
    await WHATSAPP.typing(account, "IR.1001", {"message_id": "wamid.in1", "phone_number_id": NUMBER}, http)
    await WHATSAPP.typing(account, "IR.1001", {}, http)
    [reached] = peer.reached
    assert reached.json == {
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": "wamid.in1",
        "typing_indicator": {"type": "text"},
    }


async def test_messenger_shows_typing_to_the_customer(served: tuple[Peer, SafeHttp]) -> None:
    peer, http = served
    peer.answer("POST /v23.0/me/messages", {"recipient_id": "c"})
    await MESSENGER.typing(messenger(api_url=peer.url), "c", {}, http)
    assert peer.reached[0].json == {"recipient": {"id": "c"}, "sender_action": "typing_on"}
    assert all(isinstance(adapter, Typing) for adapter in (WHATSAPP, MESSENGER, INSTAGRAM))


async def test_a_file_is_got_in_two_steps_with_the_token(served: tuple[Peer, SafeHttp]) -> None:
    peer, http = served
    peer.answer("GET /v23.0/77", {"url": f"{peer.url}/file", "mime_type": "image/jpeg", "file_size": "5"})
    peer.answer("GET /file", b"photo")
    account = whatsapp(api_url=peer.url)
    assert await WHATSAPP.download(account, Media("image", "77"), http, max_bytes=10) == b"photo"
    assert {reached.headers["authorization"] for reached in peer.reached} == {f"Bearer {TOKEN}"}
    with pytest.raises(ResponseTooLarge):
        await WHATSAPP.download(account, Media("image", "77"), http, max_bytes=4)


@pytest.mark.parametrize(
    "address", ["https://evil.example/file", "http://lookaside.fbsbx.com/x", "https://notfbsbx.com/x", "https://[/", ""]
)
async def test_the_token_is_carried_to_no_other_host(served: tuple[Peer, SafeHttp], address: str) -> None:
    peer, http = served
    peer.answer("GET /v23.0/77", {"url": address})
    with pytest.raises(OutgoingFailed, match="Meta named"):
        await WHATSAPP.download(whatsapp(api_url=peer.url), Media("image", "77"), http, max_bytes=10)


async def test_a_file_that_is_gone_fails_with_metas_words(served: tuple[Peer, SafeHttp]) -> None:
    peer, http = served
    peer.answer("GET /v23.0/77", refusal(100), 400)
    with pytest.raises(OutgoingFailed, match="said Meta"):
        await WHATSAPP.download(whatsapp(api_url=peer.url), Media("image", "77"), http, max_bytes=10)
    peer.answer("GET /v23.0/77", {"url": f"{peer.url}/file"})
    with pytest.raises(OutgoingFailed, match="404"):
        await WHATSAPP.download(whatsapp(api_url=peer.url), Media("image", "77"), http, max_bytes=100)


async def test_files_of_messenger_are_behind_their_address(served: tuple[Peer, SafeHttp]) -> None:
    peer, http = served
    peer.answer("GET /photo", b"photo")
    found = await MESSENGER.download(messenger(), Media("image", f"{peer.url}/photo"), http, max_bytes=10)
    assert found == b"photo"
    assert "authorization" not in peer.reached[0].headers


async def test_whatsapp_is_registered_for_this_number(served: tuple[Peer, SafeHttp]) -> None:
    peer, http = served
    peer.answer("POST /v23.0/waba-1/subscribed_apps", {"success": True})
    peer.answer(f"POST /v23.0/{NUMBER}", {"success": True})
    account = whatsapp(api_url=peer.url, waba_id="waba-1")
    await WHATSAPP.register(account, http)
    await WHATSAPP.unregister(account, http)
    assert [reached.path for reached in peer.reached] == [
        "/v23.0/waba-1/subscribed_apps",
        f"/v23.0/{NUMBER}",
        f"/v23.0/{NUMBER}",
    ]
    told = {"override_callback_uri": WEBHOOK, "verify_token": "verify-me"}
    assert peer.reached[1].json == {"webhook_configuration": told}
    assert peer.reached[2].json == {"webhook_configuration": {"override_callback_uri": ""}}


async def test_a_refused_registration_raises_metas_words(served: tuple[Peer, SafeHttp]) -> None:
    peer, http = served
    peer.answer("POST /v23.0/waba-1/subscribed_apps", refusal(200), 403)
    with pytest.raises(ProviderRefused, match="lacks a permission"):
        await WHATSAPP.register(whatsapp(api_url=peer.url, waba_id="waba-1"), http)


async def test_messenger_enters_the_apps_webhook_and_subscribes_the_page(served: tuple[Peer, SafeHttp]) -> None:
    peer, http = served
    peer.answer("/v23.0/7/subscriptions", {"success": True})
    peer.answer("/v23.0/me/subscribed_apps", {"success": True})
    account = messenger(api_url=peer.url, app_id="7")
    await MESSENGER.register(account, http)
    await MESSENGER.unregister(account, http)
    app, page, gone = peer.reached
    assert app.headers["authorization"] == f"Bearer 7|{APP_SECRET}"
    assert (app.json["callback_url"], app.json["verify_token"]) == (WEBHOOK, "verify-me")
    assert page.headers["authorization"] == f"Bearer {TOKEN}"
    assert {"messages", "message_echoes", "standby"} <= set(page.json["subscribed_fields"].split(","))
    assert gone.method == "DELETE"


async def test_instagram_subscribes_its_account(served: tuple[Peer, SafeHttp]) -> None:
    peer, http = served
    peer.answer("POST /v23.0/me/subscribed_apps", {"success": True})
    await INSTAGRAM.register(instagram(api_url=peer.url), http)
    assert "messaging_seen" in peer.reached[0].json["subscribed_fields"]


def _found(findings: list[Finding]) -> dict[str, tuple[bool, str]]:
    return {finding.name: (finding.ok, finding.words) for finding in findings}


def _number(**more: Any) -> dict[str, Any]:
    hook = {"webhook_configuration": {"phone_number": WEBHOOK, "application": "https://other.example"}}
    told = {"verified_name": "Acme", "display_phone_number": "+1 555", "quality_rating": "GREEN"}
    return {"id": NUMBER, **told, **hook, **more}


async def _checked(served: tuple[Peer, SafeHttp], number: dict[str, Any]) -> dict[str, tuple[bool, str]]:
    peer, http = served
    peer.answer(f"GET /v23.0/{NUMBER}", number)
    return _found(await WHATSAPP.check(whatsapp(api_url=peer.url, waba_id="waba-1"), http))


async def test_a_healthy_number(served: tuple[Peer, SafeHttp]) -> None:
    apps = {"data": [{"whatsapp_business_api_data": {"id": "1", "name": "Support"}}]}
    served[0].answer("GET /v23.0/waba-1/subscribed_apps", apps)
    assert await _checked(served, _number()) == {
        "token": (True, "The token may use the number +1 555 of “Acme”."),
        "quality": (True, "Meta rates the number's quality GREEN."),
        "webhook": (True, "The webhook points to this channel."),
        "subscription": (True, "Subscribed to the account: Support."),
    }


async def test_an_ailing_number(served: tuple[Peer, SafeHttp]) -> None:
    served[0].answer("GET /v23.0/waba-1/subscribed_apps", {"data": []})
    hook = {"application": "https://other.example/hook"}
    found = await _checked(served, _number(quality_rating="RED", name_status="DECLINED", webhook_configuration=hook))
    assert [name for name, (ok, _) in found.items() if ok] == ["token"]
    assert found["webhook"][1] == "The webhook points to another address: https://other.example/hook"
    nowhere = await _checked(served, _number(webhook_configuration={}))
    assert nowhere["webhook"] == (False, "No webhook is set at Meta; events reach nobody.")


@pytest.mark.parametrize("adapter", [WHATSAPP, MESSENGER, INSTAGRAM])
async def test_a_test_never_raises(served: tuple[Peer, SafeHttp], adapter: Any) -> None:
    peer, http = served
    accounts: dict[str, Any] = {"whatsapp": whatsapp, "messenger": messenger, "instagram": instagram}
    account: Account[Any] = accounts[adapter.channel_type](api_url=peer.url)
    for path in (f"GET /v23.0/{NUMBER}", "GET /v23.0/me"):
        peer.answer(path, refusal(190), 401)
    [expired] = await adapter.check(account, http)
    assert (expired.name, expired.ok) == ("token", False)
    assert expired.words.startswith("The access token is expired")
    gone: Account[Any] = accounts[adapter.channel_type](api_url="http://127.0.0.1:9")
    [unreachable] = await adapter.check(gone, http)
    assert (unreachable.ok, unreachable.words) == (False, "The host could not be reached.")
    refused: Account[Any] = accounts[adapter.channel_type](api_url="http://10.0.0.1")
    [private] = await adapter.check(refused, http)
    assert not private.ok


async def test_a_page_is_looked_at(served: tuple[Peer, SafeHttp]) -> None:
    peer, http = served
    peer.answer("GET /v23.0/me", {"id": "page-1", "name": "Acme"})
    peer.answer("GET /v23.0/me/subscribed_apps", {"data": [{"id": "7", "subscribed_fields": ["messages"]}]})
    peer.answer("GET /v23.0/7/subscriptions", {"data": [{"object": "page", "callback_url": WEBHOOK, "active": True}]})
    account = messenger(api_url=peer.url, app_id="7", page_id="page-1")
    assert _found(await MESSENGER.check(account, http)) == {
        "token": (True, "The token belongs to the page “Acme”."),
        "subscription": (True, "The app is subscribed to messages."),
        "webhook": (True, "The webhook points to this channel."),
    }
    peer.answer("GET /v23.0/me/subscribed_apps", {"data": []})
    peer.answer("GET /v23.0/7/subscriptions", {"data": [{"object": "page", "callback_url": "https://old.example"}]})
    found = _found(await MESSENGER.check(messenger(api_url=peer.url, app_id="7", page_id="page-2"), http))
    assert [ok for ok, _ in found.values()] == [False, False, False]
    assert found["webhook"][1] == "The webhook points to another address: https://old.example"


async def test_an_instagram_account_is_looked_at(served: tuple[Peer, SafeHttp]) -> None:
    peer, http = served
    peer.answer("GET /v23.0/me", {"user_id": "1784", "username": "acme"})
    peer.answer("GET /v23.0/me/subscribed_apps", {"data": [{"subscribed_fields": ["messages"]}]})
    found = _found(await INSTAGRAM.check(instagram(api_url=peer.url, account_id="1784"), http))
    assert found["token"] == (True, "The token belongs to the account @acme.")
