"""What Viber tells: one event a request."""

from collections.abc import Callable, Mapping
from typing import Any

from chatbot.channels.contract import Malformed
from chatbot.channels.events import (
    Contact,
    Content,
    Followed,
    InboundEvent,
    Location,
    Media,
    MediaKind,
    Message,
    Receipt,
    Sender,
    Unfollowed,
    Unsupported,
)
from chatbot.channels.providers.viber.choices import chosen
from chatbot.channels.reading import at_milliseconds, json_body, part, string

Payload = Mapping[str, Any]

_FILES: dict[str, MediaKind] = {"picture": "image", "video": "video", "file": "document"}
_NOBODY = "account"


def read(body: bytes) -> dict[str, Any]:
    """Return the event of a request. Raises `Malformed`."""
    told = json_body(body)
    if not isinstance(told.get("event"), str):
        raise Malformed("event: missing")
    return told


def parse(body: bytes) -> list[InboundEvent]:
    """Read the one event of a request. Raises `Malformed`."""
    told = read(body)
    kind = str(told["event"])
    person = part(told, "sender") or part(told, "user")
    user = string(person, "id") or string(told, "user_id")
    token = _token(told)
    content = _KINDS.get(kind, _unknown)(told)
    return [
        InboundEvent(
            id=_id(kind, token, user, told),
            thread=user or _NOBODY,
            content=content,
            sender=_sender(person, user) if user and not isinstance(content, Receipt) else None,
            message_id=(token or None) if kind == "message" else None,
            at=at_milliseconds(told.get("timestamp")),
            raw=told if isinstance(content, Unsupported) else {},
        )
    ]


def _id(kind: str, token: str, user: str, told: Payload) -> str:
    """The token names the message that an event is about, so receipts share it; some events have none."""
    return f"{kind}:{token or told.get('timestamp')}:{user}"[:200]


def _token(told: Payload) -> str:
    """A number of 64 bits, or its digits."""
    token = told.get("message_token")
    return str(token) if isinstance(token, str | int) and not isinstance(token, bool) else ""


def _sender(person: Payload, user: str) -> Sender:
    return Sender(user, string(person, "name")[:200], locale=string(person, "language")[:35] or None)


def _message(event: Payload) -> Content:
    told = part(event, "message")
    kind = string(told, "type")
    if kind in _FILES:
        return Message(text=string(told, "text"), media=(_file(told, _FILES[kind]),))
    make = _MESSAGES.get(kind)
    return (make(told) if make else None) or Unsupported(f"message {kind}"[:100])


def _words(told: Payload) -> Message:
    text = string(told, "text")
    return Message(text=text, choice=chosen(text, told.get("tracking_data")))


def _file(told: Payload, kind: MediaKind) -> Media:
    size = told.get("size", told.get("file_size"))
    name = string(told, "file_name")[:255] or None
    return Media(kind, string(told, "media"), name=name, size=size if isinstance(size, int) else None)


def _sticker(told: Payload) -> Message:
    """Viber tells the number of a sticker, and its picture to newer clients."""
    return Message(media=(Media("sticker", string(told, "media"), name=f"sticker {told.get('sticker_id')}"[:255]),))


def _link(told: Payload) -> Message:
    return Message(text=" ".join(part for part in (string(told, "text"), string(told, "media")) if part))


def _contact(told: Payload) -> Message:
    card = part(told, "contact")
    phone = string(card, "phone_number")
    return Message(text=string(told, "text"), contacts=(Contact(string(card, "name"), (phone,) if phone else ()),))


def _place(told: Payload) -> Message | None:
    place = part(told, "location")
    latitude, longitude = place.get("lat"), place.get("lon")
    try:
        return Message(location=Location(float(latitude), float(longitude)))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None


_MESSAGES: dict[str, Callable[[Payload], Message | None]] = {
    "text": _words,
    "sticker": _sticker,
    "url": _link,
    "contact": _contact,
    "location": _place,
}


def _receipt(event: Payload) -> Content:
    token, kind = _token(event), event["event"]
    if not token:
        return Unsupported(str(kind))
    status = {"delivered": "delivered", "seen": "read"}.get(str(kind), "failed")
    return Receipt(status, (token,), reason=string(event, "desc"))  # type: ignore[arg-type]


def _unknown(event: Payload) -> Content:
    return Unsupported(str(event["event"])[:100])


_KINDS: dict[str, Callable[[Payload], Content]] = {
    "message": _message,
    "delivered": _receipt,
    "seen": _receipt,
    "failed": _receipt,
    "subscribed": lambda event: Followed(),  # noqa: ARG005
    "conversation_started": lambda event: Followed(),  # noqa: ARG005
    "unsubscribed": lambda event: Unfollowed(),  # noqa: ARG005
}
