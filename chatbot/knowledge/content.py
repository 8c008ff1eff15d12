"""What is given to be known: its bytes, still where they came from, with their hash and name."""

import asyncio
import hashlib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import IO, Literal

import orjson

from chatbot.knowledge.errors import EmptyFile, FileTooLarge
from chatbot.knowledge.schemas import NewSource

_BLOCK = 1024 * 1024
_HEADING = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a source: a file-like body of `size` bytes and its SHA-256, hex.

    `heading` is what it is called where nobody names it.
    """

    kind: Literal["file", "text", "qa"]
    body: IO[bytes]
    size: int
    sha256: str
    filename: str | None = None
    content_type: str | None = None
    heading: str | None = None


async def content_of_file(body: IO[bytes], filename: str, content_type: str | None, *, limit: int) -> Content:
    """Measure and hash a file, block by block, in a thread.

    Raises:
        EmptyFile: 0 bytes.
        FileTooLarge: above `limit` bytes.
    """
    size, digest = await asyncio.to_thread(_measure, body)
    _check_size(size, limit)
    return Content("file", body, size, digest, safe_name(filename), (content_type or "")[:200] or None)


def content_of_json(given: NewSource, *, limit: int) -> Content | None:
    """Return what a JSON request holds itself; None when it names an address instead.

    Raises:
        FileTooLarge: above `limit` bytes.
    """
    if given.kind == "text":
        return _content("text", (given.content or "").encode(), limit)
    if given.kind == "qa":
        first = [(given.question, given.answer)] if given.question and given.answer else []
        return content_of_pairs([*first, *((pair.question, pair.answer) for pair in given.pairs)], limit=limit)
    return None


def content_of_pairs(pairs: Sequence[tuple[str, str]], *, limit: int) -> Content:
    """Return questions with their answers as content.

    Raises:
        FileTooLarge: above `limit` bytes.
    """
    content = _content("qa", orjson.dumps(pairs), limit)
    return replace(content, heading=pairs[0][0].strip()[:_HEADING])


def _content(kind: Literal["text", "qa"], body: bytes, limit: int) -> Content:
    _check_size(len(body), limit)
    return Content(kind, io.BytesIO(body), len(body), hashlib.sha256(body).hexdigest())


def safe_name(filename: str) -> str:
    """Return the last part of a file's name as people see it; it is never used as a path."""
    name = PurePosixPath(_CONTROL.sub("", filename).replace("\\", "/")).name.strip()
    if len(name) <= 255:
        return name or "file"
    suffix = PurePosixPath(name).suffix[:20]
    return name[: 255 - len(suffix)] + suffix


def _measure(body: IO[bytes]) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    body.seek(0)
    while block := body.read(_BLOCK):
        digest.update(block)
        size += len(block)
    body.seek(0)
    return size, digest.hexdigest()


def _check_size(size: int, limit: int) -> None:
    if size == 0:
        raise EmptyFile.field("file", "is empty (0 bytes)")
    if size > limit:
        raise FileTooLarge(limit)
