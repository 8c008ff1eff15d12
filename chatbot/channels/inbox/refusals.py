"""What is refused at a channel's door: counted always, told in the log as long as it is no flood."""

import threading
import time
from collections.abc import Callable
from uuid import UUID

from chatbot.channels.registry import PROVIDERS
from chatbot.core.logging import get_logger
from chatbot.core.metrics import CHANNEL_REQUESTS

log = get_logger(__name__)

LINES_EACH = 5
"""Lines a minute of one channel and one reason; all that is unknown is one such."""

LINES = 60
"""Lines a minute of a process."""

_MINUTE = 60.0


class Refusals:
    """Tells what was refused: ids, the channel's type and a word for the reason; nothing of the request.

    Anybody may call a webhook as often as they like: past the limits a minute is told as one line, by its count. Large
    bodies are proven in threads, so there is a lock.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._minute = float("-inf")
        self._told: dict[tuple[UUID | None, str], int] = {}
        self._lines = 0
        self._untold = 0

    def note(self, channel_type: str, reason: str, channel_id: UUID | None) -> None:
        """Count a refusal, and tell it unless there were many of late."""
        known_type = channel_type if channel_type == "web" or channel_type in PROVIDERS else "unknown"
        CHANNEL_REQUESTS.labels(known_type, reason).inc()
        with self._lock:
            untold = self._turn_of_the_minute()
            telling = self._may_tell(None if reason == "unknown" else channel_id, reason)
        if untold:
            log.warning("webhooks refused, more than were told", refused=untold)
        if telling:
            log.warning(
                "webhook refused",
                channel_type=known_type, channel_id=str(channel_id) if channel_id else None, reason=reason,
            )  # fmt: skip

    def _turn_of_the_minute(self) -> int:
        """Begin a new minute when the last one is over; return how many refusals of that were not told."""
        if self._clock() - self._minute < _MINUTE:
            return 0
        untold = self._untold
        self._minute, self._told, self._lines, self._untold = self._clock(), {}, 0, 0
        return untold

    def _may_tell(self, channel_id: UUID | None, reason: str) -> bool:
        key = (channel_id, reason)
        if self._lines >= LINES or self._told.get(key, 0) >= LINES_EACH:
            self._untold += 1
            return False
        self._told[key] = self._told.get(key, 0) + 1
        self._lines += 1
        return True


refusals = Refusals()
"""Those of this process."""
