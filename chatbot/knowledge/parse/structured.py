"""JSON as something to read: objects become headed sections of `name: value` lines, flat lists become tables."""

from __future__ import annotations

import json
import re
from typing import Any

from chatbot.knowledge.parse.encoding import decode
from chatbot.knowledge.parse.errors import ParseError, ParseFault
from chatbot.knowledge.parse.model import ParsedDocument, ParseLimits
from chatbot.knowledge.parse.pairs import pairs_in
from chatbot.knowledge.parse.rtl import plain_forms
from chatbot.knowledge.parse.tables import markdown_table
from chatbot.knowledge.parse.titles import from_filename

_NAMING_KEYS = ("title", "name", "question", "heading", "subject", "label", "q", "id", "key")
_TITLE_KEYS = ("title", "heading", "question")
_TEXT_KEYS = ("content", "body", "text", "answer")
"""Objects with one of each are articles, however short."""

_BODY_KEYS = ("content", "body", "text", "description", "answer", "a")
"""What stands under a name needs no label of its own."""

_LONG_CELL = 120
_HEADING_MARK = re.compile(r"^#{1,6}(?= )", re.MULTILINE)
_MAX_HEADING = 150
_MAX_COLUMNS = 12
_MAX_DEPTH = 60


def parse_json(data: bytes, filename: str, _limits: ParseLimits) -> ParsedDocument:
    """A JSON file (or JSON lines). Raises ParseError(`corrupt`) naming the line where it breaks."""
    text, warning = decode(data)
    value = _load(plain_forms(text))
    title = value.get("title") if isinstance(value, dict) else None
    name = title if isinstance(title, str) and title.strip() else from_filename(filename)
    lines: list[str] = []
    _write(value, lines, 1)
    warnings = (warning,) if warning else ()
    return ParsedDocument(name[:200], "\n\n".join(lines), "json", None, warnings, pairs=pairs_in(value))


def _load(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError as error:
        raise _too_deep() from error
    except json.JSONDecodeError as error:
        by_line = _load_lines(text)
        if by_line is not None:
            return by_line
        raise ParseError(
            ParseFault.CORRUPT, f"The JSON is not valid: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from error


def _load_lines(text: str) -> list[Any] | None:
    lines = [line for line in text.splitlines() if line.strip()]
    try:
        return [json.loads(line) for line in lines] if len(lines) > 1 else None
    except (json.JSONDecodeError, RecursionError):
        return None


def _write(value: Any, lines: list[str], depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise _too_deep()
    if isinstance(value, dict):
        _write_object(value, lines, depth)
    elif isinstance(value, list):
        _write_list(value, lines, depth)
    elif (text := _scalar(value)) is not None:
        lines.append(text)


def _write_object(value: dict[str, Any], lines: list[str], depth: int) -> None:
    facts = [f"{key}: {text}" for key, item in value.items() if (text := _scalar(item)) is not None]
    if facts:
        lines.append("\n".join(facts))
    for key, item in value.items():
        if isinstance(item, (dict, list)) and item:
            lines.append(_heading(str(key), depth))
            _write(item, lines, depth + 1)


def _write_list(items: list[Any], lines: list[str], depth: int) -> None:
    if _is_table(items):
        header = list(dict.fromkeys(key for item in items for key in item))
        lines.append(markdown_table(header, [[_scalar(item.get(key)) or "" for key in header] for item in items]))
    elif all(not isinstance(item, (dict, list)) for item in items):
        lines.append("\n".join(f"- {text}" for item in items if (text := _scalar(item)) is not None))
    else:
        for item in items:
            _write_item(item, lines, depth)


def _write_item(item: Any, lines: list[str], depth: int) -> None:
    """One of a list: under its name when it has one, what it is about first and without a label."""
    name = _name_of(item)
    rest = _without(item, name)
    if name:
        lines.append(_heading(name, depth))
        if body := _body_of(rest):
            lines.append(_HEADING_MARK.sub(lambda mark: ("#" * depth + mark.group())[-6:], rest[body].strip()))
            rest = {key: value for key, value in rest.items() if key != body}
    _write(rest, lines, depth + 1)


def _is_table(items: list[Any]) -> bool:
    """Whether items are small flat objects of one shape, better read side by side."""
    if len(items) < 2 or not all(isinstance(item, dict) and item for item in items):
        return False
    if all(any(key in item for key in _TITLE_KEYS) and any(key in item for key in _TEXT_KEYS) for item in items):
        return False
    flat = all(not isinstance(value, (dict, list)) for item in items for value in item.values())
    longest = max((len(_scalar(value) or "") for item in items for value in item.values()), default=0) if flat else 0
    return flat and longest <= _LONG_CELL and len({key for item in items for key in item}) <= _MAX_COLUMNS


def _name_of(item: Any) -> str | None:
    if not isinstance(item, dict):
        return None
    named = {key.lower(): value for key, value in item.items() if isinstance(value, str) and value.strip()}
    return next((" ".join(named[key].split()) for key in _NAMING_KEYS if key in named), None)


def _without(item: Any, name: str | None) -> Any:
    """The item less the value that has become its heading."""
    if not name or len(name) > _MAX_HEADING or not isinstance(item, dict):
        return item
    return {
        key: value for key, value in item.items() if not (isinstance(value, str) and " ".join(value.split()) == name)
    }


def _body_of(item: Any) -> str | None:
    """The key of the text that an object is about."""
    keys = {key.lower(): key for key, value in item.items() if isinstance(value, str) and value.strip()}
    return next((keys[key] for key in _BODY_KEYS if key in keys), None)


def _heading(text: str, depth: int) -> str:
    return f"{'#' * min(depth, 6)} {' '.join(text.split())[:_MAX_HEADING]}"


def _scalar(value: Any) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return str(value)
    return value.strip() or None if isinstance(value, str) else None


def _too_deep() -> ParseError:
    return ParseError(ParseFault.CORRUPT, f"The JSON is nested deeper than {_MAX_DEPTH} levels.")
