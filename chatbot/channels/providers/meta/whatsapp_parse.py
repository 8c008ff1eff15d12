"""What WhatsApp tells: messages, statuses of ours, echoes of the business's app, calls, notices of the account."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from chatbot.channels.events import (
    Content,
    InboundEvent,
    Message,
    Receipt,
    ReceiptStatus,
    Sender,
    Unsupported,
)
from chatbot.channels.events import Echo as EchoOf
from chatbot.channels.providers.meta.graph import problem
from chatbot.channels.providers.meta.reading import Json, fingerprint, mapping, mappings, moment, text
from chatbot.channels.providers.meta.webhook import Entry, read
from chatbot.channels.providers.meta.whatsapp_content import content

_OBJECT = "whatsapp_business_account"
_TEST_ID = "0"
_STATUSES: dict[str, ReceiptStatus] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "played": "read",
    "failed": "failed",
}


def parse(body: bytes, waba_id: str) -> list[InboundEvent]:
    """Read every event of a POST, in order. Raises `Malformed`."""
    payload = read(body)
    found: list[InboundEvent] = []
    for entry in payload.entries:
        for change in entry.objects("changes"):
            at = _Change(entry, text(change.get("field")), mapping(change.get("value")), change)
            if payload.about != _OBJECT:
                found.append(at.notice(payload.about))
            else:
                found.extend(_of_change(at, waba_id))
    return found


@dataclass(frozen=True, slots=True)
class _Change:
    """One change of one account, and who its people are."""

    entry: Entry
    field: str
    value: Json
    raw: Json

    @property
    def number_id(self) -> str:
        """The id of our number that was written to."""
        return text(mapping(self.value.get("metadata")).get("phone_number_id"))

    def person(self, user_id: str, phone: str) -> Sender | None:
        """Return who has one of these ids, with the name that the change tells.

        The business-scoped user id goes before the phone number, which WhatsApp may leave out.
        """
        contact = self._contact(user_id, phone)
        profile = mapping(contact.get("profile"))
        known = user_id or text(contact.get("user_id")) or text(contact.get("parent_user_id"))
        phone = phone or text(contact.get("wa_id"))
        if not known and not phone:
            return None
        username = text(profile.get("username"))
        return Sender(known or phone, text(profile.get("name")) or username, phone or username)

    def _contact(self, user_id: str, phone: str) -> Json:
        contacts = mappings(self.value.get("contacts"))
        for contact in contacts:
            ids = {text(contact.get(name)) for name in ("user_id", "parent_user_id", "wa_id")} - {""}
            if ids & {user_id, phone}:
                return contact
        return contacts[0] if len(contacts) == 1 else {}

    def notice(self, name: str, raw: Json | None = None) -> InboundEvent:
        """Return what has no person: kept as it came."""
        kept = self.raw if raw is None else raw
        return InboundEvent(
            id=f"{name[:100]}:{fingerprint(self.entry.id, self.entry.body.get('time'), self.raw)}",
            thread=self.entry.id,
            content=Unsupported(name),
            at=moment(self.entry.body.get("time")),
            raw=kept,
        )


def _of_change(change: _Change, waba_id: str) -> Iterator[InboundEvent]:
    if waba_id and change.number_id and change.entry.id not in ("", _TEST_ID, waba_id):
        # Somebody else's customers, sent here because the app has one webhook: nothing of theirs is kept.
        yield change.notice("another_account", raw={"id": change.entry.id})
        return
    told = False
    for name, event_of in _PARTS.items():
        for part in mappings(change.value.get(name)):
            told = True
            yield event_of(change, part)
    if not told:
        event = text(change.value.get("event"))
        name = change.field or "change"
        yield change.notice(f"{name}.{event}" if event else name)


def _message(change: _Change, message: Json) -> InboundEvent:
    sender = change.person(text(message.get("from_user_id")), text(message.get("from")))
    message_id, group = text(message.get("id")), text(message.get("group_id"))
    found = content(message)
    return InboundEvent(
        id=message_id or fingerprint(message),
        thread=group or (sender.id if sender else change.entry.id),
        content=found,
        sender=sender,
        message_id=message_id or None,
        at=moment(message.get("timestamp")),
        context=_context(change, message_id, group, sender),
        raw=_raw(found, message, change),
    )


def _context(change: _Change, message_id: str, group: str, sender: Sender | None) -> dict[str, Any]:
    """Return what a reply needs: the message to mark read, the number that was written to, the recipient."""
    phone = sender.address if sender and sender.address.isdigit() else ""
    found = {"message_id": message_id, "phone_number_id": change.number_id, "group": group, "to": phone}
    return {name: value for name, value in found.items() if value}


def _raw(found: Content, part: Json, change: _Change) -> Json:
    if not isinstance(found, Unsupported):
        return {}
    errors = change.value.get("errors")
    return {**part, "errors": errors} if errors and "errors" not in part else part


def _status(change: _Change, status: Json) -> InboundEvent:
    word, message_id = text(status.get("status")), text(status.get("id"))
    known = _STATUSES.get(word) if text(status.get("type")) != "call" else None
    reason = "; ".join(problem(error).words for error in mappings(status.get("errors")))
    kind = text(status.get("type")) or "status"
    found: Content = Receipt(known, (message_id,), reason=reason) if known else Unsupported(f"{kind}.{word}")
    person = change.person(text(status.get("recipient_user_id")), text(status.get("recipient_id")))
    group = text(status.get("recipient_id")) if status.get("recipient_type") == "group" else ""
    reader = text(status.get("recipient_participant_user_id")) or text(status.get("recipient_participant_id"))
    return InboundEvent(
        id=":".join(part for part in (message_id or fingerprint(status), word, reader) if part),
        thread=group or (person.id if person else change.entry.id),
        content=found,
        message_id=message_id or None,
        at=moment(status.get("timestamp")),
        raw=_raw(found, status, change),
    )


def _echo(change: _Change, echo: Json) -> InboundEvent:
    person = change.person(text(echo.get("to_user_id")), text(echo.get("to")))
    message_id, inner = text(echo.get("id")), content(echo)
    found: Content = Unsupported(f"echo.{text(echo.get('type')) or 'message'}")
    if isinstance(inner, Message):
        found = EchoOf(inner, message_id or None)
    return InboundEvent(
        id=f"echo:{message_id or fingerprint(echo)}",
        thread=person.id if person else change.entry.id,
        content=found,
        message_id=message_id or None,
        at=moment(echo.get("timestamp")),
        raw=_raw(found, echo, change),
    )


def _call(change: _Change, call: Json) -> InboundEvent:
    business = text(call.get("direction")) == "BUSINESS_INITIATED"
    side = "to" if business else "from"
    person = change.person(text(call.get(f"{side}_user_id")), text(call.get(side)))
    event, call_id = text(call.get("event")), text(call.get("id"))
    found = Unsupported(f"call.{event}" if event else "call")
    return InboundEvent(
        id=f"{call_id or fingerprint(call)}:{event or 'call'}",
        thread=person.id if person else change.entry.id,
        content=found,
        sender=None if business else person,
        at=moment(call.get("timestamp")),
        raw=_raw(found, call, change),
    )


def _preference(change: _Change, preference: Json) -> InboundEvent:
    person = change.person(text(preference.get("user_id")), text(preference.get("wa_id")))
    return InboundEvent(
        id=f"user_preferences:{fingerprint(change.number_id, preference)}",
        thread=person.id if person else change.entry.id,
        content=Unsupported(f"user_preferences.{text(preference.get('value'))}"),
        sender=person,
        at=moment(preference.get("timestamp")),
        raw=preference,
    )


_PARTS: dict[str, Callable[[_Change, Json], InboundEvent]] = {
    "messages": _message,
    "statuses": _status,
    "message_echoes": _echo,
    "calls": _call,
    "user_preferences": _preference,
}
