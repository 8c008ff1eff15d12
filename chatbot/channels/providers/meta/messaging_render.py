"""A message in the form of the Send API: files by link, plain text in pieces, choices as quick replies."""

from dataclasses import replace
from typing import Any

from chatbot.channels.contract import Call, Capabilities
from chatbot.channels.markup import PLAIN, render
from chatbot.channels.outgoing import Button, Outgoing, OutgoingMedia
from chatbot.channels.providers.meta.buttons import cut, offer, short

MESSENGER = Capabilities(max_length=2000, unit="utf16", buttons=13, typing=True, window_hours=24)
INSTAGRAM = Capabilities(max_length=1000, unit="bytes", buttons=13, typing=True, window_hours=24)

_MAX_TEMPLATE = 640
_TEMPLATE_BUTTONS = 3


def calls(message: Outgoing, capabilities: Capabilities, *, documents: bool, human_agent: bool) -> list[Call]:
    """Return the calls that send a message.

    Args:
        documents: whether the channel takes files other than pictures, sound and film; otherwise they are written out.
        human_agent: whether agents may write after the 24 hours.
    """
    return [
        Call("messages", {**_envelope(message, human_agent), "message": one})
        for one in _bodies(message, capabilities, documents)
    ]


def _envelope(message: Outgoing, human_agent: bool) -> dict[str, Any]:
    tag = {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
    kind = tag if human_agent and message.by_person else {"messaging_type": "RESPONSE"}
    return {"recipient": {"id": message.thread}, **kind}


def _bodies(message: Outgoing, capabilities: Capabilities, documents: bool) -> list[dict[str, Any]]:
    files = [file for file in message.media if documents or file.kind != "document"]
    written = [f"[{file.name or file.kind}]({file.url})" for file in message.media if file not in files]
    text = "\n\n".join(part for part in (message.text, *written) if part)
    has_link = any(button.url for button in message.buttons)
    as_template = has_link and len(message.buttons) <= _TEMPLATE_BUTTONS
    wanted = offer(replace(message, text=text, media=()), capabilities, links=as_template)
    last = _MAX_TEMPLATE if as_template else capabilities.max_length
    texts = cut(wanted, capabilities, last, lambda markdown: render(markdown, PLAIN))
    bodies: list[dict[str, Any]] = [*(_file(file) for file in files), *({"text": one} for one in texts)]
    if wanted.buttons:
        bodies[-1] = _template(texts[-1], wanted.buttons) if as_template else _quick(texts[-1], wanted.buttons)
    return bodies


def _file(file: OutgoingMedia) -> dict[str, Any]:
    kind = "file" if file.kind == "document" else file.kind
    return {"attachment": {"type": kind, "payload": {"url": file.url, "is_reusable": False}}}


def _quick(text: str, choices: tuple[Button, ...]) -> dict[str, Any]:
    replies = [{"content_type": "text", "title": short(one.title), "payload": one.id} for one in choices]
    return {"text": text, "quick_replies": replies}


def _template(text: str, buttons: tuple[Button, ...]) -> dict[str, Any]:
    payload = {"template_type": "button", "text": text, "buttons": [_button(one) for one in buttons]}
    return {"attachment": {"type": "template", "payload": payload}}


def _button(button: Button) -> dict[str, str]:
    if button.url:
        return {"type": "web_url", "title": short(button.title), "url": button.url}
    return {"type": "postback", "title": short(button.title), "payload": button.id}
