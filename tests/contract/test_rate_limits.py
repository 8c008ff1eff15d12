"""One contract for rate limits: of this process, and shared by processes in a real Redis."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from chatbot.core.errors import TooManyRequests
from chatbot.core.limits import LocalLimits, Rate, RateLimits, SharedLimits
from chatbot.core.redis_link import RedisLink
from tests.redis_server import RedisServer

HOURLY = Rate("hourly", "things", 3, 3600.0)
DAILY = Rate("daily", "other things", 1, 86_400.0)
QUICK = Rate("quick", "quick things", 1, 0.2)


@pytest.fixture(params=["local", "redis"])
async def limits(request: pytest.FixtureRequest) -> AsyncIterator[RateLimits]:
    if request.param == "local":
        yield LocalLimits()
        return
    server: RedisServer = request.getfixturevalue("redis")
    link = RedisLink(server.url)
    yield SharedLimits(link)
    await link.close()


async def _left(limits: RateLimits, rate: Rate, key: str) -> int:
    """Empty a bucket and return how much it held."""
    for taken in range(rate.count + 5):
        try:
            await limits.take((rate, key))
        except TooManyRequests:
            return taken
    return rate.count + 5


async def test_so_many_at_once_and_no_more(limits: RateLimits) -> None:
    for _ in range(3):
        await limits.take((HOURLY, "a"))
    with pytest.raises(TooManyRequests) as refused:
        await limits.take((HOURLY, "a"))
    assert refused.value.detail == "things: at most 3 in 3600 s"
    assert 1100 <= int(refused.value.headers["Retry-After"]) <= 1201


async def test_keys_and_rates_are_counted_apart(limits: RateLimits) -> None:
    assert await _left(limits, HOURLY, "a") == 3
    assert await _left(limits, HOURLY, "b") == 3
    assert await _left(limits, DAILY, "a") == 1


async def test_all_or_none_and_the_first_empty_one_is_named(limits: RateLimits) -> None:
    await limits.take((HOURLY, "a"), (DAILY, "a"))
    with pytest.raises(TooManyRequests, match="other things: at most 1 in 86400 s"):
        await limits.take((HOURLY, "a"), (DAILY, "a"))
    assert await _left(limits, HOURLY, "a") == 2


async def test_given_back_and_forgotten(limits: RateLimits) -> None:
    for _ in range(3):
        await limits.take((HOURLY, "a"))
    await limits.give_back((HOURLY, "a"), (HOURLY, "nobody"))
    assert await _left(limits, HOURLY, "a") == 1
    await limits.forget((HOURLY, "a"), (HOURLY, "nobody"))
    assert await _left(limits, HOURLY, "a") == 3
    assert await _left(limits, HOURLY, "nobody") == 3


async def test_more_is_never_given_back_than_a_bucket_holds(limits: RateLimits) -> None:
    await limits.take((HOURLY, "a"))
    for _ in range(5):
        await limits.give_back((HOURLY, "a"))
    assert await _left(limits, HOURLY, "a") == 3


async def test_time_fills_a_bucket(limits: RateLimits) -> None:
    await limits.take((QUICK, "a"))
    async with asyncio.timeout(20):
        while not await _left(limits, QUICK, "a"):  # noqa: ASYNC110 - time is what is waited for
            await asyncio.sleep(0.02)
    await limits.take((QUICK, "b"))


async def test_everybody_at_once_gets_no_more_than_there_is(limits: RateLimits) -> None:
    wide = Rate("wide", "things", 10, 3600.0)
    answers = await asyncio.gather(*(limits.take((wide, "a")) for _ in range(40)), return_exceptions=True)
    assert sum(answer is None for answer in answers) == 10
    assert sum(isinstance(answer, TooManyRequests) for answer in answers) == 30
