"""Pressed buttons, chosen rows and slash commands."""

import hashlib
from typing import Any

import orjson

from chatbot.channels.events import Choice, InboundEvent, Message, Sender
from chatbot.channels.providers.slack.place import Place, is_direct
from chatbot.channels.reading import at_unix, part, parts, word, words

_CHOSEN = (
    "value", "selected_user", "selected_channel", "selected_conversation", "selected_date", "selected_time",
    "selected_date_time",
)  # fmt: skip
_LISTS = ("selected_users", "selected_channels", "selected_conversations")


def actions_of(body: dict[str, Any]) -> list[InboundEvent]:
    """Return a choice for each action of a message; none for actions beside messages (a modal, the home tab)."""
    place = _place(body)
    if place is None:
        return []
    user = part(body, "user")
    user_id = word(user, "id")
    name = word(user, "name", "username")
    trigger = word(body, "trigger_id") or hashlib.sha256(orjson.dumps(body)).hexdigest()
    events = []
    for index, action in enumerate(parts(body, "actions")):
        if _opens_link(action):
            continue
        choice = _choice(action)
        message = Message(text=choice.title, choice=choice, in_reply_to=place.ts or None)
        events.append(
            InboundEvent(
                id=f"action:{trigger}:{word(action, 'action_ts')}:{index}"[:200],
                thread=place.thread,
                content=message,
                sender=Sender(user_id, name, name) if user_id else None,
                at=at_unix(word(action, "action_ts") or word(body, "action_ts")),
                context=place.context,
            )
        )
    return events


def command_of(body: dict[str, Any]) -> InboundEvent:
    """Return a slash command. In a channel it and its answer are seen by the customer only, so it is a thread apart."""
    user_id, channel = word(body, "user_id"), word(body, "channel_id")
    direct = is_direct(channel) or word(body, "channel_name") == "directmessage"
    mark = word(body, "trigger_id") or hashlib.sha256(orjson.dumps(body)).hexdigest()
    context = {"channel": channel, "team": word(body, "team_id"), "user": user_id}
    context["response_url"] = word(body, "response_url")
    command = word(body, "command").lstrip("/")
    return InboundEvent(
        id=f"command:{mark}"[:200],
        thread=(channel if direct else f"{channel}:/{user_id}") or "unknown",
        content=Message(text=word(body, "text").strip(), command=command),
        sender=Sender(user_id, word(body, "user_name"), word(body, "user_name")) if user_id else None,
        context={name: value for name, value in context.items() if value},
    )


def _place(body: dict[str, Any]) -> Place | None:
    container, message = part(body, "container"), part(body, "message")
    channel = word(part(body, "channel"), "id") or word(container, "channel_id")
    if not channel and word(container, "type") not in ("message", "message_attachment", ""):
        return None
    user = part(body, "user")
    ts = word(container, "message_ts") or word(body, "message_ts") or word(message, "ts")
    if not channel and not message and not ts:
        return None
    return Place(
        channel=channel or "unknown",
        direct=is_direct(channel),
        thread_ts=word(container, "thread_ts") or word(message, "thread_ts"),
        ts=ts,
        team=word(user, "team_id") or word(part(body, "team"), "id"),
        user=word(user, "id"),
    )


def _opens_link(action: dict[str, Any]) -> bool:
    """A button that only opens an address is told of, too; it asks for nothing."""
    return word(action, "type") == "button" and bool(word(action, "url")) and not word(action, "value")


def _choice(action: dict[str, Any]) -> Choice:
    options = parts(action, "selected_options") or [one for one in [part(action, "selected_option")] if one]
    chosen = [word(option, "value") for option in options if word(option, "value")]
    chosen += [value for name in _LISTS for value in words(action, name)]
    found = word(action, *_CHOSEN) or ",".join(chosen) or word(action, "action_id", "name") or "chosen"
    titles = [word(part(option, "text"), "text") or word(option, "text") for option in options]
    title = ", ".join(title for title in titles if title) or word(part(action, "text"), "text")
    return Choice(found, title)
