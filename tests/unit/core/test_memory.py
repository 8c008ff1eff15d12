"""Freed memory leaves the process."""

import asyncio
import ctypes
from contextlib import suppress

import psutil
import pytest

from chatbot.core.memory import give_back_freed_memory

_MB = 2**20


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="gives memory back where there is glibc")
async def test_what_is_freed_below_what_is_kept_goes_back() -> None:
    blocks = [bytes(5_000) for _ in range(20_000)]
    kept = blocks[::64]  # one in each few pages: the allocator by itself can shrink nothing
    blocks.clear()
    held = psutil.Process().memory_info().rss
    returning = asyncio.create_task(give_back_freed_memory())
    async with asyncio.timeout(60):
        while psutil.Process().memory_info().rss > held - 40 * _MB:  # noqa: ASYNC110 - a figure of the system
            await asyncio.sleep(0.01)
    returning.cancel()
    with suppress(asyncio.CancelledError):
        await returning
    assert len(kept) == 313
