"""Tasks beside others: how they end, and what becomes of those who cannot do without them."""

import asyncio
import sys
from collections.abc import Callable

import pytest

from chatbot.core.background import EndedByItself, beside, end, was_cancelled


class Broken(Exception):
    """What a worker dies of."""


async def _dies(error: Exception | None) -> None:
    await asyncio.sleep(0)
    if error:
        raise error


@pytest.mark.parametrize(("error", "raised"), [(Broken(), Broken), (None, EndedByItself)])
async def test_a_block_ends_with_what_it_cannot_do_without(error: Exception | None, raised: type[Exception]) -> None:
    drained = False
    with pytest.raises(raised):
        async with beside(_dies(error), name="worker"):
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)  # what drains may still wait for something
                drained = True
    assert drained
    assert not was_cancelled(), "the death is told, and the task goes on"
    await asyncio.sleep(0)


async def test_a_cancellation_from_outside_stays_one_though_the_work_dies_too() -> None:
    both = asyncio.Event()

    async def block() -> None:
        async with beside(_dies_when(both, Broken()), name="worker"):
            await asyncio.Event().wait()

    task = asyncio.create_task(block())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    both.set()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def _dies_when(told: asyncio.Event, error: Exception) -> None:
    await told.wait()
    raise error


async def test_work_is_cancelled_once_and_may_drain() -> None:
    cancelled = 0
    done = asyncio.Event()

    async def work() -> None:
        nonlocal cancelled
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled += 1
            for _ in range(5):
                await asyncio.sleep(0)
            done.set()
            raise

    async with beside(work(), name="worker"):
        await asyncio.sleep(0)
    assert (cancelled, done.is_set()) == (1, True)


async def test_work_that_was_told_to_stop_by_other_means_is_only_waited_for() -> None:
    stop = asyncio.Event()
    drained = False

    async def work() -> None:
        nonlocal drained
        await stop.wait()
        for _ in range(5):
            await asyncio.sleep(0)
        drained = True

    async with beside(work(), name="worker", ending=stop.is_set):
        stop.set()
    assert drained


async def test_work_that_breaks_while_it_drains_takes_nothing_with_it(capfd: pytest.CaptureFixture[str]) -> None:
    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise Broken

    async with beside(work(), name="worker"):
        await asyncio.sleep(0)
    assert "did not end in order" in "".join(capfd.readouterr())


async def test_a_task_that_loses_its_cancellation_is_ended_all_the_same() -> None:
    lost = 0
    begun = asyncio.Event()

    async def waits(free: Callable[[], asyncio.Event]) -> None:
        nonlocal lost
        while True:
            await asyncio.wait_for(free().wait(), 3600)
            lost += was_cancelled()

    events: list[asyncio.Event] = []

    def next_event() -> asyncio.Event:
        events.append(asyncio.Event())
        begun.set()
        return events[-1]

    task = asyncio.create_task(waits(next_event))
    await begun.wait()
    await asyncio.sleep(0)
    events[-1].set()
    await asyncio.sleep(0)  # what it waits for is done, which it has not been told yet
    task.cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    if sys.version_info < (3, 12):
        assert (lost, task.done()) == (1, False), "wait_for of Python 3.11 has lost it"
    await end(task)
    assert task.cancelled()
