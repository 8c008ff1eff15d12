"""Our messages as LINE's: plain text, five to a call, buttons as quick replies."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chatbot.channels.base import degraded
from chatbot.channels.contract import Call, Capabilities
from chatbot.channels.markup import PLAIN, render
from chatbot.channels.outgoing import Button, Outgoing, OutgoingMedia
from chatbot.channels.pieces import pieces
from chatbot.channels.providers.line.postback import MAX_DATA, packed

CAPABILITIES = Capabilities(max_length=5000, unit="utf16", buttons=13, typing=True, thread_per_second=5.0)
_PER_CALL = 5
_LABEL = 20
_MAX_URL = 1000
_MAX_FILE_URL = 2000


def calls(message: Outgoing) -> list[Call]:
    """Five messages a call; the first one may take the reply token, which serves once."""
    messages = _messages(message)
    batches = [messages[start : start + _PER_CALL] for start in range(0, len(messages), _PER_CALL)]
    bodies: list[dict[str, Any]] = [{"to": message.thread, "messages": batch} for batch in batches]
    token, at = message.context.get("reply_token"), message.context.get("reply_at")
    if bodies and isinstance(token, str) and isinstance(at, int | float):
        bodies[0] |= {"reply_token": token, "reply_at": at}
    return [Call("message", body) for body in bodies]


def _messages(message: Outgoing) -> list[dict[str, Any]]:
    pictures = [file for file in message.media if _shown(file)]
    others = tuple(file for file in message.media if not _shown(file))
    fitting = _fits(message.buttons)
    capabilities = CAPABILITIES if fitting else replace(CAPABILITIES, buttons=0)
    text = degraded(replace(message, media=others), capabilities)
    texts = pieces(text, CAPABILITIES.max_length, "utf16", lambda piece: render(piece, PLAIN)) if text else []
    made: list[dict[str, Any]] = [
        {"type": "image", "originalContentUrl": file.url, "previewImageUrl": file.url} for file in pictures
    ]
    made += [{"type": "text", "text": piece} for piece in texts]
    if made and message.buttons and fitting:
        # LINE shows the quick replies of the newest message only.
        made[-1]["quickReply"] = {"items": [_item(button) for button in message.buttons]}
    return made


def _shown(file: OutgoingMedia) -> bool:
    """Sound and film need a length or a preview that we do not have, so they are told as links."""
    return file.kind == "image" and file.url.startswith("https://") and len(file.url) <= _MAX_FILE_URL


def _fits(buttons: Sequence[Button]) -> bool:
    return len(buttons) <= CAPABILITIES.buttons and all(
        len(button.id) <= MAX_DATA and len(button.url) <= _MAX_URL for button in buttons
    )


def _item(button: Button) -> dict[str, Any]:
    label = button.title if len(button.title) <= _LABEL else button.title[: _LABEL - 1] + "…"
    action: dict[str, str] = {"label": label}
    if button.url:
        action |= {"type": "uri", "uri": button.url}
    else:
        shown = button.title[:MAX_DATA]
        action |= {"type": "postback", "data": packed(button.id or shown, shown), "displayText": shown}
    return {"type": "action", "action": action}
