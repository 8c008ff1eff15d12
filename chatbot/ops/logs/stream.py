"""The log as server-sent events: the last lines, then each as it is written."""

import asyncio
from contextlib import suppress

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from chatbot.core.background import end
from chatbot.core.log_tail import Follower, LogTail
from chatbot.dialogue.sse import HEADERS, left

PING_SECONDS = 15.0


class LogStream(Response):
    """Events `log`, each a line of JSON; `missed` where the reader was too slow; `shutdown` when the process ends.

    Args:
        lines: how many of the last lines come first.
        follow: whether to go on after them.
    """

    media_type = "text/event-stream"

    def __init__(self, tail: LogTail, draining: asyncio.Event, *, lines: int, follow: bool) -> None:
        super().__init__()
        self._tail = tail
        self._draining = draining
        self._lines = lines
        self._follow = follow

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        with self._tail.follow(self._lines) as follower:
            writer = asyncio.create_task(self._write(follower, send), name="log stream")
            others = [asyncio.create_task(left(receive)), asyncio.create_task(_set(self._draining))]
            try:
                await asyncio.wait([writer, *others], return_when=asyncio.FIRST_COMPLETED)
            finally:
                await end(writer, *others)
        with suppress(OSError):
            frame = b"event: shutdown\ndata: {}\n\n" if self._draining.is_set() else b""
            await send({"type": "http.response.body", "body": frame, "more_body": False})

    async def _write(self, follower: Follower, send: Send) -> None:
        while True:
            try:
                async with asyncio.timeout(PING_SECONDS if self._follow else 0.05):
                    lines = await follower.take()
            except TimeoutError:
                if not self._follow:
                    return
                await _body(send, b": still here\n\n")
                continue
            frames = b"".join(b"event: log\ndata: %b\n\n" % line.replace("\n", " ").encode() for line in lines)
            if follower.missed:
                missed, follower.missed = follower.missed, 0
                frames += b"event: missed\ndata: %b\n\n" % orjson.dumps({"lines": missed})
            await _body(send, frames)


async def _body(send: Send, frames: bytes) -> None:
    await send({"type": "http.response.body", "body": frames, "more_body": True})


async def _set(event: asyncio.Event) -> None:
    await event.wait()
