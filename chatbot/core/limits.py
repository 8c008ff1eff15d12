"""Rate limits: token buckets of one process, or of all processes together in Redis, behind one interface."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Protocol

from chatbot.core.errors import TooManyRequests, Unavailable, XinError
from chatbot.core.redis_link import RedisGone, RedisLink

if TYPE_CHECKING:
    from redis.asyncio import Redis

_MAX_BUCKETS = 50_000
_HASTY_SECONDS = 0.05
_PATIENT_SECONDS = 1.0
_REST_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Rate:
    """How many of something are allowed in some seconds, and at once.

    Attributes:
        name: of the limit, in keys.
        what: is limited, in words, for whoever is refused.
    """

    name: str
    what: str
    count: int
    seconds: float

    def refusal(self, wait: float) -> TooManyRequests:
        """The error of a bucket that has a token again in `wait` seconds."""
        return TooManyRequests(f"{self.what}: at most {self.count} in {self.seconds:g} s", retry_after=int(wait) + 1)


Bucket = tuple[Rate, str]
"""A rate, and whose bucket."""


class RateLimits(Protocol):
    """Token buckets by rate and key; a bucket that nobody knows is full."""

    async def take(self, *buckets: Bucket) -> None:
        """Take one token of each bucket, or none at all.

        Raises:
            TooManyRequests: a bucket is empty (the first of them is named); says when to come back.
        """

    async def give_back(self, *buckets: Bucket) -> None:
        """Give a token back to each bucket: what it was taken for did no harm."""

    async def forget(self, *buckets: Bucket) -> None:
        """Fill buckets again (after a success)."""


class LocalLimits:
    """Buckets of this process, bounded in number.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    async def take(self, *buckets: Bucket) -> None:
        """As `RateLimits.take`."""
        now = self._clock()
        left = []
        for rate, key in buckets:
            tokens, last = self._kept.get((rate.name, key), (float(rate.count), now))
            tokens = min(float(rate.count), tokens + (now - last) * rate.count / rate.seconds)
            if tokens < 1:
                raise rate.refusal((1 - tokens) * rate.seconds / rate.count)
            left.append(((rate.name, key), tokens - 1))
        for name, tokens in left:
            self._kept[name] = (tokens, now)
            self._kept.move_to_end(name)
        while len(self._kept) > _MAX_BUCKETS:
            self._kept.popitem(last=False)

    async def give_back(self, *buckets: Bucket) -> None:
        """As `RateLimits.give_back`."""
        for rate, key in buckets:
            if kept := self._kept.get((rate.name, key)):
                self._kept[rate.name, key] = (min(float(rate.count), kept[0] + 1), kept[1])

    async def forget(self, *buckets: Bucket) -> None:
        """As `RateLimits.forget`."""
        for rate, key in buckets:
            self._kept.pop((rate.name, key), None)


# Redis's own clock counts, so that processes on machines whose clocks differ share a bucket all the same.
_TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + clock[2] / 1000
local left = {}
for i, key in ipairs(KEYS) do
  local count, span = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local kept = redis.call('HMGET', key, 'tokens', 'at')
  local tokens = count
  if kept[1] then
    tokens = math.min(count, kept[1] + math.max(0, now - kept[2]) * count / span)
  end
  if tokens < 1 then
    return {i, math.ceil((1 - tokens) * span / count)}
  end
  left[i] = tokens - 1
end
for i, key in ipairs(KEYS) do
  redis.call('HSET', key, 'tokens', string.format('%.9f', left[i]), 'at', string.format('%.3f', now))
  redis.call('PEXPIRE', key, math.ceil(tonumber(ARGV[2 * i])))
end
return {0, 0}
"""

_GIVE_BACK = """
for i, key in ipairs(KEYS) do
  local tokens = redis.call('HGET', key, 'tokens')
  if tokens then
    redis.call('HSET', key, 'tokens', string.format('%.9f', math.min(tonumber(ARGV[i]), tokens + 1)))
  end
end
"""


class SharedLimits:
    """Buckets of every process that uses the same Redis: a script, one round trip.

    Args:
        seconds: how long an answer is waited for; `take` raises `RedisGone` when there is none.
    """

    def __init__(self, link: RedisLink, seconds: float = _PATIENT_SECONDS) -> None:
        self._link = link
        self._seconds = seconds

    async def take(self, *buckets: Bucket) -> None:
        """As `RateLimits.take`.

        Raises:
            RedisGone: nothing could be counted.
        """
        keys = [_key(bucket) for bucket in buckets]
        numbers = [number for rate, _ in buckets for number in (rate.count, rate.seconds * 1000)]
        refused, wait = await self._run(_TAKE, keys, numbers)
        if refused:
            raise buckets[refused - 1][0].refusal(wait / 1000)

    async def give_back(self, *buckets: Bucket) -> None:
        """As `RateLimits.give_back`; not done while Redis is gone: time gives tokens back too."""
        await self._try(_GIVE_BACK, [_key(bucket) for bucket in buckets], [rate.count for rate, _ in buckets])

    async def forget(self, *buckets: Bucket) -> None:
        """As `RateLimits.forget`; not done while Redis is gone."""
        await self._try("redis.call('DEL', unpack(KEYS))", [_key(bucket) for bucket in buckets], [])

    async def _run(self, script: str, keys: list[str], numbers: list[Any]) -> Any:
        async def call(client: "Redis") -> Any:
            return await client.register_script(script)(keys=keys, args=numbers)

        return await self._link.ask(call, self._seconds)

    async def _try(self, script: str, keys: list[str], numbers: list[Any]) -> None:
        try:
            await self._run(script, keys, numbers)
        except RedisGone:
            return


class OpenLimits:
    """Counts together with the other processes; alone while Redis is gone, so that nobody is refused for that.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, link: RedisLink, clock: Callable[[], float] = time.monotonic) -> None:
        self._shared = SharedLimits(link, _HASTY_SECONDS)
        self._local = LocalLimits(clock)
        self._clock = clock
        self._rests_until = float("-inf")

    async def take(self, *buckets: Bucket) -> None:
        """As `RateLimits.take`. After a failure Redis is left alone for a second: not every request waits for it."""
        if self._clock() >= self._rests_until:
            try:
                await self._shared.take(*buckets)
                return
            except RedisGone:
                self._rests_until = self._clock() + _REST_SECONDS
        await self._local.take(*buckets)

    async def give_back(self, *buckets: Bucket) -> None:
        """As `RateLimits.give_back`."""
        await self._local.give_back(*buckets)
        if self._clock() >= self._rests_until:
            await self._shared.give_back(*buckets)

    async def forget(self, *buckets: Bucket) -> None:
        """As `RateLimits.forget`."""
        await self._local.forget(*buckets)
        if self._clock() >= self._rests_until:
            await self._shared.forget(*buckets)


class ClosedLimits:
    """Counts in this process and together with the others; refuses everything while Redis is gone.

    After `closed_seconds` of an outage this process's own count is enough. Where that is the longest window of the
    rates, every bucket that Redis held would be full again by then: nothing that was counted is lost by going on.

    Args:
        closed_seconds: how long an outage keeps the door shut.
    """

    def __init__(self, link: RedisLink, closed_seconds: float) -> None:
        self._link = link
        self._shared = SharedLimits(link)
        self._local = LocalLimits()
        self._closed_seconds = closed_seconds

    async def take(self, *buckets: Bucket) -> None:
        """As `RateLimits.take`.

        Raises:
            Unavailable: nothing could be counted together; come back in a few seconds.
        """
        await self._local.take(*buckets)
        try:
            await self._shared.take(*buckets)
        except RedisGone:
            if self._link.gone_for < self._closed_seconds:
                await self._local.give_back(*buckets)
                raise Unavailable("requests cannot be counted at the moment; nothing was done") from None
        except XinError:
            await self._local.give_back(*buckets)
            raise

    async def give_back(self, *buckets: Bucket) -> None:
        """As `RateLimits.give_back`."""
        await self._local.give_back(*buckets)
        await self._shared.give_back(*buckets)

    async def forget(self, *buckets: Bucket) -> None:
        """As `RateLimits.forget`."""
        await self._local.forget(*buckets)
        await self._shared.forget(*buckets)


def open_limits(link: RedisLink | None) -> RateLimits:
    """Return limits for what must go on without Redis."""
    return OpenLimits(link) if link else LocalLimits()


def closed_limits(link: RedisLink | None, closed_seconds: float) -> RateLimits:
    """Return limits for what must not go on uncounted."""
    return ClosedLimits(link, closed_seconds) if link else LocalLimits()


def _key(bucket: Bucket) -> str:
    """The key of a bucket: hashed, so that no address and no name stands in Redis."""
    rate, key = bucket
    return f"limit:{rate.name}:{sha256(key.encode()).hexdigest()[:32]}"
