"""What customers of Telegram and Bale can send, and how a webhook is proven."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from chatbot.channels.contract import Malformed, Refused
from chatbot.channels.events import (
    Choice,
    Contact,
    Deleted,
    Echo,
    Edited,
    Followed,
    InboundEvent,
    Location,
    Media,
    Message,
    Reaction,
    Sender,
    Unfollowed,
    Unsupported,
)
from chatbot.channels.providers.telegram import BALE, TELEGRAM
from tests.unit.channels.telegram_peer import SECRET, account, posted

SARA = {"id": 77, "is_bot": False, "first_name": "Sara", "last_name": "K", "username": "sara", "language_code": "fa"}
PRIVATE = {"id": 77, "type": "private", "first_name": "Sara"}
GROUP = {"id": -100500, "type": "supergroup", "title": "Club"}


def message(**more: Any) -> dict[str, Any]:
    return {"message_id": 9, "date": 1_767_224_888, "chat": PRIVATE, "from": SARA, **more}


def parse(**update: Any) -> list[InboundEvent]:
    return TELEGRAM.parse(account(), posted(orjson.dumps({"update_id": 5001, **update})))


def one(**update: Any) -> InboundEvent:
    (event,) = parse(**update)
    return event


def said(**more: Any) -> Any:
    return one(message=message(**more)).content


def test_a_text_and_who_wrote_it() -> None:
    event = one(message=message(text="سلام 👋"))
    assert event.content == Message(text="سلام 👋")
    assert (event.id, event.thread, event.message_id) == ("5001", "77", "9")
    assert event.sender == Sender("77", "Sara K", "sara", "fa")
    assert event.at == datetime.fromtimestamp(1_767_224_888, UTC)
    assert event.context == {"message_id": 9}
    assert event.raw == {}


@pytest.mark.parametrize(
    ("text", "command"),
    [("/start", "start"), ("/start ref_42", "start"), ("/help@acme_bot now", "help"), ("a /start", None), ("/", None)],
)
def test_commands(text: str, command: str | None) -> None:
    assert said(text=text) == Message(text=text, command=command)


@pytest.mark.parametrize(
    ("name", "file", "media"),
    [
        (
            "voice",
            {"file_id": "v", "mime_type": "audio/ogg", "file_size": 3},
            Media("voice", "v", "audio/ogg", None, 3),
        ),
        ("audio", {"file_id": "a", "file_name": "a.mp3"}, Media("audio", "a", None, "a.mp3")),
        ("video", {"file_id": "c"}, Media("video", "c")),
        ("video_note", {"file_id": "n"}, Media("video", "n")),
        ("animation", {"file_id": "g", "mime_type": "video/mp4"}, Media("video", "g", "video/mp4")),
        ("document", {"file_id": "d", "file_name": "a.pdf"}, Media("document", "d", None, "a.pdf")),
        ("sticker", {"file_id": "s", "emoji": "😡"}, Media("sticker", "s")),
    ],
)
def test_files(name: str, file: dict[str, Any], media: Media) -> None:
    assert said(**{name: file}, caption="see") == Message(text="see", media=(media,))


def test_an_animation_counts_once() -> None:
    assert said(document={"file_id": "g"}, animation={"file_id": "g"}).media == (Media("video", "g"),)


def test_a_photo_in_its_largest_size() -> None:
    sizes = [
        {"file_id": "big", "width": 800, "height": 600, "file_size": 9},
        {"file_id": "small", "width": 90, "height": 60, "file_size": 1},
    ]
    assert said(photo=sizes, caption="look").media == (Media("image", "big", "image/jpeg", None, 9),)


def test_places_cards_and_dice() -> None:
    place = {"latitude": 35.7, "longitude": 51.4}
    assert said(location=place).location == Location(35.7, 51.4)
    venue = {"location": place, "title": "Café", "address": "1 Main St"}
    assert said(venue=venue, location=place).location == Location(35.7, 51.4, "Café", "1 Main St")
    card = {"phone_number": "+98912", "first_name": "Ali", "last_name": "R"}
    assert said(contact=card).contacts == (Contact("Ali R", ("+98912",)),)
    assert said(dice={"emoji": "🎲", "value": 4}) == Message(text="🎲 4")


def test_an_answer_names_what_it_answers() -> None:
    assert said(text="yes", reply_to_message=message(text="well?")).in_reply_to == "9"
    opened = {**message(), "forum_topic_created": {"name": "Help"}}
    assert said(text="yes", reply_to_message=opened).in_reply_to is None


@pytest.mark.parametrize(
    "kind",
    [
        "new_chat_members",
        "pinned_message",
        "poll",
        "story",
        "checklist",
        "game",
        "invoice",
        "paid_media",
        "gift",
        "web_app_data",
    ],
)
def test_what_has_no_form_is_named_and_kept(kind: str) -> None:
    event = one(message=message(**{kind: {"a": 1}}))
    assert event.content == Unsupported(f"message.{kind}")
    assert event.raw["message"][kind] == {"a": 1}


def test_edits() -> None:
    event = one(edited_message=message(text="better", edit_date=1_767_224_999))
    assert event.content == Edited("9", Message(text="better"))
    assert event.at == datetime.fromtimestamp(1_767_224_999, UTC)


def test_posts_of_a_channel_are_the_channels() -> None:
    channel = {"id": -1009, "type": "channel", "title": "News", "username": "news"}
    post = {"message_id": 3, "date": 1, "chat": channel, "sender_chat": channel, "text": "hi"}
    event = one(channel_post=post)
    assert (event.content, event.sender, event.thread) == (Message(text="hi"), Sender("-1009", "News", "news"), "-1009")
    assert one(edited_channel_post=post).content == Edited("3", Message(text="hi"))


def test_topics_are_threads_of_their_own() -> None:
    forum = {"text": "x", "chat": {**GROUP, "is_forum": True}, "message_thread_id": 4}
    assert one(message=message(**forum, is_topic_message=True)).thread == "-100500/4"
    assert one(message=message(**forum)).thread == "-100500"
    direct = {"text": "x", "chat": GROUP, "direct_messages_topic": {"topic_id": 12}}
    assert one(message=message(**direct)).thread == "-100500~12"


def test_a_pressed_button() -> None:
    keyboard = {"inline_keyboard": [[{"text": "No", "callback_data": "n"}, {"text": "Yes", "callback_data": "y"}]]}
    query = {"id": "q1", "from": SARA, "data": "y", "message": message(chat=GROUP, text="ok?", reply_markup=keyboard)}
    event = one(callback_query=query)
    assert event.content == Message(choice=Choice("y", "Yes"))
    assert (event.thread, event.message_id, event.context) == ("-100500", "9", {"callback_id": "q1"})


def test_a_button_under_a_message_that_is_gone() -> None:
    assert one(callback_query={"id": "q", "from": SARA, "data": "y"}).thread == "77"
    assert one(callback_query={"id": "q", "from": SARA, "game_short_name": "g"}).content == Unsupported(
        "callback_query"
    )


@pytest.mark.parametrize(
    ("old", "new", "emoji"),
    [
        ([], [{"type": "emoji", "emoji": "👍"}], "👍"),
        ([{"type": "emoji", "emoji": "👍"}], [], None),
        (
            [{"type": "emoji", "emoji": "👍"}],
            [{"type": "emoji", "emoji": "👍"}, {"type": "emoji", "emoji": "🔥"}],
            "🔥",
        ),
        ([], [{"type": "paid"}], "⭐"),
        ([], [{"type": "custom_emoji", "custom_emoji_id": "88"}], "88"),
    ],
)
def test_reactions(old: list[Any], new: list[Any], emoji: str | None) -> None:
    found = {"chat": GROUP, "message_id": 35, "user": SARA, "date": 1, "old_reaction": old, "new_reaction": new}
    event = one(message_reaction=found)
    assert (event.content, event.thread) == (Reaction("35", emoji), "-100500")


@pytest.mark.parametrize(
    ("before", "after", "content"),
    [
        ({"status": "member"}, {"status": "kicked"}, Unfollowed()),
        ({"status": "kicked"}, {"status": "member"}, Followed()),
        ({"status": "left"}, {"status": "administrator"}, Followed()),
        ({"status": "member"}, {"status": "restricted", "is_member": False}, Unfollowed()),
        ({"status": "member"}, {"status": "administrator"}, Unsupported("my_chat_member")),
    ],
)
def test_the_bot_is_blocked_or_added(before: dict[str, Any], after: dict[str, Any], content: Any) -> None:
    found = {"chat": PRIVATE, "from": SARA, "date": 1, "old_chat_member": before, "new_chat_member": after}
    event = one(my_chat_member=found)
    assert (event.content, event.sender and event.sender.id) == (content, "77")


def test_business_messages() -> None:
    mine = {"text": "hi", "business_connection_id": "Biz_1"}
    event = one(business_message=message(**mine))
    assert (event.content, event.thread) == (Message(text="hi"), "77@Biz_1")
    owner = one(business_message=message(**mine, **{"from": {**SARA, "id": 1}}))
    assert owner.content == Echo(Message(text="hi"), "9")
    gone = {"business_connection_id": "Biz_1", "chat": PRIVATE, "message_ids": [9, 10]}
    events = parse(deleted_business_messages=gone)
    assert [(event.id, event.content) for event in events] == [("5001.9", Deleted("9")), ("5001.10", Deleted("10"))]


def test_own_messages_are_echoes_and_machines_are_not_answered() -> None:
    own = {"id": 123456, "is_bot": True, "first_name": "Acme"}
    assert one(message=message(text="x", **{"from": own})).content == Echo(Message(text="x"), "9")
    other = {"id": 5, "is_bot": True, "first_name": "Other"}
    assert one(message=message(text="x", **{"from": other})).content == Unsupported("message.of_a_bot")
    anonymous = message(text="x", chat=GROUP, **{"from": other}, sender_chat=GROUP)
    assert one(message=anonymous).content == Message(text="x")
    assert said(text="x", is_automatic_forward=True) == Unsupported("message.automatic_forward")


@pytest.mark.parametrize(
    "name", ["inline_query", "poll", "chat_member", "message_reaction_count", "purchased_paid_media", "of_next_year"]
)
def test_other_updates_are_named_and_kept(name: str) -> None:
    event = one(**{name: {"from": SARA, "x": 1}})
    assert (event.content, event.thread, event.raw[name]["x"]) == (Unsupported(name), "77", 1)
    assert one(**{name: {}}).thread == ""


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"{", "not JSON"),
        (b"[]", "must be a JSON object"),
        (b"\xff", "not JSON"),
        (b"{}", "update_id"),
        (b'{"update_id":"7"}', "update_id"),
        (b'{"update_id":7,"message":"hi"}', "message"),
    ],
)
def test_a_body_that_is_none_of_the_providers(body: bytes, where: str) -> None:
    with pytest.raises(Malformed, match=where):
        TELEGRAM.parse(account(), posted(body))


@pytest.mark.parametrize(
    "broken",
    [
        {"chat": "x"}, {"chat": {"id": "x"}}, {"message_id": "9"}, {"from": 3}, {"date": "soon"}, {"date": 10**18},
        {"photo": [1]}, {"photo": "x"}, {"contact": 4}, {"location": {"latitude": "a"}}, {"reply_to_message": []},
        {"document": {"file_id": 4}}, {"text": 4},
    ],
)  # fmt: skip
def test_odd_fields_are_no_exception(broken: dict[str, Any]) -> None:
    assert len(parse(message={**message(text="hi"), **broken})) == 1


def test_telegram_proves_itself_by_a_header() -> None:
    name = "x-telegram-bot-api-secret-token"
    TELEGRAM.verify(account(), posted(b"{}", {name: SECRET}), 0)
    for headers, secret, reason in [
        ({}, SECRET, "missing"),
        ({name: "x"}, SECRET, "wrong"),
        ({name: "x"}, "", "wrong"),
    ]:
        with pytest.raises(Refused) as refused:
            TELEGRAM.verify(account(secret=secret), posted(b"{}", headers), 0)
        assert refused.value.reason == reason
    with pytest.raises(Refused):
        TELEGRAM.verify(account(), posted(b"{}", token=SECRET), 0)


def test_bale_proves_itself_by_the_path() -> None:
    BALE.verify(account(bale=True), posted(b"{}", token=SECRET), 0)
    for token, secret, reason in [("", SECRET, "missing"), ("x", SECRET, "wrong"), ("x", "", "wrong")]:
        with pytest.raises(Refused) as refused:
            BALE.verify(account(bale=True, secret=secret), posted(b"{}", token=token), 0)
        assert refused.value.reason == reason


def test_the_answer_to_a_webhook_names_no_method_but_for_a_button() -> None:
    text = one(message=message(text='{"method":"sendMessage"}'))
    assert TELEGRAM.acknowledge(account(), [text]).body == b""
    button = one(callback_query={"id": "q1", "from": SARA, "data": '{"method":"sendMessage"}'})
    answer = TELEGRAM.acknowledge(account(), [button])
    assert orjson.loads(answer.body) == {"method": "answerCallbackQuery", "callback_query_id": "q1"}
    assert answer.content_type == "application/json"
    assert BALE.acknowledge(account(bale=True), [button]).body == b""
