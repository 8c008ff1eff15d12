"""One WhatsApp message: each type read into the message model."""

import json
from collections.abc import Callable

from chatbot.channels.events import (
    Choice,
    Contact,
    Content,
    Deleted,
    Edited,
    Followed,
    Location,
    Media,
    MediaKind,
    Message,
    Reaction,
    Unsupported,
)
from chatbot.channels.providers.meta.reading import Json, mapping, mappings, number, text

_Reader = Callable[[Json, Json], Content | None]


def content(message: Json) -> Content:
    """Read a message; what has no form, or lacks what makes it one, becomes `Unsupported` by its type."""
    kind = text(message.get("type")) or "message"
    reader = _READERS.get(kind)
    found = reader(message, mapping(message.get(kind))) if reader else None
    return found or Unsupported(_name(kind, mapping(message.get(kind))))


def _name(kind: str, part: Json) -> str:
    """Return `unsupported.poll`, `system.user_changed_number`, `interactive.call_permission_reply`, or the type."""
    inner = text(part.get("type"))
    return f"{kind}.{inner}" if inner else kind


def _quoted(message: Json) -> str | None:
    return text(mapping(message.get("context")).get("id")) or None


def _text(message: Json, part: Json) -> Content | None:
    body = text(part.get("body"))
    return Message(text=body, in_reply_to=_quoted(message)) if body else None


def _media(kind: MediaKind) -> _Reader:
    def read(message: Json, part: Json) -> Content | None:
        ref = text(part.get("id")) or text(part.get("url")) or text(part.get("link"))
        if not ref:
            return None
        real: MediaKind = "voice" if kind == "audio" and part.get("voice") is True else kind
        media = Media(real, ref, text(part.get("mime_type")) or None, text(part.get("filename")) or None)
        return Message(text=text(part.get("caption")), media=(media,), in_reply_to=_quoted(message))

    return read


def _location(message: Json, part: Json) -> Content | None:
    latitude, longitude = number(part.get("latitude")), number(part.get("longitude"))
    if latitude is None or longitude is None:
        return None
    place = Location(latitude, longitude, text(part.get("name")), text(part.get("address")))
    return Message(location=place, in_reply_to=_quoted(message))


def _contacts(message: Json, _part: Json) -> Content | None:
    cards = tuple(_card(card) for card in mappings(message.get("contacts")))
    return Message(contacts=cards, in_reply_to=_quoted(message)) if cards else None


def _card(card: Json) -> Contact:
    name = mapping(card.get("name"))
    parts = (text(name.get("first_name")), text(name.get("last_name")))
    phones = [text(one.get("phone")) or text(one.get("wa_id")) for one in mappings(card.get("phones"))]
    emails = [text(one.get("email")) for one in mappings(card.get("emails"))]
    return Contact(
        text(name.get("formatted_name")) or " ".join(part for part in parts if part),
        tuple(phone for phone in phones if phone),
        tuple(email for email in emails if email),
    )


def _interactive(message: Json, part: Json) -> Content | None:
    kind = text(part.get("type"))
    reply = mapping(part.get(kind))
    if kind == "nfm_reply" and reply:
        return _form(message, reply)
    if kind not in ("button_reply", "list_reply") or not reply:
        return None
    return Message(choice=Choice(text(reply.get("id")), text(reply.get("title"))), in_reply_to=_quoted(message))


def _form(message: Json, reply: Json) -> Content:
    """Read a filled-in form (a flow, an address): its fields as lines, its token as the choice."""
    try:
        fields = mapping(json.loads(text(reply.get("response_json"))))
    except (ValueError, RecursionError):
        fields = {}
    name = text(reply.get("name"))
    lines = [f"{key}: {_shown(value)}" for key, value in fields.items() if key != "flow_token"]
    choice = Choice(text(fields.get("flow_token")) or name, text(reply.get("body")) or name)
    return Message(text="\n".join(lines), choice=choice, in_reply_to=_quoted(message))


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _button(message: Json, part: Json) -> Content | None:
    if not part:
        return None
    title = text(part.get("text"))
    return Message(choice=Choice(text(part.get("payload")) or title, title), in_reply_to=_quoted(message))


def _order(message: Json, part: Json) -> Content | None:
    items = [_item(item) for item in mappings(part.get("product_items"))]
    lines = [line for line in [text(part.get("text")), *items] if line]
    return Message(text="\n".join(lines), in_reply_to=_quoted(message)) if lines else None


def _item(item: Json) -> str:
    price = " ".join(part for part in (text(item.get("currency")), _amount(item.get("item_price"))) if part)
    words = f"{text(item.get('quantity')) or '1'} × {text(item.get('product_retailer_id'))}"
    return f"{words} ({price})" if price else words


def _amount(value: object) -> str:
    found = number(value)
    return "" if found is None else f"{found:g}"


def _reaction(_message: Json, part: Json) -> Content | None:
    target = text(part.get("message_id"))
    return Reaction(target, text(part.get("emoji")) or None) if target else None


def _edit(_message: Json, part: Json) -> Content | None:
    edited = mapping(part.get("message"))
    target, found = text(part.get("original_message_id")), content(edited)
    return Edited(target, found) if target and isinstance(found, Message) else None


def _revoke(_message: Json, part: Json) -> Content | None:
    target = text(part.get("original_message_id"))
    return Deleted(target) if target else None


def _welcome(_message: Json, _part: Json) -> Content:
    return Followed()


_READERS: dict[str, _Reader] = {
    "text": _text,
    "image": _media("image"),
    "audio": _media("audio"),
    "voice": _media("voice"),
    "video": _media("video"),
    "document": _media("document"),
    "sticker": _media("sticker"),
    "location": _location,
    "contacts": _contacts,
    "interactive": _interactive,
    "button": _button,
    "order": _order,
    "reaction": _reaction,
    "edit": _edit,
    "revoke": _revoke,
    "request_welcome": _welcome,
}
