"""Tasks that run beside others, and how to end them for certain."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from chatbot.core.logging import get_logger

log = get_logger(__name__)
_PATIENCE = 0.5


async def forever(
    work: Callable[[], Awaitable[object]], pause: float, *, passing: tuple[type[Exception], ...], what: str
) -> None:
    """Do something again and again, `pause` seconds apart, whatever becomes of it.

    Args:
        passing: errors that come and go by themselves, told in a line; any other is told with its trace.
    """
    while not was_cancelled():
        try:
            await work()
        except passing as error:
            log.warning(f"{what} failed; trying again", reason=str(error)[:200])  # noqa: G004 - a closed set of words
        except Exception:
            # Nobody waits for this task: were it to end, the work would never be done again, and nothing would say so.
            log.exception(f"{what} failed unexpectedly; trying again")  # noqa: G004 - as above
        await asyncio.sleep(pause)


class EndedByItself(RuntimeError):
    """Work that should go on until it is told to stop has returned."""


def _never() -> bool:
    return False


@asynccontextmanager
async def beside(
    work: Coroutine[Any, Any, None], *, name: str, ending: Callable[[], bool] = _never
) -> AsyncIterator[None]:
    """Run work beside the block, which cannot do without it: should the work end first, the block ends too.

    After the block the work is cancelled once (a second time would cut its draining short) and waited for.

    Args:
        ending: whether the work has been told to stop by other means: then it may end first, and is not cancelled.

    Raises:
        EndedByItself: the work has returned. What it raises is raised as it is.
    """
    block, over, died = asyncio.current_task(), False, False

    def ended(_task: "asyncio.Task[None]") -> None:
        nonlocal died
        if block and not over and not ending():
            died = True
            log.error("work that should go on has ended", work=name)
            block.cancel()

    task = asyncio.create_task(work, name=name)
    task.add_done_callback(ended)
    try:
        yield
    except asyncio.CancelledError:
        if not died or (block and block.uncancel() > 0):
            raise  # the block was cancelled by somebody else (too)
    finally:
        over = True
        if not ending():
            task.cancel()
        await asyncio.wait({task})
    error = None if task.cancelled() else task.exception()
    if died:
        raise error or EndedByItself(f"{name} ended by itself")
    if error:
        log.error("work did not end in order", work=name, exc_info=error)


async def end(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks and wait until they are over.

    Once is not enough: `asyncio.wait_for` of Python 3.11 gives the result instead when that comes at the same moment
    (python/cpython#86296; ours, the queue's and its pool of connections use it), and a worker of procrastinate that
    cannot sign off, the database being away, raises that error instead. psycopg passes a cancellation on.
    """
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=_PATIENCE)


def was_cancelled() -> bool:
    """Whether the present task was asked to end, even if what it awaited swallowed the request."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
