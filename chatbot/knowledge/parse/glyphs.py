"""Lines of a right-to-left PDF page, read from where each glyph stands on the page.

PDFium turns such lines round by itself, but swaps the letters of ligatures (لا becomes ال) and the parts of
addresses and numbers; the places of the glyphs are certain, so lines are rebuilt from them.
"""

from __future__ import annotations

import ctypes
import unicodedata
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import pypdfium2.raw as pdfium
from pypdfium2 import PdfTextPage

from chatbot.knowledge.parse.rtl import visual_to_logical


@dataclass(slots=True)
class Glyph:
    """One drawn unit: its text (a ligature has several letters) and its box, in points."""

    text: str
    left: float
    right: float
    bottom: float
    top: float

    @property
    def centre(self) -> float:
        return (self.left + self.right) / 2


@dataclass(frozen=True, slots=True)
class Line:
    """One line in reading order, with its baseline region and the height of its letters in points."""

    text: str
    bottom: float
    size: float


def read_lines(page: PdfTextPage) -> list[Line]:
    """The lines of one page, top to bottom as the file keeps them, each in reading order."""
    return [line for row in _merged(_rows(page)) if (line := _line(row)) is not None]


def _rows(page: PdfTextPage) -> list[list[Glyph]]:
    """Glyphs by the lines PDFium found: it ends each with a generated line break."""
    rows: list[list[Glyph]] = [[]]
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    rect = pdfium.FS_RECTF()
    for index in range(page.count_chars()):
        char = chr(pdfium.FPDFText_GetUnicode(page, index))
        if char in "\r\n":
            if rows[-1]:
                rows.append([])
            continue
        if unicodedata.category(char) in {"Cc", "Cs", "Co"} or pdfium.FPDFText_IsGenerated(page, index) == 1:
            continue
        pdfium.FPDFText_GetCharBox(page, index, left, right, bottom, top)
        pdfium.FPDFText_GetLooseCharBox(page, index, rect)
        rows[-1].append(Glyph(char, left.value, right.value, rect.bottom, rect.top))
    return [row for row in rows if row]


def _merged(rows: list[list[Glyph]]) -> list[list[Glyph]]:
    """Rows that stand on one line, side by side, joined: some writers place each word by itself."""
    merged: list[list[Glyph]] = []
    for row in rows:
        if merged and _same_line(merged[-1], row):
            merged[-1].extend(row)
        else:
            merged.append(row)
    return merged


def _same_line(first: list[Glyph], second: list[Glyph]) -> bool:
    size = max(_size(first), _size(second))
    if abs(median(glyph.bottom for glyph in first) - median(glyph.bottom for glyph in second)) > size * 0.25:
        return False
    gap = max(_start(first), _start(second)) - min(_end(first), _end(second))
    return -size * 0.5 < gap < size * 2


def _start(row: list[Glyph]) -> float:
    return min(glyph.left for glyph in row)


def _end(row: list[Glyph]) -> float:
    return max(glyph.right for glyph in row)


def _size(row: list[Glyph]) -> float:
    return median(glyph.top - glyph.bottom for glyph in row)


def _line(row: list[Glyph]) -> Line | None:
    size = _size([glyph for glyph in row if glyph.text != " "] or row)
    drawn = sorted(_on_letters(_ligatures(row)), key=lambda glyph: glyph.centre)
    pieces: list[str] = []
    edge = drawn[0].left
    for glyph in drawn:
        if glyph.left - edge > size * 0.22 and pieces[-1:] != [" "] and glyph.text != " ":
            pieces.append(" ")
        pieces.append(glyph.text)
        edge = max(edge, glyph.right)
    text = " ".join(visual_to_logical_pieces(pieces).split())
    return Line(text, median(glyph.bottom for glyph in row), size) if text else None


def visual_to_logical_pieces(pieces: list[str]) -> str:
    """A drawn line whose pieces are whole ligatures, in reading order.

    The letters of a ligature are already in reading order, so they are turned here to be turned back
    with their line.
    """
    return visual_to_logical("".join(_turned(piece) for piece in pieces))


def _turned(piece: str) -> str:
    letters = [char for char in piece if not unicodedata.combining(char)]
    if len(letters) < 2 or unicodedata.bidirectional(letters[0]) not in {"R", "AL"}:
        return piece
    marks = piece[len(letters) :]
    return "".join(reversed(letters)) + marks


def _ligatures(row: list[Glyph]) -> list[Glyph]:
    """Letters that share one box are one ligature; its letters go back to reading order."""
    turned = _runs_leftward(row)
    units: list[Glyph] = []
    for glyph in row:
        last = units[-1] if units else None
        if last and _same_box(last, glyph):
            last.text = glyph.text + last.text if turned else last.text + glyph.text
        else:
            units.append(glyph)
    return units


def _runs_leftward(row: list[Glyph]) -> bool:
    """Whether PDFium has already turned this row: its right-to-left letters then run to the left."""
    letters = [glyph.centre for glyph in row if unicodedata.bidirectional(glyph.text) in {"R", "AL"}]
    steps = list(pairwise(letters))
    return sum(1 for first, second in steps if second < first) * 2 >= len(steps)


def _same_box(first: Glyph, second: Glyph) -> bool:
    return (
        abs(first.left - second.left) < 0.01
        and abs(first.right - second.right) < 0.01
        and first.right - first.left > 0.01
        and " " not in (first.text, second.text)
        and unicodedata.bidirectional(second.text) in {"R", "AL"}
    )


def _on_letters(row: list[Glyph]) -> list[Glyph]:
    """Marks (harakat) put onto the letter they stand over, wherever the file kept them."""
    letters = [glyph for glyph in row if not unicodedata.combining(glyph.text[0])]
    if not letters or len(letters) == len(row):
        return row
    for mark in row:
        if unicodedata.combining(mark.text[0]):
            nearest = min(letters, key=lambda letter: abs(letter.centre - mark.centre))
            nearest.text += mark.text
    return letters
