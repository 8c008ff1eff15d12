"""What we tell a customer, before a provider's adapter gives it its form."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Button:
    """A choice offered with a message: either an `id` that comes back when it is pressed, or a `url` that it opens."""

    title: str
    id: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class OutgoingMedia:
    """A file to send: an address that the provider can fetch."""

    kind: Literal["image", "audio", "video", "document"]
    url: str
    name: str = ""
    mime: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Where an answer comes from; `index` is its mark in the text."""

    index: int
    title: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message for one thread.

    Attributes:
        thread: as the inbound event named it.
        text: Markdown.
        buttons: degrade to a numbered list where a channel has none.
        sources: degrade to lines below the text.
        context: of the last inbound event of the thread (reply token, thread timestamp, subject).
        replaces: what `show` returned for the draft of this message, if it did; the final text takes its place.
        language: BCP 47, of the text.
        by_person: an agent wrote it, no machine.
        message_id: our id of the message.
    """

    thread: str
    text: str
    buttons: tuple[Button, ...] = ()
    media: tuple[OutgoingMedia, ...] = ()
    sources: tuple[Source, ...] = ()
    context: Mapping[str, Any] = field(default_factory=dict)
    replaces: str | None = None
    language: str | None = None
    by_person: bool = False
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that is still being written.

    Attributes:
        text: so far, Markdown.
        shown: the text that the last `show` was given; empty at first.
        handle: what the last `show` returned; None at first.
    """

    thread: str
    text: str
    shown: str = ""
    handle: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
