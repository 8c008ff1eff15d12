"""What pydantic found wrong with a field, in words for whoever sent it."""

from collections.abc import Mapping
from typing import Any

# A pattern says nothing to a person: what those of our schemas ask for, by the first of these pieces that is in it.
_FORMS = (
    ("[^/]$", "must be an address that begins with https:// or http:// and does not end with /"),
    ("@", "must be an e-mail address such as ann@example.com"),
    ("://([A-Za-z0-9-]", "must be an origin such as https://shop.example.com, without a path"),
    ("://[^/", "must be an origin such as https://shop.example.com, without a path"),
    ("://[^\\s/?#]+", "must be an address that begins with https:// or http://, without a query and a / at its end"),
    ("https://", "must be an address that begins with https://"),
    ("https?://", "must be an address that begins with https:// or http://"),
    ("[Pp][Ss]?://", "must be an address that begins with https:// or http://"),
    ("\\+[0-9]", "must be a phone number such as +15551234567"),
    ("2[0-3]", "must be a time of the day such as 09:00"),
    ("^#", "must be a colour such as #4f46e5"),
    ("^[0-9]", "must hold digits only"),
    ("^([0-9a-fA-F]", "must hold 64 hexadecimal digits"),
    ("{2,8}([-_]", "must be the code of a language such as en or pt-BR"),
    ("{2,3}(-", "must be the code of a language such as en or pt-BR"),
    ("^[a-z][a-z0-9_]", "must begin with a small letter and hold small letters, digits and _ only"),
    ("^[A-Za-z0-9_-]", "must hold letters, digits, - and _ only"),
    ("^[A-Za-z0-9]", "must hold letters and digits only"),
    ("^[^\\s/]", "must hold neither spaces nor /"),
)

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
    if kind == "string_pattern_mismatch":
        found = (words for piece, words in _FORMS if piece in limits["pattern"])
        return next(found, "does not have the form that is asked for")
    if kind == "model_attributes_type" and isinstance(problem.get("input"), bytes):
        return "must be JSON, sent with Content-Type: application/json"
    if kind == "union_tag_invalid":
        return f"must be one of {limits['expected_tags']}"
    return _PYTHONS_WORDS.get(kind) or str(problem["msg"]).removeprefix("Value error, ")
