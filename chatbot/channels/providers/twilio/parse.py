"""What Twilio tells: messages, and what became of ours."""

from collections.abc import Mapping

import orjson

from chatbot.channels.contract import Malformed, Request
from chatbot.channels.events import (
    Choice,
    Content,
    Followed,
    InboundEvent,
    Location,
    Media,
    MediaKind,
    Message,
    Receipt,
    ReceiptStatus,
    Sender,
    Unfollowed,
    Unsupported,
)
from chatbot.channels.providers.twilio.signature import form, is_json
from chatbot.channels.reading import json_body

Fields = Mapping[str, str]

_STATUSES: dict[str, ReceiptStatus] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",
}
_UNDER_WAY = frozenset({"accepted", "scheduled", "queued", "sending"})
_STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "OPTOUT"})
_START = frozenset({"START", "UNSTOP"})
_MAX_FILES = 10


def parse(request: Request) -> list[InboundEvent]:
    """Read the one event of a request. Raises `Malformed`."""
    fields = _fields(request)
    sid = fields.get("MessageSid") or fields.get("SmsMessageSid") or fields.get("SmsSid") or ""
    if not sid:
        return [_other(fields)]
    status = fields.get("MessageStatus") or fields.get("SmsStatus") or "received"
    if status in {"received", "receiving"}:
        return [_inbound(fields, sid)]
    return [_status(fields, sid, status)]


def _fields(request: Request) -> Fields:
    if not is_json(request):
        try:
            fields = dict(form(request))
        except ValueError as error:
            raise Malformed(f"body: {error}") from error
    else:
        fields = _json_fields(request.body)
    if not fields:
        raise Malformed("body: no form")
    return fields


def _json_fields(body: bytes) -> dict[str, str]:
    found = json_body(body)
    return {name: value if isinstance(value, str) else orjson.dumps(value).decode() for name, value in found.items()}


def _inbound(fields: Fields, sid: str) -> InboundEvent:
    if not (address := fields.get("From", "")):
        raise Malformed("From: missing")
    kind, _, phone = address.rpartition(":")
    return InboundEvent(
        id=f"message:{sid}",
        thread=address,
        content=_content(fields, by_sms=not kind),
        sender=Sender(address, fields.get("ProfileName", ""), phone if phone.startswith("+") else ""),
        message_id=sid,
        context={"to": fields["To"]} if fields.get("To") else {},
    )


def _content(fields: Fields, *, by_sms: bool) -> Content:
    """A message, unless the customer says that we may write to them, or no longer."""
    word = (fields.get("OptOutType") or (fields.get("Body", "").strip() if by_sms else "")).upper()
    if word in _STOP:
        return Unfollowed()
    if word in _START:
        return Followed()
    return Message(
        text=fields.get("Body", ""),
        media=tuple(_media(fields)),
        location=_location(fields),
        choice=_choice(fields),
        in_reply_to=fields.get("OriginalRepliedMessageSid") or None,
    )


def _media(fields: Fields) -> list[Media]:
    count = fields.get("NumMedia", "")
    most = min(int(count), _MAX_FILES) if count.isascii() and count.isdigit() else _MAX_FILES
    urls = [(fields.get(f"MediaUrl{n}", ""), fields.get(f"MediaContentType{n}") or None) for n in range(most)]
    return [Media(_kind(fields, mime or ""), url, mime) for url, mime in urls if url]


def _kind(fields: Fields, mime: str) -> MediaKind:
    if fields.get("MessageType") == "sticker":
        return "sticker"
    if mime.startswith("audio/ogg"):
        return "voice"
    kinds: dict[str, MediaKind] = {"image": "image", "audio": "audio", "video": "video"}
    return kinds.get(mime.partition("/")[0], "document")


def _location(fields: Fields) -> Location | None:
    try:
        latitude, longitude = float(fields["Latitude"]), float(fields["Longitude"])
    except (KeyError, ValueError):
        return None
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        return None
    return Location(latitude, longitude, fields.get("Label", ""), fields.get("Address", ""))


def _choice(fields: Fields) -> Choice | None:
    if fields.get("ButtonPayload"):
        return Choice(fields["ButtonPayload"], fields.get("ButtonText") or fields.get("Body", ""))
    if fields.get("ListId"):
        return Choice(fields["ListId"], fields.get("ListTitle") or fields.get("Body", ""))
    return None


def _status(fields: Fields, sid: str, status: str) -> InboundEvent:
    """A status callback: `To` is the customer there."""
    told = _STATUSES.get(status)
    code = fields.get("ErrorCode", "")
    reason = " ".join(part for part in (code, fields.get("ErrorMessage", "")) if part)
    return InboundEvent(
        id=f"status:{sid}:{status}"[:200],
        thread=fields.get("To") or fields.get("From") or sid,
        content=Receipt(told, (sid,), reason=reason) if told else Unsupported(_status_name(status)),
        message_id=sid,
        raw={} if told else dict(fields),
    )


def _status_name(status: str) -> str:
    return f"message {status}" if status in _UNDER_WAY else f"status {status}"[:100]


def _other(fields: Fields) -> InboundEvent:
    """A call, an alert, or something else with an id of its own."""
    for name, kind in (("CallSid", "call"), ("Sid", "notice"), ("ConversationSid", "conversation")):
        if sid := fields.get(name, ""):
            told = fields.get("CallStatus") or fields.get("Level") or fields.get("EventType") or ""
            thread = fields.get("From") or sid
            return InboundEvent(f"{kind}:{sid}:{told}"[:200], thread, Unsupported(kind), raw=dict(fields))
    raise Malformed("MessageSid: missing")
