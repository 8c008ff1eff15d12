"""What Discord tells, of every kind, read into events; its signatures; its text."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

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
from chatbot.channels.markup import render
from chatbot.channels.providers.discord import DISCORD
from chatbot.channels.providers.discord.credentials import DiscordCredentials
from chatbot.channels.providers.discord.messages import Dispatch, Me, dispatched
from chatbot.channels.providers.discord.wording import STYLE
from tests.unit.channels.peer import account, posted

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
BOT, ROLE = "900", "901"
ME = Me(BOT, frozenset({ROLE}))
ACCOUNT = account(
    DiscordCredentials(application_id=BOT, public_key=KEY.public_key().public_bytes_raw().hex(), bot_token="t")
)
AUTHOR = {"id": "7", "username": "sara", "global_name": "Sara"}


def created(**fields: Any) -> dict[str, Any]:
    return {"id": "1457536646464747051", "type": 0, "content": "سلام", "channel_id": "5", "author": AUTHOR,
            "timestamp": "2026-01-05T00:50:16.477000+00:00", **fields}  # fmt: skip


def one(name: str, data: dict[str, Any], mark: str = "") -> InboundEvent:
    found = dispatched(Dispatch(name, data, ME, mark))
    assert len(found) == 1
    return found[0]


def in_guild(**fields: Any) -> InboundEvent:
    return one("MESSAGE_CREATE", created(guild_id="1", channel_type=0, **fields))


def test_a_direct_message_is_one_thread() -> None:
    event = one("MESSAGE_CREATE", created())
    assert isinstance(event.content, Message)
    assert (event.thread, event.addressed, event.content.text) == ("5", True, "سلام")
    assert event.context == {"channel": "5"}
    assert event.sender is not None
    assert (event.sender.id, event.sender.name, event.sender.address) == ("7", "Sara", "sara")
    assert event.at is not None
    assert event.at.year == 2026


def test_in_a_room_only_who_names_us_talks_with_us() -> None:
    overheard = in_guild()
    assert not overheard.addressed
    assert overheard.thread == "5"
    named = in_guild(content=f"<@!{BOT}> hi <@8>", mentions=[{"id": BOT}, {"id": "8", "username": "ali"}])
    assert named.addressed
    assert named.thread == "5:7"
    assert named.context["message"] == "1457536646464747051"
    assert isinstance(named.content, Message)
    assert named.content.text == "hi @ali"


def test_the_bots_role_and_an_answer_to_it_mean_us_too() -> None:
    assert in_guild(content=f"<@&{ROLE}> hi", mention_roles=[ROLE]).addressed
    assert not in_guild(mention_roles=["902"]).addressed
    answered = in_guild(type=19, referenced_message={"author": {"id": BOT}}, message_reference={"message_id": "3"})
    assert answered.addressed
    assert isinstance(answered.content, Message)
    assert answered.content.in_reply_to == "3"


def test_a_thread_is_one_talk_which_needs_no_more_mentions() -> None:
    event = one("MESSAGE_CREATE", created(guild_id="1", channel_type=11))
    assert event.thread == "5"
    assert not event.addressed
    assert "message" not in event.context
    by_position = one("MESSAGE_CREATE", created(guild_id="1", position=3))
    assert by_position.thread == "5"


def test_bots_are_never_answered() -> None:
    assert isinstance(one("MESSAGE_CREATE", created(author={"id": BOT, "bot": True})).content, Echo)
    assert isinstance(in_guild(author={"id": "8", "bot": True}).content, Echo)
    assert isinstance(in_guild(webhook_id="6").content, Echo)
    assert not in_guild(author={"id": "8", "bot": True}).addressed


def test_files_stickers_and_what_is_forwarded() -> None:
    attachments = [
        {"id": "1", "url": "https://cdn.example/a", "content_type": "image/png", "filename": "a.png", "size": 3},
        {"id": "2", "url": "https://cdn.example/v", "content_type": "audio/ogg; codecs=opus", "waveform": "AAA"},
        {"id": "3", "url": "https://cdn.example/d"},
        {"id": "4"},
    ]
    stickers = [{"id": "8", "name": "wave", "format_type": 1}, {"id": "9", "format_type": 3}]
    snapshots = [{"message": {"content": "the old one", "attachments": [{"url": "https://cdn.example/f"}]}}]
    content = one(
        "MESSAGE_CREATE",
        created(attachments=attachments, sticker_items=stickers, message_snapshots=snapshots),
    ).content
    assert isinstance(content, Message)
    assert content.text == "سلام\nthe old one"
    assert [media.kind for media in content.media] == ["image", "voice", "document", "document", "sticker"]
    assert content.media[1].mime == "audio/ogg"
    assert content.media[4].ref.endswith("/8.png")


def test_edits_deletions_and_their_ids() -> None:
    edited = one("MESSAGE_UPDATE", created(edited_timestamp="2026-01-05T01:00:00+00:00", content="new"))
    assert isinstance(edited.content, Edited)
    assert (edited.content.message_id, edited.content.message.text) == ("1457536646464747051", "new")
    assert isinstance(one("MESSAGE_UPDATE", {"id": "3", "channel_id": "5", "embeds": []}).content, Unsupported)
    own = created(edited_timestamp="2026-01-05T01:00:00+00:00", author={"id": BOT, "bot": True})
    assert isinstance(one("MESSAGE_UPDATE", own).content, Echo)
    assert one("MESSAGE_DELETE", {"id": "3", "channel_id": "5"}).content == Deleted("3")
    bulk = dispatched(Dispatch("MESSAGE_DELETE_BULK", {"ids": ["3", "4"], "channel_id": "5", "guild_id": "1"}, ME))
    assert [event.content for event in bulk] == [Deleted("3"), Deleted("4")]


def test_reactions() -> None:
    data = {"user_id": "7", "message_id": "3", "channel_id": "5", "guild_id": "1", "emoji": {"id": None, "name": "👍"},
            "message_author_id": BOT}  # fmt: skip
    added = one("MESSAGE_REACTION_ADD", data, "s:4")
    assert added.content == Reaction("3", "👍")
    assert added.addressed
    assert one("MESSAGE_REACTION_REMOVE", data).content == Reaction("3", None)
    assert one("MESSAGE_REACTION_ADD", {**data, "emoji": {"id": "1", "name": "logo"}}).content == Reaction(
        "3", ":logo:"
    )
    assert one("MESSAGE_REACTION_ADD", data, "s:4").id == added.id != one("MESSAGE_REACTION_ADD", data, "s:9").id


@pytest.mark.parametrize("kind", [7, 18, 21, 99])
def test_messages_of_discord_itself_are_named(kind: int) -> None:
    assert in_guild(type=kind).content == Unsupported(f"message_type_{kind}")


def test_other_dispatches_are_named_and_kept() -> None:
    event = one("NEW_IN_2030", {"id": "4", "channel_id": "5"})
    assert event.content == Unsupported("NEW_IN_2030")
    assert event.raw == {"id": "4", "channel_id": "5"}


def read(body: Any) -> list[InboundEvent]:
    return DISCORD.parse(ACCOUNT, posted(body))


def interaction(kind: int, data: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"id": "1457536646464747051", "application_id": BOT, "type": kind, "token": "tok", "channel_id": "5",
            "guild_id": "1", "channel": {"id": "5", "type": 0}, "member": {"nick": "S.", "user": AUTHOR}, "data": data,
            **fields}  # fmt: skip


def test_a_slash_command_with_its_options() -> None:
    options = [{"name": "sub", "type": 1, "options": [{"name": "order", "value": 7}, {"name": "how", "value": "fast"}]}]
    (event,) = read(interaction(2, {"name": "track", "options": options}))
    assert event.content == Message(text="7 fast", command="track")
    assert event.thread == "5:7"
    assert event.context == {"channel": "5", "token": "tok", "answer": 5}
    assert event.sender is not None
    assert event.sender.name == "S."
    answer = DISCORD.acknowledge(ACCOUNT, [event])
    assert json.loads(answer.body) == {"type": 5}
    assert answer.content_type == "application/json"


def test_a_command_on_a_message_brings_it_along() -> None:
    resolved = {"messages": {"3": {"id": "3", "content": "the old one"}}}
    (event,) = read(interaction(2, {"name": "explain", "type": 3, "target_id": "3", "resolved": resolved}))
    assert event.content == Message(text="the old one", command="explain")


def test_a_pressed_button_and_a_chosen_row() -> None:
    rows = [{"type": 1, "components": [{"type": 2, "custom_id": "order:7", "label": "Order 7"}]}]
    (event,) = read(
        interaction(3, {"custom_id": "order:7", "component_type": 2}, message={"id": "3", "components": rows})
    )
    assert isinstance(event.content, Message)
    assert event.content.choice == Choice("order:7", "Order 7")
    assert event.content.in_reply_to == "3"
    assert json.loads(DISCORD.acknowledge(ACCOUNT, [event]).body) == {"type": 6}
    menu = {"type": 3, "custom_id": "m", "options": [{"value": "a", "label": "A"}, {"value": "b", "label": "B"}]}
    body = interaction(
        3, {"custom_id": "m", "component_type": 3, "values": ["a", "b"]},
        message={"id": "3", "components": [{"type": 1, "components": [menu]}]},
    )  # fmt: skip
    (chosen,) = read(body)
    assert isinstance(chosen.content, Message)
    assert chosen.content.choice == Choice("a,b", "A, B")


def test_a_direct_interaction_has_a_user_instead_of_a_member() -> None:
    body = interaction(3, {"custom_id": "x"}, user=AUTHOR)
    for name in ("member", "guild_id", "channel"):
        del body[name]
    (event,) = read(body)
    assert (event.thread, event.sender and event.sender.id) == ("5", "7")


@pytest.mark.parametrize(
    ("kind", "name", "answer"),
    [
        (4, "autocomplete", {"type": 8, "data": {"choices": []}}),
        (5, "modal_submit", {"type": 6}),
        (99, "interaction_99", None),
    ],
)
def test_other_interactions_are_named_and_answered(kind: int, name: str, answer: Any) -> None:
    (event,) = read(interaction(kind, {}))
    assert event.content == Unsupported(name)
    told = DISCORD.acknowledge(ACCOUNT, [event])
    assert (json.loads(told.body) if told.body else None) == answer


def test_pings() -> None:
    pong = DISCORD.handshake(ACCOUNT, posted({"type": 1, "id": "1", "token": "t", "application_id": BOT}))
    assert pong is not None
    assert (pong.status, json.loads(pong.body), pong.content_type) == (200, {"type": 1}, "application/json")
    nothing = DISCORD.handshake(ACCOUNT, posted({"version": 1, "application_id": BOT, "type": 0}))
    assert nothing is not None
    assert (nothing.status, nothing.body) == (204, b"")
    assert DISCORD.handshake(ACCOUNT, posted(interaction(2, {"name": "x"}))) is None
    assert DISCORD.handshake(ACCOUNT, Request("GET", "https://x", {}, b"")) is None
    assert DISCORD.handshake(ACCOUNT, posted(b"no")) is None
    assert read({"type": 1, "id": "1", "token": "t"}) == []
    assert read({"version": 1, "type": 0}) == []


def webhook_event(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    event = {"type": kind, "timestamp": "2026-01-05T00:00:00", "data": data}
    return {"version": 1, "application_id": BOT, "type": 1, "event": event}


def test_webhook_events() -> None:
    (added,) = read(webhook_event("APPLICATION_AUTHORIZED", {"user": AUTHOR, "scopes": []}))
    assert isinstance(added.content, Followed)
    assert added.thread == "user:7"
    (removed,) = read(webhook_event("APPLICATION_DEAUTHORIZED", {"user": AUTHOR}))
    assert isinstance(removed.content, Unfollowed)
    (other,) = read(webhook_event("ENTITLEMENT_CREATE", {"id": "4"}))
    assert other.content == Unsupported("ENTITLEMENT_CREATE")
    assert DISCORD.acknowledge(ACCOUNT, [added]).status == 204
    assert DISCORD.acknowledge(ACCOUNT, []).status == 204


def test_what_a_forwarder_passes_on_is_read_alike() -> None:
    raw = {"op": 0, "t": "MESSAGE_CREATE", "s": 4, "d": created()}
    wrapped = {"type": "GATEWAY_MESSAGE_CREATE", "timestamp": 1, "data": created()}
    assert read(raw) == read(wrapped) == [one("MESSAGE_CREATE", created())]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"", "body"), (b"[]", "body"), (b"{}", "type"), (b'{"type": "x"}', "type"), (b'{"type": true}', "type"),
        (b'{"type": "GATEWAY_X", "data": 1}', "data"), (b'{"type": 1, "event": 1}', "event"),
    ],
)  # fmt: skip
def test_what_discord_never_sends_is_malformed(body: bytes, where: str) -> None:
    with pytest.raises(Malformed, match=where):
        read(body)


@pytest.mark.parametrize("wrong", [None, 1, "x", [], {}, [1]])
def test_wrong_types_inside_are_no_error(wrong: Any) -> None:
    names = ("id", "content", "author", "mentions", "attachments", "timestamp", "message_reference", "type", "member",
             "channel_id", "edited_timestamp", "emoji", "ids", "message_snapshots")  # fmt: skip
    for name in names:
        for kind in ("MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE", "MESSAGE_REACTION_ADD"):
            assert dispatched(Dispatch(kind, created(**{name: wrong}), ME))
    for name in ("data", "member", "channel", "message", "id"):
        for number in (2, 3):
            assert read({**interaction(number, {"name": "x"}), name: wrong})


def signed(body: bytes, timestamp: str = "1000", key: Ed25519PrivateKey = KEY) -> Request:
    signature = key.sign(timestamp.encode() + body).hex()
    return posted(body, x_signature_timestamp=timestamp, x_signature_ed25519=signature)


def test_a_signed_request_passes() -> None:
    DISCORD.verify(ACCOUNT, signed("متن".encode()), 1200.0)


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (posted(b"{}"), "missing"),
        (posted(b"{}", x_signature_timestamp="1000"), "missing"),
        (posted(b"{}", x_signature_timestamp="1000", x_signature_ed25519="not hex"), "wrong"),
        (posted(b"{}", x_signature_timestamp="1000", x_signature_ed25519="00"), "wrong"),
        (posted(b"{}", x_signature_timestamp="1000", x_signature_ed25519="00" * 64), "wrong"),
        (signed(b"{}", key=Ed25519PrivateKey.from_private_bytes(b"x" * 32)), "wrong"),
        (signed(b"{}", timestamp="600"), "stale"),
    ],
)
def test_others_are_refused_with_the_reason(request_: Request, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        DISCORD.verify(ACCOUNT, request_, 1000.0)
    assert refused.value.reason == reason


def test_an_unset_key_refuses_everything_and_a_wrong_one_is_not_taken() -> None:
    unset = account(DiscordCredentials(application_id=BOT, public_key="", bot_token="t"))
    with pytest.raises(Refused):
        DISCORD.verify(unset, signed(b"{}"), 1000.0)
    with pytest.raises(ValidationError, match="public_key"):
        DiscordCredentials(application_id=BOT, public_key="abc", bot_token="t")


@pytest.mark.parametrize(
    ("markdown", "written"),
    [
        ("**b** *i* ~~s~~ `c*d`", "**b** *i* ~~s~~ `c*d`"),
        (r"2 \* 3, snake_case, a|b", r"2 \* 3, snake\_case, a\|b"),
        ("# Title\n\n- one\n- two", "**Title**\n\n- one\n- two"),
        ("[page](https://a.example/x_y)", "[page](<https://a.example/x_y>)"),
        ("see https://a.example/x_y_z now", "see https://a.example/x_y_z now"),
        ("```python\na_b = 1\n```", "```\na_b = 1\n```"),
    ],
)
def test_our_markdown_in_discords(markdown: str, written: str) -> None:
    assert render(markdown, STYLE) == written
