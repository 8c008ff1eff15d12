"""Lenient reading of providers' JSON: what is missing or of another type is empty, never an error."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


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


def without(value: Any, names: frozenset[str]) -> Any:
    """Return JSON without some fields, at any depth: secrets that a provider repeats in what it sends."""
    if isinstance(value, dict):
        return {name: without(inner, names) for name, inner in value.items() if name not in names}
    return [without(inner, names) for inner in value] if isinstance(value, list) else value
