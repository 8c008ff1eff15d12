"""Where a talk on Slack takes place: a direct message is one thread, in a channel each thread is."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """A place to answer to.

    Attributes:
        thread_ts: the first message of the thread; empty beside threads.
        ts: the message itself.
        team: the workspace of `user`, who wrote.
    """

    channel: str
    direct: bool = False
    thread_ts: str = ""
    ts: str = ""
    team: str = ""
    user: str = ""

    @property
    def thread(self) -> str:
        """The key of the conversation."""
        root = self.thread_ts or self.ts
        return self.channel if self.direct or not root else f"{self.channel}:{root}"

    @property
    def context(self) -> dict[str, Any]:
        """What an answer needs: in a channel it goes below the message, in a direct message beside it."""
        root = self.thread_ts if self.direct else self.thread_ts or self.ts
        found = {
            "channel": self.channel,
            "thread_ts": root,
            "ts": self.ts,
            "team": self.team,
            "user": self.user,
        }
        return {name: value for name, value in found.items() if value}


def is_direct(channel: str, channel_type: str = "") -> bool:
    """Whether a channel is a direct message with the app."""
    return channel_type == "im" or channel.startswith("D")
