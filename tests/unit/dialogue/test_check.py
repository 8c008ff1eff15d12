"""What a model's text may not do, however it is cut into pieces."""

import random

import pytest

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
    ("code `arr[5]` and\n```\nx[9] <b>\n```\nthen [9] ok", "code `arr[5]` and\n```\nx[9] <b>\n```\nthen ok", []),
    ("` ![x](http://evil.example)", "'", []),
    ("- ```\n![x](http://evil.example)\n", "- '\n\n", []),
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
