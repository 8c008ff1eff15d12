"""A message in WhatsApp's form: files by link, text in pieces, choices as reply buttons or as a list."""

import re
from typing import Any

from chatbot.channels.contract import Call, Capabilities
from chatbot.channels.markup import WHATSAPP, render
from chatbot.channels.outgoing import Button, Outgoing, OutgoingMedia
from chatbot.channels.providers.meta.buttons import Offer, cut, offer, short

CAPABILITIES = Capabilities(max_length=4096, unit="utf16", buttons=10, typing=True, per_second=80.0, window_hours=24)

_MAX_BODY = 1024
_REPLY_BUTTONS = 3
_ROW_TITLE = 24
_ROW_DESCRIPTION = 72
_USER_ID = re.compile(r"[A-Z]{2}\..+")
_OPEN_LIST = {"ar": "اختيار", "de": "Auswählen", "es": "Elegir", "fa": "انتخاب", "fr": "Choisir", "tr": "Seçin"}


def calls(message: Outgoing, phone_number_id: str) -> list[Call]:
    """Return the calls that send a message; a reply leaves from the number that was written to."""
    number = str(message.context.get("phone_number_id") or phone_number_id)
    action = "messages" if number == phone_number_id else f"{number}/messages"
    return [Call(action, {**_recipient(message), **body}) for body in _bodies(message)]


def _recipient(message: Outgoing) -> dict[str, str]:
    """Return to whom: a group, a phone number while WhatsApp tells it, else the business-scoped user id."""
    group, phone = message.context.get("group"), message.context.get("to")
    found = {"messaging_product": "whatsapp", "recipient_type": "group" if group else "individual"}
    if not group and not phone and _USER_ID.fullmatch(message.thread):
        return {**found, "recipient": message.thread}
    return {**found, "to": str(group or phone or message.thread)}


def _bodies(message: Outgoing) -> list[dict[str, Any]]:
    """Return files, then text; buttons come last, below the last words."""
    wanted = offer(message, CAPABILITIES, links=len(message.buttons) == 1)
    texts = cut(wanted, CAPABILITIES, _MAX_BODY, lambda markdown: render(markdown, WHATSAPP))
    bodies = [_file(file) for file in message.media]
    if not wanted.buttons:
        return bodies + [_text(text) for text in texts]
    return [*bodies, *(_text(text) for text in texts[:-1]), _interactive(wanted, texts[-1], message.language or "")]


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": {"body": text, "preview_url": False}}


def _file(file: OutgoingMedia) -> dict[str, Any]:
    named = {"filename": file.name[:240]} if file.kind == "document" and file.name else {}
    return {"type": file.kind, file.kind: {"link": file.url, **named}}


def _interactive(wanted: Offer, text: str, language: str) -> dict[str, Any]:
    first = wanted.buttons[0]
    if first.url:
        kind, action = "cta_url", _link(first)
    elif len(wanted.buttons) <= _REPLY_BUTTONS:
        kind, action = "button", {"buttons": [_reply(button) for button in wanted.buttons]}
    else:
        label = _OPEN_LIST.get(language.split("-", maxsplit=1)[0].lower(), "Choose")
        kind, action = "list", {"button": label, "sections": [{"rows": [_row(button) for button in wanted.buttons]}]}
    return {"type": "interactive", "interactive": {"type": kind, "body": {"text": text}, "action": action}}


def _link(button: Button) -> dict[str, Any]:
    return {"name": "cta_url", "parameters": {"display_text": short(button.title), "url": button.url}}


def _reply(button: Button) -> dict[str, Any]:
    return {"type": "reply", "reply": {"id": button.id, "title": short(button.title)}}


def _row(button: Button) -> dict[str, str]:
    title = short(button.title, _ROW_TITLE)
    rest = {} if title == " ".join(button.title.split()) else {"description": short(button.title, _ROW_DESCRIPTION)}
    return {"id": button.id, "title": title, **rest}
