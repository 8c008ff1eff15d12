"""Tasks that run beside others, and how to end them for certain."""

import asyncio
from collections.abc import Awaitable, Callable

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


async def end(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks and wait until they are over.

    Once is not enough: psycopg turns a cancellation that comes during a query into an error of the query, and whoever
    passes over such errors would go on.
    """
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=_PATIENCE)


def was_cancelled() -> bool:
    """Whether the present task was asked to end, even if what it awaited swallowed the request."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
