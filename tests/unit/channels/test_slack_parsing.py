"""What Slack tells, of every kind, read into events."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from chatbot.channels.contract import Malformed, Refused, Request
from chatbot.channels.events import (
    Choice,
    Deleted,
    Echo,
    Edited,
    Followed,
    InboundEvent,
    Message,
    Reaction,
    Unfollowed,
    Unsupported,
)
from chatbot.channels.providers.slack import SLACK
from chatbot.channels.providers.slack.credentials import SlackCredentials
from chatbot.channels.signing import hmac_hex
from tests.unit.channels.peer import account, posted

BOT, APP, TEAM = "UBOT", "A1", "T1"
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
ACCOUNT = account(SlackCredentials(bot_token="xoxb-1", signing_secret=SECRET))


def told(event: dict[str, Any], **envelope: Any) -> dict[str, Any]:
    return {
        "token": "legacy-verification-token",
        "team_id": TEAM,
        "api_app_id": APP,
        "type": "event_callback",
        "event_id": "Ev1",
        "event_time": 1767225600,
        "authorizations": [{"team_id": TEAM, "user_id": BOT, "is_bot": True}],
        "event": event,
        **envelope,
    }


def message(**fields: Any) -> dict[str, Any]:
    return {"type": "message", "user": "U1", "text": "سلام", "ts": "1767225600.000100", "channel": "C1",
            "channel_type": "channel", **fields}  # fmt: skip


def one(body: dict[str, Any]) -> InboundEvent:
    found = SLACK.parse(ACCOUNT, posted(body))
    assert len(found) == 1
    return found[0]


def form(**fields: str) -> Request:
    return posted(urlencode(fields).encode())


def test_a_direct_message_is_one_thread_and_answered_beside_threads() -> None:
    event = one(told(message(channel="D1", channel_type="im")))
    assert (event.thread, event.message_id, event.addressed) == ("D1", "1767225600.000100", True)
    assert isinstance(event.content, Message)
    assert event.content.text == "سلام"
    assert event.context["channel"] == "D1"
    assert "thread_ts" not in event.context
    assert event.sender is not None
    assert event.sender.id == "U1"
    assert event.at is not None


def test_an_answer_to_a_thread_in_a_direct_message_stays_in_it() -> None:
    event = one(told(message(channel="D1", channel_type="im", thread_ts="1767225500.1")))
    assert event.thread == "D1"
    assert event.context["thread_ts"] == "1767225500.1"


@pytest.mark.parametrize("first", ["message", "app_mention"])
def test_a_mention_that_comes_twice_is_one_event(first: str) -> None:
    text = f"<@{BOT}> where is my order?"
    as_message, as_mention = message(text=text), {**message(text=text), "type": "app_mention"}
    del as_mention["channel_type"]
    a, b = one(told(as_message, event_id="Ev1")), one(told(as_mention, event_id="Ev2"))
    assert a.id == b.id
    assert a.thread == b.thread == "C1:1767225600.000100"
    assert a.addressed
    assert b.addressed
    assert isinstance(a.content, Message)
    assert a.content.text == "where is my order?"
    assert a.context["thread_ts"] == "1767225600.000100"
    assert first


def test_a_mention_is_answered_even_where_slack_does_not_say_who_we_are() -> None:
    text = f"<@{BOT}> hello"
    overheard = one(told(message(text=text), authorizations=[]))
    mention = one(told({**message(text=text), "type": "app_mention"}, authorizations=[]))
    assert not overheard.addressed
    assert mention.addressed
    assert overheard.id != mention.id


def test_talk_of_others_is_not_for_us_unless_the_thread_is_known() -> None:
    assert not one(told(message())).addressed
    assert not one(told(message(text="<@UOTHER> look"))).addressed
    reply = one(told(message(ts="1767225700.1", thread_ts="1767225600.1")))
    assert reply.thread == "C1:1767225600.1"
    assert not reply.addressed
    assert isinstance(reply.content, Message)
    assert reply.content.in_reply_to == "1767225600.1"
    assert one(told(message(thread_ts="1.1", parent_user_id=BOT))).addressed


def test_repeated_by_slack_it_has_the_same_id() -> None:
    body = told(message())
    assert one(body).id == one({**body, "event_id": "Ev-again"}).id
    assert one(told(message(), team_id="T2")).id != one(body).id


@pytest.mark.parametrize("subtype", ["file_share", "thread_broadcast", "me_message"])
def test_subtypes_that_say_something(subtype: str) -> None:
    assert isinstance(one(told(message(subtype=subtype))).content, Message)


def test_files_come_as_media() -> None:
    files = [
        {"id": "F1", "name": "a.png", "mimetype": "image/png", "size": 5, "url_private": "https://files.slack.com/a"},
        {
            "id": "F2",
            "mimetype": "audio/webm",
            "subtype": "slack_audio",
            "url_private_download": "https://files.slack.com/b",
        },
        {"id": "F3", "mode": "tombstone"},
        {"id": "F4", "file_access": "check_file_info"},
        {"id": "F5", "is_external": True, "url_private": "https://drive.example.com/x"},
        {"id": "F6", "mimetype": "application/pdf", "url_private": "https://files.slack.com/c"},
    ]
    content = one(told(message(subtype="file_share", files=files, channel="D1"))).content
    assert isinstance(content, Message)
    assert [(media.kind, media.ref) for media in content.media] == [
        ("image", "https://files.slack.com/a"),
        ("voice", "https://files.slack.com/b"),
        ("document", "F4"),
        ("document", "https://files.slack.com/c"),
    ]
    assert content.text.endswith("https://drive.example.com/x")
    assert (content.media[0].name, content.media[0].size, content.media[0].mime) == ("a.png", 5, "image/png")


def test_slacks_marks_become_words() -> None:
    text = (
        f"<@{BOT}> &lt;b&gt; &amp; <@U2|ali> <@U3> in <#C2|help> <!here> "
        "<https://a.example|the page> <https://b.example> <mailto:x@y.example|x@y.example>"
    )
    content = one(told(message(text=text))).content
    assert isinstance(content, Message)
    assert content.text == ("<b> & @ali @U3 in #help @here the page (https://a.example) https://b.example x@y.example")


def test_a_forwarded_message_brings_its_words() -> None:
    content = one(told(message(text="", attachments=[{"is_share": True, "text": "the old one"}]))).content
    assert isinstance(content, Message)
    assert content.text == "the old one"


@pytest.mark.parametrize(
    ("fields", "ours"),
    [
        ({"subtype": "bot_message", "bot_id": "B2"}, False),
        ({"bot_id": "B2", "app_id": "A2", "user": "U2"}, False),
        ({"bot_id": "B1", "app_id": APP, "user": BOT}, True),
        ({"user": BOT}, True),
    ],
)
def test_bots_are_never_answered(fields: dict[str, str], ours: bool) -> None:
    event = one(told(message(**fields)))
    assert isinstance(event.content, Echo)
    assert event.addressed is ours


def changed(message_fields: dict[str, Any], before: str = "old") -> dict[str, Any]:
    new = {"type": "message", "user": "U1", "text": "new", "ts": "1.1", **message_fields}
    return told({
        "type": "message", "subtype": "message_changed", "channel": "C1", "ts": "2.1", "event_ts": "2.1",
        "message": new, "previous_message": {"text": before, "ts": "1.1", "user": "U1"},
    })  # fmt: skip


def test_an_edit_names_its_message() -> None:
    event = one(changed({"edited": {"user": "U1", "ts": "2.0"}, "thread_ts": "0.9"}))
    assert isinstance(event.content, Edited)
    assert (event.content.message_id, event.content.message.text, event.thread) == ("1.1", "new", "C1:0.9")
    assert event.sender is not None
    assert event.sender.id == "U1"


def test_a_preview_of_a_link_is_no_edit() -> None:
    assert isinstance(one(changed({"text": "same"}, before="same")).content, Unsupported)


def test_our_own_edit_is_an_echo_and_a_tombstone_a_deletion() -> None:
    assert isinstance(one(changed({"bot_id": "B1", "user": BOT})).content, Echo)
    assert one(changed({"subtype": "tombstone"})).content == Deleted("1.1")


def test_a_deletion_names_its_message() -> None:
    before = {"user": "U1", "ts": "1.1", "text": "x"}
    body = {"type": "message", "subtype": "message_deleted", "channel": "D1", "channel_type": "im", "deleted_ts": "1.1",
            "ts": "2.1", "previous_message": before}  # fmt: skip
    event = one(told(body))
    assert event.content == Deleted("1.1")
    assert event.thread == "D1"
    assert isinstance(one(told({**body, "previous_message": {**before, "bot_id": "B1"}})).content, Unsupported)


@pytest.mark.parametrize("subtype", ["channel_join", "channel_topic", "message_replied", "reminder_add", "new_in_2030"])
def test_other_subtypes_are_named_and_kept_without_the_token(subtype: str) -> None:
    event = one(told(message(subtype=subtype)))
    assert event.content == Unsupported(f"message.{subtype}")
    assert event.raw["event"]["subtype"] == subtype
    assert "token" not in event.raw


def test_reactions() -> None:
    item = {"type": "message", "channel": "D1", "ts": "1.1"}
    body = {"type": "reaction_added", "user": "U1", "reaction": "+1::skin-tone-2", "item": item, "item_user": BOT}
    event = one(told(body))
    assert event.content == Reaction("1.1", "👍")
    assert event.thread == "D1"
    assert event.addressed
    assert one(told({**body, "reaction": "our_logo"})).content == Reaction("1.1", ":our_logo:")
    assert one(told({**body, "type": "reaction_removed"})).content == Reaction("1.1", None)
    assert isinstance(one(told({**body, "item": {"type": "file", "file": "F1"}})).content, Unsupported)


def test_joining_and_leaving() -> None:
    joined = {"type": "member_joined_channel", "user": BOT, "channel": "C1", "inviter": "U1"}
    assert isinstance(one(told(joined)).content, Followed)
    assert isinstance(one(told({**joined, "type": "member_left_channel"})).content, Unfollowed)
    assert isinstance(one(told({**joined, "user": "U2"})).content, Unsupported)


def test_opening_the_chat_counts_once_a_person() -> None:
    opened = {"type": "app_home_opened", "user": "U1", "channel": "D1", "tab": "messages"}
    first, again = one(told(opened, event_id="Ev1")), one(told(opened, event_id="Ev2"))
    assert isinstance(first.content, Followed)
    assert first.id == again.id
    assert isinstance(one(told({**opened, "tab": "home"})).content, Unsupported)
    pane = {"type": "assistant_thread_started",
            "assistant_thread": {"channel_id": "D1", "user_id": "U1", "thread_ts": "1.1"}}  # fmt: skip
    assert isinstance(one(told(pane)).content, Followed)


@pytest.mark.parametrize("kind", ["tokens_revoked", "app_uninstalled", "function_executed", "new_in_2030"])
def test_notices_about_the_app_are_kept(kind: str) -> None:
    event = one(told({"type": kind, "bot_access_token": "xwfp-secret"}))
    assert event.content == Unsupported(kind)
    assert "xwfp-secret" not in json.dumps(event.raw)


def press(*actions: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "type": "block_actions", "trigger_id": "1.2.3", "user": {"id": "U1", "name": "sara", "team_id": TEAM},
        "team": {"id": TEAM}, "channel": {"id": "C1"},
        "container": {"type": "message", "message_ts": "1.1", "channel_id": "C1", "thread_ts": "0.9"},
        "actions": list(actions), **fields,
    }  # fmt: skip


def test_a_pressed_button_brings_our_payload_back() -> None:
    body = press({"type": "button", "action_id": "choice_0", "value": "order:7", "action_ts": "5.5",
                  "text": {"type": "plain_text", "text": "Order 7"}})  # fmt: skip
    (event,) = SLACK.parse(ACCOUNT, form(payload=json.dumps(body)))
    assert isinstance(event.content, Message)
    assert event.content.choice == Choice("order:7", "Order 7")
    assert event.thread == "C1:0.9"
    assert event.context["thread_ts"] == "0.9"
    assert event.id == "action:1.2.3:5.5:0"


@pytest.mark.parametrize(
    ("action", "choice"),
    [
        ({"type": "static_select", "selected_option": {"value": "v", "text": {"text": "T"}}}, Choice("v", "T")),
        ({"type": "multi_static_select", "selected_options": [{"value": "a"}, {"value": "b"}]}, Choice("a,b")),
        ({"type": "users_select", "selected_user": "U7"}, Choice("U7")),
        ({"type": "datepicker", "selected_date": "2026-11-21"}, Choice("2026-11-21")),
        ({"type": "multi_users_select", "selected_users": ["U7", "U8"]}, Choice("U7,U8")),
        ({"type": "button", "action_id": "only_id"}, Choice("only_id")),
    ],
)
def test_every_element_is_a_choice(action: dict[str, Any], choice: Choice) -> None:
    event = one(press({"action_ts": "5.5", **action}))
    assert isinstance(event.content, Message)
    assert event.content.choice == choice


def test_a_link_button_and_a_press_in_a_modal_ask_for_nothing() -> None:
    link = {"type": "button", "action_id": "choice_1", "url": "https://a.example"}
    assert one(press(link)).content == Unsupported("block_actions")
    modal = press({"type": "button", "value": "x"}, channel={}, container={"type": "view", "view_id": "V1"})
    assert one(modal).content == Unsupported("block_actions")


@pytest.mark.parametrize("kind", ["view_submission", "view_closed", "shortcut", "message_action", "block_suggestion"])
def test_other_interactions_are_named(kind: str) -> None:
    event = one({"type": kind, "user": {"id": "U1"}, "trigger_id": "1.2", "token": "legacy"})
    assert event.content == Unsupported(kind)
    assert event.thread == "U1"
    assert "token" not in event.raw


def test_a_slash_command_in_a_channel_is_a_thread_of_its_own() -> None:
    fields = {"command": "/help", "text": " me ", "user_id": "U1", "user_name": "sara", "channel_id": "C1",
              "channel_name": "general", "team_id": TEAM, "trigger_id": "9.9",
              "response_url": "https://hooks.slack.com/commands/1/2/3"}  # fmt: skip
    (event,) = SLACK.parse(ACCOUNT, form(**fields))
    assert event.content == Message(text="me", command="help")
    assert event.thread == "C1:/U1"
    assert event.context["response_url"] == "https://hooks.slack.com/commands/1/2/3"
    (direct,) = SLACK.parse(ACCOUNT, form(**{**fields, "channel_id": "D1"}))
    assert direct.thread == "D1"


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"", "body"),
        (b"[]", "body"),
        (b"{", "body"),
        (b"\xff\xfe=1", "body"),
        (b'"text"', "body|type"),
        (b"payload=no", "payload"),
        (b'{"event": "x", "type": "event_callback"}', "event"),
        (b"{}", "type"),
    ],
)
def test_what_slack_never_sends_is_malformed(body: bytes, where: str) -> None:
    with pytest.raises(Malformed, match=where):
        SLACK.parse(ACCOUNT, posted(body))


@pytest.mark.parametrize("wrong", [None, 1, "x", [], {}])
def test_wrong_types_inside_are_no_error(wrong: Any) -> None:
    for name in ("user", "text", "ts", "channel", "files", "thread_ts", "bot_profile", "message", "previous_message"):
        for subtype in (None, "message_changed", "message_deleted", "file_share"):
            assert SLACK.parse(ACCOUNT, posted(told(message(subtype=subtype, **{name: wrong}))))
    for name in ("channel", "container", "message", "user", "actions", "team"):
        assert SLACK.parse(ACCOUNT, posted(press({"type": "button", "value": "x"}, **{name: wrong})))


def test_the_challenge_and_the_look_at_the_certificate() -> None:
    challenge = SLACK.handshake(ACCOUNT, posted({"type": "url_verification", "challenge": "abc", "token": "t"}))
    assert challenge is not None
    assert (challenge.status, challenge.body) == (200, b"abc")
    assert SLACK.handshake(ACCOUNT, form(ssl_check="1", token="t")) is not None
    assert SLACK.parse(ACCOUNT, form(ssl_check="1", token="t")) == []
    assert SLACK.handshake(ACCOUNT, Request("GET", "https://x", {}, b"", {"ssl_check": "1"})) is not None
    assert SLACK.handshake(ACCOUNT, Request("GET", "https://x", {}, b"")) is None
    assert SLACK.handshake(ACCOUNT, posted(told(message()))) is None
    assert SLACK.handshake(ACCOUNT, posted(b"")) is None


def signed(body: bytes, timestamp: str = "1000", secret: str = SECRET) -> Request:
    signature = "v0=" + hmac_hex(secret, b"v0:" + timestamp.encode() + b":" + body)
    return posted(body, x_slack_request_timestamp=timestamp, x_slack_signature=signature)


def test_a_signed_request_passes() -> None:
    SLACK.verify(ACCOUNT, signed("متن".encode()), 1000.0 + 299)


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (posted(b"{}"), "missing"),
        (posted(b"{}", x_slack_signature="v0=1"), "missing"),
        (posted(b"{}", x_slack_request_timestamp="1000"), "missing"),
        (signed(b"{}", secret="another"), "wrong"),
        (signed(b"{}", timestamp="not a number"), "wrong"),
        (signed(b"{}", timestamp="600"), "stale"),
        (signed(b"{}", timestamp="1400"), "stale"),
    ],
)
def test_others_are_refused_with_the_reason(request_: Request, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        SLACK.verify(ACCOUNT, request_, 1000.0)
    assert refused.value.reason == reason


def test_an_unset_secret_refuses_everything() -> None:
    unset = account(SlackCredentials(bot_token="xoxb-1", signing_secret=""))
    with pytest.raises(Refused):
        SLACK.verify(unset, signed(b"{}", secret=""), 1000.0)
