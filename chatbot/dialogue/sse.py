"""Replies over HTTP: server-sent events with heartbeats, or one JSON body; both notice a client that is gone."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, Protocol

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from chatbot.dialogue.live import Place, StreamEvent

HEARTBEAT_SECONDS = 15.0
DRAIN_GRACE_SECONDS = 8.0
"""How long a stream may go on once the process drains, before `shutdown` tells the client to reconnect."""

_FOR_A_WHILE = frozenset({429, 503})
_RETRY_SECONDS = "5"
_HEARTBEAT = b": still here\n\n"
_SHUTDOWN = b"event: shutdown\ndata: {}\n\n"
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
"""Of every stream: no cache and no proxy keeps any of it back."""


class Followed(Protocol):
    """What these responses need of a reply."""

    def events(self, place: Place) -> AsyncIterator[list[StreamEvent]]:
        """Give the events from a place to the end, those at hand together."""

    async def wait(self) -> StreamEvent:
        """Wait for the last event."""


def render(event: StreamEvent) -> bytes:
    """Render an event as the wire has it."""
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (event.id.encode(), event.name.encode(), orjson.dumps(event.data))


class EventStream(Response):
    """Streams a reply from a place on.

    Args:
        reply: what is followed.
        place: where the client is; None when it has the last event already.
        draining: set when the process stops taking work.
    """

    media_type = "text/event-stream"

    def __init__(self, reply: Followed, place: Place | None, draining: asyncio.Event) -> None:
        super().__init__()
        self._reply = reply
        self._place = place
        self._draining = draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        if self._place is None or not await self._stream(self._place, receive, send):
            await _body(send, b"", more=False)

    async def _stream(self, place: Place, receive: Receive, send: Send) -> bool:
        """Relay events until the last, the client's leave or the end of the process, with heartbeats in between.

        Returns:
            Whether the body is complete.
        """
        writer = asyncio.create_task(self._write(place, send))
        others = [asyncio.create_task(left(receive)), asyncio.create_task(self._drained())]
        try:
            done: set[asyncio.Task[None]] = set()
            while not done:
                done, _ = await asyncio.wait(
                    [writer, *others], timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                if not done:
                    await _body(send, _HEARTBEAT)
            if writer in done:
                await writer
            elif others[1] in done:
                await _body(send, _SHUTDOWN)
            return writer in done
        finally:
            await _stop([writer, *others])

    async def _write(self, place: Place, send: Send) -> None:
        """Each write costs a system call, so events at hand go out together, the last with the body's end."""
        async for events in self._reply.events(place):
            await _body(send, b"".join(map(render, events)), more=events[-1].name not in ("done", "error"))

    async def _drained(self) -> None:
        await self._draining.wait()
        await asyncio.sleep(DRAIN_GRACE_SECONDS)


class WholeReply(Response):
    """Waits for a reply and sends it as one JSON body.

    Args:
        reply: what is waited for.
        shape: makes the body from the last event's data.
    """

    media_type = "application/json"

    def __init__(self, reply: Followed, shape: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        super().__init__()
        self._reply = reply
        self._shape = shape

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        waiting = asyncio.create_task(self._reply.wait())
        gone = asyncio.create_task(left(receive))
        try:
            await asyncio.wait([waiting, gone], return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                await _whole(waiting.result(), self._shape)(scope, receive, send)
        finally:
            await _stop([waiting, gone])


def _whole(last: StreamEvent, shape: Callable[[dict[str, Any]], dict[str, Any]]) -> Response:
    if last.name == "error":
        status = int(last.data["status"])
        headers = {"Retry-After": _RETRY_SECONDS} if status in _FOR_A_WHILE else None
        return Response(orjson.dumps(last.data), status, headers, media_type="application/problem+json")
    return Response(orjson.dumps(shape(last.data)), media_type="application/json")


async def left(receive: Receive) -> None:
    """Return once the client has closed its connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _body(send: Send, frame: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": frame, "more_body": more})


async def _stop(tasks: "list[asyncio.Task[Any]]") -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task
