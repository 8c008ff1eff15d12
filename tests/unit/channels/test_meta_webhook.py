"""Meta's proof of a request, its question at registration, and payloads that are none."""

import json

import pytest
from pydantic import SecretStr

from chatbot.channels.contract import Account, Malformed, Refused, Request
from chatbot.channels.events import Message, Unsupported
from chatbot.channels.providers.meta import INSTAGRAM, MESSENGER, WHATSAPP
from chatbot.channels.providers.meta.credentials import WhatsAppCredentials
from tests.unit.channels.meta_peer import (
    WEBHOOK,
    asked,
    change,
    instagram,
    messenger,
    of_messenger,
    of_whatsapp,
    said,
    signed,
    told,
    whatsapp,
)

NOW = 1_772_998_030.0
BODY = b'{"object":"page","entry":[]}'


def test_a_signature_of_the_app_secret_over_the_raw_bytes_is_taken() -> None:
    MESSENGER.verify(messenger(), signed(BODY), NOW)
    INSTAGRAM.verify(instagram(), signed(BODY), NOW)
    escaped = json.dumps(said({"type": "text", "text": {"body": "سلام"}})).encode()
    assert b"\\u0633" in escaped
    WHATSAPP.verify(whatsapp(), signed(escaped), NOW)


def test_a_body_written_anew_is_refused() -> None:
    request = signed(json.dumps(said({"type": "text", "text": {"body": "سلام"}})).encode())
    anew = json.dumps(json.loads(request.body), ensure_ascii=False).encode()
    with pytest.raises(Refused) as refused:
        WHATSAPP.verify(whatsapp(), Request("POST", WEBHOOK, request.headers, anew), NOW)
    assert refused.value.reason == "wrong"


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "missing"),
        ({"x-hub-signature-256": ""}, "missing"),
        ({"x-hub-signature": "sha1=0000"}, "missing"),
        ({"x-hub-signature-256": "sha256="}, "wrong"),
        ({"x-hub-signature-256": "sha1=abc"}, "wrong"),
        ({"x-hub-signature-256": "sha256=é"}, "wrong"),
        (dict(signed(BODY, "another secret").headers), "wrong"),
        (dict(signed(BODY + b" ").headers), "wrong"),
    ],
)
def test_what_proves_nothing_is_refused(headers: dict[str, str], reason: str) -> None:
    with pytest.raises(Refused) as refused:
        MESSENGER.verify(messenger(), Request("POST", WEBHOOK, headers, BODY), NOW)
    assert refused.value.reason == reason


def test_an_unset_secret_refuses_everything() -> None:
    given = whatsapp().credentials.model_copy(update={"app_secret": SecretStr("")})
    account: Account[WhatsAppCredentials] = Account(whatsapp().tenant_id, whatsapp().channel_id, "s", given)
    with pytest.raises(Refused):
        WHATSAPP.verify(account, signed(BODY, ""), NOW)


def test_the_challenge_is_echoed_to_who_names_the_verify_token() -> None:
    request = asked(hub__mode="subscribe", hub__verify_token="verify-me", hub__challenge="1158201444")
    answer = WHATSAPP.handshake(whatsapp(), request)
    assert answer is not None
    assert (answer.status, answer.body, answer.content_type) == (200, b"1158201444", "text/plain; charset=utf-8")


def test_an_own_verify_token_takes_the_place_of_the_channels_secret() -> None:
    account = messenger(verify_token="own-token")
    own = MESSENGER.handshake(account, asked(hub__mode="subscribe", hub__verify_token="own-token", hub__challenge="1"))
    secret = MESSENGER.handshake(account, asked(hub__mode="subscribe", hub__verify_token="verify-me"))
    assert [own and own.status, secret and secret.status] == [200, 403]


@pytest.mark.parametrize(
    "query",
    [
        {"hub__mode": "subscribe", "hub__verify_token": "wrong", "hub__challenge": "1"},
        {"hub__mode": "subscribe", "hub__challenge": "1"},
        {"hub__mode": "unsubscribe", "hub__verify_token": "verify-me", "hub__challenge": "1"},
    ],
)
def test_a_wrong_question_is_answered_403_without_the_challenge(query: dict[str, str]) -> None:
    answer = INSTAGRAM.handshake(instagram(), asked(**query))
    assert answer is not None
    assert (answer.status, b"1" in answer.body) == (403, False)


def test_what_is_no_question_is_left_to_others() -> None:
    assert WHATSAPP.handshake(whatsapp(), asked()) is None
    assert WHATSAPP.handshake(whatsapp(), signed(BODY)) is None


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"", "body"),
        (b"no json", "body"),
        (b"\xff", "body"),
        (b"[]", "body"),
        (b'{"object":"page","entry":[NaN]}', "body"),
        (b"[" * 100_000, "body"),
        (b'{"entry":[]}', "object"),
        (b'{"object":7,"entry":[]}', "object"),
        (b'{"object":"page"}', "entry"),
        (b'{"object":"page","entry":{}}', "entry"),
        (b'{"object":"page","entry":["x"]}', "entry[0]"),
        (b'{"object":"page","entry":[{"messaging":{}}]}', "entry[0].messaging"),
        (b'{"object":"page","entry":[{},{"changes":[1]}]}', "entry[1].changes[0]"),
    ],
)
def test_a_body_that_is_not_metas_is_malformed_and_says_where(body: bytes, where: str) -> None:
    with pytest.raises(Malformed, match=f"^{where}:".replace("[", r"\[").replace("]", r"\]")):
        MESSENGER.parse(messenger(), signed(body))


def test_half_surrogates_do_not_cost_the_batch() -> None:
    body = json.dumps(said({"type": "text", "text": {"body": "x"}})).replace('"x"', '"a\\ud83d"').encode()
    [event] = WHATSAPP.parse(whatsapp(), signed(body))
    assert isinstance(event.content, Message)
    assert event.content.text.startswith("a")


def test_payloads_about_other_things_are_kept() -> None:
    [page] = of_messenger({"object": "permissions", "entry": [{"id": "7", "time": 1, "changes": []}]})
    [number] = of_whatsapp({"object": "page", "entry": [{"id": "7", "changes": [{"field": "feed", "value": {}}]}]})
    assert [page.content, number.content] == [Unsupported("permissions"), Unsupported("page")]
    assert number.raw == {"field": "feed", "value": {}}


def test_other_accounts_of_the_same_app_are_set_aside_without_their_words() -> None:
    payload = json.dumps(said({"type": "text", "text": {"body": "a secret"}})).encode()
    [number] = WHATSAPP.parse(whatsapp(waba_id="waba-2"), signed(payload))
    event = json.dumps(told({"message": {"mid": "m1", "text": "a secret"}})).encode()
    [page] = MESSENGER.parse(messenger(page_id="page-2"), signed(event))
    assert [number.content, page.content] == [Unsupported("another_account")] * 2
    assert "a secret" not in f"{number}{page}"
    [own] = WHATSAPP.parse(whatsapp(waba_id="waba-1"), signed(payload))
    assert isinstance(own.content, Message)


def test_an_empty_change_is_kept_as_a_notice() -> None:
    [event] = of_whatsapp(change({}, field="messages"))
    assert (event.content, event.thread, event.sender) == (Unsupported("messages"), "waba-1", None)
