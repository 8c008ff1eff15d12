"""Cuts a passage into what can be quoted on its own: sentences, list items, table rows, code."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from chatbot.knowledge.blocks import Block, list_items, read_blocks
from chatbot.knowledge.parse.tables import table_cells

Kind = Literal["sentence", "item", "row", "code"]

_END = re.compile(
    r"(?<=[.!?؟。！？…])[\"'»”’)\]]*\s+"  # an end mark and space
    r"|(?<=[^\W\d_]{2}[.!?])(?=[A-ZÁÉÍÓÚÑ][^\W\d_])"  # "done.Next": pages turned into text lose the space
    r"|(?<=[。！？])"
)
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"«])(?:[^\W\d_]|e\.g|i\.e|etc|vs|cf|approx|no|mr|mrs|ms|dr|prof|st|inc|ltd|jr|sr|u\.s|fig|sra|srta|ud|uds|"
    r"p\.\s?ej|ee|uu|art|núm|pág|tel|av|dept|[^\W\d_](?:\.[^\W\d_])+)\.$",
    re.IGNORECASE,
)
_IMAGE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
_STRONG = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
_EMPHASIS = re.compile(r"(?<![\w*\\])\*(?=[^\s*])([^*\n]+?)(?<=[^\s*\\])\*(?![\w*])")
_MARKER = re.compile(r"^\s*(?:([0-9\u06f0-\u06f9\u0660-\u0669]{1,4})[.)]|[-*+•])\s+")
_CODE_SPAN = re.compile(r"(`+[^`]+`+)")
_ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+.!|>~-])")
_REFERENCE = re.compile(r"\[\d{1,3}\]")  # a footnote of the source would read like a citation of ours
_NAMING = frozenset(
    {"name", "title", "product", "item", "article", "nombre", "título", "titulo", "producto", "artículo", "articulo",
     "نام", "عنوان", "محصول", "کالا"}
)  # fmt: skip
_PROGRAM_NAME = re.compile(r"[^\W_]+(?:_[^\W_]+)+")
_FIGURE = re.compile(r"[+-]?[\d.,٫٬ ]*\d")
_MEASURES = {
    **{code: code.upper() for code in ("eur", "usd", "gbp", "chf", "irr", "irt", "aed", "try", "cad", "aud", "mxn")},
    **{unit: unit for unit in ("mg", "g", "kg", "mm", "cm", "km", "ml", "oz", "lb")},
    "percent": "%",
    "pct": "%",
}
_WORDS_TOO = frozenset({"try", "cad"})
"""Currencies only in a name that says money (`price_try`, not `max_try`)."""
_MONEY = frozenset(
    {"price", "prices", "cost", "costs", "amount", "fee", "fees", "total", "charge", "deposit", "rate", "precio",
     "coste", "costo", "importe", "tarifa", "fiyat", "ücret", "ucret", "tutar"}
)  # fmt: skip
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,200}>")


@dataclass(frozen=True, slots=True)
class Unit:
    """One quotable piece.

    Attributes:
        text: readable, without Markdown marks.
        kind: what it is; items and rows of one block stand in their order.
        block: the number of the block within the passage.
        number: an item's own number as written, empty for bullets and all else.
        heading: the one it stands under within the passage; empty where the passage has none of its own. Short
            sections share a passage, each under its heading.
    """

    text: str
    kind: Kind
    block: int
    number: str = ""
    heading: str = ""


def read_units(markdown: str) -> list[Unit]:
    """The units of a passage in their order; headings are no units."""
    units: list[Unit] = []
    heading = ""
    for at, block in enumerate(read_blocks(markdown)):
        if block.kind == "heading":
            heading = plain(block.text)
        units += [replace(unit, heading=heading) for unit in _units_of(block, at) if unit.text.strip()]
    return units


def split_sentences(text: str) -> list[str]:
    """Cut running text into sentences (en, es, fa and whatever ends its sentences alike)."""
    sentences: list[str] = []
    start = 0
    for end in _END.finditer(text):
        piece = text[start : end.end()].strip()
        if not piece or _ABBREVIATION.search(piece):
            continue
        sentences.append(piece)
        start = end.end()
    rest = text[start:].strip()
    return [*sentences, rest] if rest else sentences


def plain(text: str) -> str:
    """Markdown of one line as the words a reader sees; code spans stay as they are."""
    parts = _CODE_SPAN.split(text)
    parts[::2] = [_plain_words(part) for part in parts[::2]]
    return " ".join("".join(parts).split())


def _plain_words(text: str) -> str:
    text = _LINK.sub(r"\1", _IMAGE.sub(r"\1", text))
    text = _REFERENCE.sub("", _TAG.sub("", _EMPHASIS.sub(r"\1", _STRONG.sub(r"\2", text))))
    return _ESCAPE.sub(r"\1", text)


def _units_of(block: Block, at: int) -> Iterator[Unit]:
    if block.kind == "text":
        for line in _lines(block.text):
            for sentence in split_sentences(line):
                yield Unit(sentence, "sentence", at)
    elif block.kind == "list":
        yield from _items(block.text, at)
    elif block.kind == "table":
        yield from _rows(block.text, at)
    elif block.kind == "code":
        yield Unit(block.text, "code", at)


def _lines(text: str) -> list[str]:
    """Lines of a paragraph, joined where the break is only a wrap (the next begins in lower case)."""
    lines: list[str] = []
    for line in map(plain, text.split("\n")):
        if lines and line[:1].islower() and not lines[-1].endswith((".", ":", "!", "?")):
            lines[-1] += f" {line}"
        elif line:
            lines.append(line)
    return lines


def _items(text: str, at: int) -> Iterator[Unit]:
    for item in list_items(text):
        marker = _MARKER.match(item)
        body = item[marker.end() :] if marker else item
        yield Unit(plain(_flat(body)), "item", at, (marker.group(1) or "") if marker else "")


def _flat(item: str) -> str:
    """An item with its sub-items on one line: `do this: one; two`."""
    lines = [_MARKER.sub("", line).strip() for line in item.split("\n") if line.strip()]
    return lines[0] + "".join(
        f" {line}" if lines[0].endswith(":") and i == 0 else f"; {line}" for i, line in enumerate(lines[1:])
    )


def _rows(text: str, at: int) -> Iterator[Unit]:
    """Each row with its column names, `Plan: Pro; Price: 10 €`, or under its own name: `Lamp – price: 9.90 EUR`.

    Column names as programs write them are made words; what they measure in stands at the figure (`price_eur`).
    """
    lines = [_cells(line) for line in text.split("\n")]
    header = lines[0]
    for cells in lines[2:]:
        row = [(name, cell) for name, cell in zip(header, cells, strict=False) if cell]
        own = next((pair for pair in row if pair[0].casefold() in _NAMING), None)
        said = "; ".join(_pair(*pair) for pair in row if pair is not own)
        yield Unit(" – ".join(part for part in (own and own[1], said) if part), "row", at)


def _pair(name: str, cell: str) -> str:
    if _PROGRAM_NAME.fullmatch(name):
        *words, last = name.split("_")
        measure = _measure(words, last.lower())
        if measure and _FIGURE.fullmatch(cell):
            cell = f"{cell} {measure}"
        else:
            words.append(last)
        name = " ".join(words)
    return f"{name}: {cell}" if name else cell


def _measure(words: Sequence[str], last: str) -> str | None:
    """What a column's last word says its figures are in."""
    if last in _WORDS_TOO and _MONEY.isdisjoint(word.lower() for word in words):
        return None
    return _MEASURES.get(last)


def _cells(line: str) -> list[str]:
    return [plain(cell) for cell in table_cells(line)]
