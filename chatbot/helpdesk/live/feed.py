"""One agent's feed: the tenant's log from a place on, signals in between; it looks again at who reads, and drains."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from chatbot.core.background import end
from chatbot.core.bus import Bus
from chatbot.core.clock import rfc3339
from chatbot.core.errors import XinError
from chatbot.core.logging import get_logger
from chatbot.core.web import problem_of
from chatbot.db.sessions import Database
from chatbot.dialogue.handoff.parts import Agent
from chatbot.dialogue.log import LogPlace, TooFarBehind, news, present
from chatbot.dialogue.log_repository import Entry
from chatbot.dialogue.sse import HEADERS, left
from chatbot.helpdesk.agents import repository as agents
from chatbot.helpdesk.live.signals import Mailbox, Signals

log = get_logger(__name__)

PING_SECONDS = 15.0
"""So often a feed says that it lives, looks at who reads it, and that the agent is there."""

_TOGETHER_SECONDS = 0.1
"""What happens within so long is read by one look."""

_AGAIN_SECONDS = 1.0
_CONCERNS = ("conversation.", "message.", "note.", "agent.", "delivery.", "ticket.", "csat.", "visitor.")


@dataclass(frozen=True, slots=True)
class FeedParts:
    """The parts of the process that feeds use; `still` raises when the reader may not read any more."""

    database: Database
    bus: Bus
    signals: Signals
    draining: asyncio.Event
    still: Callable[[], Awaitable[object]]


class Feed(Response):
    """Server-sent events for one agent.

    Args:
        place: where the reader is; None begins with what happens from now on.
    """

    media_type = "text/event-stream"

    def __init__(self, parts: FeedParts, tenant_id: UUID, agent: Agent, place: LogPlace | None) -> None:
        super().__init__()
        self._parts = parts
        self._tenant_id = tenant_id
        self._agent = agent
        self._place = place
        self._woken = asyncio.Event()
        self._mailbox = Mailbox(self._woken.set)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        parts, key = self._parts, str(self._tenant_id)
        parts.bus.watch("xin_event", key, self._woken.set)
        parts.signals.open(self._tenant_id, self._mailbox)
        writer = asyncio.create_task(self._write(send), name="feed")
        others = [asyncio.create_task(left(receive)), asyncio.create_task(_set(parts.draining))]
        try:
            await asyncio.wait([writer, *others], return_when=asyncio.FIRST_COMPLETED)
        finally:
            parts.bus.unwatch("xin_event", key, self._woken.set)
            parts.signals.close(self._tenant_id, self._mailbox)
            await end(writer, *others)
        if not others[0].done() or others[0].cancelled():
            await _last(send, writer, draining=parts.draining.is_set())

    async def _write(self, send: Send) -> None:
        """Write until cancelled, or until the reader may not read any more."""
        look_at = 0.0
        while True:
            if time.monotonic() >= look_at:
                await self._still_there()
                await _body(send, _event("ping", {}))
                look_at = time.monotonic() + PING_SECONDS
            self._woken.clear()
            if frames := await self._frames():
                await _body(send, frames)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), max(0.0, look_at - time.monotonic()))
                await asyncio.sleep(_TOGETHER_SECONDS)

    async def _frames(self) -> bytes:
        """Return what there is to tell; while the database is away nothing, and it is looked at again."""
        try:
            frames = await self._news()
        except (SQLAlchemyError, OSError) as error:
            log.warning("a feed was not read; trying again", reason=str(error)[:200])
            asyncio.get_running_loop().call_later(_AGAIN_SECONDS, self._woken.set)
            frames = []
        return b"".join([*frames, *(_signal(said) for said in self._mailbox.take())])

    async def _news(self) -> list[bytes]:
        async with self._parts.database.tenant_reader(self._tenant_id) as session:
            if self._place is None:
                self._place = await present(session)
                return [_event("ready", {}, str(self._place))]
            try:
                entries, place = await news(session, self._place)
            except TooFarBehind:
                self._place = await present(session)
                return [_event("reset", {}, str(self._place))]
        frames = []
        for entry in entries:
            self._place = LogPlace(self._place.floor, self._place.read | {entry.id})
            if entry.name.startswith(_CONCERNS):
                frames.append((entry, self._place))
        self._place = place
        return [_entry(entry, str(at)) for entry, at in frames]

    async def _still_there(self) -> None:
        """Look again at who reads, and let everybody know that the agent is there."""
        try:
            await self._parts.still()
            async with self._parts.database.tenant(self._tenant_id) as session:
                await agents.keep(session, self._agent)
                await agents.seen(session, self._agent.id, None)
        except (SQLAlchemyError, OSError) as error:
            log.warning("an agent's presence was not noted", reason=str(error)[:200])


async def _last(send: Send, writer: "asyncio.Task[None]", *, draining: bool) -> None:
    """End the stream: `shutdown` asks to come back, `error` says why not to."""
    frame = _event("shutdown", {}) if draining else b""
    error = None if writer.cancelled() else writer.exception()
    if isinstance(error, XinError):
        frame = _event("error", problem_of(error))
    elif error is not None:
        log.error("a feed broke", exc_info=error)
    with suppress(OSError):
        await send({"type": "http.response.body", "body": frame, "more_body": False})


def _entry(entry: Entry, place: str) -> bytes:
    data = {**entry.payload, "id": entry.id, "name": entry.name, "occurred_at": rfc3339(entry.occurred_at)}
    return _event(entry.name, data, place)


def _signal(said: dict[str, Any]) -> bytes:
    return _event(said["kind"], {name: value for name, value in said.items() if name not in ("kind", "tenant_id")})


def _event(name: str, data: dict[str, Any], place: str = "") -> bytes:
    head = f"id: {place}\nevent: {name}\n" if place else f"event: {name}\n"
    return b"%bdata: %b\n\n" % (head.encode(), orjson.dumps(data))


async def _body(send: Send, frames: bytes) -> None:
    await send({"type": "http.response.body", "body": frames, "more_body": True})


async def _set(event: asyncio.Event) -> None:
    await event.wait()
