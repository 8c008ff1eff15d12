"""Files that somebody else made, as responses that no browser shows or runs."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

from fastapi.responses import Response, StreamingResponse

from chatbot.core.blobs import OpenFile
from chatbot.core.errors import TooManyRequests

_UNSAFE = re.compile(r"[^A-Za-z0-9._ -]")


@dataclass(slots=True)
class _Line:
    """The downloads of one caller."""

    places: asyncio.Semaphore
    inside: int = field(default=0)  # sent, or waiting for that


class DownloadPlaces:
    """How many files this process sends one caller at the same time; some more wait, further ones are refused.

    Args:
        at_once: so many are sent.
        waiting: so many wait; a page may ask for all pictures of a conversation together.
    """

    def __init__(self, at_once: int = 8, waiting: int = 92) -> None:
        self._at_once = at_once
        self._waiting = waiting
        self._lines: dict[str, _Line] = {}

    @property
    def inside(self) -> int:
        """How many downloads are under way or wait, of all callers."""
        return sum(line.inside for line in self._lines.values())

    @asynccontextmanager
    async def take(self, who: str) -> AsyncIterator[None]:
        """Wait for a place, and have it while the block runs.

        Raises:
            TooManyRequests: too many wait already.
        """
        line = self._lines.setdefault(who, _Line(asyncio.Semaphore(self._at_once)))
        if line.inside >= self._at_once + self._waiting:
            raise TooManyRequests(f"downloads: at most {self._at_once} at once, and {self._waiting} that wait")
        line.inside += 1
        try:
            async with line.places:
                yield
        finally:
            line.inside -= 1
            if not line.inside:
                del self._lines[who]


def as_attachment(name: str) -> dict[str, str]:
    """Return the header that has a browser store a response under a name, whatever its letters (RFC 6266)."""
    plain = _UNSAFE.sub("_", name).strip(". ") or "file"
    return {"Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"}


def download(file: OpenFile, name: str) -> Response:
    """Return a file to be stored; its type is not told, so that nothing is made of it."""
    return streamed(file, {**as_attachment(name), "Cache-Control": "private, no-store"}, "application/octet-stream")


def streamed(file: OpenFile, headers: Mapping[str, str], media_type: str) -> Response:
    """Return a file that is sent as it is read; one that breaks off is shorter than its `Content-Length` says."""
    return StreamingResponse(file.parts, headers={**headers, "Content-Length": str(file.size)}, media_type=media_type)
