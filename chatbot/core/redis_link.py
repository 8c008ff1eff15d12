"""The way to Redis: short waits, one warning for an outage, and never the truth about anything."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from chatbot.core.errors import Unavailable
from chatbot.core.logging import get_logger
from chatbot.core.settings import ConfigurationError, Settings

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = get_logger(__name__)
Answer = TypeVar("Answer")

_PING_SECONDS = 1.0
_WARN_SECONDS = 60.0


class RedisGone(Unavailable):
    """Redis did not answer in time, or refused."""


class RedisLink:
    """One Redis as a process sees it.

    Args:
        url: `redis://`, `rediss://` or `unix://`.
        clock: monotonic seconds.

    Raises:
        ConfigurationError: the address cannot be read.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._gone_since: float | None = None
        self._warned_at = float("-inf")
        driver = import_module("chatbot.core.redis_client")
        try:
            self._client: Redis = driver.connect(url)
        except ValueError:
            raise ConfigurationError("REDIS_URL: cannot be read; it looks like redis://host:6379/0") from None
        self._failures = (driver.RedisError, OSError, TimeoutError)

    async def ask(self, call: "Callable[[Redis], Awaitable[Answer]]", seconds: float) -> Answer:
        """Return what a call of the client answers within some seconds.

        Raises:
            RedisGone: there was no answer, or it was an error.
        """
        try:
            async with asyncio.timeout(seconds):
                answer = await call(self._client)
        except self._failures as error:
            self._lost(error)
            raise RedisGone("Redis does not answer") from error
        self._found()
        return answer

    async def ping(self) -> None:
        """Ask whether Redis is there.

        Raises:
            RedisGone: it is not.
        """
        await self.ask(_ping, _PING_SECONDS)

    @property
    def gone_for(self) -> float:
        """Seconds since Redis was first found gone; 0 while it answers."""
        return 0.0 if self._gone_since is None else self._clock() - self._gone_since

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose(close_connection_pool=True)

    def _lost(self, error: Exception) -> None:
        now = self._clock()
        if self._gone_since is None:
            self._gone_since = now
        if now - self._warned_at >= _WARN_SECONDS:
            self._warned_at = now
            log.warning("Redis does not answer; going on without it", reason=_in_words(error))

    def _found(self) -> None:
        if self._gone_since is not None:
            log.info("Redis answers again", seconds=round(self.gone_for, 1))
            self._gone_since = None


@asynccontextmanager
async def open_redis(settings: Settings) -> AsyncIterator[RedisLink | None]:
    """Give the way to the configured Redis, None without one; whether it is there is not asked yet.

    Raises:
        ConfigurationError: `REDIS_URL` cannot be read.
    """
    if settings.redis_url is None:
        yield None
        return
    link = RedisLink(settings.redis_url.get_secret_value())
    try:
        yield link
    finally:
        await link.close()


async def _ping(client: "Redis") -> Any:
    return await client.ping()


def _in_words(error: Exception) -> str:
    said = str(error) or "no answer in time"
    return f"{type(error).__name__}: {said}".splitlines()[0][:200]
