"""Persian and Arabic in the order people read it, from real PDFs and from lines as drawn."""

import unicodedata
from pathlib import Path

import pytest

from chatbot.knowledge.parse.extract import parse_bytes
from chatbot.knowledge.parse.model import ParseLimits
from chatbot.knowledge.parse.rtl import paired, plain_forms, repair, reversal_evidence, visual_to_logical
from tests.unit.knowledge import files

PRINTED = Path(__file__).parent / "printed"


def flat(text: str) -> str:
    return " ".join(text.replace("#", " ").split())


@pytest.mark.parametrize("shaped", [True, False], ids=["shaped", "drawn-backwards"])
@pytest.mark.parametrize("text", [files.PERSIAN, files.ARABIC], ids=["persian", "arabic"])
def test_a_real_pdf_is_read_in_order(text: list[str], shaped: bool) -> None:
    document = parse_bytes(files.make_pdf(text, shaped=shaped), "a.pdf", None, ParseLimits())
    assert flat(document.markdown) == flat(" ".join(text))
    assert document.title == text[0]


def test_narrow_digits_do_not_break_a_number() -> None:
    text = [
        "تاریخ کوتاه",
        "زندیان یا زندیه (۱۱۲۹–۱۱۷۴) پس از افشاریان تا سال ۱۱۶۳ و ۱۱۱ در ایران حکومت کردند.",
    ]
    document = parse_bytes(files.make_pdf(text), "a.pdf", None, ParseLimits())
    assert flat(document.markdown) == flat(" ".join(text))


@pytest.mark.parametrize("text", [*files.PERSIAN, *files.ARABIC])
def test_reversal_is_noticed_and_the_right_order_left_alone(text: str) -> None:
    long = " ".join(files.PERSIAN if text in files.PERSIAN else files.ARABIC)
    assert reversal_evidence(long[::-1]) > 0
    assert reversal_evidence(long) <= 0
    assert repair([long]) == ([long], False)


def test_backward_pages_are_turned_and_short_ones_follow() -> None:
    drawn = [visual_to_logical(files.PERSIAN[1]), visual_to_logical(files.PERSIAN[0])]
    mended, turned = repair(drawn)
    assert turned
    assert mended[1] == files.PERSIAN[0]


@pytest.mark.parametrize(
    ("drawn", "read"),
    [
        ("ناموت 25 تمیق", "قیمت 25 تومان"),
        ("۳۰ ات ۲۵", "۲۵ تا ۳۰"),
        ("Windows 11 Pro هخسن", "نسخه Windows 11 Pro"),
        ("2026/05/12 خیرات", "تاریخ 2026/05/12"),
        ("۵۵-021 نفلت", "تلفن 021-۵۵"),
        ("٪25 فیفخت", "تخفیف 25٪"),
        ("(یتسپ) شرافس", "سفارش (پستی)"),
        (".دینک ساوت a.b@c.com اب", "با a.b@c.com تواس کنید."),
        ("plain English (2)", "plain English (2)"),
    ],
)
def test_a_drawn_line_becomes_a_read_one(drawn: str, read: str) -> None:
    assert visual_to_logical(drawn) == read


def test_glyph_forms_become_letters() -> None:
    assert plain_forms("\ufeb3\ufefc\ufee1") == "سلام"
    assert plain_forms("ﬁ stays, \ufefb becomes two") == "ﬁ stays, لا becomes two"
    assert repair(
        [
            "\ufee1\ufefc\ufeb3 "
            + " ".join(word[::-1] for word in reversed(["این", "است", "که", "از", "را", "با", "به", "برای", "شما"]))
        ]
    )[0] == ["این است که از را با به برای شما سلام"]


def test_harakat_stay_on_their_letters() -> None:
    assert visual_to_logical("مٌلَع") == "علَمٌ"


def test_a_printed_page_keeps_its_words_half_spaces_brackets_and_table() -> None:
    """A browser's "print to PDF": most glyphs carry their letter as `ActualText`, spaces have no place, ZWNJ no ink."""
    document = parse_bytes((PRINTED / "persian.pdf").read_bytes(), "persian.pdf", None, ParseLimits())
    assert document.title == "شرایط ارسال"
    assert document.markdown.split("\n\n") == [
        "# شرایط ارسال",
        (
            "سفارش‌های بالای ۵۰۰٬۰۰۰ تومان رایگان ارسال می‌شوند. "
            "ارسال با پست پیشتاز (TIPAX) میان ۲ تا ۴ روز کاری طول می‌کشد."
        ),
        "| شهر | هزینه |\n| --- | --- |\n| شیراز | ۴۵٬۰۰۰ تومان |",
    ]


def test_a_letter_with_a_mark_is_no_end_of_a_word() -> None:
    """Letter and mark are named together, and drawn in two parts or in one."""
    document = parse_bytes((PRINTED / "persian_marks.pdf").read_bytes(), "a.pdf", None, ParseLimits())
    assert unicodedata.normalize("NFC", document.markdown) == (
        "بستهٔ بازشدهٔ زعفران پس گرفته نمی‌شود و درهٔ سبز از آن ماست. تأسیس مؤسسه از آن اوّل."
    )


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("پست پیشتاز( TIPAX (میان", "پست پیشتاز (TIPAX) میان"),
        ("عضو شتاب ( و نیز PayPal ( ممکن است.", "عضو شتاب (و نیز PayPal) ممکن است."),
        ("دکمهٔ « پرداخت» را بزنید.", "دکمهٔ «پرداخت» را بزنید."),
        ("بند (الف) و [۱] و «ب».", "بند (الف) و [۱] و «ب»."),
        ("تنها یک ( بسته نشده", "تنها یک (بسته نشده"),
    ],
)
def test_brackets_are_pairs(read: str, meant: str) -> None:
    assert paired(read) == meant


def test_half_spaces_are_read_from_letters_that_stand_apart() -> None:
    text = "آیین‌نامهٔ مرخصی به کارمندان داده می‌شود و استفاده‌نشده‌ها می‌مانند."
    assert flat(parse_bytes(files.make_pdf([text]), "a.pdf", None, ParseLimits()).markdown) == text
