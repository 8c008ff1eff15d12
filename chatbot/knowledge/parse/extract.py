"""From bytes and a name to a document: check the size, tell the type, parse, check what came out."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from chatbot.knowledge.parse.errors import ParseError, ParseFault
from chatbot.knowledge.parse.html import parse_html
from chatbot.knowledge.parse.model import ParsedDocument, ParseLimits, check_size
from chatbot.knowledge.parse.office import MEDIA_TYPES, parse_office
from chatbot.knowledge.parse.pdf import parse_pdf
from chatbot.knowledge.parse.plain import parse_csv, parse_markdown, parse_text
from chatbot.knowledge.parse.sniff import detect_kind
from chatbot.knowledge.parse.structured import parse_json

_Parser = Callable[[bytes, str, ParseLimits], ParsedDocument]


def _office(kind: str, data: bytes, filename: str, limits: ParseLimits) -> ParsedDocument:
    return parse_office(data, filename, kind, limits)


_PARSERS: dict[str, _Parser] = {
    "pdf": parse_pdf,
    "html": parse_html,
    "md": parse_markdown,
    "txt": parse_text,
    "csv": parse_csv,
    "json": parse_json,
    **{kind: partial(_office, kind) for kind in MEDIA_TYPES},
}


def parse_bytes(data: bytes, filename: str, declared_type: str | None, limits: ParseLimits) -> ParsedDocument:
    """Read one file. CPU-heavy and exposed to hostile input: call it in the child process only.

    Raises ParseError with the reason of any refusal.
    """
    check_size(len(data), limits)
    kind = detect_kind(data, filename, declared_type)
    document = _PARSERS[kind](data, filename, limits)
    if not re.search(r"[^\W_]", document.markdown):
        raise ParseError(ParseFault.NO_TEXT, "The file holds no text.")
    if len(document.markdown) > limits.max_text_chars:
        raise ParseError(
            ParseFault.TOO_MUCH_TEXT,
            f"The file holds {len(document.markdown):,} characters; at most {limits.max_text_chars:,} are read.",
        )
    return document
