"""Token buckets of one process, by a clock that the test turns."""

import pytest

from chatbot.core.errors import TooManyRequests
from chatbot.core.limits import LocalLimits, Rate

GUESSES = Rate("guesses", "guesses", 2, 60.0)
MESSAGES = Rate("messages", "messages", 1, 10.0)


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_limit_refuses_and_says_when_to_come_back() -> None:
    clock = Clock()
    limits = LocalLimits(clock)
    await limits.take((GUESSES, "a"))
    await limits.take((GUESSES, "a"))
    with pytest.raises(TooManyRequests, match="guesses: at most 2 in 60 s") as refused:
        await limits.take((GUESSES, "a"))
    assert refused.value.headers["Retry-After"] == "31"
    await limits.take((GUESSES, "b"))
    clock.now = 31
    await limits.take((GUESSES, "a"))
    assert await _left(limits, "a") == 0


async def test_what_is_refused_counts_nowhere() -> None:
    limits = LocalLimits(Clock())
    await limits.take((MESSAGES, "x"))
    with pytest.raises(TooManyRequests, match="messages: at most 1"):
        await limits.take((GUESSES, "a"), (MESSAGES, "x"))
    assert await _left(limits, "a") == 2


async def test_a_full_bucket_never_holds_more() -> None:
    clock = Clock()
    limits = LocalLimits(clock)
    await limits.take((GUESSES, "a"))
    clock.now = 100_000
    assert await _left(limits, "a") == 2


async def _left(limits: LocalLimits, key: str) -> int:
    for taken in range(10):
        try:
            await limits.take((GUESSES, key))
        except TooManyRequests:
            return taken
    return 10
