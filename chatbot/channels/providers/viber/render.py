"""Our messages as Viber's: plain text, buttons as a keyboard, pictures."""

import html
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from chatbot.channels.base import degraded
from chatbot.channels.contract import Account, Call, Capabilities
from chatbot.channels.markup import PLAIN, render
from chatbot.channels.outgoing import Button, Outgoing, OutgoingMedia
from chatbot.channels.pieces import pieces
from chatbot.channels.providers.viber.choices import tracked
from chatbot.channels.providers.viber.credentials import ViberCredentials

CAPABILITIES = Capabilities(max_length=7000, buttons=24, per_second=20.0, thread_per_second=5.0)
# A request is at most 30 KB of JSON, in which a line break takes two bytes.
_MAX_TEXT_BYTES = 15_000
_MAX_KEYBOARD_BYTES = 13_000
_TITLE = 250
_MAX_URL = 2000


def calls(account: Account[ViberCredentials], message: Outgoing) -> list[Call]:
    """One call for each picture and each piece of the text; the keyboard comes with the last."""
    pictures = [file for file in message.media if _shown(file)]
    others = tuple(file for file in message.media if not _shown(file))
    keyboard = _keyboard(message.buttons)
    capabilities = CAPABILITIES if keyboard else replace(CAPABILITIES, buttons=0)
    text = degraded(replace(message, media=others), capabilities)
    bodies: list[dict[str, Any]] = [{"type": "picture", "text": "", "media": file.url} for file in pictures]
    bodies += [{"type": "text", "text": piece} for piece in _pieces(text)]
    if bodies:
        bodies[-1] |= keyboard
    common = {"receiver": message.thread, "sender": _sender(account.credentials)}
    return [Call("send_message", common | body) for body in bodies]


def _pieces(text: str) -> list[str]:
    """At most 7,000 characters, which may be more bytes than a request takes."""
    if not text:
        return []
    plain = pieces(text, CAPABILITIES.max_length, "characters", lambda piece: render(piece, PLAIN))
    return [part for piece in plain for part in pieces(piece, _MAX_TEXT_BYTES, "bytes")]


def _shown(file: OutgoingMedia) -> bool:
    """Films and files need their size, which we do not know, so they are told as links."""
    return file.kind == "image" and len(file.url) <= _MAX_URL


def _sender(credentials: ViberCredentials) -> dict[str, str]:
    name = {"name": credentials.sender_name}
    return name | {"avatar": credentials.sender_avatar} if credentials.sender_avatar else name


def _keyboard(buttons: Sequence[Button]) -> dict[str, Any]:
    """The keyboard and what its titles stand for; empty where there is nothing to choose, or too much for Viber."""
    data = tracked(buttons)
    if not buttons or len(buttons) > CAPABILITIES.buttons or data is None:
        return {}
    keyboard = {"Type": "keyboard", "DefaultHeight": False, "Buttons": [_button(button) for button in buttons]}
    made = {"keyboard": keyboard, "tracking_data": data}
    return made if len(orjson.dumps(made)) <= _MAX_KEYBOARD_BYTES else {}


def _button(button: Button) -> dict[str, Any]:
    title = button.title if len(button.title) <= _TITLE else button.title[: _TITLE - 1] + "…"
    action = {"ActionType": "open-url", "ActionBody": button.url} if button.url else {
        "ActionType": "reply", "ActionBody": button.title
    }  # fmt: skip
    # The text of a button may hold HTML.
    return {"Columns": 6, "Rows": 1, "Text": html.escape(title, quote=False), **action}
