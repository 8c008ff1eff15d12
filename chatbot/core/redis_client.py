"""The client of Redis as this house opens it; loaded only where there is a Redis: it costs 6 MB and 0.1 s."""

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

__all__ = ["RedisError", "connect"]

_CONNECTIONS = 32
_SOCKET_SECONDS = 2.0


def connect(url: str) -> Redis:
    """Return a client that connects when it is first used.

    Raises:
        ValueError: the address cannot be read.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=_CONNECTIONS,
        timeout=_SOCKET_SECONDS,
        socket_timeout=_SOCKET_SECONDS,
        socket_connect_timeout=_SOCKET_SECONDS,
        retry=Retry(NoBackoff(), 1),  # once: a connection that rested while Redis was restarted is dead
        protocol=2,
    )
    return Redis.from_pool(pool)
