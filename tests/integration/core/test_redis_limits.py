"""Limits over a real Redis: shared by processes, open for chat and closed for guesses while it is gone."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from chatbot.core.errors import TooManyRequests, Unavailable
from chatbot.core.limits import ClosedLimits, OpenLimits, Rate, RateLimits, SharedLimits
from chatbot.core.redis_link import RedisGone, RedisLink
from chatbot.core.settings import ConfigurationError
from tests.redis_server import RedisServer

RATE = Rate("things", "things", 2, 3600.0)


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def link(redis: RedisServer, clock: Clock) -> AsyncIterator[RedisLink]:
    opened = RedisLink(redis.url, clock)
    yield opened
    await opened.close()


@pytest.fixture
async def silent() -> AsyncIterator[RedisLink]:
    """A Redis behind a wall: connections are taken, and nothing is ever said."""

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(never, "127.0.0.1", 0)
    link = RedisLink(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    yield link
    await link.close()
    server.close()


async def test_processes_share_a_bucket(redis: RedisServer, link: RedisLink) -> None:
    other = RedisLink(redis.url)
    await OpenLimits(link).take((RATE, "a"))
    await ClosedLimits(other, 60).take((RATE, "a"))
    with pytest.raises(TooManyRequests):
        await SharedLimits(other).take((RATE, "a"))
    await other.close()


async def test_no_name_and_no_address_stands_in_redis(redis: RedisServer, link: RedisLink) -> None:
    await SharedLimits(link).take((RATE, "sara@example.com"), (RATE, "203.0.113.7"))
    keys = redis.run("KEYS", "*")
    assert len(keys) == 2
    assert all(key.startswith("limit:things:") for key in keys)
    assert "sara" not in str(keys)
    assert "203.0.113.7" not in str(keys)
    assert all(0 < redis.run("PTTL", key) <= 3_600_000 for key in keys)


async def test_open_limits_count_alone_while_redis_is_gone(redis: RedisServer, link: RedisLink, clock: Clock) -> None:
    limits = OpenLimits(link, clock)
    await _empty(limits)
    redis.stop()
    clock.now = 10
    await _empty(limits)
    redis.start()
    with pytest.raises(TooManyRequests):
        await limits.take((RATE, "a"))
    clock.now = 12
    await _empty(limits)
    assert redis.run("KEYS", "*")


async def test_open_limits_do_not_wait_for_a_silent_redis_each_time(
    silent: RedisLink, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatbot.core.limits._HASTY_SECONDS", 1.0)
    wide = Rate("wide", "things", 100, 60.0)
    limits = OpenLimits(silent, clock)
    started = time.monotonic()
    for _ in range(100):
        await limits.take((wide, "a"))
    assert time.monotonic() - started < 50.0, "each of a hundred waited"


async def test_closed_limits_refuse_while_redis_is_gone(redis: RedisServer, link: RedisLink, clock: Clock) -> None:
    limits = ClosedLimits(link, 300)
    redis.stop()
    for _ in range(5):
        with pytest.raises(Unavailable) as refused:
            await limits.take((RATE, "a"))
        assert refused.value.status == 503
        assert int(refused.value.headers["Retry-After"]) <= 10
        clock.now += 10
    redis.start()
    await _empty(limits)


async def test_closed_limits_go_on_alone_after_a_whole_window(
    redis: RedisServer, link: RedisLink, clock: Clock
) -> None:
    limits = ClosedLimits(link, 300)
    await limits.take((RATE, "a"))
    redis.stop()
    with pytest.raises(Unavailable):
        await limits.take((RATE, "a"))
    clock.now = 299
    with pytest.raises(Unavailable):
        await limits.take((RATE, "a"))
    clock.now = 301
    await limits.take((RATE, "a"))
    with pytest.raises(TooManyRequests):
        await limits.take((RATE, "a"))


async def test_an_outage_that_ended_does_not_shorten_the_next(
    redis: RedisServer, link: RedisLink, clock: Clock
) -> None:
    limits = ClosedLimits(link, 300)
    for _ in range(2):
        redis.stop()
        with pytest.raises(Unavailable):
            await limits.take((RATE, "b"))
        redis.start()
        await limits.take((RATE, "b"))
        clock.now += 200


async def test_a_flushed_redis_does_not_clear_guesses(redis: RedisServer, link: RedisLink) -> None:
    limits = ClosedLimits(link, 300)
    await _empty(limits)
    redis.run("FLUSHALL")
    with pytest.raises(TooManyRequests):
        await limits.take((RATE, "a"))


async def test_what_others_refuse_is_not_counted_here(redis: RedisServer, link: RedisLink) -> None:
    await _empty(SharedLimits(link))
    limits = ClosedLimits(link, 300)
    for _ in range(4):
        with pytest.raises(TooManyRequests):
            await limits.take((RATE, "a"))
    redis.run("FLUSHALL")
    await _empty(limits)


async def test_forgetting_and_giving_back_never_fail(redis: RedisServer, link: RedisLink) -> None:
    for limits in (OpenLimits(link), ClosedLimits(link, 300)):
        redis.stop()
        await limits.forget((RATE, "a"))
        await limits.give_back((RATE, "a"))
        redis.start()
        await _empty(limits)
        redis.run("FLUSHALL")


async def test_an_outage_is_told_once(redis: RedisServer, link: RedisLink, clock: Clock) -> None:
    with capture_logs() as told:
        redis.stop()
        for _ in range(20):
            with pytest.raises(RedisGone):
                await link.ping()
        clock.now = 50
        assert link.gone_for == 50
        redis.start()
        await link.ping()
        assert link.gone_for == 0
    assert [line["event"] for line in told] == [
        "Redis does not answer; going on without it",
        "Redis answers again",
    ]


async def test_a_password_is_used_and_never_told(data_dir: Path) -> None:
    with RedisServer(data_dir, "--requirepass", "hunter-two"), capture_logs() as told:
        for password, fits in (("hunter-two", True), ("hunter-three", False)):
            link = RedisLink(f"unix://:{password}@{data_dir}/redis.sock")
            if fits:
                await link.ping()
            else:
                with pytest.raises(RedisGone) as gone:
                    await link.ping()
                assert "hunter" not in gone.value.detail
            await link.close()
    assert len(told) == 1
    assert "hunter" not in str(told)


def test_an_address_that_cannot_be_read_is_named_without_being_told() -> None:
    with pytest.raises(ConfigurationError, match="REDIS_URL") as error:
        RedisLink("redis://:hunter-two@host:port/0")
    assert "hunter" not in str(error.value)


async def _empty(limits: RateLimits) -> None:
    for _ in range(RATE.count):
        await limits.take((RATE, "a"))
    with pytest.raises(TooManyRequests):
        await limits.take((RATE, "a"))
