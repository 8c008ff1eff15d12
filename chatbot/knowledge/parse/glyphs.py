"""Lines of a right-to-left PDF page, read from where each glyph stands on the page.

PDFium turns such lines round by itself, but swaps the letters of ligatures (لا becomes ال) and the parts of
addresses and numbers; the places of the glyphs are certain, so lines are rebuilt from them.
"""

from __future__ import annotations

import ctypes
import math
import unicodedata
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

import pypdfium2.raw as pdfium
from pypdfium2 import PdfTextPage

from chatbot.knowledge.parse.rtl import is_rtl, visual_to_logical

CELL = "\x1f"
"""Stands between the cells of a line: what is set so far apart that it is no space between words."""

_CELL = 1.5  # of the letters' size
_SPACE = 0.25  # of the letters' size: a gap so wide parts two words
_SPACE_BY_GAP = 0.2  # the same, where PDFium does not know the letter's place and its words say nothing
_SPAN_BYTES = 16
_TOUCHING = 0.03  # of the letters' size: nearer letters are of one word, whatever PDFium thinks
_UNJOINED = 0.06  # of the letters' size: letters that join are drawn nearer
_JOIN_THE_NEXT = frozenset("بپتثجچحخسشصضطظعغفقکكگلمنهیيىئ")
_HALF_SPACE = "\u200c"


@dataclass(slots=True)
class Glyph:
    """One drawn unit: its text (a ligature has several letters), its box and its font's size, in points.

    `word` tells which glyphs PDFium took for one word: two numbers, of its line and of the word in it. It says nothing
    of one that is not `placed`: PDFium took the place of a mark for that of the letter it stands on.
    """

    text: str
    left: float
    right: float
    bottom: float
    size: float
    word: tuple[int, int]
    placed: bool = True

    @property
    def centre(self) -> float:
        return (self.left + self.right) / 2


@dataclass(frozen=True, slots=True)
class Line:
    """One line in reading order, cells parted by `CELL`, with its baseline region and its letters' size in points."""

    text: str
    bottom: float
    size: float


def read_lines(page: PdfTextPage) -> list[Line]:
    """The lines of one page, top to bottom as the file keeps them, each in reading order."""
    return [line for row in _merged(_rows(page)) if (line := _line(row)) is not None]


def _rows(page: PdfTextPage) -> list[list[Glyph]]:
    """Glyphs by the lines PDFium found: it ends each with a generated line break.

    A space without a box is PDFium's own, or has no ink: its place says nothing, only what stands before and after it.
    """
    rows: list[list[Glyph]] = [[]]
    spans = _spans(page)
    word = 0
    for index in range(page.count_chars()):
        char = chr(pdfium.FPDFText_GetUnicode(page, index))
        if char in "\r\n":
            if rows[-1]:
                rows.append([])
            continue
        if unicodedata.category(char) in {"Cc", "Cs", "Co"}:
            continue
        glyph = _glyph(page, index, char, (len(rows), word))
        if span := spans and spans.get(_address(pdfium.FPDFText_GetTextObject(page, index))):
            glyph.left, glyph.right, glyph.placed = span
        if char == " " and glyph.right - glyph.left < 0.01:
            word += 1
        elif pdfium.FPDFText_IsGenerated(page, index) != 1:
            rows[-1].append(glyph)
    return [row for row in rows if row]


def _glyph(page: PdfTextPage, index: int, char: str, word: tuple[int, int]) -> Glyph:
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    rect, matrix = pdfium.FS_RECTF(), pdfium.FS_MATRIX()
    pdfium.FPDFText_GetCharBox(page, index, left, right, bottom, top)
    pdfium.FPDFText_GetLooseCharBox(page, index, rect)
    pdfium.FPDFText_GetMatrix(page, index, matrix)
    size = pdfium.FPDFText_GetFontSize(page, index) * math.hypot(matrix.c, matrix.d)
    if char.isdigit() or char == " ":  # a 1 is drawn much narrower than the room it takes: the rest is no space
        left.value, right.value = min(left.value, rect.left), max(right.value, rect.right)
    return Glyph(char, left.value, right.value, rect.bottom, size, word)


def _spans(page: PdfTextPage) -> dict[int, tuple[float, float, bool]]:
    """Where a letter and its mark begin and end that are named together (`ActualText`), by the address of each part.

    Of the two PDFium knows the place of the part that is drawn first only, often the mark's, and halves it among them.
    The third value tells whether there is one part: then it is the place of both.
    """
    if not any(map(unicodedata.combining, page.get_text_range())):
        return {}
    parts: dict[int, list[tuple[int, float, float]]] = {}
    for at in range(pdfium.FPDFPage_CountObjects(page.page)):
        drawn = pdfium.FPDFPage_GetObject(page.page, at)
        if pdfium.FPDFPageObj_GetType(drawn) != pdfium.FPDF_PAGEOBJ_TEXT:
            continue
        marks = [pdfium.FPDFPageObj_GetMark(drawn, number) for number in range(pdfium.FPDFPageObj_CountMarks(drawn))]
        for mark in marks:
            if any(map(unicodedata.combining, _actual_text(mark))):
                left, right, bottom, top = (ctypes.c_float() for _ in range(4))
                pdfium.FPDFPageObj_GetBounds(drawn, left, bottom, right, top)
                parts.setdefault(_address(mark), []).append((_address(drawn), left.value, right.value))
    return {
        drawn: (min(left for _, left, _ in span), max(right for *_, right in span), len(span) == 1)
        for span in parts.values()
        for drawn, *_ in span
    }


def _actual_text(mark: Any) -> str:
    """What a marked part of a page is said to be, in UTF-16; empty where nothing is said, or more than a letter."""
    buffer, length = (ctypes.c_ubyte * _SPAN_BYTES)(), ctypes.c_ulong()
    read = pdfium.FPDFPageObjMark_GetParamBlobValue(mark, b"ActualText", buffer, _SPAN_BYTES, length)
    return bytes(buffer[: length.value]).decode("utf-16", "replace") if read and length.value <= _SPAN_BYTES else ""


def _address(handle: Any) -> int:
    return ctypes.addressof(handle.contents) if handle else 0


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
    if abs(median(glyph.bottom for glyph in first) - median(glyph.bottom for glyph in second)) > size * 0.3:
        return False
    gap = max(_start(first), _start(second)) - min(_end(first), _end(second))
    return -size * 0.6 < gap < size * 2.5


def _start(row: list[Glyph]) -> float:
    return min(glyph.left for glyph in row)


def _end(row: list[Glyph]) -> float:
    return max(glyph.right for glyph in row)


def _size(row: list[Glyph]) -> float:
    return median(glyph.size for glyph in row)


def _line(row: list[Glyph]) -> Line | None:
    size = _size([glyph for glyph in row if glyph.text != " "] or row)
    drawn = sorted(_on_letters(_ligatures(row)), key=lambda glyph: glyph.centre)
    cells: list[list[str]] = [[]]
    before, edge = drawn[0], drawn[0].left
    half_spaces = _letters_join(drawn, size)
    for glyph in drawn:
        if glyph.left - edge > size * _CELL and glyph.text != " ":
            cells.append([])
        parted = _between(before, glyph, glyph.left - edge, size)
        cells[-1] += [parted if half_spaces or parted != _HALF_SPACE else "", glyph.text]
        before, edge = glyph, max(edge, glyph.right) if glyph.text != " " else edge
    read = [text for pieces in cells if (text := " ".join(visual_to_logical_pieces(pieces).split()))]
    text = CELL.join(reversed(read) if is_rtl("".join(read)) else read)
    return Line(text, median(glyph.bottom for glyph in row), size) if text else None


def _between(left: Glyph, right: Glyph, gap: float, size: float) -> str:
    """What is read between two glyphs drawn side by side: a space, a half space, or nothing.

    A half space (ZWNJ) has no ink: it is there where letters of one word that would join stand apart.
    """
    if " " in (left.text, right.text):
        return ""
    placed = left.placed and right.placed
    other_word = placed and left.word != right.word and left.word[0] == right.word[0]
    if (other_word and gap > size * _TOUCHING) or gap > size * (_SPACE if placed else _SPACE_BY_GAP):
        return " "
    return _HALF_SPACE if _would_join(left, right) and gap > size * _UNJOINED else ""


def _would_join(left: Glyph, right: Glyph) -> bool:
    letters = [char for char in right.text if not unicodedata.combining(char)]
    next_is_letter = unicodedata.bidirectional(left.text[0]) == "AL" and left.text[0].isalpha()
    return bool(letters) and letters[-1] in _JOIN_THE_NEXT and next_is_letter


def _letters_join(drawn: list[Glyph], size: float) -> bool:
    """Whether this line's letters are joined at all: some writers draw each in the form it has alone."""
    pairs = [(one, other) for one, other in pairwise(drawn) if one.word == other.word and _would_join(one, other)]
    apart = sum(other.left - one.right > size * _UNJOINED for one, other in pairs)
    return apart * 3 <= len(pairs)


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
        and not unicodedata.combining(first.text[-1])
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
