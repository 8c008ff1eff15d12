"""What a message of the Bot API says."""

import re
from collections.abc import Mapping
from typing import Any

from chatbot.channels.events import Choice, Contact, Location, Media, MediaKind, Message, Sender, Unsupported

Fields = Mapping[str, Any]
_COMMAND = re.compile(r"/(\w{1,32})(?:@\w{1,64})?(?:\s|$)", re.ASCII)
_FILES: dict[str, MediaKind] = {
    "voice": "voice", "audio": "audio", "video": "video", "video_note": "video", "animation": "video",
    "document": "document", "sticker": "sticker",
}  # fmt: skip
_ENVELOPE = frozenset({
    "message_id", "message_thread_id", "is_topic_message", "direct_messages_topic", "from", "sender_chat", "date",
    "sender_boost_count", "sender_business_bot", "business_connection_id", "chat", "forward_origin", "forward_from",
    "forward_date", "forward_from_chat", "forward_from_message_id", "forward_signature", "forward_sender_name",
    "is_automatic_forward", "reply_to_message", "external_reply", "quote", "reply_to_story", "via_bot", "edit_date",
    "has_protected_content", "is_from_offline", "is_paid_post", "media_group_id", "author_signature", "entities",
    "paid_star_count", "link_preview_options", "effect_id", "caption", "caption_entities", "sender_tag",
    "show_caption_above_media", "has_media_spoiler", "reply_markup", "reply_to_checklist_task_id",
    "suggested_post_info",
})  # fmt: skip


def fields(value: object) -> Fields:
    """A JSON object; empty when it is none."""
    return value if isinstance(value, dict) else {}


def text_of(value: object) -> str:
    """A JSON string; empty when it is none."""
    return value if isinstance(value, str) else ""


def number_of(value: object) -> int | None:
    """A JSON integer; None when it is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def sender_of(message: Fields) -> Sender | None:
    """Who wrote: a chat that a person writes for (a channel, an anonymous administrator) before the person."""
    chat, user = fields(message.get("sender_chat")), fields(message.get("from"))
    return chat_sender(chat) or user_sender(user)


def user_sender(user: Fields) -> Sender | None:
    """A user as sender."""
    number = number_of(user.get("id"))
    if number is None:
        return None
    name = f"{text_of(user.get('first_name'))} {text_of(user.get('last_name'))}".strip()
    locale = text_of(user.get("language_code")) or None
    return Sender(str(number), name, text_of(user.get("username")), locale)


def chat_sender(chat: Fields) -> Sender | None:
    """A channel or group as sender."""
    number = number_of(chat.get("id"))
    return None if number is None else Sender(str(number), text_of(chat.get("title")), text_of(chat.get("username")))


def message_of(message: Fields) -> Message | Unsupported:
    """Read a message; a kind that we have no form for (a service message, a poll) is named."""
    media, location, contact = _media(message), _location(message), _contact(message)
    text = text_of(message.get("text")) or text_of(message.get("caption")) or _dice(message)
    if not (text or media or location or contact):
        return Unsupported(f"message.{_kind(message)}")
    command = _COMMAND.match(text)
    return Message(
        text=text,
        media=media,
        location=location,
        contacts=(contact,) if contact else (),
        in_reply_to=_answered(message),
        command=command[1] if command else None,
    )


def choice_of(query: Fields) -> Choice | None:
    """The pressed button, with its title out of the message that it hung under."""
    data = query.get("data")
    if not isinstance(data, str):
        return None
    rows = fields(fields(query.get("message")).get("reply_markup")).get("inline_keyboard")
    for row in rows if isinstance(rows, list) else []:
        for button in row if isinstance(row, list) else []:
            if fields(button).get("callback_data") == data:
                return Choice(data, text_of(button.get("text")))
    return Choice(data)


def _kind(message: Fields) -> str:
    return next((name for name in message if name not in _ENVELOPE), "empty")


def _answered(message: Fields) -> str | None:
    answered = fields(message.get("reply_to_message"))
    number = number_of(answered.get("message_id"))
    # In a forum every message answers the one that opened its topic.
    return None if number is None or "forum_topic_created" in answered else str(number)


def _dice(message: Fields) -> str:
    dice = fields(message.get("dice"))
    emoji, value = text_of(dice.get("emoji")), number_of(dice.get("value"))
    return f"{emoji} {value}" if emoji and value is not None else ""


def _media(message: Fields) -> tuple[Media, ...]:
    if photo := _photo(message.get("photo")):
        return (photo,)
    for name, kind in _FILES.items():
        # An animation comes as a document too; it stands before it here and counts once.
        if found := _file(fields(message.get(name)), kind):
            return (found,)
    return ()


def _photo(sizes: object) -> Media | None:
    """The largest of the sizes that a photo comes in."""
    found = [fields(size) for size in sizes] if isinstance(sizes, list) else []
    return _file(max(found, key=_area), "image") if found else None


def _area(size: Fields) -> int:
    return (number_of(size.get("width")) or 0) * (number_of(size.get("height")) or 0)


def _file(found: Fields, kind: MediaKind) -> Media | None:
    ref = text_of(found.get("file_id"))
    if not ref:
        return None
    name = text_of(found.get("file_name")) or None
    mime = text_of(found.get("mime_type")) or None
    return Media(
        kind, ref, mime or ("image/jpeg" if kind == "image" else None), name, number_of(found.get("file_size"))
    )


def _location(message: Fields) -> Location | None:
    venue = fields(message.get("venue"))
    place = fields(message.get("location")) or fields(venue.get("location"))
    latitude, longitude = place.get("latitude"), place.get("longitude")
    if not isinstance(latitude, int | float) or not isinstance(longitude, int | float):
        return None
    return Location(float(latitude), float(longitude), text_of(venue.get("title")), text_of(venue.get("address")))


def _contact(message: Fields) -> Contact | None:
    card = fields(message.get("contact"))
    phone = text_of(card.get("phone_number"))
    name = f"{text_of(card.get('first_name'))} {text_of(card.get('last_name'))}".strip()
    return Contact(name, (phone,) if phone else ()) if phone or name else None
