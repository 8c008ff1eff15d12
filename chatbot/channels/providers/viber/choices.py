"""Buttons of Viber: a pressed one comes back as a message with its title.

Which id a title stands for travels in the message's `tracking_data`, which Viber gives back with the answer.
"""

from collections.abc import Sequence

import orjson

from chatbot.channels.events import Choice
from chatbot.channels.outgoing import Button

_KEY = "choices"
_MAX_TRACKING = 4000


def tracked(buttons: Sequence[Button]) -> str | None:
    """Return the data by which the titles are known again; None where two are alike, or Viber keeps less."""
    if len({button.title for button in buttons}) < len(buttons):
        return None
    data = orjson.dumps({_KEY: {button.title: button.id for button in buttons if button.id}}).decode()
    return data if len(data) <= _MAX_TRACKING else None


def chosen(text: str, tracking_data: object) -> Choice | None:
    """Return which button a text stands for, if it is one of the last message's."""
    if not isinstance(tracking_data, str) or _KEY not in tracking_data:
        return None
    try:
        told = orjson.loads(tracking_data)
    except orjson.JSONDecodeError:
        return None
    offered = told.get(_KEY) if isinstance(told, dict) else None
    identity = offered.get(text) if isinstance(offered, dict) else None
    return Choice(identity, text) if isinstance(identity, str) else None
