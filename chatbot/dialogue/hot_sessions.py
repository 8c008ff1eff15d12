"""Sessions of late, in Redis for whoever operates the platform: written, never read back, and nobody waits for it.

`session:<sessionId>` is the session that a client named; one that nobody named goes by its conversation's id, so that
each session has one such key. `conversation:<conversation id>` is kept beside it, and says which session it is.

Two tenants (or visitors, or channels) may name a session alike. The key then holds the conversation that spoke last,
and in `others` those before it, each with its tenant; nothing of one is ever mixed with another's.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING
from uuid import UUID

import orjson

from chatbot.core.background import end, was_cancelled
from chatbot.core.clock import rfc3339, utcnow
from chatbot.core.redis_link import RedisGone, RedisLink

if TYPE_CHECKING:
    from redis.asyncio import Redis

SESSION_SECONDS = 48 * 3600
_MAX_PENDING = 10_000
_AT_ONCE = 200
_WRITE_SECONDS = 2.0
_AGAIN_SECONDS = 2.0

# The newest number wins, for two processes may write of one conversation crosswise. A key that holds something else is
# another program's, and left alone.
_KEEP = """
local new = cjson.decode(ARGV[1])
local kept = redis.pcall('GET', KEYS[1])
if kept then
  local ours, old = pcall(cjson.decode, kept)
  if not ours or type(old) ~= 'table' or not old.conversation_id then
    return nil
  end
  if old.conversation_id == new.conversation_id then
    new.session_id = new.session_id or old.session_id
    new.others = old.others
    if old.last_seq > new.last_seq then
      old.session_id = new.session_id
      new = old
    end
  else
    local others = {{conversation_id = old.conversation_id, tenant_id = old.tenant_id}}
    for _, other in ipairs(old.others or {}) do
      if other.conversation_id ~= new.conversation_id and #others < 10 then
        others[#others + 1] = other
      end
    end
    new.others = others
  end
end
local text = cjson.encode(new)
redis.call('SET', KEYS[1], text, 'EX', ARGV[2])
return text
"""


@dataclass(frozen=True, slots=True)
class HotSession:
    """Where a conversation stands: no text, and nothing of the visitor.

    Attributes:
        state: bot, waiting, human, closed.
        last_seq: the number of its last message, or of the place kept for one.
        session_id: as the client named it; None where it did not, or where that is not known.
    """

    tenant_id: UUID
    channel_id: UUID
    conversation_id: UUID
    state: str
    last_seq: int
    language: str
    session_id: str | None


@dataclass(frozen=True, slots=True)
class _Noted:
    """A session that waits to be written, and when it was so."""

    hot: HotSession
    at: str


class HotSessions:
    """Writes the sessions of one process as they change, each once though it changed often; without Redis nothing."""

    def __init__(self, link: RedisLink | None = None) -> None:
        self._link = link
        self._pending: OrderedDict[UUID, _Noted] = OrderedDict()
        self._wake = asyncio.Event()

    def note(self, hot: HotSession) -> None:
        """Have a session written soon. While Redis is gone the last ten thousand wait for it."""
        if self._link is None:
            return
        known = self._pending.get(hot.conversation_id)
        if known and known.hot.last_seq > hot.last_seq:
            return
        if known and hot.session_id is None:
            hot = replace(hot, session_id=known.hot.session_id)
        self._pending[hot.conversation_id] = _Noted(hot, rfc3339(utcnow()))
        self._pending.move_to_end(hot.conversation_id)
        self._make_room()
        self._wake.set()

    async def forget(self, conversation_ids: Sequence[UUID]) -> int:
        """Remove what is kept of conversations, or waits to be; return how many keys went. Redis gone: they run out."""
        for conversation_id in conversation_ids:
            self._pending.pop(conversation_id, None)
        if self._link is None or not conversation_ids:
            return 0
        try:
            return await self._link.ask(partial(_forget, conversation_ids=conversation_ids), _WRITE_SECONDS)
        except RedisGone:
            return 0

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """Write while the block runs; what is pending at its end is tried once more."""
        if self._link is None:
            yield
            return
        writer = asyncio.create_task(self._write_on(self._link), name="hot-sessions")
        try:
            yield
        finally:
            await end(writer)
            await self._write_all(self._link)

    async def _write_on(self, link: RedisLink) -> None:
        while not was_cancelled():
            await self._wake.wait()
            self._wake.clear()
            if not await self._write_all(link):
                await asyncio.sleep(_AGAIN_SECONDS)
                self._wake.set()

    async def _write_all(self, link: RedisLink) -> bool:
        """Write what is pending; what cannot be written, or changed meanwhile, stays pending."""
        while self._pending:
            batch = dict(islice(self._pending.items(), _AT_ONCE))
            try:
                await _write(link, batch)
            except RedisGone:
                return False
            for conversation_id, noted in batch.items():
                if self._pending.get(conversation_id) is noted:
                    del self._pending[conversation_id]
        return True

    def _make_room(self) -> None:
        while len(self._pending) > _MAX_PENDING:
            self._pending.popitem(last=False)


@asynccontextmanager
async def open_hot_sessions(link: RedisLink | None) -> AsyncIterator[HotSessions]:
    """Give the hot sessions of a process."""
    sessions = HotSessions(link)
    async with sessions.writing():
        yield sessions


async def _write(link: RedisLink, batch: dict[UUID, _Noted]) -> None:
    """Write a batch by conversations first: what is kept there may know a session's name that is not known here."""
    by_conversation = [(f"conversation:{key}", _body(noted)) for key, noted in batch.items()]
    kept = await link.ask(partial(_keep, bodies=by_conversation), _WRITE_SECONDS)
    await link.ask(partial(_keep, bodies=[(_session_key(body), body) for body in kept]), _WRITE_SECONDS)


async def _keep(client: "Redis", bodies: list[tuple[str, bytes]]) -> list[bytes]:
    """Put bodies under their keys and return what stands there now, of those that are ours."""
    pipeline = client.pipeline(transaction=False)
    for key, body in bodies:
        pipeline.eval(_KEEP, 1, key, body, SESSION_SECONDS)
    return [answer for answer in await pipeline.execute() if answer is not None]


async def _forget(client: "Redis", conversation_ids: Sequence[UUID]) -> int:
    """Remove conversations' keys, and those of their sessions that hold one of them now."""
    gone = {str(conversation_id) for conversation_id in conversation_ids}
    keys = [f"conversation:{conversation_id}" for conversation_id in gone]
    bodies = [body for body in await client.mget(keys) if body]
    named = [_session_key(body) for body in bodies] + [f"session:{conversation_id}" for conversation_id in gone]
    held = await client.mget(named)
    keys += [key for key, body in zip(named, held, strict=True) if body and _is_of(body, gone)]
    return int(await client.delete(*dict.fromkeys(keys)))


def _is_of(body: bytes | str, conversation_ids: Collection[str]) -> bool:
    """Whether a session's body is of one of the conversations; other programs' keys are left alone."""
    try:
        read = orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return isinstance(read, dict) and read.get("conversation_id") in conversation_ids


def _session_key(body: bytes | str) -> str:
    read = orjson.loads(body)
    return f"session:{read.get('session_id') or read['conversation_id']}"


def _body(noted: _Noted) -> bytes:
    fields = {**asdict(noted.hot), "updated_at": noted.at}
    return orjson.dumps({name: value for name, value in fields.items() if value is not None})
