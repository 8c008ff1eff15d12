"""Which passage a statement rests on, and the marks that an answer gets."""

from uuid import UUID

import pytest

from chatbot.core.ids import new_id
from chatbot.dialogue.evidence import Passage
from chatbot.dialogue.live import LiveReply
from chatbot.dialogue.outlet import Outlet
from chatbot.dialogue.parts import Found
from chatbot.dialogue.support import refuses, supporting

NO_ID = UUID(int=0)


def passage(text: str, language: str = "en", title: str = "") -> Passage:
    return Passage(NO_ID, NO_ID, None, title, None, text, (), language, 1.0)


PASSAGES = (
    passage("Refunds reach your card within five working days. Gift cards are not refunded.", title="Refunds"),
    passage("Open Settings, choose Export and press Save. The file holds 500 rows at most."),
    passage("ارسال به شهرستان‌ها سه تا پنج روز کاری طول می‌کشد.", "fa"),
)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("A refund reaches your card within five working days.", [1]),
        ("Choose Export in the settings and press Save. Gift cards are not refunded.", [2, 1]),
        ("ارسال سفارش به شهرستان‌ها سه تا پنج روز کاری طول می‌کشد", [3]),
        ("The file holds 900 rows at most.", []),
        ("Our support is open on Sundays.", []),
        ("Refunds!", []),
        ("1. Open Settings\n2. Choose Export", [2]),
    ],
)
def test_a_statement_rests_on_the_passage_with_its_words_and_numbers(text: str, numbers: list[int]) -> None:
    assert supporting(text, PASSAGES) == numbers


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("The provided documents do not mention a phone number.", True),
        ("I'm sorry, but I can't help with that.", True),
        ("I don’t have information about that.", True),
        ("No he encontrado nada sobre eso.", True),
        ("Los documentos no mencionan el precio.", True),
        ("در متن‌ها چیزی ذکر نشده است.", True),
        ("متأسفانه نمی‌دانم", True),
        ("Gift cards are not refunded.", False),
        ("No se puede devolver.", False),
        ("هزینه ارسال رایگان نیست.", False),
    ],
)
def test_refusals(text: str, said: object) -> None:
    assert refuses(text) is said


def run(*pieces: str) -> tuple[LiveReply, Outlet]:
    live = LiveReply(new_id(), new_id())
    outlet = Outlet(Found("q", PASSAGES), live)
    for piece in pieces:
        outlet.feed(piece)
    outlet.finish()
    return live, outlet


def test_text_is_shown_at_once_and_gets_the_marks_it_lacks() -> None:
    live, outlet = run("Sure! ", "Refunds reach ", "your card within ", "five working days", " after that.")
    assert live.text == "Sure! Refunds reach your card within five working days after that. [1]"
    assert [citation["index"] for citation in live.citations] == [1]
    assert outlet.cited == [(1, PASSAGES[0])]


def test_an_answer_with_marks_gets_no_others() -> None:
    live, _ = run("Gift cards are not refunded. ", "See [2].")
    assert live.text == "Gift cards are not refunded. See [2]."
    assert [citation["index"] for citation in live.citations] == [2]


def test_what_rests_on_nothing_gets_no_marks() -> None:
    live, outlet = run("Our offices ", "are in Atlantis, ", "by the sea, ", "and open daily.")
    assert live.text == "Our offices are in Atlantis, by the sea, and open daily."
    assert (live.citations, outlet.cited) == ([], [])


def test_marks_stand_behind_code() -> None:
    live, _ = run("Open Settings, choose Export and press Save:\n\n```\nsave\n```")
    assert live.text.endswith("```\n[2]")
