"""What LINE tells: one request holds any number of events."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from chatbot.channels.contract import Malformed
from chatbot.channels.events import (
    Choice,
    Content,
    Deleted,
    Edited,
    Followed,
    InboundEvent,
    Location,
    Media,
    MediaKind,
    Message,
    Sender,
    Unfollowed,
    Unsupported,
)
from chatbot.channels.providers.line.postback import unpacked
from chatbot.channels.reading import at_milliseconds, json_body, part, string

Payload = Mapping[str, Any]

_FILES: dict[str, MediaKind] = {"image": "image", "video": "video", "audio": "audio", "file": "document"}
_STICKER = "https://stickershop.line-scdn.net/stickershop/v1/sticker/{}/android/sticker.png"


def parse(body: bytes) -> list[InboundEvent]:
    """Read every event of a request; none of the console's “Verify”. Raises `Malformed`."""
    told = json_body(body)
    events = told.get("events")
    if not isinstance(events, list):
        raise Malformed("events: must be a list")
    account = string(told, "destination")
    return [_event(event, account, f"events.{number}") for number, event in enumerate(events)]


def _event(event: Any, account: str, where: str) -> InboundEvent:
    if not isinstance(event, dict):
        raise Malformed(f"{where}: must be an object")
    source = part(event, "source")
    user = string(source, "userId")
    thread = string(source, "groupId") or string(source, "roomId") or user or account or "unknown"
    content = _content(event)
    is_message = isinstance(content, Message | Edited)
    return InboundEvent(
        id=_id(event),
        thread=thread,
        content=content,
        # Members of a group who have not agreed to it are not named.
        sender=Sender(user or thread) if user or is_message else None,
        message_id=string(part(event, "message"), "id") or string(part(event, "unsend"), "messageId") or None,
        at=at_milliseconds(event.get("timestamp")),
        context=_context(event),
        raw=event if isinstance(content, Unsupported) else {},
    )


def _id(event: Payload) -> str:
    """LINE's id of the event; of older payloads without one, the digest of what stays when it is sent again."""
    if given := string(event, "webhookEventId"):
        return given[:200]
    same = {name: value for name, value in event.items() if name != "deliveryContext"}
    return hashlib.sha256(orjson.dumps(same, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _context(event: Payload) -> dict[str, Any]:
    """The reply token with its time: LINE takes it once and for about a minute."""
    token, at = string(event, "replyToken"), at_milliseconds(event.get("timestamp"))
    return {"reply_token": token, "reply_at": at.timestamp()} if token and at else {}


def _content(event: Payload) -> Content:
    kind = string(event, "type") or "event"
    if event.get("mode") == "standby":
        # Somebody else has the word in this chat: kept, and not answered.
        return Unsupported(f"standby {kind}"[:100])
    read = _KINDS.get(kind)
    return (read(event) if read else None) or Unsupported(kind[:100])


def _message(event: Payload) -> Content:
    told = part(event, "message")
    kind = string(told, "type")
    quoted = string(told, "quotedMessageId") or None
    if kind == "text":
        return Message(text=string(told, "text"), in_reply_to=quoted)
    if kind == "sticker":
        return Message(text=string(told, "text"), media=(_sticker(told),), in_reply_to=quoted)
    if kind == "location":
        place = _location(told)
        return Message(location=place) if place else Unsupported("message location")
    if kind in _FILES:
        return Message(media=(_file(told, _FILES[kind]),), in_reply_to=quoted)
    return Unsupported(f"message {kind}"[:100])


def _file(told: Payload, kind: MediaKind) -> Media:
    provider = part(told, "contentProvider")
    ref = string(provider, "originalContentUrl") if provider.get("type") == "external" else ""
    size = told.get("fileSize")
    return Media(
        kind,
        ref or string(told, "id"),
        name=string(told, "fileName") or None,
        size=size if isinstance(size, int) else None,
    )


def _sticker(told: Payload) -> Media:
    """Stickers are no files of the chat; the shop shows their pictures to everybody."""
    words = told.get("keywords")
    name = ", ".join(word for word in words if isinstance(word, str)) if isinstance(words, list) else ""
    return Media("sticker", _STICKER.format(string(told, "stickerId")), "image/png", name[:255] or None)


def _location(told: Payload) -> Location | None:
    latitude, longitude = told.get("latitude"), told.get("longitude")
    if not isinstance(latitude, int | float) or not isinstance(longitude, int | float):
        return None
    return Location(float(latitude), float(longitude), string(told, "title"), string(told, "address"))


def _edited(event: Payload) -> Content | None:
    message, identity = _message(event), string(part(event, "message"), "id")
    return Edited(identity, message) if isinstance(message, Message) and identity else None


def _unsend(event: Payload) -> Content | None:
    identity = string(part(event, "unsend"), "messageId")
    return Deleted(identity) if identity else None


def _postback(event: Payload) -> Content | None:
    told = part(event, "postback")
    if not isinstance(told.get("data"), str):
        return None
    picked = [value for value in part(told, "params").values() if isinstance(value, str)]
    identity, title = unpacked(string(told, "data"))
    return Message(choice=Choice(identity, title or (picked[0] if picked else "")))


_KINDS: dict[str, Callable[[Payload], Content | None]] = {
    "message": _message,
    "messageEdited": _edited,
    "unsend": _unsend,
    "postback": _postback,
    "follow": lambda event: Followed(),  # noqa: ARG005
    "join": lambda event: Followed(),  # noqa: ARG005
    "unfollow": lambda event: Unfollowed(),  # noqa: ARG005
    "leave": lambda event: Unfollowed(),  # noqa: ARG005
}
