"""The last lines of this process's log, and whoever follows it live."""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

_KEPT = 1_000
_MOST_BEHIND = 2_000


class Follower:
    """What one reader has yet to get; a reader that is too slow is told how many lines it missed."""

    def __init__(self, lines: list[str], loop: asyncio.AbstractEventLoop) -> None:
        self._lines = deque(lines)
        self._loop = loop
        self._news = asyncio.Event()
        self.missed = 0
        if lines:
            self._news.set()

    def offer(self, line: str) -> None:
        """Take a line, from whatever thread."""
        if len(self._lines) >= _MOST_BEHIND:
            self.missed += 1
            return
        self._lines.append(line)
        self._loop.call_soon_threadsafe(self._news.set)

    async def take(self) -> list[str]:
        """Wait for lines and return them all."""
        await self._news.wait()
        self._news.clear()
        return [self._lines.popleft() for _ in range(len(self._lines))]


class LogTail(logging.Handler):
    """A handler that keeps the last lines in memory and passes each on."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: deque[str] = deque(maxlen=_KEPT)
        self._followers: set[Follower] = set()
        self._together = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line; never raises."""
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001 - a line that cannot be rendered must not stop whoever wrote it
            self.handleError(record)
            return
        with self._together:
            self._kept.append(line)
            followers = list(self._followers)
        for follower in followers:
            follower.offer(line)

    @contextmanager
    def follow(self, lines: int) -> Iterator[Follower]:
        """Give the last lines and everything after them, nothing twice and nothing left out."""
        with self._together:
            last = list(self._kept)[-lines:] if lines else []
            follower = Follower(last, asyncio.get_running_loop())
            self._followers.add(follower)
        try:
            yield follower
        finally:
            with self._together:
                self._followers.discard(follower)


log_tail = LogTail()
"""Of this process; `configure_logging` puts it among the handlers."""
