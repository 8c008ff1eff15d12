"""Plain text, Markdown and CSV: decoded, tidied, and given the shape of Markdown."""

from __future__ import annotations

import csv
import io
import re

from chatbot.knowledge.parse.encoding import decode
from chatbot.knowledge.parse.errors import ParseError, ParseFault
from chatbot.knowledge.parse.model import ParsedDocument, ParseLimits
from chatbot.knowledge.parse.pairs import pairs_in_rows
from chatbot.knowledge.parse.rtl import plain_forms
from chatbot.knowledge.parse.tables import markdown_table
from chatbot.knowledge.parse.titles import choose_title, from_filename

_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n(?:---|\.\.\.)\n", re.DOTALL)
_FRONT_TITLE = re.compile(r"^title:\s*[\"']?(.+?)[\"']?\s*$", re.MULTILINE)
_FRONT_LANGUAGE = re.compile(r"^lang(?:uage)?:\s*[\"']?([A-Za-z-]{2,10})[\"']?\s*$", re.MULTILINE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_IMAGE = re.compile(r"!\[([^\]]*)\]\([^)\s]*(?:\s+\"[^\"]*\")?\)")
_MAX_COLUMNS = 200


def parse_text(data: bytes, filename: str, _limits: ParseLimits) -> ParsedDocument:
    """Plain text as it is: blank lines part paragraphs, nothing in it is read as markup."""
    text, warning = decode(data)
    text = plain_forms(text).strip()
    escaped = re.sub(r"^(#{1,6} )", r"\\\1", text, flags=re.MULTILINE)
    return ParsedDocument(_first_line_title(text, filename), escaped, "txt", None, _warnings(warning))


def parse_markdown(data: bytes, filename: str, _limits: ParseLimits) -> ParsedDocument:
    """Markdown with its front matter read and taken off; comments and pictures' addresses dropped."""
    text, warning = decode(data)
    text = plain_forms(text)
    title = language = None
    if front := _FRONT_MATTER.match(text):
        title, language = (_found(pattern, front.group(1)) for pattern in (_FRONT_TITLE, _FRONT_LANGUAGE))
        text = text[front.end() :]
    text = _IMAGE.sub(r"\1", _COMMENT.sub("", text)).strip()
    return ParsedDocument(choose_title(title, text, filename), text, "md", language, _warnings(warning))


def parse_csv(data: bytes, filename: str, _limits: ParseLimits) -> ParsedDocument:
    """A CSV or TSV file as one table. Raises ParseError(`corrupt`) where rows cannot be told apart."""
    text, warning = decode(data)
    text = plain_forms(text)
    try:
        rows = list(csv.reader(io.StringIO(text), _dialect(text, filename), strict=False))
    except csv.Error as error:
        raise ParseError(ParseFault.CORRUPT, f"The CSV file cannot be read: {error}.") from error
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if not rows:
        raise ParseError(ParseFault.NO_TEXT, "The CSV file holds no values.")
    width = max(len(row) for row in rows)
    if width > _MAX_COLUMNS:
        raise ParseError(ParseFault.CORRUPT, f"The CSV file has {width} columns; at most {_MAX_COLUMNS} are read.")
    header, *body = rows
    table = markdown_table([*header, *[""] * (width - len(header))], body)
    pairs = pairs_in_rows(header, body)
    return ParsedDocument(from_filename(filename), table, "csv", None, _warnings(warning), pairs=pairs)


def _dialect(text: str, filename: str) -> type[csv.Dialect]:
    """The delimiter by the file's name or its first lines; RFC 4180 in all else."""
    sample = text[:16_384]
    first = sample.split("\n", 1)[0]
    counts = {mark: first.count(mark) for mark in ",;\t|"}
    best = max(counts, key=lambda mark: counts[mark])

    class Dialect(csv.excel):
        delimiter = "\t" if filename.lower().endswith(".tsv") else best if counts[best] else ","

    return Dialect


def _first_line_title(text: str, filename: str) -> str:
    """A short first line that stands alone is the title of a text."""
    first, _, rest = text.partition("\n")
    alone = (
        3 <= len(first) <= 100 and (not rest or rest.startswith("\n")) and not first.rstrip().endswith((".", "،", ","))
    )
    return " ".join(first.split()) if alone else from_filename(filename)


def _found(pattern: re.Pattern[str], text: str) -> str | None:
    match = pattern.search(text)
    return match.group(1) if match else None


def _warnings(warning: str | None) -> tuple[str, ...]:
    return (warning,) if warning else ()
