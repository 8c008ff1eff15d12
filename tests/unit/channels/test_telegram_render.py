"""Messages as calls of the Bot API: pieces, marks, buttons, files, threads."""

from typing import Any

import pytest
from pydantic import ValidationError

from chatbot.channels.contract import Call
from chatbot.channels.outgoing import Button, Outgoing, OutgoingMedia, Source
from chatbot.channels.pieces import length
from chatbot.channels.providers.telegram import BALE, TELEGRAM
from chatbot.channels.providers.telegram.credentials import BaleCredentials, TelegramCredentials
from chatbot.channels.providers.telegram.threads import Thread
from tests.unit.channels.telegram_peer import account

QUIET = {"is_disabled": True}


def render(text: str = "", thread: str = "77", **more: Any) -> list[Call]:
    return TELEGRAM.render(account(), Outgoing(thread, text, **more))


def bale(text: str = "", thread: str = "77", **more: Any) -> list[Call]:
    return BALE.render(account(bale=True), Outgoing(thread, text, **more))


def test_marks_are_html_and_links_are_not_fetched() -> None:
    (call,) = render("**Yes** <b>&</b> [terms](https://a.example/?x=1&y=2)")
    assert call == Call(
        "sendMessage",
        {
            "chat_id": 77,
            "text": '<b>Yes</b> &lt;b&gt;&amp;&lt;/b&gt; <a href="https://a.example/?x=1&amp;y=2">terms</a>',
            "parse_mode": "HTML",
            "link_preview_options": QUIET,
        },
    )


def test_bale_has_marks_of_its_own() -> None:
    (call,) = bale("**Yes**, *maybe* `code` [terms](https://a.example)")
    assert call.body == {"chat_id": 77, "text": "*Yes*, _maybe_ code [terms](https://a.example)"}


def test_long_answers_are_cut_at_sentences_within_the_limit() -> None:
    sentence = "پاسخ شما آماده است 😀 & more. "
    calls = render(sentence * 400)
    assert len(calls) > 2
    assert all(0 < length(call.body["text"], "utf16") <= 4096 and call.body["text"].endswith(".") for call in calls)
    assert " ".join(call.body["text"] for call in calls).replace("&amp;", "&") == (sentence * 400).strip()


def test_sources_stand_below_the_text() -> None:
    (call,) = render("Seven days [1].", sources=(Source(1, "Returns", "https://a.example/r"),))
    assert call.body["text"] == 'Seven days [1].\n\n[1] <a href="https://a.example/r">Returns</a>'


def test_buttons_stand_under_the_last_piece() -> None:
    calls = render("word. " * 1000, buttons=(Button("Yes", "y"), Button("Terms", url="https://a.example")))
    assert "reply_markup" not in calls[0].body
    assert calls[-1].body["reply_markup"] == {
        "inline_keyboard": [
            [{"text": "Yes", "callback_data": "y"}],
            [{"text": "Terms", "url": "https://a.example"}],
        ]
    }


def test_a_long_title_is_cut() -> None:
    (call,) = render("Which?", buttons=(Button("t" * 100, "y"),))
    title = call.body["reply_markup"]["inline_keyboard"][0][0]["text"]
    assert (len(title), title[-1]) == (64, "…")


@pytest.mark.parametrize(
    "buttons",
    [
        (Button("Yes", "ب" * 33), Button("No", "n")),
        (Button("Yes", ""),),
        (Button("Mail", url="mailto:a@b.example"),),
        tuple(Button(str(n), str(n)) for n in range(101)),
    ],
)
def test_buttons_that_do_not_fit_become_a_list(buttons: tuple[Button, ...]) -> None:
    (call,) = render("Which?", buttons=buttons)
    assert "reply_markup" not in call.body
    assert f"1. {buttons[0].title}" in call.body["text"]


def test_a_short_text_is_the_caption_of_a_single_file() -> None:
    photo = OutgoingMedia("image", "https://a.example/p.jpg")
    assert render("*Look*", media=(photo,)) == [
        Call("sendPhoto", {"chat_id": 77, "photo": photo.url, "caption": "<i>Look</i>", "parse_mode": "HTML"})
    ]
    long = render("l" * 1025, media=(photo,), buttons=(Button("Yes", "y"),))
    assert [call.action for call in long] == ["sendPhoto", "sendMessage"]
    assert "caption" not in long[0].body
    assert "reply_markup" in long[1].body
    assert [call.action for call in bale("l" * 201, media=(photo,))] == ["sendPhoto", "sendMessage"]


def test_every_kind_of_file() -> None:
    kinds = ("image", "audio", "video", "document")
    calls = render("", media=tuple(OutgoingMedia(kind, f"https://a.example/{kind}") for kind in kinds))
    assert [call.action for call in calls] == ["sendPhoto", "sendAudio", "sendVideo", "sendDocument"]


def test_nothing_to_say_is_no_call() -> None:
    assert render("") == []


def test_threads_lead_back_to_where_they_came_from() -> None:
    assert render("x", "-100500/4")[0].body["message_thread_id"] == 4
    assert render("x", "-100500~12")[0].body["direct_messages_topic_id"] == 12
    assert render("x", "77@Biz_1")[0].body["business_connection_id"] == "Biz_1"
    for key in ("77", "-100500", "-100500/4", "-100500~12", "77@Biz_1", "-5/4@B-2"):
        assert Thread.of(key).key == key
    for key in ("", "x", "7 7", "77/", "77@", "٧٧"):
        with pytest.raises(ValueError, match="key of a chat"):
            Thread.of(key)


def test_groups_are_quoted_private_chats_are_not() -> None:
    context = {"message_id": 9}
    quoted = render("x. " * 2000, "-100500", context=context)
    assert quoted[0].body["reply_parameters"] == {"message_id": 9, "allow_sending_without_reply": True}
    assert "reply_parameters" not in quoted[1].body
    assert bale("x", "-5", context=context)[0].body["reply_to_message_id"] == 9
    assert "reply_parameters" not in render("x", "77", context=context)[0].body


def test_the_final_text_takes_the_drafts_place() -> None:
    calls = render("word. " * 1000, "-100500/4", replaces="31@1767000000.000", context={"message_id": 9})
    assert [call.action for call in calls] == ["editMessageText", "sendMessage"]
    assert set(calls[0].body) == {"chat_id", "message_id", "text", "parse_mode", "link_preview_options"}
    assert calls[0].body["message_id"] == 31
    assert calls[1].body["message_thread_id"] == 4
    with_file = render("x", replaces="31@1", media=(OutgoingMedia("image", "https://a.example/p"),))
    assert [call.action for call in with_file] == ["editMessageText", "sendPhoto"]


@pytest.mark.parametrize("token", ["", "123456", "123456:", "x:abc", "1:a/b", "1:a b", "١:abc", f"1:{'a' * 200}"])
def test_a_token_that_is_none_is_refused_by_name(token: str) -> None:
    with pytest.raises(ValidationError, match="bot_token"):
        TelegramCredentials.model_validate({"bot_token": token})


@pytest.mark.parametrize(
    "url", ["api.telegram.org", "https://a.example/", "https://a.example?x", "ftp://a.example", "https://a.example/#"]
)
def test_an_address_that_no_method_can_be_added_to_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="api_url"):
        BaleCredentials.model_validate({"bot_token": "1:a", "api_url": url})


def test_each_has_its_own_address_and_ways() -> None:
    assert TelegramCredentials.model_validate({"bot_token": "1:a"}).api_url == "https://api.telegram.org"
    assert BaleCredentials.model_validate({"bot_token": "1:a"}).api_url == "https://tapi.bale.ai"
    assert not TELEGRAM.listens(account())
    assert TELEGRAM.listens(account(mode="polling"))
    assert "a-secret" not in repr(TelegramCredentials.model_validate({"bot_token": "1:a-secret"}))
