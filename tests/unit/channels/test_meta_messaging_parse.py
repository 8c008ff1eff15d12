"""Every kind of thing that Messenger and Instagram tell."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chatbot.channels.events import (
    Choice,
    Content,
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
from tests.unit.channels.meta_peer import of_instagram, of_messenger, told

AT = datetime(2026, 3, 8, 19, 27, 4, tzinfo=UTC)
PHOTO = "https://cdn.example/photo.jpg"


def attached(kind: str, payload: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"message": {"mid": "m1", "attachments": [{"type": kind, "payload": payload or {}, **more}]}}


def test_a_text_comes_with_its_sender_and_time() -> None:
    [event] = of_messenger(told({"message": {"mid": "m1", "text": "hello"}}))
    assert (event.content, event.sender, event.at) == (Message(text="hello"), Sender("customer-1"), AT)
    assert (event.id, event.thread, event.message_id, event.raw) == ("m1", "customer-1", "m1", {})


def test_all_events_of_all_entries_are_read_in_order() -> None:
    one, two = (told({"message": {"mid": f"m{n}", "text": "x"}})["entry"][0] for n in (1, 3))
    one["messaging"] += told({"message": {"mid": "m2", "text": "x"}})["entry"][0]["messaging"]
    events = of_messenger({"object": "page", "entry": [one, two]})
    assert [event.id for event in events] == ["m1", "m2", "m3"]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"message": {"mid": "m1", "text": "b", "reply_to": {"mid": "m0"}}}, Message(text="b", in_reply_to="m0")),
        (
            {"message": {"mid": "m1", "text": "Yes", "quick_reply": {"payload": "y"}}},
            Message(text="Yes", choice=Choice("y", "Yes")),
        ),
        (
            {"message": {"mid": "m1", "text": "/flight", "commands": [{"name": "flight"}]}},
            Message("/flight", command="flight"),
        ),
        ({"message": {"mid": "m1", "text": "x", "referral": {"source": "ADS"}}}, Message(text="x")),
        (attached("image", {"url": PHOTO}), Message(media=(Media("image", PHOTO),))),
        (attached("image", {"url": PHOTO, "sticker_id": 369239263222822}), Message(media=(Media("sticker", PHOTO),))),
        (attached("audio", {"url": PHOTO}), Message(media=(Media("audio", PHOTO),))),
        (attached("video", {"url": PHOTO}), Message(media=(Media("video", PHOTO),))),
        (attached("file", {"url": PHOTO, "name": "a.pdf"}), Message(media=(Media("document", PHOTO, name="a.pdf"),))),
        (attached("reel", {"url": PHOTO, "title": "Reel"}), Message(text="Reel", media=(Media("video", PHOTO),))),
        (
            attached("location", {"coordinates": {"lat": 35.7, "long": 51.4}}, title="Sara's place"),
            Message(location=Location(35.7, 51.4, "Sara's place")),
        ),
        (attached("fallback", title="A page", url="https://a.example"), Message(text="A page\nhttps://a.example")),
        (attached("share", {"url": "https://a.example"}), Message(text="https://a.example")),
        (attached("ig_post", {"url": "https://a.example", "title": "Post"}), Message(text="Post\nhttps://a.example")),
        (
            attached("template", {"product": {"elements": [{"title": "Tea", "subtitle": "$4", "id": "1"}]}}),
            Message(text="Tea\n$4"),
        ),
        (attached("template", {"generic": {"elements": [{"title": "Card"}]}}), Message(text="Card")),
        (attached("template", {"template_type": "button", "text": "Pick"}), Message(text="Pick")),
        ({"message": {"mid": "m1", "is_deleted": True}}, Deleted("m1")),
        ({"message_edit": {"mid": "m0", "text": "better", "num_edit": 1}}, Edited("m0", Message(text="better"))),
        ({"postback": {"mid": "m1", "title": "Start", "payload": "GO"}}, Message(choice=Choice("GO", "Start"))),
        ({"postback": {"title": "Start"}}, Message(choice=Choice("Start", "Start"))),
        ({"reaction": {"mid": "m0", "action": "react", "emoji": "❤", "reaction": "love"}}, Reaction("m0", "❤")),
        ({"reaction": {"mid": "m0", "action": "react", "reaction": "love"}}, Reaction("m0", "love")),
        ({"reaction": {"mid": "m0", "action": "unreact", "emoji": "❤"}}, Reaction("m0", None)),
        ({"optin": {"ref": "x"}}, Followed()),
        (
            {"optin": {"type": "notification_messages", "notification_messages_status": "STOP_NOTIFICATIONS"}},
            Unfollowed(),
        ),
    ],
)
def test_each_kind_has_its_form_on_both(event: dict[str, Any], expected: Content) -> None:
    for found in (of_messenger(told(event)), of_instagram(told(event, about="instagram"))):
        assert [one.content for one in found] == [expected]
        assert (found[0].thread, found[0].sender) == ("customer-1", Sender("customer-1"))


def test_stories_that_are_answered_or_that_mention_us_come_along() -> None:
    story = {"id": "s1", "url": "https://cdn.example/story"}
    [answer] = of_instagram(told({"message": {"mid": "m1", "text": "wow", "reply_to": {"story": story}}}, "instagram"))
    assert answer.content == Message(text="wow", media=(Media("image", story["url"], name="story"),))
    [mention] = of_instagram(told(attached("story_mention", {"url": story["url"]}), "instagram"))
    assert mention.content == Message(media=(Media("image", story["url"]),))


@pytest.mark.parametrize(
    ("event", "name"),
    [
        ({"message": {"mid": "m1", "is_unsupported": True}}, "message.unsupported"),
        ({"message": {"mid": "m1"}}, "message"),
        ({"message": {"mid": "m1", "attachments": [{"type": "image"}]}}, "message.image"),
        ({"message": {"mid": "m1", "attachments": [{"type": "appointment", "payload": {}}]}}, "message.appointment"),
        ({"message": {"mid": "m1", "attachments": [{"type": "location", "payload": {}}]}}, "message.location"),
        ({"message": "not an object"}, "message"),
        ({"message": {"is_deleted": True}}, "message.deleted"),
        ({"message_edit": {"mid": "m1", "num_edit": 0}}, "message_edit"),
        ({"reaction": {"emoji": "❤"}}, "reaction"),
        ({"postback": {}}, "postback"),
        ({"read": {}}, "read"),
        ({"referral": {"ref": "x", "source": "SHORTLINK"}}, "referral"),
        ({"account_linking": {"status": "linked"}}, "account_linking"),
        ({"pass_thread_control": {"new_owner_app_id": "1"}}, "pass_thread_control"),
        ({"policy_enforcement": {"action": "block"}}, "policy_enforcement"),
        ({"something_new": {"a": 1}}, "something_new"),
        ({}, "event"),
    ],
)
def test_what_has_no_form_is_named_and_kept(event: dict[str, Any], name: str) -> None:
    [found] = of_messenger(told(event))
    assert found.content == Unsupported(name)
    assert found.raw.items() >= event.items()
    assert found.id == of_messenger(told(event))[0].id


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"delivery": {"mids": ["m8", "m9"], "watermark": 1772998024000}}, Receipt("delivered", ("m8", "m9"))),
        ({"delivery": {"watermark": 1772998024000}}, Receipt("delivered", before=AT)),
        ({"read": {"watermark": 1772998024000}}, Receipt("read", before=AT)),
        ({"read": {"mid": "m9"}}, Receipt("read", ("m9",))),
    ],
)
def test_receipts_name_messages_or_a_watermark(event: dict[str, Any], expected: Receipt) -> None:
    [found] = of_messenger(told(event))
    assert (found.content, found.thread, found.sender) == (expected, "customer-1", None)


def test_what_the_account_itself_wrote_is_an_echo_in_the_customers_thread() -> None:
    ours = {"sender": {"id": "page-1"}, "recipient": {"id": "customer-1"}}
    message = {"mid": "m1", "text": "hello", "is_echo": True, "app_id": 7}
    for found in (
        of_messenger(told({**ours, "message": message})),
        of_instagram(told({**ours, "message": message}, "instagram")),
    ):
        assert found[0].content == Echo(Message(text="hello"), "m1")
        assert (found[0].id, found[0].thread, found[0].sender) == ("echo:m1", "customer-1", None)
    [reacted] = of_messenger(told({**ours, "reaction": {"mid": "m0", "action": "react", "emoji": "❤"}}))
    assert (reacted.content, reacted.thread) == (Unsupported("echo.reaction"), "customer-1")


def test_while_another_app_holds_the_thread_only_receipts_and_echoes_count() -> None:
    [message] = of_messenger(told({"message": {"mid": "m1", "text": "for them"}}, key="standby"))
    assert (message.content, message.id, message.thread) == (Unsupported("standby.message"), "standby:m1", "customer-1")
    assert message.raw["message"]["text"] == "for them"
    [receipt] = of_messenger(told({"read": {"watermark": 1772998024000}}, key="standby"))
    assert isinstance(receipt.content, Receipt)
    ours = {"sender": {"id": "page-1"}, "recipient": {"id": "customer-1"}, "message": {"mid": "m2", "text": "theirs"}}
    [echo] = of_messenger(told(ours, key="standby"))
    assert isinstance(echo.content, Echo)


def test_a_message_may_come_as_a_change_and_comments_are_kept() -> None:
    value = {
        "sender": {"id": "12334"},
        "recipient": {"id": "23245"},
        "timestamp": "1527459824",
        "message": {"mid": "random_mid", "text": "random_text"},
    }
    changes = [{"field": "messages", "value": value}, {"field": "comments", "value": {"id": "c1", "text": "nice"}}]
    events = of_instagram({"object": "instagram", "entry": [{"id": "0", "time": 1, "changes": changes}]})
    assert [event.content for event in events] == [Message(text="random_text"), Unsupported("comments")]
    assert events[0].at == datetime(2018, 5, 27, 22, 23, 44, tzinfo=UTC)
    assert events[1].raw == changes[1]


def test_iso_times_are_read() -> None:
    [event] = of_instagram(
        told({"timestamp": "2021-09-08T06:34:04+0000", "message": {"mid": "m", "text": "x"}}, "instagram")
    )
    assert event.at == datetime(2021, 9, 8, 6, 34, 4, tzinfo=UTC)


def test_an_event_without_a_customer_is_kept() -> None:
    [event] = of_messenger(told({"sender": {}, "message_edit": {"mid": "m1", "text": "x", "num_edit": 2}}))
    assert (event.content, event.thread, event.sender) == (Unsupported("message_edit"), "page-1", None)
    assert event.raw["message_edit"]["mid"] == "m1"


def test_ids_tell_repeats_from_news() -> None:
    def ids(*events: dict[str, Any]) -> set[str]:
        return {of_messenger(told(event))[0].id for event in events}

    react = {"reaction": {"mid": "m0", "action": "react", "emoji": "❤"}}
    later = {**react, "timestamp": 1772998099000}
    assert len(ids(react, react)) == 1
    assert len(ids(react, later, {"reaction": {"mid": "m0", "action": "unreact", "emoji": "❤"}})) == 3
    edits = [{"message_edit": {"mid": "m0", "text": "x", "num_edit": n}} for n in (1, 2, 2)]
    assert (
        len(ids({"message": {"mid": "m0", "text": "a"}}, {"message": {"mid": "m0", "is_deleted": True}}, *edits)) == 4
    )
    pressed = {"postback": {"title": "A", "payload": "a"}}
    assert len(ids(pressed, pressed, {**pressed, "timestamp": 1772998099000})) == 2
