"""Events other than messages: reactions, who joins and leaves, who opens the chat."""

from collections.abc import Callable

from chatbot.channels.events import Followed, InboundEvent, Reaction, Unfollowed
from chatbot.channels.providers.slack.notice import Notice
from chatbot.channels.providers.slack.place import Place, is_direct
from chatbot.channels.providers.slack.wording import emoji
from chatbot.channels.reading import part, word

Handler = Callable[[Notice], InboundEvent | None]


def _reaction(notice: Notice) -> InboundEvent | None:
    event, item = notice.event, part(notice.event, "item")
    ts = word(item, "ts")
    if word(item, "type") not in ("message", ""):
        return None
    channel = word(item, "channel")
    added = word(event, "type") == "reaction_added"
    place = Place(channel or "unknown", is_direct(channel), ts=ts, team=notice.team, user=word(event, "user"))
    content = Reaction(ts, emoji(word(event, "reaction")) if added else None)
    return notice.tell(content, place, message_id=ts, addressed=word(event, "item_user") in notice.bots)


def _membership(notice: Notice) -> InboundEvent | None:
    """The bot itself was added to a channel, or taken out of it; of other people nothing is kept but the name."""
    event = notice.event
    if word(event, "user") not in notice.bots:
        return None
    joined = word(event, "type") == "member_joined_channel"
    channel = word(event, "channel")
    place = Place(channel or "unknown", is_direct(channel), team=notice.team, user=word(event, "inviter"))
    return notice.tell(Followed() if joined else Unfollowed(), place)


def _opened(notice: Notice) -> InboundEvent | None:
    """Somebody opened the app's chat: told each time, taken once a person, by the id."""
    event = notice.event
    user, channel = word(event, "user"), word(event, "channel")
    if word(event, "tab") == "home":
        return None
    place = Place(channel or user or "unknown", direct=True, team=notice.team, user=user)
    return notice.tell(Followed(), place, event_id=f"opened:{notice.team}:{user}:{channel}" if user else "")


def _assistant(notice: Notice) -> InboundEvent | None:
    """Somebody began a talk in the assistant's pane."""
    about = part(notice.event, "assistant_thread")
    channel, user = word(about, "channel_id"), word(about, "user_id")
    place = Place(channel or "unknown", direct=True, thread_ts=word(about, "thread_ts"), team=notice.team, user=user)
    return notice.tell(Followed(), place)


HANDLERS: dict[str, Handler] = {
    "reaction_added": _reaction,
    "reaction_removed": _reaction,
    "member_joined_channel": _membership,
    "member_left_channel": _membership,
    "app_home_opened": _opened,
    "assistant_thread_started": _assistant,
}
"""The rest is named and kept: a revoked token or a removed app is no customer's doing, and `check` tells of it."""
