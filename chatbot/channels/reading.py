"""Reading of providers' JSON: a body is an object or refused; in it, what is missing or of another type is empty."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from chatbot.channels.contract import Malformed

MAX_DEPTH = 100
"""Deeper bodies are refused: no provider nests so, and what is kept of an event must be written again as JSON."""


def json_body(body: bytes | str, where: str = "body") -> dict[str, Any]:
    """Return the JSON object that a body is; raises `Malformed`."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"{where}: not JSON ({error})") from None
    if not isinstance(found, dict):
        raise Malformed(f"{where}: must be a JSON object")
    require_shallow(found, where)
    return found


def require_shallow(value: Any, where: str = "body") -> None:
    """Refuse JSON that is nested deeper than `MAX_DEPTH`; raises `Malformed`."""
    level = [value]
    for _ in range(MAX_DEPTH):
        inner = [one for outer in level for one in (outer.values() if isinstance(outer, dict) else outer)]
        level = [one for one in inner if isinstance(one, dict | list)]
        if not level:
            return
    raise Malformed(f"{where}: nested deeper than {MAX_DEPTH} levels")


def part(value: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return an object inside an object; empty when there is none."""
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def parts(value: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the objects of a list inside an object."""
    found = value.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def words(value: Mapping[str, Any], name: str) -> list[str]:
    """Return the texts of a list inside an object."""
    found = value.get(name)
    return [one for one in found if isinstance(one, str) and one] if isinstance(found, list) else []


def word(value: Mapping[str, Any], *names: str) -> str:
    """Return the first of some fields that holds a text or a number, as text; empty when none does."""
    for name in names:
        found = value.get(name)
        if isinstance(found, str | int | float) and not isinstance(found, bool) and found != "":
            return str(found)
    return ""


def string(value: Mapping[str, Any], name: str) -> str:
    """Return a text; a number is none."""
    found = value.get(name)
    return found if isinstance(found, str) else ""


def number(value: Mapping[str, Any], name: str) -> int | None:
    """Return a whole number; None when there is none."""
    found = value.get(name)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def at_unix(seconds: str) -> datetime | None:
    """Return a Unix time in seconds (`1595926230.009600`); None when it is none."""
    try:
        return datetime.fromtimestamp(float(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def at_milliseconds(told: object) -> datetime | None:
    """Return a Unix time in milliseconds; None when it is none."""
    return at_unix(str(told / 1000)) if isinstance(told, int | float) else None


def without(value: Any, names: frozenset[str]) -> Any:
    """Return JSON without some fields, at any depth: secrets that a provider repeats in what it sends."""
    if isinstance(value, dict):
        return {name: without(inner, names) for name, inner in value.items() if name not in names}
    return [without(inner, names) for inner in value] if isinstance(value, list) else value
