"""What a client's frames do, and what becomes of sockets in time: silence, expiry, revocation, the process's end."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from chatbot.channels.live.admission import OpenSockets
from chatbot.channels.live.errors import SHUTDOWN, TRY_AGAIN, HelloMissing, SlowReader
from chatbot.channels.live.protocol import (
    AskForPerson,
    ClientFrame,
    CloseIt,
    ErrorFrame,
    HasRead,
    Hello,
    Ping,
    Pong,
    Ready,
    Refresh,
    Refreshed,
    Say,
    SetTyping,
    Shutdown,
    StateFrame,
    read_frame,
)
from chatbot.channels.live.room import Page, Room
from chatbot.channels.live.rooms import Rooms
from chatbot.channels.live.socket import Socket
from chatbot.core import correlation
from chatbot.core.background import end, forever
from chatbot.core.bus import Bus
from chatbot.core.clock import utcnow
from chatbot.core.errors import BadRequest, NotFound, Unavailable, XinError
from chatbot.core.limits import LocalLimits, Rate
from chatbot.core.logging import get_logger
from chatbot.core.metrics import SOCKETS
from chatbot.core.settings import Settings
from chatbot.core.telemetry import span
from chatbot.core.web import problem_of
from chatbot.dialogue.answerer import Answerer
from chatbot.dialogue.callers import incoming_of, only_owner
from chatbot.dialogue.conversations import Conversations
from chatbot.dialogue.guard import ChatLimits
from chatbot.dialogue.handoff.schemas import AskForPerson as Wanted
from chatbot.dialogue.handoff.visitors import Visitors
from chatbot.dialogue.live_repository import ConversationState
from chatbot.dialogue.ownership import Owner
from chatbot.identity.access.origins import Origins
from chatbot.identity.access.service import Access
from chatbot.identity.subject import Subject
from chatbot.identity.tokens import claims_of

log = get_logger(__name__)

HELLO_SECONDS = 10.0
RECHECK_SECONDS = 25.0
"""How often a socket's credential is looked at again; what is remembered of it is at most 30 s old."""

FRAMES_PER_MINUTE = 240
_FRAMES = Rate("frames", "frames of a socket", FRAMES_PER_MINUTE, 60.0)
_HELLOS_AT_ONCE = 16
"""After a restart everybody comes back at once: they queue here, not for a connection of the database."""

GRACE_SECONDS = 8.0
"""How long sockets stay open for replies under way once the process drains."""

_TICK_SECONDS = 1.0
_BACK_WITHIN_MS = 3_000
_WAIT_TO_DRAIN = 0.1


@dataclass(frozen=True, slots=True)
class LiveParts:
    """The parts of the process that live chat uses."""

    settings: Settings
    answerer: Answerer
    conversations: Conversations
    bus: Bus
    access: Access
    origins: Origins
    limits: ChatLimits
    visitors: Visitors
    draining: asyncio.Event


class LiveChat:
    """The live web chat of one process."""

    def __init__(self, parts: LiveParts) -> None:
        self._parts = parts
        self._rooms = Rooms(parts.answerer, parts.conversations, parts.bus)
        self._addresses = OpenSockets(parts.settings.socket_limit_address, "sockets of an address")
        self._tenants = OpenSockets(parts.settings.socket_limit_tenant, "sockets of a tenant")
        self._frames = LocalLimits()
        self._hellos = asyncio.Semaphore(_HELLOS_AT_ONCE)
        self._sockets: set[Socket] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Look after sockets while the block runs."""
        passing = (SQLAlchemyError, OSError)
        ticker = forever(self._tick, _TICK_SECONDS, passing=passing, what="looking after sockets")
        tasks = [asyncio.create_task(ticker, name="live-ticker"), asyncio.create_task(self._drain(), name="live-drain")]
        async with self._rooms.running():
            try:
                yield
            finally:
                await end(*tasks)

    def admit(self, address: str) -> None:
        """Count a connection of an address.

        Raises:
            TooManyRequests: it holds too many open.
            Unavailable: the process is about to end.
        """
        if self._parts.draining.is_set():
            raise Unavailable("this process is about to end", retry_after=1)
        self._addresses.take(address)

    def begin(self, socket: Socket) -> None:
        """Look after a new socket."""
        self._sockets.add(socket)
        SOCKETS.inc()

    def ended(self, socket: Socket, *, said_goodbye: bool) -> None:
        """Forget a socket."""
        self._sockets.discard(socket)
        SOCKETS.dec()
        self._addresses.give_back(socket.address)
        if socket.subject:
            self._tenants.give_back(socket.subject.tenant_id)
        self._rooms.leave(socket, said_goodbye=said_goodbye)

    async def receive(self, socket: Socket, text: str | None, host: str) -> None:
        """Do what a client's frame asks for; what is wrong with it is answered, and ends a socket without a hello."""
        try:
            await self._frames.take((_FRAMES, str(socket.number)))
            frame = read_frame(text)
            if isinstance(frame, Hello):
                await self._hello(socket, frame, host)
            elif socket.subject is None:
                raise BadRequest("the first frame must be hello")
            else:
                await self._frame(socket, frame, socket.subject)
        except XinError as error:
            socket.tell(ErrorFrame(problem=problem_of(error)))
            if socket.subject is None or error.status in (401, 429):
                socket.refuse(error)
        except (SQLAlchemyError, OSError) as error:
            log.warning("a frame was not handled: database", reason=str(error)[:200])
            socket.close(TRY_AGAIN, "unavailable")

    async def _frame(self, socket: Socket, frame: ClientFrame, subject: Subject) -> None:
        match frame:
            case Say():
                await self._say(socket, frame, subject)
            case HasRead():
                await self._read(socket, frame, subject)
            case SetTyping():
                await self._typing(socket, frame, subject)
            case AskForPerson():
                await self._ask_for_person(socket, frame, subject)
            case CloseIt():
                await self._parts.visitors.close(*_here(socket, subject))
            case Refresh():
                await self._refresh(socket, frame, subject)
            case Ping():
                socket.tell(Pong())

    async def _hello(self, socket: Socket, frame: Hello, host: str) -> None:
        if socket.subject is not None:
            raise BadRequest("hello was said already")
        socket.check_at = time.monotonic() + RECHECK_SECONDS
        room, page = await self._let_in(socket, frame, host)
        socket.tell(_ready(page.state if page else None, socket.expires_at))
        if room and page:
            with room.expecting():
                (standing,) = await self._parts.conversations.standings(room.tenant_id, [page.state])
                socket.tell(StateFrame(conversation_id=page.state.id, **dict(standing)))
                await room.join(socket, page, ends=False)

    async def _let_in(self, socket: Socket, frame: Hello, host: str) -> tuple[Room | None, Page | None]:
        """Find out who it is and, where it names a conversation, the room to join at once."""
        room, page = None, None
        async with self._hellos:
            subject = await self._parts.access.chat(frame.token, tenant_id=socket.asked_tenant, origin=socket.origin)
            assert subject.tenant_id
            if socket.origin and not claims_of(frame.token).get("origin"):
                await self._parts.origins.check(
                    socket.origin, host=host, tenant_id=subject.tenant_id, brand_id=subject.brand_id
                )
            if frame.conversation_id:
                room, page = await self._rooms.find(
                    socket, subject.tenant_id, frame.conversation_id, only_owner(subject), frame.after_seq
                )
        self._tenants.take(subject.tenant_id)
        socket.subject, socket.brand_id, socket.locale = subject, frame.brand_id, frame.locale
        self._credential(socket, frame.token)
        return room, page

    async def _say(self, socket: Socket, frame: Say, subject: Subject) -> None:
        """Hand a message over; its frames come back through the room, as they do to every other page."""
        assert subject.tenant_id
        correlation.begin()
        parts = self._parts
        try:
            await parts.limits.take_for(subject, socket.address)
            incoming = incoming_of(
                subject, frame.text, conversation_id=socket.room.conversation_id if socket.room else None,
                brand_id=socket.brand_id, locale=socket.locale, client_message_id=frame.client_message_id,
            )  # fmt: skip
            with span("message", channel_type="web"):
                reply = await parts.answerer.ask(incoming)
        except XinError as error:
            socket.tell(ErrorFrame(problem=problem_of(error), client_message_id=frame.client_message_id))
            return
        room = socket.room
        if room is None:
            room, page = await self._rooms.find(socket, subject.tenant_id, reply.conversation_id, None, 0)
            await room.join(socket, page, ends=True)
        else:
            await self._rooms.up_to_date(room)
        await room.attach(reply, socket)

    async def _typing(self, socket: Socket, frame: SetTyping, subject: Subject) -> None:
        """Tell agents that the visitor writes; before there is a conversation nobody listens."""
        room = socket.room
        if room and room.may_type(time.monotonic(), active=frame.active):
            tenant_id, conversation_id, _ = _here(socket, subject)
            await self._parts.visitors.typing(tenant_id, conversation_id, active=frame.active)

    async def _ask_for_person(self, socket: Socket, frame: AskForPerson, subject: Subject) -> None:
        """Ask for a person, if need be in a conversation that begins with that."""
        correlation.begin()
        await self._parts.limits.take_for(subject, socket.address)
        visitors = self._parts.visitors
        if socket.room is None:
            incoming = incoming_of(
                subject, "", conversation_id=None, brand_id=socket.brand_id, locale=socket.locale,
                client_message_id=None,
            )  # fmt: skip
            begun = await visitors.begin(incoming)
            room, page = await self._rooms.find(socket, incoming.tenant_id, begun, None, 0)
            await room.join(socket, page, ends=False)
        tenant_id, conversation_id, owner = _here(socket, subject)
        await visitors.request(tenant_id, conversation_id, owner, Wanted(reason=frame.reason))

    async def _read(self, socket: Socket, frame: HasRead, subject: Subject) -> None:
        if socket.room is None:
            raise NotFound("there is no conversation yet")
        assert subject.tenant_id
        if frame.seq > socket.room.read_seq:
            await self._parts.conversations.has_read(subject.tenant_id, socket.room.conversation_id, frame.seq)

    async def _refresh(self, socket: Socket, frame: Refresh, subject: Subject) -> None:
        fresh = await self._parts.access.chat(frame.token, tenant_id=socket.asked_tenant, origin=socket.origin)
        if (fresh.tenant_id, fresh.name, fresh.brand_id) != (subject.tenant_id, subject.name, subject.brand_id):
            raise NotFound("the token is of another visitor, tenant or brand")
        socket.subject = fresh
        self._credential(socket, frame.token)
        socket.tell(Refreshed(expires_at=socket.expires_at))

    def _credential(self, socket: Socket, token: str) -> None:
        """Keep a token that was verified, and when it must be looked at again."""
        expires = claims_of(token).get("exp")
        socket.token = token
        socket.expires_at = datetime.fromtimestamp(expires, UTC) if expires else None
        seconds = (socket.expires_at - utcnow()).total_seconds() if socket.expires_at else RECHECK_SECONDS
        socket.check_at = time.monotonic() + min(RECHECK_SECONDS, seconds)

    async def _tick(self) -> None:
        """Look at the sockets whose time has come; one task does so for all."""
        now = time.monotonic()
        self._rooms.close_left(now)
        for socket in [socket for socket in self._sockets if socket.check_at <= now]:
            await self._check(socket)

    async def _check(self, socket: Socket) -> None:
        """Ask again who is behind the token; while the database is away, that it was good before is enough."""
        if socket.closing:
            socket.drop(SlowReader())
            return
        if socket.subject is None:
            socket.refuse(HelloMissing())
            return
        try:
            await self._parts.access.chat(socket.token, tenant_id=socket.asked_tenant, origin=socket.origin)
        except XinError as error:
            socket.tell(ErrorFrame(problem=problem_of(error)))
            socket.refuse(error)
        except (SQLAlchemyError, OSError):
            socket.check_at = time.monotonic() + RECHECK_SECONDS
        else:
            self._credential(socket, socket.token)

    async def _drain(self) -> None:
        """Once the process drains, tell every client to come back; those that wait for a reply get it first."""
        await self._parts.draining.wait()
        for socket in list(self._sockets):
            # Not all at the same moment: the processes that stay have to take them all.
            socket.tell(Shutdown(retry_after_ms=random.randrange(_BACK_WITHIN_MS)))  # noqa: S311 - spreads load
        until = time.monotonic() + GRACE_SECONDS
        while self._sockets:
            late = time.monotonic() >= until
            self._send_away(socket for socket in self._sockets if late or not (socket.room and socket.room.busy))
            if late:
                return
            await asyncio.sleep(_WAIT_TO_DRAIN)

    def _send_away(self, sockets: Iterable[Socket]) -> None:
        for socket in list(sockets):
            socket.close(SHUTDOWN, "shutdown")


def _here(socket: Socket, subject: Subject) -> tuple[UUID, UUID, Owner | None]:
    """The tenant and conversation of a socket, and whose it must be.

    Raises:
        NotFound: there is no conversation yet.
    """
    if socket.room is None:
        raise NotFound("there is no conversation yet")
    return socket.room.tenant_id, socket.room.conversation_id, only_owner(subject)


def _ready(state: ConversationState | None, expires_at: datetime | None) -> Ready:
    if state is None:
        return Ready(conversation_id=None, seq=0, read_seq=0, state="bot", expires_at=expires_at)
    return Ready(
        conversation_id=state.id, seq=state.last_seq, read_seq=state.read_seq, state=state.state, expires_at=expires_at
    )
