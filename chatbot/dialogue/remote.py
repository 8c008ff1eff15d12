"""The dialogue of another process: a gateway relays messages to the orchestrator and its streams back.

The rows are the truth here too: a stream that breaks is followed to its end from the database.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import aiohttp
import orjson
from pydantic import TypeAdapter
from sqlalchemy.exc import SQLAlchemyError

from chatbot.core.background import end
from chatbot.core.errors import Unavailable, XinError, error_of_problem
from chatbot.core.ids import new_id
from chatbot.core.logging import get_logger
from chatbot.core.telemetry import outgoing_headers
from chatbot.core.web import problem_of
from chatbot.dialogue.answerer import Reply
from chatbot.dialogue.conversations import Conversations
from chatbot.dialogue.incoming import Incoming
from chatbot.dialogue.live import LiveReply, Place
from chatbot.dialogue.ownership import Owner
from chatbot.dialogue.repository import MessageRow
from chatbot.dialogue.stored import StoredReply
from chatbot.identity.tokens import TokenKeys, issue_service_token

log = get_logger(__name__)

TURNS_PATH = "/internal/turns"
_WAITS = (0.2, 1.0)
"""Seconds between tries while the orchestrator does not answer, for example while it is replaced by a newer one."""

_ACCEPT_SECONDS = 30.0
_SILENT_SECONDS = 40.0
"""A stream says at least `still here` every 15 s."""

_LINE_BYTES = 512 * 1024
_BODY: TypeAdapter[Incoming] = TypeAdapter(Incoming)
_UNREACHABLE = (aiohttp.ClientError, TimeoutError, OSError)
_UNREADABLE = (ValueError, KeyError)


class _Broken(Exception):
    """The stream ended before its last event."""


class RemoteDialogue:
    """Hands messages to an orchestrator; everything else it reads from the database.

    Args:
        url: the orchestrator's address, set by the operator.
        keys: sign the tokens that the orchestrator asks for.
    """

    def __init__(self, url: str, keys: TokenKeys, conversations: Conversations) -> None:
        self._url = url.rstrip("/") + TURNS_PATH
        self._keys = keys
        self._conversations = conversations
        self._relays: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=_SILENT_SECONDS),
            read_bufsize=_LINE_BYTES,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await end(*self._relays)
        await self._http.close()

    async def ask(self, incoming: Incoming) -> Reply:
        """As `Answerer.ask`. A try whose answer was lost is repeated: the message's own id makes that safe."""
        if incoming.client_message_id is None and incoming.provider_event_id is None:
            incoming = replace(incoming, client_message_id=f"gateway:{new_id()}")
        for wait in (*_WAITS, None):
            try:
                async with asyncio.timeout(_ACCEPT_SECONDS):
                    return await self._begin(incoming)
            except _UNREACHABLE as error:
                log.warning("the orchestrator does not answer", reason=str(error)[:200] or type(error).__name__)
            if wait is not None:
                await asyncio.sleep(wait)
        raise Unavailable("nobody answers now; the message may be sent again")

    async def follow(self, tenant_id: UUID, message_id: UUID, owner: Owner | None) -> Reply:
        """As `Answerer.follow`."""
        return await self._conversations.follow(tenant_id, message_id, owner)

    async def messages(
        self, tenant_id: UUID, conversation_id: UUID, owner: Owner | None, *, after_seq: int, limit: int
    ) -> list[MessageRow]:
        """As `Answerer.messages`."""
        return await self._conversations.messages(tenant_id, conversation_id, owner, after_seq=after_seq, limit=limit)

    async def _begin(self, incoming: Incoming) -> LiveReply:
        """Send a message and read its reply's first event; the rest is relayed by a task of its own."""
        token = issue_service_token(self._keys, subject="gateway", tenant_id=incoming.tenant_id)
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            **outgoing_headers(),
        }
        answer = await self._http.post(self._url, data=_BODY.dump_json(incoming), headers=headers)
        events = _events(answer)
        try:
            live = await _first(answer, events)
        except BaseException:
            answer.close()
            raise
        relay = asyncio.create_task(self._relay(incoming.tenant_id, answer, events, live))

        def stop(_unread: LiveReply) -> None:
            relay.cancel()

        live.on_unread = stop
        self._relays.add(relay)
        relay.add_done_callback(self._relays.discard)
        return live

    async def _relay(
        self,
        tenant_id: UUID,
        answer: aiohttp.ClientResponse,
        events: AsyncIterator[tuple[str, dict[str, Any]]],
        live: LiveReply,
    ) -> None:
        """Write the stream into the reply until its end; nobody reading any more ends it at once (cancelled)."""
        try:
            async for name, data in events:
                _write(live, name, data)
        except (*_UNREACHABLE, *_UNREADABLE, _Broken) as error:
            log.warning("a reply's stream broke; following its row", reason=str(error)[:200] or type(error).__name__)
        finally:
            answer.close()
        if live.last is None:
            await self._from_row(tenant_id, live)

    async def _from_row(self, tenant_id: UUID, live: LiveReply) -> None:
        here = self._conversations
        stored = StoredReply(here.database, here.bus, tenant_id, live.conversation_id, live.message_id)
        place = Place().after(live.text, live.citations)
        try:
            async for events in stored.events(place):
                for event in events:
                    _write(live, event.name, event.data)
        except (SQLAlchemyError, OSError, XinError) as error:
            log.warning("a reply was lost sight of", reason=str(error)[:200])
            live.finish("error", problem_of(Unavailable("the reply cannot be followed now")))


async def _first(answer: aiohttp.ClientResponse, events: AsyncIterator[tuple[str, dict[str, Any]]]) -> LiveReply:
    if answer.status != 200:
        raise await _refusal(answer)
    name, data = await anext(events, ("", {}))
    if name != "message":
        raise aiohttp.ClientPayloadError("the stream ended before it began")
    return LiveReply(UUID(data["message_id"]), UUID(data["conversation_id"]))


def _write(live: LiveReply, name: str, data: dict[str, Any]) -> None:
    match name:
        case "delta":
            live.write(data["text"])
        case "citation":
            live.cite(data)
        case "done" | "error":
            live.finish(name, data)
        case "shutdown":
            raise _Broken("the orchestrator stops")


async def _events(answer: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Read our own event stream: each event has one line of each field."""
    name = ""
    async for line in answer.content:
        if line.startswith(b"event: "):
            name = line[7:-1].decode()
        elif line.startswith(b"data: "):
            yield name, orjson.loads(line[6:])


async def _refusal(answer: aiohttp.ClientResponse) -> XinError:
    """The orchestrator's error as ours; its distrust of this gateway is not the visitor's fault."""
    body = await answer.read()
    if answer.status in (401, 403):
        log.error("the orchestrator refuses this gateway: their EMBED_JWT_SECRET must be the same")
        return Unavailable("nobody answers now")
    problem: Any = None
    with suppress(orjson.JSONDecodeError):
        problem = orjson.loads(body)
    if not isinstance(problem, dict):
        return Unavailable("nobody answers now")
    return error_of_problem(problem, answer.headers)
