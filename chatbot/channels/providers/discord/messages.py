"""What Discord's Gateway dispatches about messages, read into events; pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chatbot.channels.events import (
    Content,
    Deleted,
    Echo,
    Edited,
    InboundEvent,
    Media,
    MediaKind,
    Message,
    Reaction,
    Sender,
    Unsupported,
)
from chatbot.channels.providers.discord.place import made_at, place_of
from chatbot.channels.providers.discord.wording import plain
from chatbot.channels.reading import at_unix, number, part, parts, word, words

_SAID = frozenset({0, 19, 20, 23})
_STICKERS = "https://media.discordapp.net/stickers"


@dataclass(frozen=True, slots=True)
class Me:
    """Who we are: the bot's user id and the roles that stand for it alone."""

    user: str
    roles: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """Every id that means us."""
        return self.roles | {self.user}


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One dispatch of the Gateway.

    Attributes:
        mark: what tells this dispatch from another of the same kind, where Discord gives it no id.
    """

    name: str
    data: dict[str, Any]
    me: Me
    mark: str = ""

    def unsupported(self, name: str = "") -> InboundEvent:
        """Return it as an event that we have no form for."""
        return unsupported(name or self.name, self.data, self.mark)


def dispatched(dispatch: Dispatch) -> list[InboundEvent]:
    """Return the events of one dispatch."""
    if dispatch.name == "MESSAGE_DELETE_BULK":
        return [_deleted(replace(dispatch, data={**dispatch.data, "id": one})) for one in words(dispatch.data, "ids")]
    return [_READERS.get(dispatch.name, Dispatch.unsupported)(dispatch)]


def unsupported(name: str, data: dict[str, Any], mark: str = "") -> InboundEvent:
    """Return an event that we have no form for, named and kept."""
    about = word(data, "id", "message_id", "channel_id", "guild_id") or "gateway"
    thread = word(data, "channel_id") or about
    return InboundEvent(f"{name}:{about}:{mark}"[:200], thread, Unsupported(name), raw=data, addressed=False)


def said(message: dict[str, Any], me: Me) -> Message:
    """Return what a message object says; of a forwarded one, what was forwarded."""
    inner = [message, *(part(one, "message") for one in parts(message, "message_snapshots"))]
    media = [_media(file) for one in inner for file in parts(one, "attachments")]
    media += [_sticker(one) for one in parts(message, "sticker_items")]
    return Message(
        text="\n".join(text for text in (plain(one, me.names) for one in inner) if text),
        media=tuple(one for one in media if one),
        in_reply_to=word(part(message, "message_reference"), "message_id") or None,
    )


def sender_of(user: dict[str, Any], member: dict[str, Any]) -> Sender | None:
    """Return a person as Discord knows them: the guild's nickname before the display name."""
    user_id = word(user, "id")
    name = word(member, "nick") or word(user, "global_name", "username")
    return Sender(user_id, name, word(user, "username")) if user_id else None


def _created(dispatch: Dispatch) -> InboundEvent:
    data, me = dispatch.data, dispatch.me
    kind, message_id = number(data, "type"), word(data, "id")
    if kind not in _SAID and kind is not None:
        return dispatch.unsupported(f"message_type_{kind}")
    event_id = f"message:{message_id}"
    if _is_bot(data, me):
        ours = word(part(data, "author"), "id") == me.user
        return _told(data, Echo(said(data, me), message_id or None), event_id, addressed=ours)
    return _told(data, said(data, me), event_id, addressed=_names_us(data, me))


def _updated(dispatch: Dispatch) -> InboundEvent:
    """An edit; Discord also tells so when it adds a preview, without a time of the edit."""
    data, me = dispatch.data, dispatch.me
    edited, message_id = word(data, "edited_timestamp"), word(data, "id")
    if not edited or "content" not in data:
        return dispatch.unsupported()
    content: Content = Edited(message_id, said(data, me))
    if _is_bot(data, me):
        content = Echo(said(data, me), message_id)
    return _told(data, content, f"edit:{message_id}:{edited}", addressed=_names_us(data, me))


def _deleted(dispatch: Dispatch) -> InboundEvent:
    place, message_id = place_of(dispatch.data), word(dispatch.data, "id")
    return InboundEvent(
        id=f"delete:{message_id}", thread=place.channel, content=Deleted(message_id), message_id=message_id or None,
        context={"channel": place.channel}, addressed=place.direct,
    )  # fmt: skip


def _reacted(dispatch: Dispatch) -> InboundEvent:
    data = dispatch.data
    emoji, place, user = part(data, "emoji"), place_of(data), word(data, "user_id")
    written = word(emoji, "name") if not word(emoji, "id") else f":{word(emoji, 'name')}:"
    message_id, member = word(data, "message_id"), part(data, "member")
    added = dispatch.name == "MESSAGE_REACTION_ADD"
    return InboundEvent(
        id=f"reaction:{message_id}:{user}:{written}:{added}:{dispatch.mark}"[:200],
        thread=place.channel,
        content=Reaction(message_id, written if added else None),
        sender=sender_of({"id": user, **part(member, "user")}, member),
        message_id=message_id or None,
        context={"channel": place.channel},
        addressed=place.direct or word(data, "message_author_id") == dispatch.me.user,
    )


def _told(data: dict[str, Any], content: Content, event_id: str, *, addressed: bool) -> InboundEvent:
    place, sender = place_of(data), sender_of(part(data, "author"), part(data, "member"))
    addressed = addressed or place.direct
    context = {"channel": place.channel}
    if place.is_room:
        context["message"] = word(data, "id")
    return InboundEvent(
        id=event_id[:200],
        thread=place.thread(sender.id if sender else "", addressed=addressed),
        content=content,
        sender=sender,
        message_id=word(data, "id") or None,
        at=_time(word(data, "timestamp"), word(data, "id")),
        context=context,
        addressed=addressed,
    )


def _is_bot(data: dict[str, Any], me: Me) -> bool:
    author = part(data, "author")
    return author.get("bot") is True or bool(word(data, "webhook_id")) or word(author, "id") == me.user


def _names_us(data: dict[str, Any], me: Me) -> bool:
    """Whether a message mentions the bot, or its role, or answers one of its messages."""
    if any(word(one, "id") == me.user for one in parts(data, "mentions")):
        return True
    answered = part(part(data, "referenced_message"), "author")
    return word(answered, "id") == me.user or not me.roles.isdisjoint(words(data, "mention_roles"))


def _time(told: str, snowflake: str) -> datetime | None:
    try:
        return datetime.fromisoformat(told)
    except ValueError:
        made = made_at(snowflake)
        return at_unix(str(made)) if made is not None else None


def _media(file: dict[str, Any]) -> Media | None:
    mime, url = word(file, "content_type").split(";")[0].strip(), word(file, "url")
    if not url:
        return None
    return Media(_kind(file, mime), url, mime or None, word(file, "filename") or None, number(file, "size"))


def _kind(file: dict[str, Any], mime: str) -> MediaKind:
    if word(file, "waveform"):
        return "voice"
    family = mime.split("/", maxsplit=1)[0]
    return family if family in ("image", "audio", "video") else "document"  # type: ignore[return-value]


def _sticker(sticker: dict[str, Any]) -> Media | None:
    """Stickers of the third format are Lottie animations, no picture."""
    sticker_id, name = word(sticker, "id"), word(sticker, "name")
    if not sticker_id or number(sticker, "format_type") == 3:
        return None
    ending = "gif" if number(sticker, "format_type") == 4 else "png"
    return Media("sticker", f"{_STICKERS}/{sticker_id}.{ending}", f"image/{ending}", name or None)


_READERS: dict[str, Callable[[Dispatch], InboundEvent]] = {
    "MESSAGE_CREATE": _created,
    "MESSAGE_UPDATE": _updated,
    "MESSAGE_DELETE": _deleted,
    "MESSAGE_REACTION_ADD": _reacted,
    "MESSAGE_REACTION_REMOVE": _reacted,
}
