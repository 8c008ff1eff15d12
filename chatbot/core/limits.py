"""Rate limits in this process: token buckets by key, bounded in number."""

import time
from collections import OrderedDict
from collections.abc import Callable

from chatbot.core.errors import TooManyRequests

_MAX_KEYS = 50_000


class RateLimit:
    """A token bucket per key.

    Args:
        rate: how many are allowed per `per` seconds, and at once.
        per: seconds.
        clock: monotonic seconds.
    """

    def __init__(self, rate: int, per: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._per = per
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, what: str) -> None:
        """Take one token.

        Raises:
            TooManyRequests: the bucket is empty; says `what` is limited and when to come back.
        """
        now = self._clock()
        tokens, last = self._buckets.get(key, (float(self._rate), now))
        tokens = min(float(self._rate), tokens + (now - last) * self._rate / self._per)
        if tokens < 1:
            wait = int((1 - tokens) * self._per / self._rate) + 1
            raise TooManyRequests(f"{what}: at most {self._rate} in {self._per:g} s", retry_after=wait)
        self._buckets[key] = (tokens - 1, now)
        self._buckets.move_to_end(key)
        if len(self._buckets) > _MAX_KEYS:
            self._buckets.popitem(last=False)

    def give_back(self, key: str) -> None:
        """Give one token back: what it was taken for did no harm."""
        if key in self._buckets:
            tokens, last = self._buckets[key]
            self._buckets[key] = (min(float(self._rate), tokens + 1), last)

    def forget(self, key: str) -> None:
        """Fill the bucket again (after a success)."""
        self._buckets.pop(key, None)
