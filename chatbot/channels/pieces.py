"""Long messages cut into pieces that a channel takes: at paragraphs, else lines, sentences, words, characters."""

import re
from collections.abc import Callable, Iterator

from chatbot.channels.contract import Unit

_CUTS = (
    re.compile(r"(?<=\n)\n+"),
    re.compile(r"(?<=\n)"),
    re.compile(r"(?<=[.!?؟。！？…])\s+|(?<=[.!?؟。！？…][\"'”»)\]])\s+"),
    re.compile(r"(?<=\s)"),
)


def length(text: str, unit: Unit) -> int:
    """Return a text's length in a channel's unit."""
    if unit == "bytes":
        return len(text.encode())
    if unit == "utf16":
        return len(text.encode("utf-16-le")) // 2
    return len(text)


def pieces(
    markdown: str, limit: int, unit: Unit = "characters", render: Callable[[str], str] = lambda text: text
) -> list[str]:
    """Cut Markdown so that each piece, rendered, is at most `limit` long; nothing but white space at cuts is lost.

    Args:
        render: gives a piece the channel's form, whose length counts.

    Returns:
        The rendered pieces, at least one, none empty unless the text is.
    """

    def fits(text: str) -> bool:
        return length(render(text), unit) <= limit

    if fits(markdown):
        return [render(markdown)]
    return [render(piece) for piece in _packed(markdown, fits) if piece.strip()]


def _packed(text: str, fits: Callable[[str], bool]) -> Iterator[str]:
    """Put the largest units together as long as they fit."""
    current = ""
    for part in _parts(text, fits, 0):
        if current and not fits(current + part):
            yield current.strip()
            current = part.lstrip()
        else:
            current += part
    if current.strip():
        yield current.strip()


def _parts(text: str, fits: Callable[[str], bool], level: int) -> Iterator[str]:
    """Cut into units that fit, with the white space that follows them, as coarse as possible."""
    if fits(text):
        yield text
    elif level == len(_CUTS):
        yield from _characters(text, fits)
    else:
        for part in _split_keeping(text, _CUTS[level]):
            yield from _parts(part, fits, level + 1)


def _split_keeping(text: str, cut: re.Pattern[str]) -> Iterator[str]:
    start = 0
    for found in cut.finditer(text):
        if found.end() > start:
            yield text[start : found.end()]
            start = found.end()
    if start < len(text):
        yield text[start:]


def _characters(text: str, fits: Callable[[str], bool]) -> Iterator[str]:
    """A word longer than a whole message: as many characters as fit, by halving."""
    while text:
        low, high = 1, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if fits(text[:middle]) else (low, middle - 1)
        yield text[:low]
        text = text[low:]
