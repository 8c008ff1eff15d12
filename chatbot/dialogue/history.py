"""What was said before in a conversation, as the stages read it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Said:
    """An earlier message of a conversation, oldest first in a history; `offered`: it offers a person."""

    role: Literal["visitor", "bot", "agent"]
    text: str
    language: str | None = None
    offered: bool = False
