"""Discord's Gateway: the socket that ordinary messages come over, resumed where it broke off."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import aiohttp
import orjson

from chatbot.channels.contract import Account, Link
from chatbot.channels.errors import ProviderRefused
from chatbot.channels.events import Deleted, InboundEvent
from chatbot.channels.providers.discord.api import call, call_open, explained
from chatbot.channels.providers.discord.credentials import DiscordCredentials
from chatbot.channels.providers.discord.interactions import answer_to, interaction_event
from chatbot.channels.providers.discord.messages import Dispatch, Me, dispatched
from chatbot.channels.providers.discord.place import place_of
from chatbot.channels.reading import number, part, parts, word, words
from chatbot.core.background import end
from chatbot.core.errors import XinError
from chatbot.core.safe_http import OutgoingFailed

INTENTS = (1 << 0) | (1 << 9) | (1 << 10) | (1 << 12) | (1 << 13) | (1 << 15)
"""Guilds, their messages and reactions, direct messages and their reactions, the content of messages."""

_HELLO_SECONDS = 20.0
_MAX_IN_VAIN = 1
"""A session that cannot be resumed is begun anew at once; after that the caller waits."""

_MAX_BYTES = 32_000_000
"""A large guild is told of in one message."""

_DISPATCH, _HEARTBEAT, _IDENTIFY, _RESUME, _RECONNECT, _INVALID_SESSION, _HELLO, _ACK = 0, 1, 2, 6, 7, 9, 10, 11

# Any code but 1000 and 1001: after those Discord forgets the session.
_KEEP_SESSION = 4000
_FORGET = frozenset({4003, 4007, 4009})
_REFUSED = {
    4004: "the bot token is not valid",
    4010: "the shard is not valid",
    4011: "the bot is in so many guilds that it needs several connections, which are not supported",
    4012: "this version of the Gateway is gone",
    4013: "the intents are not valid",
    4014: "the Message Content intent is not allowed: switch it on under Bot, Privileged Gateway Intents",
}

if TYPE_CHECKING:
    Socket = aiohttp.ClientWebSocketResponse[Literal[True]]

Wait = Callable[[float], Awaitable[None]]


@dataclass(slots=True)
class _Session:
    """What is needed to go on where it broke off."""

    id: str = ""
    seq: int | None = None
    url: str = ""
    user: str = ""
    roles: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, cursor: Mapping[str, Any]) -> "_Session":
        return cls(
            word(cursor, "session_id"), number(cursor, "seq"), word(cursor, "url"), word(cursor, "user"),
            set(words(cursor, "roles")),
        )  # fmt: skip

    @property
    def cursor(self) -> dict[str, Any]:
        """As it is stored; the session's id is worth nothing without the token."""
        return {
            "session_id": self.id, "seq": self.seq, "url": self.url, "user": self.user, "roles": sorted(self.roles),
        }  # fmt: skip

    def forget(self) -> None:
        """The next connection begins anew."""
        self.id, self.seq, self.url = "", None, ""


class Gateway:
    """One bot's connection.

    Args:
        wait: sits a pause out that Discord asks for.
    """

    def __init__(
        self,
        account: Account[DiscordCredentials],
        cursor: Mapping[str, Any],
        link: Link,
        *,
        wait: Wait = asyncio.sleep,
    ) -> None:
        self._account = account
        self._link = link
        self._wait = wait
        self._session = _Session.of(cursor)
        self._acknowledged = True
        self._settled = False

    async def run(self) -> None:
        """Connect, and again after each end, until cancelled; one that never came into being raises.

        Raises:
            ProviderRefused: the token, or what the bot may read, is not in order.
            OutgoingFailed: Discord cannot be reached or does not let us in; to be tried again later.
        """
        in_vain = 0
        while in_vain <= _MAX_IN_VAIN:
            self._settled, self._acknowledged = False, True
            try:
                code = await self._connect(self._session.url or await self._address())
            except OutgoingFailed:
                if not self._session.url:
                    raise
                self._session.url = ""
                continue
            if code in _REFUSED:
                raise ProviderRefused(f"Discord closed the connection: {_REFUSED[code]} ({code})")
            if code in _FORGET:
                self._session.forget()
            in_vain = 0 if self._settled else in_vain + 1
        raise OutgoingFailed("Discord closes the connection before it begins.")

    async def _address(self) -> str:
        answered = await call(self._account, self._link.http, "GET", "/gateway/bot")
        if answered.fetched.status == 401:
            raise ProviderRefused("Discord: the bot token is not valid")
        if not answered.ok:
            raise OutgoingFailed(explained(answered))
        limit = part(answered.payload, "session_start_limit")
        if number(limit, "remaining") == 0 and not self._session.id:
            seconds = (number(limit, "reset_after") or 0) / 1000
            raise OutgoingFailed(f"Discord lets the bot connect no more today; again in {seconds:.0f} seconds.")
        return word(answered.payload, "url")

    async def _connect(self, url: str) -> int | None:
        """Hold one connection; return the code that it was closed with."""
        address = f"{url.rstrip('/')}/?v=10&encoding=json"
        async with self._link.http.websocket(address, max_bytes=_MAX_BYTES) as socket:
            try:
                async with asyncio.timeout(_HELLO_SECONDS):
                    hello = await socket.receive()
                await self._converse(socket, hello)
            except TimeoutError:
                raise OutgoingFailed("Discord's Gateway does not say hello.") from None
            except (ConnectionError, aiohttp.ClientError):
                return socket.close_code
            finally:
                await socket.close(code=_KEEP_SESSION)
            return socket.close_code

    async def _converse(self, socket: "Socket", hello: aiohttp.WSMessage) -> None:
        """Introduce ourselves, keep the heart beating and take what comes until the socket closes."""
        frame = _frame(hello)
        interval = part(frame, "d").get("heartbeat_interval")
        if frame.get("op") != _HELLO or not isinstance(interval, int | float):
            return
        beating = asyncio.create_task(self._beat(socket, interval / 1000))
        try:
            await self._introduce(socket)
            async for message in socket:
                if not await self._take(socket, _frame(message)):
                    return
        finally:
            await end(beating)

    async def _introduce(self, socket: "Socket") -> None:
        token = self._account.credentials.bot_token.get_secret_value()
        session = self._session
        if session.id:
            about = {"token": token, "session_id": session.id, "seq": session.seq}
            await socket.send_json({"op": _RESUME, "d": about})
            return
        properties = {"os": "linux", "browser": "xin", "device": "xin"}
        await socket.send_json({"op": _IDENTIFY, "d": {"token": token, "intents": INTENTS, "properties": properties}})

    async def _beat(self, socket: "Socket", interval: float) -> None:
        """Beat until an answer is missing: then the connection is dead, whatever TCP thinks."""
        await asyncio.sleep(interval * random.random())  # noqa: S311 - spreads bots over time, no secret
        with suppress(ConnectionError, aiohttp.ClientError):  # closed: whoever reads from it sees that, too
            while self._acknowledged:
                self._acknowledged = False
                await socket.send_json({"op": _HEARTBEAT, "d": self._session.seq})
                await asyncio.sleep(interval)
            await socket.close(code=_KEEP_SESSION)

    async def _take(self, socket: "Socket", frame: dict[str, Any]) -> bool:
        """Take one frame; return whether the connection goes on."""
        op = frame.get("op")
        if op == _DISPATCH:
            self._session.seq = number(frame, "s") or self._session.seq
            await self._dispatched(word(frame, "t"), part(frame, "d"))
        elif op == _HEARTBEAT:
            await socket.send_json({"op": _HEARTBEAT, "d": self._session.seq})
        elif op == _ACK:
            self._acknowledged = True
            self._link.alive()
        elif op == _INVALID_SESSION:
            if frame.get("d") is not True:
                self._session.forget()
            await self._wait(random.uniform(1, 5))  # noqa: S311 - the pause that Discord asks for
            return False
        return op != _RECONNECT

    async def _dispatched(self, name: str, data: dict[str, Any]) -> None:
        session = self._session
        if name in ("READY", "RESUMED"):
            self._settled = True
            if name == "READY":
                session.id, session.url = word(data, "session_id"), word(data, "resume_gateway_url")
                session.user = word(part(data, "user"), "id")
            await self._link.take([], session.cursor)
            self._link.alive()
        elif name.startswith(("GUILD_CREATE", "GUILD_ROLE_")):
            self._learn_roles(data)
        elif name == "INTERACTION_CREATE":
            await self._interaction(data)
        elif name.startswith("MESSAGE_"):
            mark = f"{session.id}:{session.seq}"
            events = dispatched(Dispatch(name, data, self._me, mark))
            if kept := [event for event in events if _concerns_us(event, data)]:
                await self._link.take(kept, session.cursor)

    async def _interaction(self, data: dict[str, Any]) -> None:
        """Where no address is set, interactions come here, and want to hear within three seconds that we have them."""
        event = interaction_event(data, self._me)
        await self._link.take([event], self._session.cursor)
        path = f"/interactions/{word(data, 'id')}/{word(data, 'token')}/callback"
        with suppress(XinError):
            await call_open(self._account, self._link.http, "POST", path, answer_to(event) or {})

    def _learn_roles(self, data: dict[str, Any]) -> None:
        """A bot has a role of its own in each guild, which people pick as if it were the bot."""
        for role in [*parts(data, "roles"), part(data, "role")]:
            if word(part(role, "tags"), "bot_id") == self._session.user and word(role, "id"):
                self._session.roles.add(word(role, "id"))

    @property
    def _me(self) -> Me:
        user = self._session.user or self._account.credentials.application_id
        return Me(user, frozenset(self._session.roles))


def _concerns_us(event: InboundEvent, data: dict[str, Any]) -> bool:
    """What people say to one another in a room is not even taken; in a thread we may be asked to listen."""
    return event.addressed or isinstance(event.content, Deleted) or not place_of(data).is_room


def _frame(message: aiohttp.WSMessage) -> dict[str, Any]:
    """A text frame's object; empty for anything else."""
    if message.type is not aiohttp.WSMsgType.TEXT:
        return {}
    try:
        found = orjson.loads(message.data)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
