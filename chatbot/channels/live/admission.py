"""How many sockets an address and a tenant hold open in this process."""

from collections import Counter
from collections.abc import Hashable

from chatbot.core.errors import TooManyRequests

_RETRY_SECONDS = 10


class OpenSockets:
    """Counts open sockets by key, up to a limit."""

    def __init__(self, limit: int, what: str) -> None:
        self._limit = limit
        self._what = what
        self._open: Counter[Hashable] = Counter()

    def take(self, key: Hashable) -> None:
        """Count one more.

        Raises:
            TooManyRequests: so many are open already.
        """
        if self._open[key] >= self._limit:
            raise TooManyRequests(f"{self._what}: at most {self._limit} at once", retry_after=_RETRY_SECONDS)
        self._open[key] += 1

    def give_back(self, key: Hashable) -> None:
        """Count one less."""
        self._open[key] -= 1
        if self._open[key] <= 0:
            del self._open[key]
