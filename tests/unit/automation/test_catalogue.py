"""The catalogue of events: documented as it is, and every event that the code names stands in it."""

import re
from pathlib import Path

from chatbot.automation.catalogue import EVENTS
from chatbot.automation.rules.actions import ACTION_TYPES
from chatbot.automation.rules.facts import FIELDS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/AUTOMATION.md").read_text()
_WRITTEN = re.compile(r"""EventRow\(\s*"([a-z_.]+)"|INSERT INTO events[^;"]*?'([a-z_]+\.[a-z_]+)'""")


def test_the_page_lists_every_event_with_its_payload() -> None:
    listed = dict(re.findall(r"^\| `([a-z_.]+)` \| \d+ \| [^|]+ \| ([^|]+) \|$", PAGE, re.MULTILINE))
    assert {name: re.findall(r"`([a-z_]+)`", keys) for name, keys in listed.items()} == {
        name: list(kind.payload) for name, kind in EVENTS.items()
    }


def test_the_page_names_every_field_and_action() -> None:
    assert all(f"`{name}`" in PAGE for name in (*FIELDS, *ACTION_TYPES))


def test_every_event_that_the_code_writes_is_in_the_catalogue() -> None:
    written = {
        name
        for file in (ROOT / "chatbot").rglob("*.py")
        for found in _WRITTEN.finditer(file.read_text())
        for name in found.groups()
        if name
    }
    assert len(written) >= 15
    assert written <= set(EVENTS)
