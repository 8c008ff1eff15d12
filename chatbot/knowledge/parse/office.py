"""DOCX, PPTX, XLSX and EPUB: the archive is checked first, then kreuzberg reads it."""

from __future__ import annotations

import re

from chatbot.knowledge.parse import engine
from chatbot.knowledge.parse.archive import check_archive
from chatbot.knowledge.parse.errors import ParseError, ParseFault
from chatbot.knowledge.parse.model import ParsedDocument, ParseLimits
from chatbot.knowledge.parse.rtl import plain_forms
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
    return ParsedDocument(title, markdown, kind, _text(found.metadata.get("language")))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None
