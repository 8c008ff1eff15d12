"""What programs of the operator's own tell us, by the web chat's webhook or the generic one: one JSON object.

`type` says what it is; without it, it is a message.
"""

import base64
from collections.abc import Callable
from typing import Annotated, Any

import orjson
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from chatbot.channels.contract import Malformed, Request
from chatbot.channels.events import (
    Choice,
    Contact,
    Content,
    Deleted,
    Echo,
    Edited,
    Followed,
    InboundEvent,
    Location,
    Media,
    MediaKind,
    Message,
    Reaction,
    Receipt,
    ReceiptStatus,
    Sender,
    Unfollowed,
    Unsupported,
)
from chatbot.channels.reading import json_body
from chatbot.channels.signing import sha256_hex
from chatbot.core.field_words import field_words

_SHORT = 200
_ID = 128

_HEAD = ("type", "session_id", "message_id", "event_id", "at", "user")
Identifier = Annotated[str, Field(min_length=1, max_length=_ID)]


class _Part(BaseModel):
    """Unknown fields are left alone: senders add their own. Numbers are taken as ids, null as not given."""

    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)

    @model_validator(mode="before")
    @classmethod
    def _given(cls, data: Any) -> Any:
        return {name: value for name, value in data.items() if value is not None} if isinstance(data, dict) else data


class User(_Part):
    """Who writes; `id` is the sender's own stable one, else the session stands for it."""

    id: str = Field("", max_length=_SHORT)
    name: str = Field("", max_length=_SHORT)
    email: str = Field("", max_length=320)
    phone: str = Field("", max_length=40)
    locale: str | None = Field(None, max_length=35)


class Attachment(_Part):
    """A file: behind an address that we can fetch, or as base64."""

    url: str = Field("", max_length=4096)
    content: str = ""
    kind: str = ""
    mime: str | None = Field(None, max_length=_SHORT)
    name: str | None = Field(None, max_length=255)
    size: int | None = Field(None, ge=0)


class Place(_Part):
    """A place, in degrees."""

    latitude: float = Field(ge=-90, le=90, allow_inf_nan=False)
    longitude: float = Field(ge=-180, le=180, allow_inf_nan=False)
    name: str = Field("", max_length=_SHORT)
    address: str = Field("", max_length=500)


class Card(_Part):
    """A contact card."""

    name: str = Field("", max_length=_SHORT)
    phones: tuple[str, ...] = Field((), max_length=20)
    emails: tuple[str, ...] = Field((), max_length=20)


class Pressed(_Part):
    """A pressed button."""

    id: str = Field(max_length=_SHORT)
    title: str = Field("", max_length=_SHORT)


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


def _named(value: Any) -> Any:
    """A user given as an id alone."""
    return {"id": value} if isinstance(value, str | int) else value


class SessionBody(_Part):
    """The body; which fields count depends on `type` (see `docs/channels/webhook.md`)."""

    type: str = Field("message", max_length=_SHORT)
    session_id: Identifier
    message_id: str = Field("", max_length=_ID)
    event_id: str = Field("", max_length=_ID)
    channel_id: str | None = Field(None, max_length=_SHORT)
    brand: str | None = Field(None, max_length=_SHORT)
    text: str = ""
    user: Annotated[User, BeforeValidator(_named)] = User()
    metadata: dict[str, Any] = Field(default_factory=dict)
    attachments: tuple[Attachment, ...] = Field((), max_length=20)
    location: Place | None = None
    contacts: Annotated[tuple[Card, ...], BeforeValidator(_listed), Field(max_length=20)] = ()
    choice: Pressed | None = None
    in_reply_to: str | None = Field(None, max_length=_SHORT)
    emoji: str | None = Field(None, max_length=64)
    status: ReceiptStatus | None = None
    message_ids: tuple[Identifier, ...] = Field((), max_length=1000)
    before: AwareDatetime | None = None
    reason: str = Field("", max_length=1000)
    at: AwareDatetime | None = None
    answer_later: bool = Field(False, alias="async")


def read_session_body(raw: bytes) -> SessionBody:
    """Read a body. Raises `Malformed`, naming the field."""
    found = json_body(raw)
    kind = found.get("type")
    if isinstance(kind, str) and kind not in KINDS:
        # What we have no form for is kept, so its other fields may be anything.
        found = {name: value for name, value in found.items() if name in _HEAD}
    if "contact" in found:
        found.setdefault("contacts", found["contact"])
    try:
        return SessionBody.model_validate(found)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise Malformed(f"{'.'.join(str(part) for part in first['loc'])}: {field_words(dict(first))}") from error


def session_events(request: Request, *, signed_id: str = "", signed_time: str = "") -> list[InboundEvent]:
    """Read what a request tells, one event. Raises `Malformed`.

    Args:
        signed_id: the request's own id, where its proof covers that: another could be put in its place.
        signed_time: its time, in the same way.
    """
    body = read_session_body(request.body)
    content = _content(body)
    return [
        InboundEvent(
            id=_event_id(body, content, request, signed_id, signed_time),
            thread=body.session_id,
            content=content,
            sender=None if isinstance(content, Receipt) else _sender(body),
            message_id=body.message_id or None,
            at=body.at,
            context={"metadata": body.metadata} if body.metadata else {},
            raw=orjson.loads(request.body) if isinstance(content, Unsupported) else {},
        )
    ]


def _content(body: SessionBody) -> Content:
    make = KINDS.get(body.type)
    return make(body) if make else Unsupported(body.type)


def _message(body: SessionBody) -> Message:
    place, pressed = body.location, body.choice
    if body.type == "location" and place is None:
        raise Malformed("location: missing")
    if body.type == "choice" and pressed is None:
        raise Malformed("choice: missing")
    return Message(
        text=body.text,
        media=tuple(_media(n, attachment) for n, attachment in enumerate(body.attachments)),
        location=Location(place.latitude, place.longitude, place.name, place.address) if place else None,
        contacts=tuple(Contact(card.name, card.phones, card.emails) for card in body.contacts),
        choice=Choice(pressed.id, pressed.title) if pressed else None,
        in_reply_to=body.in_reply_to,
    )


def _receipt(body: SessionBody) -> Receipt:
    if body.status is None:
        raise Malformed("status: missing; one of sent, delivered, read, failed")
    ids = body.message_ids or ((body.message_id,) if body.message_id else ())
    if not ids and body.before is None:
        raise Malformed("message_ids: missing; or give `before`")
    return Receipt(body.status, ids, body.before, body.reason)


def _required_id(body: SessionBody) -> str:
    if not body.message_id:
        raise Malformed("message_id: missing")
    return body.message_id


def _media(number: int, attachment: Attachment) -> Media:
    where = f"attachments.{number}"
    if not attachment.url and not attachment.content:
        raise Malformed(f"{where}: needs `url` or `content`")
    try:
        content = base64.b64decode(attachment.content, validate=True) if attachment.content else None
    except ValueError as error:
        raise Malformed(f"{where}.content: not base64") from error
    size = attachment.size if content is None else len(content)
    return Media(_kind(attachment), attachment.url, attachment.mime, attachment.name, size, content)


_KINDS: dict[str, MediaKind] = {
    "image": "image",
    "audio": "audio",
    "video": "video",
    "voice": "voice",
    "document": "document",
    "sticker": "sticker",
}


def _kind(attachment: Attachment) -> MediaKind:
    told = attachment.kind or (attachment.mime or "").partition("/")[0]
    return _KINDS.get(told, "document")


def _sender(body: SessionBody) -> Sender:
    user = body.user
    return Sender(user.id or body.session_id, user.name, user.email or user.phone, user.locale)


def _event_id(body: SessionBody, content: Content, request: Request, signed_id: str, signed_time: str) -> str:
    """Stable when a sender repeats itself: of a message its own id, else the event's, the request's, its digest."""
    named = body.event_id or signed_id
    digest = sha256_hex(signed_time.encode() + b"." + request.body)
    if isinstance(content, Message):
        named = body.message_id or named or (digest if request.headers.get("webhook-id") else "")
        if not named:
            raise Malformed("message_id: missing")
        # Senders number the messages of each session; the session keeps "1" of one from being "1" of another.
        return "message:" + sha256_hex(f"{body.session_id}\0{named}".encode())
    if named:
        return "event:" + sha256_hex(named.encode())
    return f"event:{digest}"


KINDS: dict[str, Callable[[SessionBody], Content]] = {
    "message": _message,
    "location": _message,
    "contact": _message,
    "contacts": _message,
    "choice": _message,
    "echo": lambda body: Echo(_message(body), body.message_id or None),
    "edited": lambda body: Edited(_required_id(body), _message(body)),
    "deleted": lambda body: Deleted(_required_id(body)),
    "reaction": lambda body: Reaction(_required_id(body), body.emoji or None),
    "receipt": _receipt,
    "followed": lambda body: Followed(),  # noqa: ARG005
    "unfollowed": lambda body: Unfollowed(),  # noqa: ARG005
}
"""What each `type` is read as; every other one is kept as `Unsupported`."""
