"""One open socket: what waits to be sent, bounded; who it is for; when it must be looked at again."""

import asyncio
import itertools
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from pydantic import BaseModel
from starlette.types import Send

from chatbot.channels.live.errors import SlowReader, close_code
from chatbot.core.errors import XinError
from chatbot.core.metrics import SOCKETS_CLOSED
from chatbot.identity.subject import Subject

if TYPE_CHECKING:
    from chatbot.channels.live.room import Room

MAX_UNREAD = 512 * 1024
"""Characters that wait for a slow client; past that it is dropped, and may resume."""

Drop = Callable[[int, str], None]

_NUMBERS = itertools.count()
"""What is counted for a socket must not be the next one's, which may lie where it lay."""

_CLOSE_SECONDS = 5.0
"""How long the last frames may wait to be read before the socket is dropped."""


class Socket:
    """A client's socket. While nothing is said it has no task, queue or timer of its own: there may be thousands.

    Args:
        send: sends an ASGI message; waits while the client does not read.
        drop: closes at once, with a close code and a reason, although the client does not read.
    """

    __slots__ = (
        "_drop", "_send", "_size", "_waiting", "_writer", "address", "asked_tenant", "brand_id", "check_at", "closing",
        "expires_at", "locale", "number", "origin", "room", "subject", "token",
    )  # fmt: skip

    def __init__(
        self, send: Send, drop: Drop, *, address: str, origin: str | None, asked_tenant: UUID | None, check_at: float
    ) -> None:
        self._send = send
        self._drop = drop
        self._waiting: deque[str | tuple[int, str]] | None = None
        self._size = 0
        self._writer: asyncio.Task[None] | None = None
        self.number = next(_NUMBERS)
        self.address = address
        self.origin = origin
        self.asked_tenant = asked_tenant
        self.check_at = check_at
        self.closing = False
        self.subject: Subject | None = None
        self.token = ""
        self.expires_at: datetime | None = None
        self.brand_id: UUID | None = None
        self.locale: str | None = None
        self.room: Room | None = None

    def tell(self, frame: BaseModel) -> None:
        """Send a frame to this socket alone."""
        self.push(frame.model_dump_json())

    def push(self, frame: str) -> None:
        """Send a frame after those that wait; a client with too much unread is dropped."""
        if self.closing:
            return
        if self._size + len(frame) > MAX_UNREAD:
            self.drop(SlowReader())
            return
        self._size += len(frame)
        self._put(frame)

    def close(self, code: int, reason: str) -> None:
        """Close after what waits to be sent."""
        if not self.closing:
            self._closes(code)
            self._put((code, reason))

    def refuse(self, error: XinError) -> None:
        """Close because of an error."""
        self.close(close_code(error), error.code)

    def drop(self, error: XinError) -> None:
        """Close at once; what waits is not sent."""
        if not self.closing:
            self._closes(close_code(error))
        self._waiting = None
        if self._writer:
            self._writer.cancel()
        self._drop(close_code(error), error.code)

    async def drained(self) -> None:
        """Wait until nothing waits to be sent."""
        if self._writer:
            await asyncio.wait({self._writer})

    def _closes(self, code: int) -> None:
        self.closing = True
        self.check_at = time.monotonic() + _CLOSE_SECONDS
        SOCKETS_CLOSED.labels(code).inc()

    def _put(self, item: str | tuple[int, str]) -> None:
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append(item)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())

    async def _write(self) -> None:
        """Send what waits, then be gone."""
        try:
            while self._waiting:
                item = self._waiting.popleft()
                if isinstance(item, str):
                    await self._send({"type": "websocket.send", "text": item})
                    self._size -= len(item)
                else:
                    await self._send({"type": "websocket.close", "code": item[0], "reason": item[1]})
        except OSError:
            self.closing = True  # the client is gone; the reading side ends the session
        finally:
            self._waiting = self._writer = None
