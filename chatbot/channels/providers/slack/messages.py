"""Messages of the Events API, by their subtype; one that mentions us comes twice, under one id."""

from dataclasses import replace
from typing import Any

from chatbot.channels.events import Deleted, Echo, Edited, InboundEvent, Media, MediaKind, Message
from chatbot.channels.providers.slack.notice import Notice
from chatbot.channels.providers.slack.wording import mentions, plain
from chatbot.channels.reading import number, part, parts, word

_SAID = frozenset({"", "file_share", "thread_broadcast", "me_message"})
_MAX_FILES = 20


def message_event(notice: Notice) -> InboundEvent:
    """Return what a `message` or `app_mention` event tells."""
    event = notice.event
    subtype = word(event, "subtype")
    if subtype == "message_changed":
        return _changed(notice)
    if subtype == "message_deleted":
        return _deleted(notice)
    if subtype == "bot_message" or word(event, "bot_id") or notice.own(event):
        return _echo(notice)
    if subtype not in _SAID:
        return notice.unsupported(f"message.{subtype}")
    return _said(notice)


def said(notice: Notice, message: dict[str, Any]) -> Message:
    """Return what a message object says: its words and its files."""
    text = word(message, "text") or "\n".join(_shared(one) for one in parts(message, "attachments"))
    files = parts(message, "files")[:_MAX_FILES]
    elsewhere = [word(file, "permalink", "url_private") for file in files if file.get("is_external") is True]
    words = "\n".join(one for one in (plain(text, notice.bots), *elsewhere) if one)
    return Message(text=words, media=tuple(media for media in map(_media, files) if media))


def _said(notice: Notice) -> InboundEvent:
    """A message comes as `message` and, when it mentions us, once more as `app_mention`.

    Both get the id of the message, so that it is answered once, whichever is first. Where Slack does not tell who we
    are in a `message`, only the `app_mention` is taken as meant for us, and must not be dropped as a repetition.
    """
    event, place = notice.event, notice.place(notice.event)
    named = word(event, "type") == "app_mention" or mentions(word(event, "text"), notice.bots)
    answers_us = bool(notice.bots) and word(event, "parent_user_id") in notice.bots
    addressed = place.direct or named or answers_us
    event_id = f"message:{notice.team}:{place.channel}:{place.ts}" if place.ts else notice.id
    if not addressed and not notice.bots:
        event_id = f"overheard:{event_id}"
    parent = word(event, "thread_ts")
    message = replace(said(notice, event), in_reply_to=parent if parent != place.ts and parent else None)
    return notice.tell(message, place, event_id=event_id, message_id=place.ts, addressed=addressed)


def _echo(notice: Notice) -> InboundEvent:
    """A bot's message, ours or another's: never answered, or bots would talk to one another for ever."""
    event, place = notice.event, notice.place(notice.event)
    echo = Echo(said(notice, event), place.ts or None)
    return notice.tell(echo, place, message_id=place.ts, addressed=notice.own(event))


def _changed(notice: Notice) -> InboundEvent:
    """An edit. Slack also tells so when it adds the preview of a link, or a thread's count of answers."""
    message, before = part(notice.event, "message"), part(notice.event, "previous_message")
    place, ts = notice.place(message), word(message, "ts")
    if word(message, "subtype") == "tombstone":
        return notice.tell(Deleted(ts), place, message_id=ts, addressed=place.direct)
    if word(message, "bot_id") or notice.own(message):
        return notice.tell(Echo(said(notice, message), ts or None), place, message_id=ts, addressed=notice.own(message))
    if "edited" not in message and word(message, "text") == word(before, "text"):
        return notice.unsupported("message.message_changed")
    edited = notice.tell(Edited(ts, said(notice, message)), place, message_id=ts, addressed=place.direct)
    return replace(edited, sender=notice.sender(message))


def _deleted(notice: Notice) -> InboundEvent:
    before, ts = part(notice.event, "previous_message"), word(notice.event, "deleted_ts")
    if word(before, "bot_id") or notice.own(before):
        return notice.unsupported("message.message_deleted")
    place = notice.place({**before, "ts": ts or word(before, "ts")})
    deleted = notice.tell(Deleted(place.ts), place, message_id=place.ts, addressed=place.direct)
    return replace(deleted, sender=notice.sender(before))


def _shared(attachment: dict[str, Any]) -> str:
    return word(attachment, "text", "fallback", "title")


def _media(file: dict[str, Any]) -> Media | None:
    """A file that Slack keeps; one of a shared channel comes with its id only and is asked for when it is fetched."""
    ref = word(file, "url_private_download", "url_private")
    if not ref and word(file, "file_access") == "check_file_info":
        ref = word(file, "id")
    if not ref or file.get("is_external") is True or word(file, "mode") in ("tombstone", "hidden_by_limit"):
        return None
    mime = word(file, "mimetype")
    return Media(_kind(file, mime), ref, mime or None, word(file, "name", "title") or None, number(file, "size"))


def _kind(file: dict[str, Any], mime: str) -> MediaKind:
    if word(file, "subtype") == "slack_audio":
        return "voice"
    family = mime.split("/", maxsplit=1)[0]
    return family if family in ("image", "audio", "video") else "document"  # type: ignore[return-value]
