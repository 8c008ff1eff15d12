"""What Messenger and Instagram tell: messages, pressed buttons, reactions, receipts, echoes, hand-over, the rest."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from chatbot.channels.events import (
    Content,
    Echo,
    Edited,
    Followed,
    InboundEvent,
    Message,
    Reaction,
    Receipt,
    ReceiptStatus,
    Sender,
    Unfollowed,
    Unsupported,
)
from chatbot.channels.providers.meta.messaging_content import content, postback
from chatbot.channels.providers.meta.reading import Json, fingerprint, mapping, moment, text
from chatbot.channels.providers.meta.webhook import Entry, read

_TEST_ID = "0"
_ENVELOPE = frozenset({"sender", "recipient", "timestamp", "prior_message"})


def parse(body: bytes, about: str, own_id: str) -> list[InboundEvent]:
    """Read every event of a POST, in order.

    Args:
        about: the `object` of the payload: `page` or `instagram`.
        own_id: the page or account of the channel; events of others are set aside. Empty: whichever comes.

    Raises:
        Malformed: the envelope is not Meta's.
    """
    payload = read(body)
    found: list[InboundEvent] = []
    for entry in payload.entries:
        if payload.about != about:
            found.append(_notice(entry, payload.about, entry.body))
        elif own_id and entry.id not in ("", _TEST_ID, own_id):
            # Somebody else's customers, sent here because the app has one webhook: nothing of theirs is kept.
            found.append(_notice(entry, "another_account", {"id": entry.id}))
        else:
            found.extend(_of_entry(entry))
    return found


def _of_entry(entry: Entry) -> Iterator[InboundEvent]:
    for event in entry.objects("messaging"):
        yield _event(_Told(entry, event))
    for event in entry.objects("standby"):
        yield _standing_by(_event(_Told(entry, event)), event)
    for change in entry.objects("changes"):
        value, name = mapping(change.get("value")), text(change.get("field")) or "change"
        told = _Told(entry, value)
        yield _event(told) if told.customer and told.kind in _READERS else _notice(entry, name, change)


@dataclass(frozen=True, slots=True)
class _Told:
    """One messaging event of one account."""

    entry: Entry
    event: Json

    @property
    def kind(self) -> str:
        """What it is: the first key that is not of the envelope."""
        known = next((name for name in _READERS if name in self.event), "")
        return known or next((name for name in self.event if name not in _ENVELOPE), "event")

    @property
    def part(self) -> Json:
        """What it tells."""
        return mapping(self.event.get(self.kind))

    @property
    def own(self) -> bool:
        """Whether the account itself did it: by us, by another app, or by a person in Meta's inbox."""
        sender = text(mapping(self.event.get("sender")).get("id"))
        return self.part.get("is_echo") is True or bool(sender and sender == self.entry.id)

    @property
    def customer(self) -> str:
        """The customer's id, scoped to the page or account."""
        return text(mapping(self.event.get("recipient" if self.own else "sender")).get("id"))

    @property
    def stamp(self) -> str:
        """The event's own time as it came, which stays the same when it is sent again."""
        return text(self.event.get("timestamp"))


def _event(told: _Told) -> InboundEvent:
    kind, part = told.kind, told.part
    found, event_id = _READERS[kind](told) if kind in _READERS else (Unsupported(kind), "")
    if told.own and not isinstance(found, Receipt):
        message_id = text(part.get("mid")) or None
        found = Echo(found, message_id) if isinstance(found, Message) else Unsupported(f"echo.{kind}")
        event_id = f"echo:{event_id}" if event_id else ""
    sender = Sender(told.customer) if told.customer and not told.own and not isinstance(found, Receipt) else None
    return InboundEvent(
        id=event_id or f"{kind[:50]}:{fingerprint(told.entry.id, told.event)}",
        thread=told.customer or told.entry.id,
        content=found if told.customer else Unsupported(kind),
        sender=sender,
        message_id=text(part.get("mid")) or None if kind in ("message", "postback") else None,
        at=moment(told.event.get("timestamp")) or moment(told.entry.body.get("time")),
        raw=told.event if isinstance(found, Unsupported) or not told.customer else {},
    )


def _standing_by(event: InboundEvent, told: Json) -> InboundEvent:
    """Keep what is told while another app holds the thread: only receipts and echoes count, the rest is not for us."""
    if isinstance(event.content, Receipt | Echo):
        return event
    name = event.content.name if isinstance(event.content, Unsupported) else type(event.content).__name__.lower()
    return InboundEvent(
        id=f"standby:{event.id}",
        thread=event.thread,
        content=Unsupported(f"standby.{name}"),
        sender=event.sender,
        message_id=event.message_id,
        at=event.at,
        raw=told,
    )


_Read = tuple[Content, str]


def _message(told: _Told) -> _Read:
    mid = text(told.part.get("mid"))
    deleted = told.part.get("is_deleted") is True
    return content(told.part), f"{mid}:deleted" if mid and deleted else mid


def _postback(told: _Told) -> _Read:
    return postback(told.event), text(told.part.get("mid"))


def _edit(told: _Told) -> _Read:
    """Read new words; Instagram may send an edit number 0 without any, which changes nothing."""
    mid, words = text(told.part.get("mid")), text(told.part.get("text"))
    if not mid or not words:
        return Unsupported("message_edit"), ""
    times = text(told.part.get("num_edit")) or told.stamp
    return Edited(mid, Message(text=words)), f"{mid}:edit:{times}"


def _reaction(told: _Told) -> _Read:
    mid, action = text(told.part.get("mid")), text(told.part.get("action"))
    if not mid:
        return Unsupported("reaction"), ""
    emoji = text(told.part.get("emoji")) or text(told.part.get("reaction")) or None
    parts = (mid, told.customer, action or "react", emoji or "", told.stamp)
    return Reaction(mid, None if action == "unreact" else emoji), ":".join(parts)


def _receipt(status: ReceiptStatus) -> Callable[[_Told], _Read]:
    def read_one(told: _Told) -> _Read:
        """Messages by their ids where Meta names them (it may leave them out), else all up to the watermark."""
        named = told.part.get("mids")
        mids = [text(mid) for mid in named] if isinstance(named, list) else []
        ids = tuple(mid for mid in [*mids, text(told.part.get("mid"))] if mid)
        before = None if ids else moment(told.part.get("watermark"))
        if not ids and before is None:
            return Unsupported(told.kind), ""
        return Receipt(status, ids, before), f"{status}:{fingerprint(told.customer, told.part)}"

    return read_one


def _optin(told: _Told) -> _Read:
    stopped = text(told.part.get("notification_messages_status")) == "STOP_NOTIFICATIONS"
    return Unfollowed() if stopped else Followed(), ""


def _referral(_told: _Told) -> _Read:
    """Somebody in an existing thread came again through a link or an advertisement."""
    return Unsupported("referral"), ""


_READERS: dict[str, Callable[[_Told], _Read]] = {
    "message": _message,
    "postback": _postback,
    "message_edit": _edit,
    "reaction": _reaction,
    "delivery": _receipt("delivered"),
    "read": _receipt("read"),
    "optin": _optin,
    "referral": _referral,
}


def _notice(entry: Entry, name: str, raw: Json) -> InboundEvent:
    """Return what has no customer: comments, mentions, settings; kept as it came."""
    return InboundEvent(
        id=f"{name[:100]}:{fingerprint(entry.id, entry.body.get('time'), raw)}",
        thread=entry.id,
        content=Unsupported(name),
        at=moment(entry.body.get("time")),
        raw=raw,
    )
