"""Questions with their answers, as files of data hold them: told by the names of their fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chatbot.knowledge.parse.model import Pair

_QUESTION = (
    "question", "q", "pregunta", "پرسش", "سوال", "سؤال", "سئوال", "السؤال", "frage", "pergunta", "domanda", "soru",
)  # fmt: skip
_ANSWER = (
    "answer", "a", "response", "reply", "respuesta", "پاسخ", "جواب", "الجواب", "الإجابة", "réponse", "antwort",
    "resposta", "risposta", "cevap", "yanıt",
)  # fmt: skip
_GROUP = ("category", "section", "topic", "group")
_NAMING = ("title", "name", "heading", "label", "subject")
_ABOUT_THE_ENTRY = frozenset(
    {"id", "uuid", "key", "slug", "lang", "language", "locale", "order", "position", "tags", "keywords", "version",
     "created", "created_at", "updated", "updated_at", "date", "published", "status"}
)  # fmt: skip
_MAX_DEPTH = 8


def pairs_in(value: Any) -> tuple[Pair, ...]:
    """The pairs of a JSON value that holds nothing else worth keeping; empty when it holds more, or none."""
    return tuple(_found(value, (), 0) or ())


def pair_of(item: Mapping[str, Any], groups: tuple[str, ...] = ()) -> Pair | None:
    """The pair that an object, or a row by its column names, is; what else it says follows the answer."""
    fields = {str(key).strip().lower(): value for key, value in item.items()}
    question, answer = _first(fields, _QUESTION), _first(fields, _ANSWER)
    if not question or not answer:
        return None
    group = _first(fields, _GROUP)
    known = {*_QUESTION, *_ANSWER, *_GROUP, *_ABOUT_THE_ENTRY}
    rest = [f"{key}: {text}" for key, value in fields.items() if key not in known and (text := _text(value))]
    if any(isinstance(value, (dict, list)) and value and key not in known for key, value in fields.items()):
        return None
    told = "\n".join(rest)
    return Pair(question, f"{answer}\n\n{told}" if told else answer, (*groups, group) if group else groups)


def pairs_in_rows(header: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[Pair, ...]:
    """The rows of a table as questions with their answers, when the columns say so and every row is whole."""
    pairs = [pair_of(dict(zip(header, row, strict=False))) for row in rows]
    return tuple(pair for pair in pairs if pair) if all(pairs) else ()


def _found(value: Any, groups: tuple[str, ...], depth: int) -> list[Pair] | None:
    """The pairs below a value; None when something there is none."""
    if depth > _MAX_DEPTH or not isinstance(value, (dict, list)) or not value:
        return None
    if isinstance(value, list):
        return _all([_found(item, groups, depth + 1) if isinstance(item, dict) else None for item in value])
    if pair := pair_of(value, groups):
        return [pair]
    return _grouped(value, groups, depth)


def _grouped(value: dict[str, Any], groups: tuple[str, ...], depth: int) -> list[Pair] | None:
    """The pairs of an object that only names and holds lists of them; deeper ones stand under its name."""
    fields = {key.strip().lower(): item for key, item in value.items()}
    lists = {
        key: item for key, item in fields.items() if isinstance(item, (dict, list)) and key not in _ABOUT_THE_ENTRY
    }
    if not lists or set(fields) - set(lists) - {*_NAMING, *_GROUP, *_ABOUT_THE_ENTRY}:
        return None
    name = _first(fields, (*_GROUP, *_NAMING)) if depth else None
    named = (*groups, name) if name else groups
    several = len(lists) > 1
    return _all([_found(item, (*named, key) if several else named, depth + 1) for key, item in lists.items()])


def _all(found: list[list[Pair] | None]) -> list[Pair] | None:
    if any(pairs is None for pairs in found):
        return None
    return [pair for pairs in found if pairs for pair in pairs]


def _first(fields: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    return next((text for key in keys if (text := _text(fields.get(key)))), None)


def _text(value: Any) -> str | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return value.strip() or None if isinstance(value, str) else None
