"""Where a talk on Discord takes place: a direct message and a thread are one talk, in a channel each person has one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chatbot.channels.reading import number, part, word

_THREADS = frozenset({10, 11, 12})
_DIRECT = frozenset({1, 3})


@dataclass(frozen=True, slots=True)
class Place:
    """A channel, and what kind it is."""

    channel: str
    direct: bool
    in_thread: bool

    @property
    def is_room(self) -> bool:
        """Whether people who do not know one another talk here."""
        return not (self.direct or self.in_thread)

    def thread(self, user: str = "", *, addressed: bool = True) -> str:
        """The key of the conversation; in a room, that of one person with us, and nobody's for what is not for us."""
        return f"{self.channel}:{user}" if self.is_room and user and addressed else self.channel


def place_of(payload: Mapping[str, Any]) -> Place:
    """Read the place of a message, a reaction or an interaction."""
    channel = part(payload, "channel")
    kind = number(channel, "type")
    if kind is None:
        kind = number(payload, "channel_type")
    in_guild = bool(word(payload, "guild_id"))
    return Place(
        channel=word(payload, "channel_id") or word(channel, "id") or "unknown",
        direct=kind in _DIRECT or not in_guild,
        in_thread=in_guild and (kind in _THREADS or (kind is None and "position" in payload)),
    )


def made_at(snowflake: str) -> float | None:
    """Return the Unix time that an id tells; None when it is no id."""
    return ((int(snowflake) >> 22) + 1_420_070_400_000) / 1000 if snowflake.isascii() and snowflake.isdigit() else None
