"""The key of a talk: a chat, a topic in it, and the business account it is held for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_KEY = re.compile(r"(?P<chat>-?\d+)(?:/(?P<topic>\d+)|~(?P<direct>\d+))?(?:@(?P<business>[\w-]+))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Thread:
    """Where a message belongs.

    Attributes:
        chat: the chat's id; below zero for groups and channels.
        topic: of a forum.
        direct: the topic of one customer in a channel's direct messages.
        business: the connection through which the bot writes for a business account.
    """

    chat: int
    topic: int | None = None
    direct: int | None = None
    business: str | None = None

    @classmethod
    def of(cls, key: str) -> "Thread":
        """Read a key; raises ValueError when it is none of ours."""
        found = _KEY.fullmatch(key)
        if not found:
            raise ValueError(f"{key[:50]!r} is not the key of a chat")
        topic, direct = found["topic"], found["direct"]
        return cls(int(found["chat"]), _number(topic), _number(direct), found["business"])

    @classmethod
    def of_message(cls, message: Mapping[str, Any]) -> "Thread | None":
        """The thread of a message of the Bot API; None when it has no chat.

        `message_thread_id` alone is no topic: a chain of answers in an ordinary group has one too.
        """
        chat = _field(message, "chat").get("id")
        if not isinstance(chat, int):
            return None
        topic = message.get("message_thread_id") if message.get("is_topic_message") is True else None
        direct = _field(message, "direct_messages_topic").get("topic_id")
        business = message.get("business_connection_id")
        return cls(
            chat,
            topic if isinstance(topic, int) else None,
            direct if isinstance(direct, int) else None,
            business if isinstance(business, str) and business else None,
        )

    @property
    def key(self) -> str:
        """As the conversation is named by."""
        topic = f"/{self.topic}" if self.topic is not None else f"~{self.direct}" if self.direct is not None else ""
        return f"{self.chat}{topic}" + (f"@{self.business}" if self.business else "")

    @property
    def private(self) -> bool:
        """Whether one person alone reads it, as the bot's own chat."""
        return self.chat > 0 and self.business is None

    @property
    def target(self) -> dict[str, Any]:
        """The parameters that send a message here."""
        named = {
            "chat_id": self.chat,
            "message_thread_id": self.topic,
            "direct_messages_topic_id": self.direct,
            "business_connection_id": self.business,
        }
        return {name: value for name, value in named.items() if value is not None}


def _field(message: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = message.get(name)
    return value if isinstance(value, dict) else {}


def _number(text: str | None) -> int | None:
    return int(text) if text is not None else None
