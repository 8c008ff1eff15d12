"""What is wrong with a field is said in words that whoever fills in a form understands."""

from collections.abc import Iterator
from typing import Any

import pytest

from chatbot.apps.api import api_document
from chatbot.channels.registry import PROVIDERS
from chatbot.core.field_words import field_words


def _patterns(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            yield from _patterns(part)


def _words(pattern: str) -> str:
    found = {
        "type": "string_pattern_mismatch",
        "ctx": {"pattern": pattern},
        "msg": f"String should match pattern '{pattern}'",
    }
    return field_words(found)


def test_no_pattern_of_a_request_or_of_credentials_is_shown_as_it_is() -> None:
    schemas = [provider.credentials.model_json_schema() for provider in PROVIDERS.values()]
    patterns = {*_patterns(api_document()), *_patterns(schemas)}
    assert len(patterns) > 20
    assert [pattern for pattern in patterns if not _words(pattern).startswith("must ")] == []


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("^[0-9]{1,20}$", "must hold digits only"),
        (r"^(https?://.*)?$", "must be an address that begins with https:// or http://"),
        (r"^https?://[^/\s]{1,250}$", "must be an origin such as https://shop.example.com, without a path"),
        ("^x$", "does not have the form that is asked for"),
    ],
)
def test_a_pattern_is_said_in_words(pattern: str, words: str) -> None:
    assert _words(pattern) == words
