"""Long messages cut into pieces that a channel takes: at paragraphs, else lines, sentences, words, characters."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial

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
    parts = list(_parts(text, fits, 0))
    start = 0
    while start < len(parts):
        end = start + _most(len(parts) - start, partial(_fit, parts, start, fits))
        if piece := "".join(parts[start:end]).strip():
            yield piece
        start = end


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
    """A word longer than a whole message: as many characters as fit."""
    start = 0
    while start < len(text):
        end = start + _most(len(text) - start, partial(_fit, text, start, fits))
        yield text[start:end]
        start = end


def _fit(units: Sequence[str], start: int, fits: Callable[[str], bool], number: int) -> bool:
    return fits("".join(units[start : start + number]).lstrip())


def _most(limit: int, holds: Callable[[int], bool]) -> int:
    """The largest number up to a limit that holds, at least 1: by doubling, then halving, as each look is dear."""
    low, high = 1, 2
    while high <= limit and holds(high):
        low, high = high, high * 2
    high = min(high - 1, limit)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low
