"""Texts with `{{placeholders}}`: checked when a rule is saved, filled in when it runs."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from chatbot.automation.rules.facts import FIELDS, Facts

_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_FREE = re.compile(r"(?:variable|event)\.[a-z][a-z0-9_]{0,59}")


def unknown_placeholders(template: Any) -> list[str]:
    """Return the placeholders of a text, or of texts in lists and objects, that name nothing."""
    return [name for name in placeholders(template) if not _known(name)]


def placeholders(template: Any) -> Iterator[str]:
    """Give the names that stand in a text, or in texts in lists and objects."""
    for text in _texts(template):
        yield from _PLACEHOLDER.findall(text)


def fill(template: str, facts: Facts) -> str:
    """Return a text with its placeholders filled in, once: what a visitor wrote is never read as a template."""
    return _PLACEHOLDER.sub(lambda found: _written(facts.value(found.group(1))), template)


def fill_all(template: Any, facts: Facts) -> Any:
    """Fill in every text of a JSON value; a text that is one placeholder alone becomes the value itself."""
    return _filled(template, facts, _value)


def fill_texts(template: Any, facts: Facts) -> Any:
    """Fill in every text of a JSON value; each stays a text."""
    return _filled(template, facts, fill)


def _filled(template: Any, facts: Facts, how: Callable[[str, Facts], Any]) -> Any:
    if isinstance(template, str):
        return how(template, facts)
    if isinstance(template, Mapping):
        return {key: _filled(value, facts, how) for key, value in template.items()}
    if isinstance(template, list | tuple):
        return [_filled(value, facts, how) for value in template]
    return template


def _value(template: str, facts: Facts) -> Any:
    alone = _PLACEHOLDER.fullmatch(template)
    return facts.value(alone.group(1)) if alone else fill(template, facts)


def _known(name: str) -> bool:
    return name in FIELDS or _FREE.fullmatch(name) is not None


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple | set):
        return ", ".join(map(str, value))
    return str(value)


def _texts(template: Any) -> Iterator[str]:
    if isinstance(template, str):
        yield template
    elif isinstance(template, Mapping):
        for value in template.values():
            yield from _texts(value)
    elif isinstance(template, list | tuple):
        for value in template:
            yield from _texts(value)
