"""What a customer or a provider can tell us: the one message model that every provider's payload is parsed into."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

MediaKind = Literal["image", "audio", "video", "voice", "document", "sticker"]
ReceiptStatus = Literal["sent", "delivered", "read", "failed"]


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote, as the provider knows them.

    Attributes:
        id: the provider's stable id; never a phone number where the provider has another id.
        name: display name; empty when unknown.
        address: phone number, e-mail address or user name; empty when unknown.
        locale: BCP 47, as the provider tells it.
    """

    id: str
    name: str = ""
    address: str = ""
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class Media:
    """A file: behind the provider's `ref` (a media id or an address), or given at once as `content`."""

    kind: MediaKind
    ref: str = ""
    mime: str | None = None
    name: str | None = None
    size: int | None = None
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Location:
    """A place, in degrees."""

    latitude: float
    longitude: float
    name: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """A shared contact card."""

    name: str
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """A pressed button or a chosen row: `id` is the payload that we gave it, `title` what the customer saw."""

    id: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """Something a customer said; several parts may come together (a photo with a caption).

    Attributes:
        in_reply_to: the provider's id of the message it answers or quotes.
        command: a bot command without its slash and argument (`start`), when it is one.
        subject: of an e-mail.
    """

    text: str = ""
    media: tuple[Media, ...] = ()
    location: Location | None = None
    contacts: tuple[Contact, ...] = ()
    choice: Choice | None = None
    in_reply_to: str | None = None
    command: str | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Edited:
    """A customer changed an earlier message."""

    message_id: str
    message: Message


@dataclass(frozen=True, slots=True)
class Deleted:
    """A customer took an earlier message back."""

    message_id: str


@dataclass(frozen=True, slots=True)
class Reaction:
    """A customer put an emoji on a message; None took it away."""

    message_id: str
    emoji: str | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of messages that we sent.

    Attributes:
        message_ids: the provider's ids; empty when a watermark tells.
        before: of a watermark: every message sent up to then.
        reason: the provider's words, of a failed one.
    """

    status: ReceiptStatus
    message_ids: tuple[str, ...] = ()
    before: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Echo:
    """A message that the account itself sent (by us, or by a person in the provider's own app); never answered."""

    message: Message
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Followed:
    """A customer began to follow, subscribed, opened the chat for the first time, or added the bot."""


@dataclass(frozen=True, slots=True)
class Unfollowed:
    """A customer blocked, unsubscribed, or removed the bot."""


@dataclass(frozen=True, slots=True)
class Unsupported:
    """Something that we have no form for: named, kept as it came, never dropped."""

    name: str


Content = Message | Edited | Deleted | Reaction | Receipt | Echo | Followed | Unfollowed | Unsupported


@dataclass(frozen=True, slots=True)
class InboundEvent:
    """One thing that happened on a channel.

    Attributes:
        id: unique within the channel, the same when the provider sends it again; at most 200 characters.
        thread: the provider's key of the talk (chat, user, thread); with the channel it names the conversation.
        content: what happened.
        sender: who did it; None for what nobody did (a delivery receipt, an account notice).
        message_id: the provider's id of the message, by which edits, reactions and receipts name it.
        at: when, by the provider's clock.
        context: what an answer needs of this event (reply token, thread timestamp, subject); JSON values only.
        raw: the payload of an unsupported event, as it came; empty otherwise.
        keeps: names in `context` that stay as they are in a talk that has begun: where answers go, of an event that
            asks for another place and does not prove that it may.
        addressed: False for what was said in a room of many without naming us: it counts only in a thread that has a
            conversation already.
    """

    id: str
    thread: str
    content: Content
    sender: Sender | None = None
    message_id: str | None = None
    at: datetime | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict)
    addressed: bool = True
    keeps: tuple[str, ...] = ()
