"""Updates of the Bot API as events; webhook and polling share it."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from chatbot.channels.contract import Malformed
from chatbot.channels.events import (
    Content,
    Deleted,
    Echo,
    Edited,
    Followed,
    InboundEvent,
    Message,
    Reaction,
    Sender,
    Unfollowed,
    Unsupported,
)
from chatbot.channels.providers.telegram.content import (
    Fields,
    chat_sender,
    choice_of,
    fields,
    message_of,
    number_of,
    sender_of,
    text_of,
    user_sender,
)
from chatbot.channels.providers.telegram.threads import Thread
from chatbot.channels.reading import json_body

_PRESENT = frozenset({"member", "administrator", "creator", "restricted"})
_GONE = frozenset({"left", "kicked"})


def read_body(body: bytes) -> Mapping[str, Any]:
    """Return the update that a webhook was given; raises `Malformed`."""
    return json_body(body)


def parse_update(update: Mapping[str, Any], bot_id: str) -> list[InboundEvent]:
    """Read one update.

    Raises:
        Malformed: it has no `update_id`, or what happened is not an object.
    """
    number = number_of(update.get("update_id"))
    if number is None:
        raise Malformed("update_id: not an integer")
    name = next((key for key in update if key != "update_id"), None)
    if name is None:
        return [InboundEvent(str(number), "", Unsupported("empty"), raw=dict(update))]
    happened = update[name]
    if not isinstance(happened, dict):
        raise Malformed(f"{name}: not an object")
    return _READERS.get(name, _unknown)(_Update(number, name, happened, update, bot_id))


class _Update:
    """An update while it is read."""

    def __init__(self, number: int, name: str, happened: Fields, whole: Fields, bot_id: str) -> None:
        self.number = number
        self.name = name
        self.happened = happened
        self.whole = whole
        self.bot_id = bot_id

    def event(
        self,
        content: Content,
        *,
        sender: Sender | None,
        thread: str | None = None,
        message_id: int | None = None,
        context: Mapping[str, Any] | None = None,
        suffix: str = "",
    ) -> InboundEvent:
        """Make an event; where the update names no chat, the thread is the sender's own."""
        own = Thread.of_message(self.happened)
        found = thread or (own.key if own else "") or (sender.id if sender else "")
        return InboundEvent(
            id=f"{self.number}{suffix}",
            thread=found,
            content=content,
            sender=sender,
            message_id=str(message_id) if message_id is not None else None,
            at=_moment(self.happened.get("edit_date")) or _moment(self.happened.get("date")),
            context=context or {},
            raw=dict(self.whole) if isinstance(content, Unsupported) else {},
        )


def _unknown(update: _Update) -> list[InboundEvent]:
    sender = sender_of(update.happened) or user_sender(fields(update.happened.get("user")))
    return [update.event(Unsupported(update.name), sender=sender)]


def _message(update: _Update) -> list[InboundEvent]:
    message, number = update.happened, number_of(update.happened.get("message_id"))
    if number is None or Thread.of_message(message) is None:
        return _unknown(update)
    said = message_of(message)
    content = said if isinstance(said, Unsupported) else _role(update, said, str(number))
    context = {"message_id": number}
    return [update.event(content, sender=sender_of(message), message_id=number, context=context)]


def _role(update: _Update, said: Message, number: str) -> Content:
    """Whether a message is a customer's, our own, or another machine's."""
    message, edited = update.happened, update.name.startswith("edited_")
    author = fields(message.get("from"))
    if str(author.get("id")) == update.bot_id or "sender_business_bot" in message or _by_the_business(update):
        return Echo(said, number)
    if message.get("is_automatic_forward") is True:
        return Unsupported("message.automatic_forward")
    if author.get("is_bot") is True and "sender_chat" not in message:
        # Two machines that answer each other would never end.
        return Unsupported("message.of_a_bot")
    return Edited(number, said) if edited else said


def _by_the_business(update: _Update) -> bool:
    """Through a business connection the owner's own messages come too; the chat is the customer's."""
    message = update.happened
    if "business_connection_id" not in message:
        return False
    return fields(message.get("from")).get("id") != fields(message.get("chat")).get("id")


def _callback(update: _Update) -> list[InboundEvent]:
    query = update.happened
    choice, sender, message = choice_of(query), user_sender(fields(query.get("from"))), fields(query.get("message"))
    thread = Thread.of_message(message)
    if choice is None or sender is None:
        return _unknown(update)
    number = number_of(message.get("message_id"))
    context = {"callback_id": text_of(query.get("id"))}
    key = thread.key if thread else sender.id
    return [update.event(Message(choice=choice), sender=sender, thread=key, message_id=number, context=context)]


def _reaction(update: _Update) -> list[InboundEvent]:
    found = update.happened
    number = number_of(found.get("message_id"))
    sender = user_sender(fields(found.get("user"))) or chat_sender(fields(found.get("actor_chat")))
    if number is None:
        return _unknown(update)
    new, old = _emojis(found.get("new_reaction")), _emojis(found.get("old_reaction"))
    added = [emoji for emoji in new if emoji not in old]
    emoji = next(iter([*added, *new]), None)
    return [update.event(Reaction(str(number), emoji), sender=sender, message_id=number)]


def _emojis(reactions: object) -> list[str]:
    """The emojis of reactions; a custom one has no character and is named by its id."""
    found = [fields(reaction) for reaction in reactions] if isinstance(reactions, list) else []
    return [
        text_of(reaction.get("emoji")) or text_of(reaction.get("custom_emoji_id")) or "⭐"  # the paid one is a star
        for reaction in found
    ]


def _own_membership(update: _Update) -> list[InboundEvent]:
    before, after = (_status(update.happened.get(name)) for name in ("old_chat_member", "new_chat_member"))
    sender = user_sender(fields(update.happened.get("from")))
    if after in _GONE:
        return [update.event(Unfollowed(), sender=sender)]
    if after in _PRESENT and before not in _PRESENT:
        return [update.event(Followed(), sender=sender)]
    return _unknown(update)


def _status(member: object) -> str:
    found = fields(member)
    status = text_of(found.get("status"))
    return "left" if status == "restricted" and found.get("is_member") is False else status


def _deleted(update: _Update) -> list[InboundEvent]:
    numbers = update.happened.get("message_ids")
    found = [number for number in numbers if isinstance(number, int)] if isinstance(numbers, list) else []
    return [
        update.event(Deleted(str(number)), sender=None, message_id=number, suffix=f".{number}") for number in found
    ] or _unknown(update)


def _moment(seconds: object) -> datetime | None:
    number = number_of(seconds)
    if not number:
        return None
    try:
        return datetime.fromtimestamp(number, UTC)
    except (ValueError, OverflowError, OSError):
        return None


_READERS: dict[str, Callable[[_Update], list[InboundEvent]]] = {
    **dict.fromkeys(
        (
            "message", "edited_message", "channel_post", "edited_channel_post",
            "business_message", "edited_business_message",
        ),
        _message,
    ),
    "callback_query": _callback,
    "message_reaction": _reaction,
    "my_chat_member": _own_membership,
    "deleted_business_messages": _deleted,
}  # fmt: skip
