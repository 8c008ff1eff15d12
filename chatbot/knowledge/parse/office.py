"""DOCX, PPTX, XLSX and EPUB: the archive is checked first, then kreuzberg reads it."""

from __future__ import annotations

import re

from chatbot.knowledge.blocks import read_blocks
from chatbot.knowledge.parse import engine
from chatbot.knowledge.parse.archive import check_archive
from chatbot.knowledge.parse.errors import ParseError, ParseFault
from chatbot.knowledge.parse.model import Pair, ParsedDocument, ParseLimits
from chatbot.knowledge.parse.pairs import pairs_in_rows
from chatbot.knowledge.parse.rtl import plain_forms
from chatbot.knowledge.parse.tables import table_cells
from chatbot.knowledge.parse.titles import choose_title

MEDIA_TYPES = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "epub": "application/epub+zip",
}
_PICTURE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")
_LINK = re.compile(r"\[([^\]]+)\]\((?:[^()\s]|\([^()]*\))*\)")
_HEADING = re.compile(r"^#{1,6} ", re.MULTILINE)


def parse_office(data: bytes, filename: str, kind: str, limits: ParseLimits) -> ParsedDocument:
    """An Office file or book as Markdown. Raises ParseError (archive faults, `corrupt`, `no_text`)."""
    check_archive(data, limits)
    found = engine.to_markdown(data, MEDIA_TYPES[kind])
    markdown = plain_forms(_LINK.sub(r"\1", _PICTURE.sub(r"\1", found.content))).strip()
    if not re.search(r"[^\W_]", _HEADING.sub("", markdown)):
        raise ParseError(ParseFault.NO_TEXT, "The file holds no text.")
    title = choose_title(_text(found.metadata.get("title")), "" if kind == "xlsx" else markdown, filename)
    pairs = _pairs(markdown) if kind == "xlsx" else ()
    return ParsedDocument(title, markdown, kind, _text(found.metadata.get("language")), pairs=pairs)


def _pairs(markdown: str) -> tuple[Pair, ...]:
    """The rows of every sheet as questions with their answers, when there is nothing else in the workbook."""
    blocks = [block for block in read_blocks(markdown) if block.kind != "heading"]
    if any(block.kind != "table" for block in blocks):
        return ()
    sheets = [[table_cells(line) for line in block.text.split("\n")] for block in blocks]
    found = [pairs_in_rows(rows[0], rows[2:]) for rows in sheets]
    return tuple(pair for pairs in found for pair in pairs) if all(found) else ()


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None
