"""Long messages are cut where a reader would, and few renderings decide where."""

import pytest

from chatbot.channels.pieces import pieces

SAID = {
    "paragraphs": "\n\n".join(f"Paragraph {number}. It says a little, and then a little more." for number in range(40)),
    "words": "word " * 800,
    "one word": "[" * 4_000,
    "numbers": "+1 " * 1_300,
}


@pytest.mark.parametrize("kind", list(SAID))
def test_each_piece_fits_and_nothing_is_lost(kind: str) -> None:
    said = SAID[kind]
    found = pieces(said, 500)
    assert max(map(len, found)) <= 500
    assert "".join("".join(found).split()) == "".join(said.split())
    assert len(found) <= len(said) // 500 + 3


@pytest.mark.parametrize("kind", list(SAID))
def test_a_message_is_rendered_a_few_times_for_each_piece(kind: str) -> None:
    rendered = 0

    def render(text: str) -> str:
        nonlocal rendered
        rendered += len(text)
        return text

    found = pieces(SAID[kind], 500, render=render)
    assert rendered < 25 * len(SAID[kind]), "the whole of it is looked at a few times, not once for each word"
    assert len(found) > 1
