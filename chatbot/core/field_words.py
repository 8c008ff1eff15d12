"""What pydantic found wrong with a field, in words for whoever sent it."""

from collections.abc import Mapping
from typing import Any

_PYTHONS_WORDS = {
    "extra_forbidden": "is no field here",
    "union_tag_not_found": "Field required",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "set_type": "must be a list",
    "frozen_set_type": "must be a list",
}
"""What pydantic says in Python's words, for those who send JSON."""


def field_words(problem: Mapping[str, Any]) -> str:
    """Say in words what pydantic found wrong with a field; its own words where they are for people."""
    limits, kind = problem.get("ctx", {}), problem["type"]
    if kind == "json_invalid":
        return f"is not JSON ({limits['error']} at character {problem['loc'][-1]})"
    if kind in ("too_short", "too_long"):
        least, limit = kind == "too_short", limits["min_length" if kind == "too_short" else "max_length"]
        # A SecretStr is no text to pydantic, which counts its "items".
        counted = "character" if limits["field_type"] == "Value" else "item"
        return f"must hold at {'least' if least else 'most'} {limit} {counted}{'' if limit == 1 else 's'}"
    if kind == "extra_forbidden" and limits.get("fields"):
        return f"is no field here; there are {', '.join(limits['fields'])}"
    if kind == "model_attributes_type" and isinstance(problem.get("input"), bytes):
        return "must be JSON, sent with Content-Type: application/json"
    if kind == "union_tag_invalid":
        return f"must be one of {limits['expected_tags']}"
    return _PYTHONS_WORDS.get(kind) or str(problem["msg"]).removeprefix("Value error, ")
