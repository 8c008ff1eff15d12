"""What a model's text may not do, however it is cut into pieces."""

import random

import pytest
from hypothesis import given as draw
from hypothesis import settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from chatbot.dialogue.check import AnswerCheck, known_links

LINKS = known_links(["see https://help.acme.example/a/b. and (https://x.example/)"])
CASES = [
    ("See [1]. Then [2][7]. Also [1, 3], [۲] or 【2】.", "See [1]. Then [2]. Also [1][3], [2] or [2].", [1, 2, 3]),
    ("a ![x](http://evil.example/p.png?d=secret) b", "a b", []),
    ("[![a](http://evil.example/i)](http://evil.example)", "", []),
    (
        "click [here](https://help.acme.example/a/b) or [there](https://evil.example/x?y) done",
        "click [here](https://help.acme.example/a/b) or there done",
        [],
    ),
    ("<script>alert(1)</script> <b>bold</b> a < b and 3<4", "alert(1) bold a < b and 3<4", []),
    (
        "at https://help.acme.example/a/b. and https://evil.example/q now",
        "at https://help.acme.example/a/b. and now",
        [],
    ),
    ("code `a < b` and\n```\nx = 1\n```\nthen [9] ok", "code `a < b` and\n```\nx = 1\n```\nthen ok", []),
    ("` ![x](http://evil.example)", "`", []),
    ("- ```\n![x](http://evil.example)\n", "- ```\n\n", []),
    ("\\`![x](https://evil/a.png)`", "\\` `", []),
    ("````\ncode\n```\n````\n\n![x](https://evil/a.png)", "````\ncode\n```\n````\n\n", []),
    ("~~~\n```\n~~~\n![x](https://evil/a.png)", "~~~\n```\n~~~\n", []),
    ("text\n     ```\n![x](https://evil/a.png)", "text\n     ```\n", []),
    ("```a`b\n\n![x](https://evil/a.png)", "```a`b\n\n", []),
    ("All of it [1-3], and [2–9].", "All of it [1][2][3], and [2][3].", [1, 2, 3]),
    ("Yes![1]", "Yes! [1]", [1]),
    ("[1]<b>(//evil.example)", "[1] (//evil.example)", [1]),
    ("[1]: //evil.example", "[1] : //evil.example", [1]),
    ("!<b>[x](https://x.example/)", "! [x](https://x.example/)", []),
    ("<<b>a href=//evil.example>", "a href=//evil.example>", []),
    ("[x\\](https://x.example/) y](//evil.example)", "[x](https://x.example/) y](//evil.example)", []),
    ("[go to https://evil.example/a] now", "(go to ) now", []),
    ("mail <1@evil.example>", "mail ", []),
    ("htt[ps://evil.example](x)", "htt ps://evil.example", []),
    ("[x]: http://evil.example\n[y][x]", "\n(y)(x)", []),
    ("[a](javascript:go) [1]", "a [1]", [1]),
    ("<https://evil.example> and <https://x.example/>", " and https://x.example/", []),
    ("www.evil.example and [1](http://evil.example)", " and [1]", [1]),
    ("the data: yes, html too!", "the data: yes, html too!", []),
    ("an [unclosed thing", "an (unclosed thing", []),
]


@pytest.mark.parametrize(("given", "shown", "cited"), CASES)
def test_cleaned_alike_however_it_is_cut(given: str, shown: str, cited: list[int]) -> None:
    for seed in range(100):
        rng = random.Random(seed)
        check, out, at = AnswerCheck(3, LINKS), "", 0
        while at < len(given):
            size = rng.choice([1, 1, 2, 3, 7, 100]) if seed else 1_000
            out += check.feed(given[at : at + size])
            at += size
        out += check.finish()
        assert (out.rstrip(), check.cited) == (shown.rstrip(), cited)


def test_long_text_is_not_held_back() -> None:
    check = AnswerCheck(1)
    shown = sum(len(check.feed("word ")) for _ in range(100))
    assert shown >= 100 * 5 - 2


def test_an_open_bracket_is_not_held_forever() -> None:
    check = AnswerCheck(1)
    assert len(check.feed("[" + "word " * 300)) > 500


def test_blanks_without_end_take_no_time() -> None:
    # A small model may write nothing else: the search began anew at each of them, for seconds a word.
    check = AnswerCheck(1)
    shown = "".join(check.feed(" " * 8) for _ in range(250)) + check.feed("end") + check.finish()
    assert shown.endswith("end")


PIECES = [
    "![", "[", "]", "(", ")", "!", "<", ">", "`", "```", "````", "\\", "\n", "\n\n", " ", "    ", ":", "/", "\"", "'",
    "[1]", "[2]", "[9]", "[1]:", "<b>", "<a href=", "<img src=", "<!--", "-->", "<1@evil.example>", "【1】", "~~~",
    "http", "https:", "//evil.example/a.png", "https://evil.example", "javascript:", "www.", "data:", "> ", "- ", "1. ",
    "https://x.example/", "https://help.acme.example/a/b", "(https://x.example/)", "x", "word ", ".", ",", "*", "_",
]  # fmt: skip
TEXTS = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=30)


@settings(max_examples=400, deadline=None)
@draw(pieces=TEXTS, cuts=st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_no_markdown_reader_finds_an_image_or_an_unknown_link(pieces: list[str], cuts: list[int]) -> None:
    text, check, out, at, step = "".join(pieces), AnswerCheck(3, LINKS), "", 0, 0
    while at < len(text):
        size = cuts[step % len(cuts)]
        out += check.feed(text[at : at + size])
        at, step = at + size, step + 1
    assert_harmless(out + check.finish())


@pytest.mark.parametrize("given", [given for given, _, _ in CASES])
def test_the_cases_are_harmless_to_a_markdown_reader(given: str) -> None:
    check = AnswerCheck(3, LINKS)
    assert_harmless(check.feed(given) + check.finish())


def assert_harmless(shown: str) -> None:
    """Read as CommonMark: no image, no HTML, and every link leads to a known address."""
    blocks = MarkdownIt("commonmark").parse(shown)
    tokens = blocks + [token for block in blocks for token in block.children or ()]
    assert not [token for token in tokens if token.type in ("image", "html_inline", "html_block")], shown
    for token in tokens:
        if token.type == "link_open":
            assert known_links([str(token.attrs["href"])]) <= LINKS, shown
            assert str(token.attrs["href"]).startswith("https://"), shown
