"""One message of Messenger or Instagram, read into the message model."""

from collections.abc import Callable
from dataclasses import dataclass, field

from chatbot.channels.events import Choice, Content, Deleted, Location, Media, MediaKind, Message, Unsupported
from chatbot.channels.providers.meta.reading import Json, mapping, mappings, number, text

_FILES: dict[str, MediaKind] = {
    "image": "image",
    "animated_image": "image",
    "sticker": "sticker",
    "video": "video",
    "audio": "audio",
    "file": "document",
    "reel": "video",
    "ig_reel": "video",
    "story_mention": "image",
    "ig_story": "image",
}


@dataclass(slots=True)
class _Parts:
    """What the attachments of a message add up to."""

    media: list[Media] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    places: list[Location] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def content(message: Json) -> Content:
    """Read the `message` of an event: text, attachments, a quick reply, what it answers, or that it was deleted."""
    if message.get("is_deleted") is True:
        target = text(message.get("mid"))
        return Deleted(target) if target else Unsupported("message.deleted")
    if message.get("is_unsupported") is True:
        return Unsupported("message.unsupported")
    parts = _attachments(message)
    answered = mapping(message.get("reply_to"))
    _story(mapping(answered.get("story")), parts)
    found = Message(
        text="\n".join(line for line in [text(message.get("text")), *parts.lines] if line),
        media=tuple(parts.media),
        location=parts.places[0] if parts.places else None,
        choice=_choice(message),
        in_reply_to=text(answered.get("mid")) or None,
        command=_command(message),
    )
    if found == Message(in_reply_to=found.in_reply_to):
        return Unsupported(f"message.{parts.unknown[0]}" if parts.unknown else "message")
    return found


def postback(event: Json) -> Content:
    """Read a pressed button: of a template, of the menu, or Get Started."""
    pressed = mapping(event.get("postback"))
    title = text(pressed.get("title"))
    payload = text(pressed.get("payload")) or title
    return Message(choice=Choice(payload, title)) if payload else Unsupported("postback")


def _choice(message: Json) -> Choice | None:
    reply = mapping(message.get("quick_reply"))
    payload = text(reply.get("payload"))
    return Choice(payload, text(message.get("text"))) if payload else None


def _command(message: Json) -> str | None:
    commands = mappings(message.get("commands"))
    return text(commands[0].get("name")) or None if commands else None


def _story(story: Json, parts: _Parts) -> None:
    """The story that a customer answers is part of what they say; Meta does not tell whether it is a film."""
    address = text(story.get("url"))
    if address:
        parts.media.append(Media("image", address, name="story"))


def _attachments(message: Json) -> _Parts:
    parts = _Parts()
    for one in mappings(message.get("attachments")):
        kind = text(one.get("type")) or "attachment"
        payload = mapping(one.get("payload"))
        reader = _OTHERS.get(kind)
        if kind in _FILES and text(payload.get("url")):
            parts.media.append(_file(_FILES[kind], payload))
            if kind in ("reel", "ig_reel"):
                parts.lines.append(text(payload.get("title")))
        elif reader and reader(one, payload, parts):
            continue
        elif not _link(one, payload, parts):
            parts.unknown.append(kind)
    return parts


def _file(kind: MediaKind, payload: Json) -> Media:
    real: MediaKind = "sticker" if payload.get("sticker_id") else kind
    return Media(real, text(payload["url"]), name=text(payload.get("name")) or None)


def _location(_one: Json, payload: Json, parts: _Parts) -> bool:
    at = mapping(payload.get("coordinates"))
    latitude, longitude = number(at.get("lat")), number(at.get("long"))
    if latitude is None or longitude is None:
        return False
    parts.places.append(Location(latitude, longitude, text(_one.get("title"))))
    return True


def _template(one: Json, payload: Json, parts: _Parts) -> bool:
    """A shared product or card: its titles and subtitles."""
    elements = mappings(payload.get("elements")) or mappings(mapping(payload.get("product")).get("elements"))
    generic = mappings(mapping(payload.get("generic")).get("elements"))
    found = [line for element in elements or generic for line in _card(element)]
    found = found or [line for line in (text(payload.get("text")), text(one.get("title"))) if line]
    parts.lines.extend(found)
    return bool(found)


def _card(element: Json) -> list[str]:
    return [line for name in ("title", "subtitle") if (line := text(element.get(name)))]


def _link(one: Json, payload: Json, parts: _Parts) -> bool:
    """A shared page, post or anything else that has an address."""
    address = text(payload.get("url")) or text(one.get("url"))
    title = text(one.get("title")) or text(payload.get("title"))
    parts.lines.extend(line for line in (title, address) if line)
    return bool(address or title)


_OTHERS: dict[str, Callable[[Json, Json, _Parts], bool]] = {"location": _location, "template": _template}
