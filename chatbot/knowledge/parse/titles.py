"""The title of a document: what it says of itself, else its first heading, else its file name."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

_MEANINGLESS = re.compile(
    r"^(untitled.*|document\d*|microsoft (word|powerpoint|excel).*|powerpoint presentation|presentation\d*|book\d*"
    r"|slide \d+|title|.*\.(docx?|pptx?|xlsx?|pdf|indd|tmp|html?))$",
    re.IGNORECASE,
)
_FIRST_HEADING = re.compile(r"^#{1,2}\s+(.+?)\s*#*$", re.MULTILINE)
_MAX_CHARS = 200


def choose_title(declared: str | None, markdown: str, filename: str) -> str:
    """A title of 1 to 200 characters, never empty."""
    declared = _clean(declared or "")
    if declared and not _MEANINGLESS.match(declared):
        return declared
    heading = _FIRST_HEADING.search(markdown[:5000])
    if heading and (text := _clean(re.sub(r"[*_`\\]", "", heading.group(1)))):
        return text
    return from_filename(filename)


def from_filename(filename: str) -> str:
    """`/a/return_policy-v2.pdf` becomes `return policy-v2`."""
    stem = PurePosixPath(filename.replace("\\", "/")).stem
    return _clean(stem.replace("_", " ")) or "Untitled"


def _clean(text: str) -> str:
    return " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", text).split())[:_MAX_CHARS]
