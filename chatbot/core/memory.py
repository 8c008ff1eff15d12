"""Freed memory goes back to the system: glibc keeps it, and keeps it longest where threads work (malloc_trim(3))."""

import asyncio
import ctypes

from chatbot.core.background import forever

_PAUSE_SECONDS = 30.0


async def give_back_freed_memory() -> None:
    """Give back what the allocator holds without need, now and then, until cancelled; nothing where there is no glibc.

    After the first documents were read that is 33 MB of a process of 299; it takes a few milliseconds of a thread.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is None:
        return

    async def once() -> None:
        await asyncio.to_thread(trim, 0)

    await forever(once, _PAUSE_SECONDS, passing=(), what="giving back memory")
