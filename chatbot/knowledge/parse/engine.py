"""The one call into kreuzberg: Markdown out of bytes, with no cache, no OCR and one thread."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import kreuzberg

from chatbot.knowledge.parse.errors import ParseError, ParseFault

_TABLE_ROW = re.compile(r"^\|.*\|[ \t]*$", re.MULTILINE)
_PADDING = re.compile(r" {2,}")
_EMPTY_PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj "
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\ntrailer<</Root 1 0 R>>"
)
_LONG_RULE = re.compile(r"-{4,}(?= *\|)")


@dataclass(frozen=True, slots=True)
class Extracted:
    """Markdown and the file's own metadata (title, language, …), as kreuzberg names it."""

    content: str
    metadata: dict[str, Any]


def unpack() -> None:
    """Make kreuzberg write its copy of PDFium below the temporary folder, where every later PDF finds it.

    It does so at the first PDF, which a process that may write no files would call damaged.
    """
    kreuzberg.extract_bytes_sync(_EMPTY_PDF, "application/pdf", _config())


def to_markdown(data: bytes, media_type: str) -> Extracted:
    """kreuzberg's reading of one file. Raises ParseError (`encrypted`, `corrupt`)."""
    try:
        result = kreuzberg.extract_bytes_sync(data, media_type, _config())
    except kreuzberg.KreuzbergError as error:
        raise _refusal(str(error)) from error
    return Extracted(_unpadded(result.content.replace("\r\n", "\n")), dict(result.metadata))


def _unpadded(markdown: str) -> str:
    """Tables without the spaces that only line their columns up: they would fill passages with nothing."""
    return _TABLE_ROW.sub(lambda row: _PADDING.sub(" ", _LONG_RULE.sub("---", row.group())), markdown)


def _config() -> kreuzberg.ExtractionConfig:
    return kreuzberg.ExtractionConfig(
        use_cache=False,
        enable_quality_processing=False,
        output_format="markdown",
        html_options={"extract_metadata": False},
        # What it takes for running heads is often a title at the top of a page; repeated lines are dropped anyway.
        content_filter=kreuzberg.ContentFilterConfig(include_headers=True, strip_repeating_text=True),
        concurrency=kreuzberg.ConcurrencyConfig(max_threads=1),
    )


def _refusal(message: str) -> ParseError:
    lowered = message.lower()
    if "password" in lowered or "encrypted" in lowered:
        return ParseError(ParseFault.ENCRYPTED, "The file is protected by a password. Remove it and upload again.")
    return ParseError(ParseFault.CORRUPT, "The file is damaged: its content could not be read.")
