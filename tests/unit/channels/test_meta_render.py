"""Messages in the forms of WhatsApp, Messenger and Instagram, within their limits."""

from typing import Any

import pytest

from chatbot.channels.contract import Call
from chatbot.channels.outgoing import Button, Outgoing, OutgoingMedia, Source
from chatbot.channels.providers.meta import INSTAGRAM, MESSENGER, WHATSAPP
from tests.unit.channels.meta_peer import NUMBER, TOKEN, instagram, messenger, whatsapp

SENTENCE = "Returns are possible within thirty days after the parcel arrived. "
CONTEXT = {"message_id": "wamid.in1", "phone_number_id": NUMBER, "to": "989121234567"}


def on_whatsapp(text: str = "", **given: Any) -> list[Call]:
    return WHATSAPP.render(whatsapp(), Outgoing("IR.1001", text, **{"context": CONTEXT, **given}))


def on_messenger(text: str = "", **given: Any) -> list[Call]:
    return MESSENGER.render(messenger(), Outgoing("customer-1", text, **given))


def on_instagram(text: str = "", **given: Any) -> list[Call]:
    return INSTAGRAM.render(instagram(), Outgoing("customer-1", text, **given))


def choices(count: int) -> tuple[Button, ...]:
    return tuple(Button(f"Choice {n}", f"id-{n}") for n in range(1, count + 1))


def test_a_text_in_whatsapps_marks() -> None:
    [call] = on_whatsapp(
        "**Hours:** 9 to 5, see [page](https://a.example)", sources=(Source(1, "Shop", "https://s.example"),)
    )
    assert call.action == "messages"
    assert call.body == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "989121234567",
        "type": "text",
        "text": {
            "body": "*Hours:* 9 to 5, see page (https://a.example)\n\n[1] Shop (https://s.example)",
            "preview_url": False,
        },
    }
    assert TOKEN not in str(call)


@pytest.mark.parametrize(
    ("thread", "context", "expected"),
    [
        ("IR.1001", {}, {"recipient_type": "individual", "recipient": "IR.1001"}),
        ("IR.1001", {"to": "98912"}, {"recipient_type": "individual", "to": "98912"}),
        ("98912", {}, {"recipient_type": "individual", "to": "98912"}),
        ("group-7", {"group": "group-7", "to": "98912"}, {"recipient_type": "group", "to": "group-7"}),
    ],
)
def test_the_recipient_is_a_number_while_there_is_one(
    thread: str, context: dict[str, str], expected: dict[str, str]
) -> None:
    [call] = WHATSAPP.render(whatsapp(), Outgoing(thread, "hi", context=context))
    assert call.body.items() >= expected.items()
    assert ("to" in call.body) != ("recipient" in call.body)


def test_a_reply_leaves_from_the_number_that_was_written_to() -> None:
    [call] = on_whatsapp("hi", context={"phone_number_id": "999"})
    assert call.action == "999/messages"


@pytest.mark.parametrize("text", [SENTENCE * 150, "سلام! این یک پاسخ بلند است. " * 400, "🙂" * 3000])
def test_long_replies_are_cut_and_nothing_is_lost(text: str) -> None:
    for calls, size in (
        (on_whatsapp(text), lambda body: len(body["text"]["body"].encode("utf-16-le")) // 2 <= 4096),
        (on_messenger(text), lambda body: len(body["message"]["text"].encode("utf-16-le")) // 2 <= 2000),
        (on_instagram(text), lambda body: len(body["message"]["text"].encode()) <= 1000),
    ):
        assert len(calls) > 1
        assert all(size(call.body) for call in calls)
        said = [call.body["text"]["body"] if "text" in call.body else call.body["message"]["text"] for call in calls]
        assert "".join("".join(said).split()) == "".join(text.split())


def test_cuts_are_at_sentences() -> None:
    assert all(call.body["message"]["text"].endswith(".") for call in on_instagram(SENTENCE * 40))


def test_up_to_three_choices_are_reply_buttons() -> None:
    [call] = on_whatsapp("Which?", buttons=(Button("A title that is much too long", "a"), Button("B", "b")))
    assert call.body["interactive"] == {
        "type": "button",
        "body": {"text": "Which?"},
        "action": {
            "buttons": [
                {"type": "reply", "reply": {"id": "a", "title": "A title that is muc…"}},
                {"type": "reply", "reply": {"id": "b", "title": "B"}},
            ]
        },
    }


def test_up_to_ten_choices_are_a_list() -> None:
    buttons = (Button("A title longer than a row's title", "a"), *choices(9))
    [call] = on_whatsapp("Which?", buttons=buttons, language="fa-IR")
    action = call.body["interactive"]["action"]
    assert (call.body["interactive"]["type"], action["button"]) == ("list", "انتخاب")
    rows = action["sections"][0]["rows"]
    assert len(rows) == 10
    assert rows[0] == {
        "id": "a",
        "title": "A title longer than a r…",
        "description": "A title longer than a row's title",
    }
    assert rows[1] == {"id": "id-1", "title": "Choice 1"}


@pytest.mark.parametrize(
    "buttons",
    [
        choices(11),
        (Button("Same", "a"), Button("Same", "b")),
        (Button("A", "same"), Button("B", "same")),
        (Button("The same beginning of one", "a"), Button("The same beginning of two", "b")),
        (Button("A", "x" * 201), Button("B", "b")),
    ],
)
def test_choices_that_whatsapp_would_refuse_become_a_numbered_list(buttons: tuple[Button, ...]) -> None:
    [call] = on_whatsapp("Which?", buttons=buttons)
    assert call.body["type"] == "text"
    assert call.body["text"]["body"].startswith(f"Which?\n\n1. {buttons[0].title}\n2. {buttons[1].title}")


def test_one_link_is_a_button_and_several_are_written_out() -> None:
    [call] = on_whatsapp("See", buttons=(Button("Open", url="https://a.example"),))
    assert call.body["interactive"]["type"] == "cta_url"
    assert call.body["interactive"]["action"]["parameters"] == {"display_text": "Open", "url": "https://a.example"}
    [call] = on_whatsapp("See", buttons=(Button("Open", url="https://a.example"), Button("Yes", "y")))
    assert call.body["interactive"]["body"]["text"] == "See\n\nOpen (https://a.example)"
    assert [one["reply"]["id"] for one in call.body["interactive"]["action"]["buttons"]] == ["y"]


def test_buttons_come_with_the_last_words_within_their_own_limit() -> None:
    calls = on_whatsapp(SENTENCE * 20, buttons=choices(2))
    assert [call.body["type"] for call in calls] == ["text", "interactive"]
    assert len(calls[-1].body["interactive"]["body"]["text"]) <= 1024
    [bare] = on_whatsapp("", buttons=choices(1))
    assert bare.body["interactive"]["body"]["text"] == "…"


def test_files_go_by_link_before_the_words() -> None:
    media = (
        OutgoingMedia("image", "https://a.example/p.png"),
        OutgoingMedia("document", "https://a.example/d.pdf", "d.pdf"),
        OutgoingMedia("audio", "https://a.example/s.mp3"),
    )
    photo, document, sound, words = on_whatsapp("Here", media=media)
    assert photo.body["image"] == {"link": "https://a.example/p.png"}
    assert document.body["document"] == {"link": "https://a.example/d.pdf", "filename": "d.pdf"}
    assert (sound.body["type"], words.body["text"]["body"]) == ("audio", "Here")


def test_nothing_to_say_is_no_call() -> None:
    assert on_whatsapp("") == on_messenger("") == on_instagram("") == []


def test_messenger_texts_are_plain_and_answers() -> None:
    [call] = on_messenger("**Hours:** 9 to 5", buttons=choices(3))
    assert call == Call(
        "messages",
        {
            "recipient": {"id": "customer-1"},
            "messaging_type": "RESPONSE",
            "message": {
                "text": "Hours: 9 to 5",
                "quick_replies": [
                    {"content_type": "text", "title": f"Choice {n}", "payload": f"id-{n}"} for n in (1, 2, 3)
                ],
            },
        },
    )


def test_thirteen_quick_replies_are_the_most() -> None:
    assert len(on_instagram("?", buttons=choices(13))[0].body["message"]["quick_replies"]) == 13
    assert "14. Choice 14" in on_instagram("?", buttons=choices(14))[0].body["message"]["text"]


def test_links_are_buttons_of_a_template_or_written_out() -> None:
    link = Button("Open the page", url="https://a.example")
    [call] = on_messenger("See", buttons=(link, Button("Yes", "y")))
    payload = call.body["message"]["attachment"]["payload"]
    assert (payload["template_type"], payload["text"]) == ("button", "See")
    assert payload["buttons"] == [
        {"type": "web_url", "title": "Open the page", "url": "https://a.example"},
        {"type": "postback", "title": "Yes", "payload": "y"},
    ]
    first, last = on_messenger(SENTENCE * 15, buttons=(link,))
    assert "text" in first.body["message"]
    assert len(last.body["message"]["attachment"]["payload"]["text"]) <= 640
    [written] = on_messenger("See", buttons=(link, *choices(3)))
    assert written.body["message"]["text"] == "See\n\nOpen the page (https://a.example)"
    assert len(written.body["message"]["quick_replies"]) == 3


def test_instagram_writes_documents_out() -> None:
    media = (
        OutgoingMedia("image", "https://a.example/p.png"),
        OutgoingMedia("document", "https://a.example/d", "Plan"),
    )
    photo, words = on_instagram("Here", media=media)
    assert photo.body["message"]["attachment"]["payload"]["url"] == "https://a.example/p.png"
    assert words.body["message"]["text"] == "Here\n\nPlan (https://a.example/d)"
    kinds = [call.body["message"].get("attachment", {}).get("type") for call in on_messenger("Here", media=media)]
    assert kinds == ["image", "file", None]


def test_only_a_person_with_the_permission_writes_as_human_agent() -> None:
    account = messenger(human_agent=True)
    [person] = MESSENGER.render(account, Outgoing("c", "hi", by_person=True))
    [machine] = MESSENGER.render(account, Outgoing("c", "hi"))
    [without] = on_messenger("hi", by_person=True)
    assert (person.body["messaging_type"], person.body["tag"]) == ("MESSAGE_TAG", "HUMAN_AGENT")
    assert [machine.body["messaging_type"], without.body["messaging_type"]] == ["RESPONSE", "RESPONSE"]
